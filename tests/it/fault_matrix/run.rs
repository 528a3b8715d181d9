//! Runs a group of flows, reports its figures, and fails with the cases that break an invariant.

use std::time::Instant;

use super::case::{Baseline, run_case};
use super::flow::Flow;
use super::known::{in_words, is_known};
use super::sample::{self, Case};
use super::stage::Stage;
use crate::effort;
use crate::stub::Stub;

/// How many broken cases are printed in full.
const PRINTED: usize = 40;

/// Prints the case that was under way if the test panics.
struct UnderWay(String);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("under way: {}\n", self.0).as_bytes(),
            );
        }
    }
}

/// Runs all flows of a group.
pub async fn run(group: &str, flows: Vec<Flow>) {
    let only = std::env::var("FAULT_CASE").ok();
    let (mut calls, mut possible, mut cases, mut known, mut broken) = (0, 0, 0, 0, Vec::new());
    let mut stub = Stub::start().await;
    let begun = Instant::now();
    for flow in &flows {
        if only.as_ref().is_some_and(|only| !only.starts_with(&format!("{}/", flow.name))) {
            continue;
        }
        let _under_way = UnderWay(flow.name.to_owned());
        let stage = Box::pin(Stage::new(stub, *flow)).await;
        let (baseline, mut problems) = Box::pin(Baseline::of(&stage)).await;
        let all = sample::all(&baseline.calls);
        calls += baseline.calls.len();
        possible += all.len();
        broken.extend(problems.drain(..).map(|problem| format!("{}, undisturbed: {problem}", flow.name)));
        let chosen = match effort::is_complete() || only.is_some() {
            true => all,
            false => sample::drawn(flow.name, &baseline.calls),
        };
        for case in chosen {
            let name = name(flow, &case);
            if only.as_ref().is_some_and(|only| !name.starts_with(only)) {
                continue;
            }
            let _under_way = UnderWay(name.clone());
            cases += 1;
            // Boxed: the state of all that a case awaits is large.
            let problems = Box::pin(run_case(&stage, &baseline, case)).await;
            if !problems.is_empty() && only.is_none() && is_known(&name, &problems) {
                known += 1;
            } else if !problems.is_empty() {
                broken.push(format!("FAULT_CASE=\"{name}\"\n    {}", problems.join("\n    ")));
            }
        }
        stub = stage.into_stub();
    }
    assert!(cases > 0, "no case of that name");
    let figures = format!(
        "{} flows, {calls} calls; {cases} of {possible} cases, {} break an invariant{}",
        flows.len(),
        broken.len(),
        in_words(known)
    );
    if only.is_none() {
        effort::report(&format!("fault-matrix-{group}"), &figures);
    }
    let shown: Vec<_> = broken.iter().take(effort::amount(PRINTED, usize::MAX)).map(String::as_str).collect();
    let (seconds, shown) = (begun.elapsed().as_secs(), shown.join("\n"));
    assert!(broken.is_empty(), "{figures}, in {seconds} s\n{shown}");
}

fn name(flow: &Flow, case: &Case) -> String {
    format!("{}/{}/{}", flow.name, case.call, case.kind.name())
}
