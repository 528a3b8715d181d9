//! A forged event names documents: none of them is touched but one that can be the function's own.

use serde_json::{Value, json};

use crate::fixture::{Fixture, NAME, PATIENCE, RECORD, enabled, handle, id_of, resource, settings};
use crate::stub::{CallRecord, Document, Format};

/// A document that no record of the function knows.
const DECOY: &str = "Team-Decoy";

/// Names that are none, each close to one that is.
const NO_NAMES: [&str; 20] = [
    "",
    "ab",
    "../SSM-SessionManagerRunShell",
    "SSM-SessionManagerRunShell/../Team-Decoy",
    "SSM-SessionManagerRunShell/Team-Decoy",
    "SSM-SessionManagerRunShell:Team-Decoy",
    "SSM-SessionManagerRunShell\0Team-Decoy",
    "SSM-SessionManagerRunShell\n",
    " SSM-SessionManagerRunShell",
    "SSM-SessionManagerRunShell*",
    "SSM-SessionManagerRun?hell",
    "$LATEST",
    "${DocumentName}",
    "{{ DocumentName }}",
    "\u{405}SM-SessionManagerRunShell",
    "SSM-SessionManagerRunShell\u{200b}",
    "arn:aws:ssm:eu-west-1:123456789012:document/../Team-Decoy",
    "arn:aws:ssm:eu-west-1:123456789012:parameter/session-kms/Team-Decoy",
    "arn:aws:ssm:eu-west-1:210987654321:document/Team-Decoy",
    "arn:aws:ssm:us-east-1:123456789012:document/Team-Decoy",
];

/// A fixture with a stack that wants `k1`, whose document somebody has changed, and with a decoy.
async fn drifted() -> Fixture {
    let fixture = Fixture::with_settings().await;
    fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.world(|world| {
        world.put_document(NAME, Document::session(Format::Json, &settings("alias/theirs")));
        world.put_document(DECOY, Document::session(Format::Json, &settings("alias/decoy")));
    });
    fixture.stub.forget_calls();
    fixture
}

/// Fails if a call named something that is no document and no record of one.
fn assert_only_valid_names(fixture: &Fixture, case: &str) {
    for call in fixture.stub.calls().iter().filter(|call| call.service == "ssm") {
        let Some(name) = call.body["Name"].as_str() else { continue };
        let document = name.strip_prefix("/session-kms/").unwrap_or(name);
        let is_name = (3..=128).contains(&document.len())
            && document.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        assert!(is_name, "{} of {name:?}: {case}", call.operation);
    }
}

/// Fails if the decoy was written, or got a record.
fn assert_decoy_untouched(fixture: &Fixture, case: &str) {
    fixture.stub.world(|world| {
        assert_eq!(world.document(DECOY).unwrap().versions.len(), 1, "{case}");
        assert_eq!(world.parameter(&format!("/session-kms/{DECOY}")), None, "{case}");
    });
    let writes =
        |call: &CallRecord| call.writes && call.service == "ssm" && call.body.to_string().contains(DECOY);
    assert!(!fixture.stub.calls().iter().any(writes), "{case}");
}

/// The sample events that name the document.
fn samples() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    all.sort();
    let text = |path: std::path::PathBuf| {
        (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
    };
    all.into_iter()
        .map(text)
        .filter(|(_, text)| text.contains(NAME) && !text.contains("RequestType"))
        .collect()
}

/// The event with another name wherever it names the document, in texts within texts too.
fn renamed(text: &str, name: &str) -> Value {
    fn walk(value: &mut Value, name: &str) {
        match value {
            Value::Object(members) => members.values_mut().for_each(|value| walk(value, name)),
            Value::Array(items) => items.iter_mut().for_each(|value| walk(value, name)),
            Value::String(text) if text.starts_with('{') => {
                if let Ok(mut inner) = serde_json::from_str(text) {
                    walk(&mut inner, name);
                    *text = Value::to_string(&inner);
                }
            }
            Value::String(text) => *text = text.replace(NAME, name),
            _ => {}
        }
    }
    let mut event = serde_json::from_str(text).unwrap();
    walk(&mut event, name);
    event
}

#[tokio::test]
async fn an_event_makes_the_function_call_nothing_by_a_name_that_is_none() {
    let fixture = drifted().await;
    for (sample, text) in samples() {
        for name in NO_NAMES {
            let case = format!("{sample} names {name:?}");
            fixture.stub.forget_calls();
            let _ = handle(&fixture.function(None), &renamed(&text, name), PATIENCE).await;
            assert_only_valid_names(&fixture, &case);
            assert_decoy_untouched(&fixture, &case);
        }
    }
}

#[tokio::test]
async fn an_event_about_a_document_without_a_record_writes_nothing() {
    for (sample, text) in samples() {
        let fixture = drifted().await;
        let record = fixture.stub.world(|world| world.parameter(RECORD).unwrap().to_owned());
        let _ = handle(&fixture.function(None), &renamed(&text, DECOY), PATIENCE).await;
        assert_decoy_untouched(&fixture, &sample);
        let kept = fixture.stub.world(|world| world.parameter(RECORD).map(str::to_owned));
        assert!(kept.is_some() && kept.unwrap().contains(&fixture.k1), "{sample}: {record}");
    }
}

/// An id is text that anybody can write. Only the record says which document a stack owns.
#[tokio::test]
async fn a_forged_physical_id_releases_no_document() {
    let fixture = drifted().await;
    let stranger = resource("stranger");
    for id in [
        id_of(DECOY),
        id_of(NAME),
        id_of("../Team-Decoy"),
        "session-kms:123456789012:eu-west-1:".to_owned(),
        "session-kms:210987654321:eu-west-1:Team-Decoy".to_owned(),
        "session-kms:123456789012:us-east-1:Team-Decoy".to_owned(),
        DECOY.to_owned(),
        format!("arn:aws:ssm:eu-west-1:123456789012:document/{DECOY}"),
    ] {
        for properties in [enabled(&fixture.k1), json!({"DocumentName": DECOY, "OnDelete": "Clear"})] {
            fixture.stub.forget_calls();
            let answer = fixture.send(&stranger.delete(&fixture.stub, &id, &properties)).await;
            assert_eq!(fixture.written(), Vec::<String>::new(), "{id} {properties}: {}", answer.reason);
            assert_only_valid_names(&fixture, &id);
            assert_decoy_untouched(&fixture, &id);
        }
    }
    fixture.assert_no_violations();
}

/// A record that somebody has written by hand is data, and not a way to another document.
#[tokio::test]
async fn a_record_of_another_document_is_not_followed() {
    let fixture = drifted().await;
    let record = fixture.stub.world(|world| world.parameter(RECORD).unwrap().to_owned());
    for name in ["Team-Decoy", "../Team-Decoy", "Team-Decoy/x"] {
        let mut forged: Value = serde_json::from_str(&record).unwrap();
        for member in ["document", "name", "documentName"] {
            forged[member] = name.into();
        }
        fixture.stub.world(|world| world.put_parameter(RECORD, &forged.to_string()));
        let text = include_str!("../../../events/schedule.json");
        let _ = handle(&fixture.function(None), &serde_json::from_str(text).unwrap(), PATIENCE).await;
        assert_only_valid_names(&fixture, name);
        assert_decoy_untouched(&fixture, name);
    }
}
