//! A repair that fails for whatever reason ends in an alert, or in an error that Lambda tries again. There is no third
//! outcome.

use std::collections::BTreeSet;

use serde_json::Value;
use session_kms::session::DocumentName;

use crate::fixture::{
    Fixture, Logs, PATIENCE, add_version, assert_nothing_secret, enabled, handle, settings,
};
use crate::stub::{Document, DuplicateReading, Fault, Format, Refusal, When, World};

/// The document carries the key of the stack `demo` again.
const REPAIRED: &str = "latest k1, default k1; demo wants k1, before alias/old";

/// A document that a stack has set, and that somebody has changed since.
async fn drifted(format: Format, content: &str) -> Fixture {
    let fixture = Fixture::with_document(Document::session(format, content)).await;
    fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture
        .stub
        .world(|world| add_version(world, format, &content.replace("alias/old", "alias/of-another-tool")));
    fixture
}

fn event() -> Value {
    serde_json::from_str(include_str!("../../../events/document-update-call.json")).unwrap()
}

/// Handles the event, and fails if the document is not as wanted and nobody is told.
async fn assert_repaired_or_told(fixture: &Fixture, case: &str) {
    let mut function = fixture.function(None);
    function.settings.document = Some(DocumentName::default());
    let handled = handle(&function, &event(), PATIENCE).await;
    let outcome = match &handled {
        Ok(report) => report.to_string(),
        Err(error) => error.to_string(),
    };
    assert_nothing_secret(&outcome);
    let is_repaired = fixture.state() == REPAIRED;
    match handled {
        Err(_) => {}
        Ok(report) if report["alert"] == true => {}
        Ok(_) => assert!(is_repaired, "{case}: {}; {outcome}", fixture.state()),
    }
    fixture.assert_no_violations();
    // The next event finishes the job.
    fixture.stub.clear_faults();
    fixture.run(event()).await;
    assert_eq!(fixture.state(), REPAIRED, "{case}");
}

#[tokio::test]
async fn every_call_of_a_repair_may_fail_in_every_way() {
    let fixture = drifted(Format::Json, &settings("alias/old")).await;
    let before = fixture.stub.calls().len();
    fixture.run(event()).await;
    assert_eq!(fixture.state(), REPAIRED);
    let calls: BTreeSet<_> =
        fixture.stub.calls().into_iter().skip(before).map(|call| (call.service, call.operation)).collect();
    assert!(calls.len() > 5, "{calls:?}");
    let refusals = |service: &str| {
        let codes: &[&str] = match service {
            "ssm" => &[
                "InvalidDocumentContent",
                "InvalidDocumentSchemaVersion",
                "MaxDocumentSizeExceeded",
                "DocumentVersionLimitExceeded",
                "DuplicateDocumentContent",
                "InvalidDocumentVersion",
                "InvalidDocument",
                "InvalidDocumentOperation",
                "ParameterLimitExceeded",
                "HierarchyLevelLimitExceededException",
            ],
            "kms" => &["NotFoundException", "KMSInvalidStateException", "DependencyTimeoutException"],
            _ => &["ServiceFailure"],
        };
        codes.iter().map(|code| (*code, Fault::Refuse(Refusal::client(code, "refused by the test"))))
    };
    for (service, operation) in calls {
        let faults = [
            ("AccessDenied", Fault::AccessDenied { action: "some:Action" }),
            ("Throttle", Fault::Throttle),
            ("TooManyUpdates", Fault::TooManyUpdates),
            ("InternalError", Fault::InternalError),
            ("Unavailable", Fault::Unavailable),
            ("CutBefore", Fault::CutBefore),
            ("Garbage", Fault::Garbage),
        ];
        for (name, fault) in faults.into_iter().chain(refusals(service)) {
            for is_lasting in [true, false] {
                let fixture = drifted(Format::Json, &settings("alias/old")).await;
                let when = When::operation(service, operation.clone().leak());
                fixture.stub.fault(if is_lasting { when } else { when.nth(1) }, fault.clone());
                assert_repaired_or_told(&fixture, &format!("{operation} {name}, lasting: {is_lasting}"))
                    .await;
            }
        }
    }
}

#[tokio::test]
async fn a_state_that_no_repair_can_change_is_told() {
    type Change = fn(&mut World);
    let states: [(&str, Change); 4] = [
        ("a version that fails", |world| world.documents.fail_next = Some("no".to_owned())),
        ("a full history", |world| world.documents.version_limit = 1),
        ("a setting named twice", |world| {
            add_version(world, Format::Json, r#"{"schemaVersion":"1.0","inputs":{"a":1,"a":2}}"#)
        }),
        ("a key chosen by who starts the session", |world| {
            add_version(world, Format::Json, r#"{"schemaVersion":"1.0","inputs":{"kmsKeyId":"{{ key }}"}}"#);
        }),
    ];
    for (case, change) in states {
        let fixture = drifted(Format::Json, &settings("alias/old")).await;
        fixture.stub.world(change);
        let handled = handle(&fixture.function(None), &event(), PATIENCE).await;
        let is_told = handled.as_ref().map_or(true, |report| report["alert"] == true);
        assert!(is_told || fixture.state() == REPAIRED, "{case}: {handled:?}");
    }
}

#[tokio::test]
async fn yaml_is_repaired_whatever_its_description_looks_like() {
    for description in ["", "description: |\n  Ours\n", "description:\n", "description: 'a\n  b'\n"] {
        let content = format!(
            "schemaVersion: '1.0'\n{description}sessionType: Standard_Stream\ninputs:\n  kmsKeyId: alias/old\n"
        );
        for reading in [DuplicateReading::AnyVersionBytes, DuplicateReading::AnyVersionNormalised] {
            let fixture = drifted(Format::Yaml, &content).await;
            fixture.stub.world(|world| world.documents.duplicates = reading);
            let report = handle(&fixture.function(None), &event(), PATIENCE).await.unwrap();
            assert_eq!(report["documents"][0]["result"], "repaired", "{report}");
            assert_eq!(fixture.state(), REPAIRED, "{content:?}");
        }
    }
}

#[tokio::test]
async fn the_log_of_a_repair_that_fails_has_an_alert_too() {
    let logs = Logs::captured();
    let fixture = drifted(Format::Json, &settings("alias/old")).await;
    let refusal = Refusal::client("DuplicateDocumentContent", "refused by the test");
    fixture.stub.fault(When::operation("ssm", "UpdateDocument"), Fault::Refuse(refusal));
    let error = handle(&fixture.function(None), &event(), PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("DuplicateDocumentContent"), "{error}");
    let text = logs.text();
    let report = text.lines().find(|line| line.contains("\"command\\\":\\\"event")).unwrap();
    assert!(report.contains("\\\"alert\\\":true") && report.contains("DuplicateDocumentContent"), "{report}");
    assert!(!report.contains("no document of ours is concerned"), "{report}");
}
