//! Reads the cases of `tests/corpus`, and compares an answer in JSON with what a case expects.
//!
//! The tests of `session-kms evaluate` include this file too.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A file of cases about one point of the policy language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    point: String,
    about: String,
    source: String,
    defaults: Map<String, Value>,
    cases: Vec<CorpusCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorpusCase {
    name: String,
    input: Map<String, Value>,
    expect: Expect,
}

/// What the answer must hold. A text must occur in one of the answer's texts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Expect {
    decision: Option<String>,
    explicit: Option<bool>,
    statements: Option<Vec<Value>>,
    depends_on: Option<Vec<String>>,
    allowed_if: Option<Value>,
    missing: Option<String>,
    /// An empty list means that the answer must have no warning.
    warnings: Option<Vec<String>>,
    pub(crate) error: Option<String>,
}

/// The name, the input and the expectation of every case in `folder`, with the defaults of its file filled in.
pub(crate) fn read(folder: &Path) -> Vec<(String, Map<String, Value>, Expect)> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let file_cases: CaseFile =
            serde_json::from_str(&text).map_err(|e| format!("{}: {e}", file.display())).unwrap();
        assert!(
            !file_cases.about.is_empty() && !file_cases.source.is_empty() && !file_cases.cases.is_empty()
        );
        for case in file_cases.cases {
            let mut input = file_cases.defaults.clone();
            input.extend(case.input);
            input.retain(|_, value| !value.is_null());
            cases.push((format!("{}: {}", file_cases.point, case.name), input, case.expect));
        }
    }
    cases
}

/// Adds a line to `problems` for each expectation that the answer does not meet.
pub(crate) fn check(name: &str, expect: &Expect, answer: &Value, problems: &mut Vec<String>) {
    let mut differ = |what: &str, expected: &dyn std::fmt::Debug| {
        problems.push(format!("{name}\n    {what}: expected {expected:?}\n    answer: {answer}"));
    };
    let texts = |field: &str| -> Vec<String> {
        let list = answer[field].as_array();
        list.into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    if let Some(error) = &expect.error {
        if !answer["error"].as_str().is_some_and(|found| found.contains(error.as_str())) {
            differ("error", error);
        }
        return;
    }
    if answer["decision"].as_str() != expect.decision.as_deref() {
        differ("decision", &expect.decision);
    }
    if expect.explicit.is_some() && answer["explicit"].as_bool() != expect.explicit {
        differ("explicit", &expect.explicit);
    }
    if let Some(statements) = &expect.statements {
        let found = answer["statements"].as_array().unwrap();
        let same = |one: &Value, other: &Value| ["policy", "index", "sid"].iter().all(|f| one[f] == other[f]);
        if found.len() != statements.len() || !found.iter().zip(statements).all(|(f, s)| same(f, s)) {
            differ("statements", statements);
        }
    }
    if let Some(depends_on) = &expect.depends_on
        && texts("dependsOn") != *depends_on
    {
        differ("dependsOn", depends_on);
    }
    if (answer["decision"] == "depends") == texts("dependsOn").is_empty() {
        differ("dependsOn is empty, or is not,", &answer["decision"]);
    }
    if expect
        .allowed_if
        .as_ref()
        .is_some_and(|cases| answer.get("allowedIf").is_some_and(|found| found != cases))
    {
        differ("allowedIf", &expect.allowed_if);
    }
    if let Some(missing) = &expect.missing
        && !answer["missing"].as_str().is_some_and(|found| found.contains(missing.as_str()))
    {
        differ("missing", missing);
    }
    if let Some(warnings) = &expect.warnings {
        let found = texts("warnings");
        let all = warnings.iter().all(|warning| found.iter().any(|f| f.contains(warning.as_str())));
        if !all || (warnings.is_empty() && !found.is_empty()) {
            differ("warnings", warnings);
        }
    }
}
