//! Each flow, with the process killed at each of its calls. Then the event comes again to a new process, once and
//! twice, and after it the schedule's.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::timeout;

use super::process::Process;
use crate::effort;
use crate::fault_matrix::flow::Flow;
use crate::fault_matrix::invariants::{
    broken_by_delivery, broken_world, not_as_wanted, not_ended_alike, not_quiet,
};
use crate::fault_matrix::known::{in_words, is_known};
use crate::fault_matrix::stage::{Delivered, Delivery, Stage};
use crate::fault_matrix::told::untold;
use crate::stub::{CallRecord, Stop, Stub};

/// How many cases run at the same time. A process often waits for others.
const TOGETHER: usize = 4;
/// How long a process may take for an event.
const LONGEST: Duration = Duration::from_secs(60);

/// Where the process is killed: at its n-th call, counted from 1.
#[derive(Clone, Copy, Debug)]
struct Cut {
    n: usize,
    stop: Stop,
}

/// Runs flows: all of them, or those that the bounded run has.
pub async fn run(group: &str, flows: Vec<Flow>, of_bounded: &[&str]) {
    let begun = Instant::now();
    let chosen: Vec<_> =
        flows.into_iter().filter(|flow| effort::is_complete() || of_bounded.contains(&flow.name)).collect();
    let (mut kills, mut known, mut broken) = (0, 0, Vec::new());
    for flow in &chosen {
        let stage = Stage::new(Stub::start().await, *flow).await;
        let undisturbed = undisturbed(&stage).await;
        let problems = broken_by_delivery(&stage, &undisturbed, "first");
        broken.extend(problems.into_iter().map(|problem| format!("{}, undisturbed: {problem}", flow.name)));
        let cuts = cuts(&undisturbed.calls);
        kills += cuts.len();
        let workers = (0..TOGETHER).map(|worker| {
            let share: Vec<_> = cuts.iter().copied().skip(worker).step_by(TOGETHER).collect();
            work(*flow, share, &undisturbed)
        });
        for (of_worker, broken_by_worker) in join_all(workers).await {
            known += of_worker;
            broken.extend(broken_by_worker);
        }
    }
    let figures = format!(
        "{} flows, {kills} kills, {} break an invariant{}",
        chosen.len(),
        broken.len(),
        in_words(known)
    );
    effort::report(&format!("kills-{group}"), &figures);
    let seconds = begun.elapsed().as_secs();
    assert!(kills > 0 && broken.is_empty(), "{figures}, in {seconds} s\n{}", broken.join("\n"));
}

/// Before each call, and also after it if it writes: the death after a read is the death before the next call.
fn cuts(calls: &[CallRecord]) -> Vec<Cut> {
    let each = calls.iter().enumerate().flat_map(|(index, call)| {
        let before = Cut { n: index + 1, stop: Stop::Before };
        [Some(before), call.writes.then_some(Cut { stop: Stop::After, ..before })]
    });
    each.flatten().collect()
}

/// Runs some cases of a flow on a stub of their own. Returns how many break something known, and what the others break.
async fn work(flow: Flow, cuts: Vec<Cut>, undisturbed: &Delivery) -> (usize, Vec<String>) {
    let stage = Stage::new(Stub::start().await, flow).await;
    let (mut known, mut broken) = (0, Vec::new());
    for cut in cuts {
        let problems = run_case(&stage, cut, undisturbed).await;
        let case = format!("{}, killed at call {} ({:?})", flow.name, cut.n, cut.stop);
        if !problems.is_empty() && is_known(&case, &problems) {
            known += 1;
        } else if !problems.is_empty() {
            broken.push(format!("{case}\n    {}", problems.join("\n    ")));
        }
    }
    (known, broken)
}

async fn undisturbed(stage: &Stage) -> Delivery {
    stage.reset();
    let mut process = Process::start(&stage.fixture.stub).await;
    delivered(stage, &mut process, &stage.event).await
}

async fn run_case(stage: &Stage, cut: Cut, undisturbed: &Delivery) -> Vec<String> {
    let stub = &stage.fixture.stub;
    stage.reset();
    let mut process = Process::start(stub).await;
    stub.stop_at(cut.n, cut.stop);
    let first = stage
        .observed(&stage.event, async |event| {
            let handled = tokio::select! {
                handled = process.handle(event) => Some(handled),
                () = stub.reached() => None,
            };
            process.kill();
            (handled, process.output())
        })
        .await;
    stub.resume();
    // If the order of calls that are made together differs, the process may come to its end before the cut.
    let mut problems = broken_world(stage, &first, "killed");
    let mut process = Process::start(stub).await;
    let again = delivered(stage, &mut process, &stage.event).await;
    let twice = delivered(stage, &mut process, &stage.event).await;
    for (delivery, which) in [(&again, "again"), (&twice, "twice")] {
        problems.extend(broken_by_delivery(stage, delivery, which));
        problems
            .extend(not_as_wanted(delivery, stage.flow.wanted).map(|problem| format!("{which}: {problem}")));
        problems.extend(not_ended_alike(delivery, undisturbed).map(|problem| format!("{which}: {problem}")));
    }
    let mut deliveries = vec![&first, &again, &twice];
    let schedule = match stage.flow.only_asks() {
        true => None,
        false => Some(delivered(stage, &mut process, &Stage::schedule()).await),
    };
    if let Some(schedule) = &schedule {
        problems.extend(broken_by_delivery(stage, schedule, "schedule"));
        problems.extend(not_quiet(schedule));
        deliveries.push(schedule);
    }
    if undisturbed.is_remediation() {
        problems.extend(untold(stage, undisturbed, &deliveries));
    }
    if !problems.is_empty() {
        problems.extend(deliveries.iter().map(|delivery| format!("> {}", delivery.outcome())));
    }
    problems
}

/// Delivers an event to a process that may have handled others before.
async fn delivered(stage: &Stage, process: &mut Process, event: &Delivered) -> Delivery {
    let before = process.output().len();
    stage
        .observed(event, async |event| {
            let handled = timeout(LONGEST, process.handle(event)).await.ok();
            (handled, process.output().split_off(before))
        })
        .await
}
