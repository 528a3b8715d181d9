//! Ten thousand changes of one document, and a million duplicate events: nothing is written for a duplicate, the history
//! of the document is pruned, and memory stays flat.
//!
//! The memory is that of a process of its own: the test runs itself again in a child process, since other tests may
//! share this one.

use std::cell::RefCell;
use std::process::Command;

use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::intent::{OnDelete, PreflightMode};
use session_kms::remediation::RemediationOutcome;

use super::in_memory_aws::{DuplicateRule, InMemoryAws, other_settings};
use super::outside_change::{OutsideChange, call_event, event_of};
use super::ports::FaultPlan;
use super::run::{OwnerRequest, Run, RunResult, TroubleResponse, alone};
use crate::effort;

/// The variable that tells a child process that it is one.
const CHILD: &str = "SESSION_KMS_LONG_LIFE_CHILD";
/// By how much a process may grow after the first quarter of its work, in KiB.
const GROWTH: u64 = 4096;
/// What a child process prints before its figures.
const FIGURES: &str = "figures: ";

/// How much was done, for the report.
struct LongLife {
    aws: RefCell<InMemoryAws>,
    runs: usize,
    /// The resident memory after the first quarter, in KiB.
    quarter: Option<u64>,
}

impl LongLife {
    fn new(duplicates: DuplicateRule, most_versions: usize) -> Self {
        let mut aws = InMemoryAws::new(duplicates, 0);
        aws.most_versions = most_versions;
        OutsideChange::Create.apply(&mut aws);
        Self { aws: RefCell::new(aws), runs: 0, quarter: None }
    }

    fn run(&mut self, run: &Run) -> RunResult {
        self.runs += 1;
        self.aws.borrow_mut().now += 7200;
        let result = alone(&self.aws, self.runs, run, FaultPlan::default());
        result.expect("it ends").expect("it is not cut off")
    }

    /// How many writes there were since the last time. The log of the AWS in memory is emptied.
    fn writes(&mut self) -> usize {
        let mut aws = self.aws.borrow_mut();
        assert!(aws.violations.is_empty(), "{:?}", aws.violations);
        std::mem::take(&mut aws.log).len()
    }

    /// Takes the memory after the first quarter.
    fn measure(&mut self, done: usize, all: usize) {
        if done == all / 4 {
            self.quarter = Some(resident_memory());
        }
    }

    /// Fails if the process has grown since the first quarter, and prints the figures.
    fn end(&self, done: &str) {
        let (quarter, end) = (self.quarter.expect("a first quarter"), resident_memory());
        assert!(end <= quarter + GROWTH, "{end} KiB in the end, and {quarter} KiB after the first quarter");
        say(&format!("{done}, {quarter} KiB after a quarter and {end} KiB in the end"));
    }
}

#[expect(clippy::print_stdout, reason = "the parent process reads it")]
fn say(figures: &str) {
    println!("\n{FIGURES}{figures}");
}

/// The resident memory of this process, in KiB.
fn resident_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the resident memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Runs this test again in a process of its own, unless this is that process. Reports the figures.
fn in_own_process(test: &str, figures_of: &str, body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return body();
    }
    let exact = format!("{}::{test}", module_path!().split_once("::").expect("a module").1);
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", &exact, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("a child process");
    let printed = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{failed}");
    let figures = printed.lines().find_map(|line| line.strip_prefix(FIGURES)).expect("figures");
    effort::report(figures_of, figures);
}

fn request(key: Option<usize>) -> Run {
    Run::Establish(OwnerRequest {
        owner: 0,
        key,
        on_key_trouble: TroubleResponse::Alert,
        mode: PreflightMode::Enforce,
        on_delete: OnDelete::Restore,
        takes_over: false,
    })
}

#[test]
fn ten_thousand_changes_of_one_document_leave_nothing_behind() {
    let test = "ten_thousand_changes_of_one_document_leave_nothing_behind";
    in_own_process(test, "changes-of-one-document", || {
        let changes = effort::amount(2_000, 10_000);
        let most_versions = effort::amount(50, 1000);
        let mut life = LongLife::new(DuplicateRule::Any, most_versions);
        let settings = |life: &LongLife| {
            life.aws.borrow().document.as_ref().map(|document| other_settings(document.latest_content()))
        };
        let before = settings(&life);
        for change in 0..changes {
            life.measure(change, changes);
            let key = [Some(0), None, Some(1), None][change % 4];
            let result = life.run(&request(key));
            let RunResult::Established(Ok(outcome)) = result else { unreachable(&result, change) };
            assert!(outcome.changed, "change {change}: {outcome:?}");
            assert!(life.writes() >= 3, "the record, a version and the default");
            assert_eq!(settings(&life), before, "change {change}");
            let aws = life.aws.borrow();
            let document = aws.document.as_ref().expect("a document");
            assert!(document.versions.len() <= most_versions);
            assert_eq!(document.default, document.latest());
        }
        let pruned = life.aws.borrow().tally.get("versions pruned").copied().unwrap_or_default();
        assert!(pruned >= changes - most_versions, "{pruned} versions were pruned");
        life.end(&format!("{changes} changes of one document, {pruned} versions pruned"));
    });
}

/// Fails with a result that should not be.
fn unreachable(result: &RunResult, at: usize) -> ! {
    assert!(result.is_ok(), "{at}: {result:?}");
    std::process::abort()
}

#[test]
fn nothing_is_written_for_duplicate_events() {
    in_own_process("nothing_is_written_for_duplicate_events", "duplicate-events", || {
        let duplicates = effort::amount(20_000, 1_000_000);
        let mut life = LongLife::new(DuplicateRule::Latest, 20);
        life.run(&request(Some(0)));
        let drift: ChangeEvent = {
            let change = OutsideChange::Off { promotes: true };
            change.apply(&mut life.aws.borrow_mut()).expect("a change")
        };
        life.run(&Run::Remediate(drift.clone()));
        let events = [
            request(Some(0)),
            Run::Remediate(drift),
            Run::Remediate(event_of(ChangeSource::Schedule)),
            Run::Remediate(event_of(ChangeSource::RecordChange)),
            Run::Remediate(call_event("CreateDocument", None)),
            // A Delete of a stack that owns nothing here.
            Run::Release { owner: 1, on_delete: None },
        ];
        // What an hour later is forgotten of earlier repairs is written once.
        for event in &events {
            life.run(event);
        }
        life.writes();
        for duplicate in 0..duplicates {
            life.measure(duplicate, duplicates);
            let event = &events[duplicate % events.len()];
            match life.run(event) {
                RunResult::Established(Ok(outcome)) | RunResult::Released(Ok(outcome)) => {
                    assert!(!outcome.changed, "{event:?}: {outcome:?}");
                }
                RunResult::Remediated(Ok(remediation)) => {
                    assert_eq!(remediation.outcome, RemediationOutcome::AsWanted, "{event:?}");
                    assert!(!remediation.changed && remediation.alerts.is_empty(), "{event:?}");
                }
                result => unreachable(&result, duplicate),
            }
            assert_eq!(life.writes(), 0, "{event:?}");
        }
        life.end(&format!("{duplicates} duplicates of {} events, nothing written", events.len()));
    });
}
