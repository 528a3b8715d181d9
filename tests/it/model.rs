//! A model-based test. It runs the program against an AWS in memory, through random sequences of actions that are
//! drawn from a seed, and checks the invariants after each action.
//!
//! - [`in_memory_aws`] is the AWS: one document, one parameter, a few keys, a clock. [`ports`] gives a run access to it.
//!   It crashes the run, or lets a call fail, as a [`FaultPlan`] says.
//! - [`action`] draws what happens: requests of owners, change events that are lost, late, duplicated or out of order,
//!   runs that crash, and two runs that take turns at each call.
//! - [`outside_change`] holds the concurrent writers: what others do to the document and to the keys.
//! - [`driver`] carries out the actions, and [`run`] runs the program, alone or two at a time.
//! - [`invariants`] checks each run against [`recorded_intent`], the intent that the model expects on record.
//! - [`final_state`] checks the end: the document is as wanted, or an alert says why it is not.

mod action;
mod driver;
mod final_state;
pub mod in_memory_aws;
mod interleavings;
mod invariants;
mod long_life;
pub mod outside_change;
pub mod ports;
mod recorded_intent;
pub mod run;

use std::cell::RefCell;

use proptest::prelude::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::action::{Action, actions, failing_keys, initial_states, last_events, owner_requests, races};
use self::driver::Driver;
use self::in_memory_aws::Tally;
use self::ports::FaultPlan;
use self::run::Run;

#[test]
fn any_sequence_of_events_ends_as_wanted() {
    let happened = run_sequences(2500, actions());
    assert_each_happened(
        &happened,
        &[
            "ended with a record",
            "granted",
            "refused",
            "repaired",
            "breaker open",
            "stood in",
            "cleared",
            "released",
            "cut off",
            "races lost",
            "versions pruned",
            "record tampered with",
        ],
    );
}

#[test]
fn keys_that_fail_and_work_again_end_as_wanted() {
    let happened = run_sequences(1500, failing_keys());
    assert_each_happened(
        &happened,
        &["ended with a record", "stood in", "cleared", "returned", "left as it was", "cut off"],
    );
}

#[test]
fn runs_at_the_same_time_end_as_wanted() {
    let happened = run_sequences(2500, races());
    assert_each_happened(
        &happened,
        &["ended with a record", "repaired", "refused", "released", "cut off", "two at a time", "races lost"],
    );
}

/// Fails if something hardly ever happened: then the test shows nothing about it.
fn assert_each_happened(happened: &Tally, expected: &[&str]) {
    for what in expected {
        let times = happened.get(what).copied().unwrap_or_default();
        assert!(times >= 25, "`{what}` happened {times} times only: {happened:?}");
    }
}

/// Runs as many sequences, drawn from the seed in `MODEL_SEED` or else from a fixed one. Returns what happened, and how
/// often.
fn run_sequences(sequences: u32, actions: impl Strategy<Value = Vec<Action>>) -> Tally {
    let seed: u64 = std::env::var("MODEL_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: sequences, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let happened = RefCell::new(Tally::new());
    let outcome = runner.run(
        &(initial_states(), owner_requests(), actions, last_events()),
        |(initial, request, actions, last)| {
            let mut driver = Driver::new(initial);
            let mut run = || {
                driver.run_one(Run::Establish(request.clone()), FaultPlan::default())?;
                for action in &actions {
                    driver.apply_action(action).map_err(|violation| format!("{action:?}: {violation}"))?;
                }
                final_state::check_final_state(&mut driver, &last)
            };
            run().map_err(TestCaseError::fail)?;
            for (what, times) in &driver.aws.borrow().tally {
                *happened.borrow_mut().entry(what).or_default() += times;
            }
            Ok(())
        },
    );
    let message = match &outcome {
        Err(TestError::Fail(violation, (initial, request, actions, last))) => {
            let played: String = actions.iter().map(|action| format!("\n  {action:?}")).collect();
            format!("{violation}\nseed {seed}, {initial:?}\n  {request:?}{played}\n  {last:?}")
        }
        other => format!("seed {seed}: {other:?}"),
    };
    assert!(outcome.is_ok(), "{message}");
    happened.into_inner()
}
