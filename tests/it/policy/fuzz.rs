//! A fuzz target: `evaluate` answers whatever bytes it reads, and never panics.
//!
//! `cargo test` replays the inputs in `__fuzz__` and tries some thousand more. `cargo bolero test
//! policy::fuzz::answer_lines` goes on for as long as wanted, with a fuzzing engine.

#[path = "../../../crates/kms-key-policy/tests/it/fuzz/damage.rs"]
mod damage;

use std::path::Path;

use damage::Tried;
use proptest::prelude::*;
use proptest::sample::Index;
use session_kms::cli::evaluate;

fn answer_one(bytes: &[u8]) {
    let mut output = Vec::new();
    evaluate::run(bytes, &mut output, 1).unwrap();
    for line in std::str::from_utf8(&output).unwrap().lines() {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(answer.get("decision").is_some() != answer.get("error").is_some(), "{line}");
    }
}

#[test]
fn answer_lines() {
    let tried = Tried::default();
    bolero::check!().with_iterations(1000).for_each(|bytes: &[u8]| {
        tried.add(bytes);
        answer_one(bytes);
    });
    tried.assert_all(&corpus());
}

/// The inputs of the fuzz target that `cargo test` replays.
fn corpus() -> Vec<Vec<u8>> {
    let folder = "tests/it/policy/__fuzz__/policy__fuzz__answer_lines/corpus";
    damage::inputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_lines_never_panic(which in any::<Index>(), changes in damage::changes()) {
        answer_one(&damage::apply(which.get(&corpus()).clone(), &changes));
    }
}
