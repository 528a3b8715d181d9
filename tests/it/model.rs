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

use proptest::prelude::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::action::{Action, actions, asks, races, settings};
use self::line::Fate;
use self::play::Play;
use self::run::Run;

#[test]
fn any_sequence_of_events_ends_as_wanted() {
    play(2500, actions());
}

#[test]
fn runs_at_the_same_time_end_as_wanted() {
    play(2500, races());
}

/// Plays sequences from the seed in `MODEL_SEED`, or always the same.
fn play(sequences: u32, actions: impl Strategy<Value = Vec<Action>>) {
    let seed: u64 = std::env::var("MODEL_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: sequences, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&(settings(), asks(), actions), |(setting, ask, actions)| {
        let mut play = Play::new(setting);
        let mut go = || {
            play.one(Run::Establish(ask.clone()), Fate::default())?;
            for action in &actions {
                play.act(action).map_err(|wrong| format!("{action:?}: {wrong}"))?;
            }
            last::ends_well(&mut play)
        };
        go().map_err(TestCaseError::fail)
    });
    let told = match &outcome {
        Err(TestError::Fail(wrong, (setting, ask, actions))) => {
            let played: String = actions.iter().map(|action| format!("\n  {action:?}")).collect();
            format!("{wrong}\nseed {seed}, {setting:?}\n  {ask:?}{played}")
        }
        other => format!("seed {seed}: {other:?}"),
    };
    assert!(outcome.is_ok(), "{told}");
}
