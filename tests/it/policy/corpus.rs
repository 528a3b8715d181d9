//! Every case of the policy crate's corpus, each with its source, through `evaluate`.
//!
//! The policy crate runs the same cases through the library.

#[path = "../../../crates/kms-key-policy/tests/it/corpus/cases.rs"]
mod cases;

use std::path::Path;

use serde_json::Value;
use session_kms::cli::evaluate;

use crate::schemas;

#[test]
fn every_case_holds_through_evaluate() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/kms-key-policy/tests/corpus");
    let cases = cases::read(&folder);
    let mut lines = String::new();
    for (name, input, _) in &cases {
        let mut line = input.clone();
        line.insert("id".to_owned(), Value::String(name.clone()));
        lines.push_str(&serde_json::to_string(&line).unwrap());
        lines.push('\n');
    }
    let mut output = Vec::new();
    let summary = evaluate::run(lines.as_bytes(), &mut output, 2).unwrap();
    assert_eq!(summary.answered + summary.failed, u64::try_from(cases.len()).unwrap());
    let answers = std::str::from_utf8(&output).unwrap();
    schemas::assert_answers_valid(answers);
    let answers = answers.lines();
    let mut problems = Vec::new();
    for ((name, input, expect), line) in cases.iter().zip(answers) {
        let answer: Value = serde_json::from_str(line).unwrap();
        if answer.get("error").is_none() {
            schemas::assert_valid("evaluate-case", &Value::Object(input.clone()));
        }
        assert_eq!(answer["id"], **name, "the answers keep the order of the cases");
        cases::check(name, expect, &answer, &mut problems);
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), cases.len(), problems.join("\n"));
}
