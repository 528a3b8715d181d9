//! The JSON Schemas of `schemas/`: the files are what the code makes, and every sample, golden file and answer of the tests
//! is valid. `UPDATE_SCHEMAS=1` writes the files.
//!
//! The helpers of the other tests call [`assert_valid`] and its companions, so that no test has to think of schemas.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use cloudformation_custom_resource::testing::ReceivedResponse;
use jsonschema::Validator;
use serde_json::Value;

/// Fails if a value is not valid by the schema of this name.
pub fn assert_valid(name: &'static str, value: &Value) {
    let problems: Vec<_> = validator(name)
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "no {name}: {}\n{value:#}", problems.join("\n"));
}

/// The answer of the function to an event.
pub fn assert_answer_valid(payload: &Value, answer: &Value) {
    if let (true, Some(answers)) = (payload.get("Records").is_some(), answer.as_array()) {
        answers.iter().for_each(assert_event_answer_valid);
        return;
    }
    let Some(action) = payload.get("action").and_then(Value::as_str) else {
        return assert_event_answer_valid(answer);
    };
    if answer.get("error").is_some() && answer.get("account").is_none() {
        return assert_valid("direct-call-error", answer);
    }
    // What is answered was understood.
    assert_valid("direct-call", payload);
    let has_intent = ["kmsKeyId", "encryption"].iter().any(|name| payload.get(name).is_some());
    let schema = match action.to_ascii_lowercase().as_str() {
        "audit" => "audit-line",
        "auditpairs" => "audit-pairs-answer",
        "auditreport" => "audit-report-answer",
        "reconcile" if payload.get("tf").is_some() => "terraform-answer",
        "reconcile" if !has_intent => "change-event-report",
        _ => "report",
    };
    assert_valid(schema, answer);
}

/// The answer to an event that is no direct call. Custom resources have none, and AWS Config has one of its own.
fn assert_event_answer_valid(answer: &Value) {
    if answer.get("command").is_some_and(|command| command == "event") {
        assert_valid("change-event-report", answer);
    }
}

/// The attributes of a custom resource. Its physical id says which one it is.
pub fn assert_attributes_valid(response: &ReceivedResponse) {
    let mut id = response.physical_resource_id.split(':');
    if !response.success || response.data.is_empty() || id.next() != Some("session-kms") {
        return;
    }
    let schema = match (id.nth(2), id.next()) {
        (Some("key"), Some(_)) => "session-key-attributes",
        (Some("access"), Some(_)) => "session-key-access-attributes",
        _ => "session-encryption-attributes",
    };
    assert_valid(schema, &Value::Object(response.data.clone()));
}

/// What a command printed and wrote. Text and foreign formats are not looked at.
pub fn assert_command_valid(arguments: &[&str], out: &str) {
    let follows =
        |option: &str| arguments.iter().zip(arguments.iter().skip(1)).find(|(name, _)| **name == option);
    let is_json = follows("--format").is_some_and(|(_, format)| format.eq_ignore_ascii_case("json"));
    let is_audit = arguments.contains(&"audit");
    if arguments.contains(&"evaluate") {
        return assert_answers_valid(out);
    }
    if let (true, Ok(report @ Value::Object(_))) = (is_json, serde_json::from_str(out)) {
        assert_valid(if is_audit { "audit-report" } else { "report" }, &report);
    }
    if let (true, Some((_, file))) = (is_audit, follows("--output").or_else(|| follows("--resume"))) {
        let lines = fs::read_to_string(file).unwrap_or_default();
        // A run that was interrupted may have written a part of its last line, and a file may hold something else.
        let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines = lines.filter(|line| line.get("auditedAt").is_some());
        lines.for_each(|line| assert_valid("audit-line", &line));
    }
}

/// The answers of `evaluate`, a line each.
pub fn assert_answers_valid(lines: &str) {
    // The text of `--help` is no answer.
    let lines = lines.lines().filter(|line| line.starts_with("{\"id\":"));
    lines.for_each(|line| assert_valid("evaluate-answer", &serde_json::from_str(line).unwrap()));
}

/// A golden file. Those of other formats have schemas of others.
pub fn assert_golden_valid(name: &str, text: &str) {
    if let Some(stem) = name.strip_suffix(".json") {
        let schema = if stem.starts_with("audit") { "audit-report" } else { "report" };
        assert_valid(schema, &serde_json::from_str(text).unwrap());
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}.schema.json"))
}

/// The validator of the file, which is compiled once.
fn validator(name: &'static str) -> &'static Validator {
    static VALIDATORS: Mutex<BTreeMap<&'static str, &'static OnceLock<Validator>>> =
        Mutex::new(BTreeMap::new());
    let cell = {
        let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        *validators.entry(name).or_insert_with(|| Box::leak(Box::default()))
    };
    cell.get_or_init(|| {
        let text = fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("schema {name}: {error}"));
        jsonschema::draft202012::new(&serde_json::from_str(&text).unwrap()).unwrap()
    })
}

#[test]
fn the_schemas_are_what_the_code_makes() {
    let made = session_kms::reference::schemas();
    if env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::create_dir_all(folder()).unwrap();
        for (name, schema) in &made {
            fs::write(file(name), format!("{schema:#}\n")).unwrap();
        }
    }
    for (name, schema) in &made {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name} is no schema");
        let written = fs::read_to_string(file(name)).unwrap_or_default();
        assert!(
            written == format!("{schema:#}\n"),
            "schemas/{name}.schema.json differs; `make schemas` writes it"
        );
    }
    let names: BTreeSet<_> = made.iter().map(|(name, _)| file(name)).collect();
    let files: BTreeSet<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, names);
}

#[test]
fn every_sample_that_people_write_is_valid() {
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("events")).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let event: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        if event.get("action").is_some() {
            assert_valid("direct-call", &event);
            seen.insert("direct-call");
        }
        let schema = match name.rsplit_once('-').map(|(kind, _)| kind) {
            Some("custom-resource") => "session-encryption",
            Some("session-key") => "session-key",
            Some("key-access") => "session-key-access",
            _ => continue,
        };
        for properties in ["ResourceProperties", "OldResourceProperties"] {
            event.get(properties).into_iter().for_each(|properties| assert_valid(schema, properties));
        }
        seen.insert(schema);
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn every_member_of_a_report_is_in_a_golden_file() {
    let golden = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let reports = ["check.json", "everything.json", "fleets.json", "key-report.json"].map(golden);
    // Of the members of a report, only this one is in no golden file; a test of `check` without AWS looks at it.
    assert_eq!(members_without_sample("report", &reports), BTreeSet::from(["isAdmitted".to_owned()]));
    // Likewise, a test of the audit of exempt principals looks at this one.
    assert_eq!(
        members_without_sample("audit-report", &[golden("audit.json")]),
        BTreeSet::from(["exempt".to_owned()])
    );
}

/// The members of a schema that no sample has, by the name of the definition.
fn members_without_sample(name: &str, samples: &[Value]) -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(&fs::read_to_string(file(name)).unwrap()).unwrap();
    let mut defined = BTreeSet::new();
    let mut parts = vec![&schema];
    while let Some(part) = parts.pop() {
        defined.extend(
            part.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.keys().cloned()),
        );
        match part {
            Value::Object(members) => parts.extend(members.values()),
            Value::Array(items) => parts.extend(items),
            _ => {}
        }
    }
    let mut parts: Vec<_> = samples.iter().collect();
    while let Some(part) = parts.pop() {
        match part {
            Value::Object(members) => {
                for name in members.keys() {
                    defined.remove(name);
                }
                parts.extend(members.values());
            }
            Value::Array(items) => parts.extend(items),
            _ => {}
        }
    }
    defined
}

#[test]
fn a_schema_refuses_what_nobody_has_described() {
    let mut answer: Value = serde_json::from_str(
        r#"{"id":1,"decision":"allowed","explicit":false,"statements":[],"dependsOn":[],"warnings":[]}"#,
    )
    .unwrap();
    assert_valid("evaluate-answer", &answer);
    answer["surprise"] = 1.into();
    assert!(!validator("evaluate-answer").is_valid(&answer));
    let call = serde_json::json!({"action": "status", "kmsKeyId": "alias/a"});
    assert!(!validator("direct-call").is_valid(&call));
}
