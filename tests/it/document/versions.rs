//! The latest and the default version, and the status of a new version.

use serde_json::json;

use crate::fixture::{Fixture, NAME, enabled, resource, settings};
use crate::stub::{Document, Format, Stub};

#[tokio::test]
async fn a_default_version_that_is_not_the_latest_is_replaced_and_the_answer_says_so() {
    let document = Document::session(Format::Json, &settings("console"))
        .with_version(Format::Json, &settings("alias/old"));
    let fixture = Fixture::with_document(document).await;
    let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
    let findings = answer.data["Findings"].as_str().unwrap();
    assert!(findings.contains("version 1: was the default and version 2 the latest"), "{findings}");
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    assert_eq!(numbers(&fixture.stub), (3, 3));
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_latest_version_with_the_key_is_only_promoted() {
    let fixture = Fixture::empty().await;
    let document = Document::session(Format::Json, &settings("console"))
        .with_version(Format::Json, &settings(&fixture.k1));
    fixture.stub.world(|world| world.put_document(NAME, document));
    let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
    assert_eq!((answer.success, &answer.data["DocumentVersion"]), (true, &json!("2")));
    assert_eq!(numbers(&fixture.stub), (2, 2));
    assert_eq!(fixture.stub.calls_of("UpdateDocument").len(), 0);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_new_version_is_promoted_when_it_is_active_and_not_before() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| world.documents.settle_after = 4);
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    assert_eq!(fixture.stub.calls_of("UpdateDocumentDefaultVersion").len(), 1);
    assert!(fixture.stub.calls_of("GetDocument").len() > 4);
    assert_eq!(stack.delete(&run).await.reason(), "");
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    assert!(fixture.stub.calls().iter().all(|call| call.code.as_deref() != Some("InvalidDocumentVersion")));
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_created_document_is_waited_for_too() {
    let fixture = Fixture::empty().await;
    fixture.stub.world(|world| world.documents.settle_after = 3);
    fixture.deployed("demo", &enabled(&fixture.k1)).await;
    assert!(fixture.stub.calls_of("GetDocument").len() > 1);
    assert!(fixture.stub.world(|world| world.document(NAME).unwrap().latest().is_active()));
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before none");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_version_that_fails_is_reported_and_written_again_by_the_next_event() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| {
        (world.documents.settle_after, world.documents.fail_next) = (2, Some("out of order".to_owned()));
    });
    let create = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
    let failed = fixture.send(&create).await;
    assert!(!failed.success);
    assert!(
        failed.reason.contains("version 2") && failed.reason.contains("out of order"),
        "{}",
        failed.reason
    );
    assert_eq!(fixture.state(), "latest k1, default alias/old; demo wants k1, before alias/old");
    fixture.stub.redelivered(&create.url);
    assert!(fixture.send(&create).await.success);
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    assert_eq!(numbers(&fixture.stub), (3, 3));
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_stack_whose_version_failed_restores_the_key_before() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| world.documents.fail_next = Some("out of order".to_owned()));
    let run = async |payload| fixture.run(payload).await;
    let created = fixture.stack("demo").create(&enabled(&fixture.k1), &run).await;
    assert_eq!(created.requests(), ["Create", "Delete"]);
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_delete_whose_version_failed_keeps_the_record_and_the_next_delete_succeeds() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.world(|world| world.documents.fail_next = Some("out of order".to_owned()));
    let failed = stack.delete(&run).await;
    assert!(failed.reason().contains("out of order"), "{}", failed.reason());
    assert_eq!(fixture.state(), "latest alias/old, default k1; demo wants k1, before alias/old");
    assert_eq!(stack.delete(&run).await.reason(), "");
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    assert!(fixture.stub.world(|world| world.document(NAME).unwrap().latest().is_active()));
    fixture.assert_no_violations();
}

/// The numbers of the latest and of the default version.
fn numbers(stub: &Stub) -> (u64, u64) {
    stub.world(|world| {
        let document = world.document(NAME).unwrap();
        (document.latest().number, document.default)
    })
}
