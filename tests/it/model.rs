//! The model test: sequences of events, drawn at random from a seed, on a world in memory. Events are requests of
//! owners and notices, lost, late, twice and out of order; others write the document and change the keys; runs are
//! cut off at any call, calls fail, two runs take turns. After the last event everything is as wanted, or an alert
//! says why not.

mod action;
mod intended;
mod judge;
mod last;
pub mod line;
mod play;
pub mod rival;
pub mod run;
pub mod world;

use std::cell::RefCell;

use proptest::prelude::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::action::{Action, actions, asks, failing_keys, lasts, races, settings};
use self::line::Fate;
use self::play::Play;
use self::run::Run;
use self::world::Tally;

#[test]
fn any_sequence_of_events_ends_as_wanted() {
    let happened = play(2500, actions());
    assert_not_idle(
        &happened,
        &[
            "ended with a record",
            "granted",
            "refused",
            "repaired",
            "left alone",
            "stood in",
            "cleared",
            "given back",
            "cut off",
            "races lost",
            "versions pruned",
            "record meddled with",
        ],
    );
}

#[test]
fn keys_that_fail_and_work_again_end_as_wanted() {
    let happened = play(1500, failing_keys());
    assert_not_idle(
        &happened,
        &["ended with a record", "stood in", "cleared", "returned", "left as it was", "cut off"],
    );
}

#[test]
fn runs_at_the_same_time_end_as_wanted() {
    let happened = play(2500, races());
    assert_not_idle(
        &happened,
        &[
            "ended with a record",
            "repaired",
            "refused",
            "given back",
            "cut off",
            "two at a time",
            "races lost",
        ],
    );
}

/// Fails where something hardly ever happened: then nothing is said of it.
fn assert_not_idle(happened: &Tally, expected: &[&str]) {
    for what in expected {
        let times = happened.get(what).copied().unwrap_or_default();
        assert!(times >= 25, "`{what}` happened {times} times only: {happened:?}");
    }
}

/// Plays sequences from the seed in `MODEL_SEED`, or always the same; what happened how often.
fn play(sequences: u32, actions: impl Strategy<Value = Vec<Action>>) -> Tally {
    let seed: u64 = std::env::var("MODEL_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: sequences, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let happened = RefCell::new(Tally::new());
    let outcome = runner.run(&(settings(), asks(), actions, lasts()), |(setting, ask, actions, last)| {
        let mut play = Play::new(setting);
        let mut go = || {
            play.one(Run::Establish(ask.clone()), Fate::default())?;
            for action in &actions {
                play.act(action).map_err(|wrong| format!("{action:?}: {wrong}"))?;
            }
            last::ends_well(&mut play, &last)
        };
        go().map_err(TestCaseError::fail)?;
        for (what, times) in &play.world.borrow().tally {
            *happened.borrow_mut().entry(what).or_default() += times;
        }
        Ok(())
    });
    let told = match &outcome {
        Err(TestError::Fail(wrong, (setting, ask, actions, last))) => {
            let played: String = actions.iter().map(|action| format!("\n  {action:?}")).collect();
            format!("{wrong}\nseed {seed}, {setting:?}\n  {ask:?}{played}\n  {last:?}")
        }
        other => format!("seed {seed}: {other:?}"),
    };
    assert!(outcome.is_ok(), "{told}");
    happened.into_inner()
}
