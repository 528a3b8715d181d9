//! Others write the same document just before a call of the function.

use serde_json::Value;

use crate::fixture::{Fixture, NAME, enabled, key_in, resource, rival, rival_key};
use crate::stub::{Document, Fault, Format, When};

#[tokio::test]
async fn a_lost_race_for_another_setting_loses_neither_change() {
    for operation in ["PutParameter", "UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(
            When::operation("ssm", operation).nth(1),
            Fault::before(rival(|content| content["inputs"]["s3KeyPrefix"] = "rival".into())),
        );
        let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
        assert!(answer.success, "{operation}: {}", answer.reason);
        assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old", "{operation}");
        let content = fixture.stub.world(|world| world.document(NAME).unwrap().latest_content().to_owned());
        let content: Value = serde_json::from_str(&content).unwrap();
        assert_eq!(content["inputs"]["s3KeyPrefix"], "rival", "{operation}");
        assert_eq!(content["inputs"]["idleSessionTimeout"], 20, "{operation}");
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_lost_race_for_the_key_is_won_by_the_owner() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::operation("ssm", operation).nth(1), Fault::before(rival_key("somebody's")));
        let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
        assert!(answer.success, "{operation}: {}", answer.reason);
        assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old", "{operation}");
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_document_that_appears_meanwhile_is_adopted() {
    let fixture = Fixture::empty().await;
    fixture.stub.fault(
        When::operation("ssm", "CreateDocument").nth(1),
        Fault::before(|world| {
            world.put_document(NAME, Document::session(Format::Json, &crate::fixture::settings("alias/old")));
        }),
    );
    let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
    assert!(answer.success, "{}", answer.reason);
    assert!(fixture.state().starts_with("latest k1, default k1; demo wants k1"));
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_document_that_vanishes_meanwhile_is_created() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion", "GetDocument"] {
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(
            When::operation("ssm", operation).nth(1),
            Fault::before(|world| world.documents.held.clear()),
        );
        let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
        assert!(answer.success, "{operation}: {}", answer.reason);
        assert!(fixture.state().starts_with("latest k1, default k1; demo wants k1"), "{operation}");
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_document_that_never_stops_changing_is_given_up_and_reported() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.fault(
        When::operation("ssm", "UpdateDocument"),
        Fault::before(rival(|content| {
            let count = content["inputs"]["count"].as_u64().unwrap_or_default();
            content["inputs"]["count"] = (count + 1).into();
        })),
    );
    let create = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
    let answer = fixture.send(&create).await;
    assert!(!answer.success && answer.reason.contains("kept changing"), "{}", answer.reason);
    fixture.stub.clear_faults();
    fixture.stub.redelivered(&create.url);
    assert!(fixture.send(&create).await.success);
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_delete_leaves_what_somebody_else_set_meanwhile() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture
        .stub
        .fault(When::operation("ssm", "UpdateDocument").nth(1), Fault::before(rival_key("somebody's")));
    let deleted = stack.delete(&run).await;
    let answer = deleted.last_answer().unwrap();
    assert!(answer.success && answer.reason.contains("no longer carries the key"), "{}", answer.reason);
    assert_eq!(fixture.state(), "latest somebody's, default somebody's; no record");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_key_that_somebody_removed_is_written_again_by_the_next_update() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.world(rival_key(""));
    let revised = crate::fixture::and(enabled(&fixture.k1), "Revision", "2");
    assert_eq!(stack.update(&revised, &run).await.reason(), "");
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    let content = fixture.stub.world(|world| world.document(NAME).unwrap().default_content().to_owned());
    assert_eq!(key_in(&content), fixture.k1);
    assert_eq!(stack.delete(&run).await.reason(), "");
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    fixture.assert_no_violations();
}
