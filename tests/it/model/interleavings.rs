//! All interleavings of two invocations on the AWS in memory, each with a crash at any point.
//!
//! - [`scenario`] says what there is and which two runs meet; [`pairs`] lists them.
//! - [`explorer`] visits every state that the calls of two runs can lead to. [`run_tree`] remembers how a run goes on
//!   after each history of answers, so that the program runs once for each.
//! - [`checks`] holds the invariants: no setting is lost, encryption is not off without having been asked to be, SUCCESS
//!   is true, the record and the document agree in the end, and the end is one to which the runs also come one after
//!   the other.
//!
//! In the bounded run, the run that changes something alternates at most once while both go on; the reads of the other
//! run come at any point all the same. Repairs wait for each other and read again, and a request and a Delete can undo
//! each other's writes ten times, so some pairs still have too many states: a limit cuts them short, and the figures
//! name them.

mod checks;
mod explorer;
mod fingerprint;
mod pairs;
mod run_tree;
mod scenario;
mod store;

use std::thread;

use self::explorer::{Figures, Limits, explore};
use self::scenario::Scenario;
use crate::effort;

/// The stack of an exploration, in bytes: each step of a schedule is a call deeper.
const STACK: usize = 256 << 20;

#[test]
fn requests_of_owners_at_the_same_time_keep_every_promise() {
    explore_all("interleavings", pairs::of_owners(), effort::amount(4000, 200_000));
}

#[test]
fn repairs_at_the_same_time_keep_every_promise() {
    explore_all("interleavings-of-repairs", pairs::of_repairs(), effort::amount(600, 60_000));
}

/// Explores the scenarios with a crash each, and reports the figures. `PAIR` names the only one to explore.
fn explore_all(test: &str, scenarios: Vec<Scenario>, states: usize) {
    let only = std::env::var("PAIR").unwrap_or_default();
    let alternations = effort::amount(Some(1), None);
    let limits = Limits { crashes: 1, states, alternations };
    let (mut all, mut cut_short, mut with_faults, mut wrong) = (Figures::default(), vec![], vec![], vec![]);
    let scenarios: Vec<_> = scenarios.into_iter().filter(|scenario| scenario.name.contains(&only)).collect();
    let number = scenarios.len();
    for scenario in scenarios {
        let name = scenario.name;
        let exploration = thread::Builder::new().stack_size(STACK).spawn(move || explore(&scenario, limits));
        match exploration.expect("a thread").join().expect("no panic") {
            Ok(figures) => {
                all = all.and(figures);
                cut_short.extend(figures.is_cut_short.then_some(name));
                with_faults
                    .extend((figures.known_faults > 0).then(|| format!("{name} ({})", figures.known_faults)));
            }
            Err(broken) => wrong.push(format!("{broken}\nto run it again: PAIR='{name}'")),
        }
    }
    let Figures { states, schedules, ends, histories, .. } = all;
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let cut_short: Vec<_> = cut_short.into_iter().map(str::to_owned).collect();
    let figures = format!(
        "{number} pairs of runs with a crash each{}, {states} states, {schedules} schedules that differ in more than \
         the order of reads, {ends} different ends, {histories} histories of answers, {} break an invariant; cut \
         short by a limit of states: {}; ends with known faults: {}",
        effort::amount(" and at most one alternation of changes", ""),
        wrong.len(),
        list(&cut_short),
        list(&with_faults),
    );
    effort::report(test, &figures);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
