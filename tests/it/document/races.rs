//! Others write the same document, just before a call of ours.

use serde_json::Value;

use crate::house::{House, NAME, enabled, key_in, resource, rival, rival_key};
use crate::stub::{Document, Fault, Format, When};

#[tokio::test]
async fn a_lost_race_for_another_setting_loses_neither_change() {
    for operation in ["PutParameter", "UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let house = House::furnished().await;
        house.stub.fault(
            When::operation("ssm", operation).nth(1),
            Fault::before(rival(|content| content["inputs"]["s3KeyPrefix"] = "rival".into())),
        );
        let answer = house.send(&resource("demo").create(&house.stub, &enabled(&house.k1))).await;
        assert!(answer.success, "{operation}: {}", answer.reason);
        assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old", "{operation}");
        let content = house.stub.world(|world| world.document(NAME).unwrap().latest_content().to_owned());
        let content: Value = serde_json::from_str(&content).unwrap();
        assert_eq!(content["inputs"]["s3KeyPrefix"], "rival", "{operation}");
        assert_eq!(content["inputs"]["idleSessionTimeout"], 20, "{operation}");
        house.assert_no_violations();
    }
}

#[tokio::test]
async fn a_lost_race_for_the_key_is_won_by_the_owner() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let house = House::furnished().await;
        house.stub.fault(When::operation("ssm", operation).nth(1), Fault::before(rival_key("somebody's")));
        let answer = house.send(&resource("demo").create(&house.stub, &enabled(&house.k1))).await;
        assert!(answer.success, "{operation}: {}", answer.reason);
        assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old", "{operation}");
        house.assert_no_violations();
    }
}

#[tokio::test]
async fn a_document_that_appears_meanwhile_is_adopted() {
    let house = House::empty().await;
    house.stub.fault(
        When::operation("ssm", "CreateDocument").nth(1),
        Fault::before(|world| {
            world.put_document(NAME, Document::session(Format::Json, &crate::house::settings("alias/old")));
        }),
    );
    let answer = house.send(&resource("demo").create(&house.stub, &enabled(&house.k1))).await;
    assert!(answer.success, "{}", answer.reason);
    assert!(house.state().starts_with("latest k1, default k1; demo wants k1"));
    house.assert_settings_kept();
    house.assert_no_violations();
}

#[tokio::test]
async fn a_document_that_vanishes_meanwhile_is_created() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion", "GetDocument"] {
        let house = House::furnished().await;
        house.stub.fault(
            When::operation("ssm", operation).nth(1),
            Fault::before(|world| world.documents.held.clear()),
        );
        let answer = house.send(&resource("demo").create(&house.stub, &enabled(&house.k1))).await;
        assert!(answer.success, "{operation}: {}", answer.reason);
        assert!(house.state().starts_with("latest k1, default k1; demo wants k1"), "{operation}");
        house.assert_no_violations();
    }
}

#[tokio::test]
async fn a_document_that_never_rests_is_given_up_and_told() {
    let house = House::furnished().await;
    house.stub.fault(
        When::operation("ssm", "UpdateDocument"),
        Fault::before(rival(|content| {
            let count = content["inputs"]["count"].as_u64().unwrap_or_default();
            content["inputs"]["count"] = (count + 1).into();
        })),
    );
    let create = resource("demo").create(&house.stub, &enabled(&house.k1));
    let answer = house.send(&create).await;
    assert!(!answer.success && answer.reason.contains("kept changing"), "{}", answer.reason);
    house.stub.clear_faults();
    house.stub.redelivered(&create.url);
    assert!(house.send(&create).await.success);
    assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old");
    house.assert_no_violations();
}

#[tokio::test]
async fn a_delete_leaves_what_somebody_else_set_meanwhile() {
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    let mut stack = house.deployed("demo", &enabled(&house.k1)).await;
    house.stub.fault(When::operation("ssm", "UpdateDocument").nth(1), Fault::before(rival_key("somebody's")));
    let deleted = stack.delete(&run).await;
    let answer = deleted.last_answer().unwrap();
    assert!(answer.success && answer.reason.contains("no longer carries the key"), "{}", answer.reason);
    assert_eq!(house.state(), "latest somebody's, default somebody's; no record");
    house.assert_no_violations();
}

#[tokio::test]
async fn a_key_that_somebody_took_away_is_put_back_by_the_next_update() {
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    let mut stack = house.deployed("demo", &enabled(&house.k1)).await;
    house.stub.world(rival_key(""));
    let revised = crate::house::and(enabled(&house.k1), "Revision", "2");
    assert_eq!(stack.update(&revised, &run).await.reason(), "");
    assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old");
    let content = house.stub.world(|world| world.document(NAME).unwrap().default_content().to_owned());
    assert_eq!(key_in(&content), house.k1);
    assert_eq!(stack.delete(&run).await.reason(), "");
    assert_eq!(house.state(), "latest alias/old, default alias/old; no record");
    house.assert_no_violations();
}
