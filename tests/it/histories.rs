//! Random histories of stacks: a strict CloudFormation sends what it may send, and the document ends as a model says.
//!
//! - [`history`] draws what happens, with [`properties`] of the stacks, and [`account`] holds what others change.
//! - [`cloudformation`] plays the stacks: what it sends, what it takes for an answer, what it does after a failure.
//! - [`lambda`] delivers the requests, with faults of AWS, of the process and of the receiver of answers.
//! - [`model`] says which states a request may lead to. [`player`] compares them with what can be seen after each
//!   delivery.
//!
//! A history that fails is shrunk and printed. `HISTORIES_SEED` draws others.

mod account;
mod cloudformation;
mod history;
mod lambda;
mod model;
mod player;
mod properties;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::history::histories;
use self::player::Player;
use crate::effort;
use crate::stub::Stub;

#[test]
fn any_history_of_stacks_leaves_the_documents_as_the_model_says() {
    let histories = effort::amount(300, 6000);
    // A test's own thread has a small stack, and the strategies and the futures of a whole history need more.
    let playing = std::thread::Builder::new().stack_size(64 << 20).spawn(move || play_histories(histories));
    let happened = match playing.expect("a thread").join() {
        Ok(happened) => happened,
        Err(difference) => std::panic::resume_unwind(difference),
    };
    let (requests, calls) = (happened["requests"], happened["calls"]);
    effort::report(
        "histories",
        &format!("{histories} histories, {requests} requests, {calls} AWS calls, 0 differ from the model"),
    );
    assert_each_happened(&happened);
}

/// Fails if something hardly ever happened: then the test shows nothing about it.
fn assert_each_happened(happened: &BTreeMap<&'static str, usize>) {
    for what in player::EXPECTED {
        let times = happened.get(what).copied().unwrap_or_default();
        assert!(times >= 5, "`{what}` happened {times} times only: {happened:?}");
    }
}

fn play_histories(histories_played: u32) -> BTreeMap<&'static str, usize> {
    let seed: u64 = std::env::var("HISTORIES_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: histories_played,
        failure_persistence: None,
        max_shrink_iters: 800,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stub = runtime.block_on(Stub::start());
    let happened = RefCell::new(BTreeMap::new());
    let outcome = runner.run(&histories(), |history| {
        let mut player = Player::new(&stub, history.beginning);
        runtime.block_on(Box::pin(player.play(&history))).map_err(TestCaseError::fail)?;
        for (what, times) in player.tally {
            *happened.borrow_mut().entry(what).or_default() += times;
        }
        Ok(())
    });
    let message = match &outcome {
        Err(TestError::Fail(difference, history)) => {
            account::with_short_names(&format!("{difference}\nseed {seed}, {history}"))
        }
        other => format!("seed {seed}: {other:?}"),
    };
    assert!(outcome.is_ok(), "{message}");
    happened.into_inner()
}
