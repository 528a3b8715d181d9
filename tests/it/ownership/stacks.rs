//! Two stacks want the same document.

use serde_json::json;

use crate::house::{House, NAME, RECORD, and, enabled, id_of, resource};
use crate::stub::{Fault, Request, StackStatus, When};

#[tokio::test]
async fn a_stack_that_takes_over_owns_the_document_and_knows_the_key_before() {
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    let mut first = house.deployed("first", &enabled(&house.k1)).await;
    let mut second = house.deployed("second", &and(enabled(&house.k2), "OnConflict", "TakeOver")).await;
    let owned = "latest k2, default k2; second wants k2, before alias/old";
    assert_eq!(house.state(), owned);

    let refused = first.update(&and(enabled(&house.k1), "Revision", "2"), &run).await;
    assert!(refused.reason().contains(&second.resource.stack_id), "{}", refused.reason());
    assert_eq!(refused.status, StackStatus::UpdateRollbackFailed);
    assert_eq!(house.state(), owned);

    let deleted = first.delete(&run).await;
    assert_eq!(deleted.status, StackStatus::DeleteComplete);
    assert!(deleted.last_answer().unwrap().reason.contains(&second.resource.stack_id));
    assert_eq!(house.state(), owned, "the first stack's Delete touches nothing");

    assert_eq!(second.delete(&run).await.status, StackStatus::DeleteComplete);
    assert_eq!(house.state(), "latest alias/old, default alias/old; no record");
    house.assert_settings_kept();
    house.assert_no_violations();
}

#[tokio::test]
async fn two_resources_of_one_stack_are_two_owners() {
    let house = House::furnished().await;
    let first = house.deployed("demo", &enabled(&house.k1)).await;
    let mut twin = first.resource.clone();
    twin.logical_id = "Twin".to_owned();
    let refused = house.send(&twin.create(&house.stub, &enabled(&house.k2))).await;
    assert!(!refused.success && refused.reason.contains("resource Encryption of"), "{}", refused.reason);
    assert!(house.send(&twin.delete(&house.stub, &id_of(NAME), &enabled(&house.k2))).await.success);
    assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old");
    house.assert_no_violations();
}

#[tokio::test]
async fn of_two_creates_at_once_one_wins_and_the_other_is_told() {
    for conflict in ["Fail", "TakeOver"] {
        let house = House::furnished().await;
        let create = |stack: &str, key: &str| {
            resource(stack).create(&house.stub, &and(enabled(key), "OnConflict", conflict))
        };
        let (one, two) = (create("one", &house.k1), create("two", &house.k2));
        tokio::join!(house.run(one.payload.clone()), house.run(two.payload.clone()));
        let answer = |request: &Request| house.stub.answers(&request.url).remove(0);
        let answers = [answer(&one), answer(&two)];
        let (winner, loser) = if answers[0].success { (0, 1) } else { (1, 0) };
        assert!(answers[winner].success && !answers[loser].success, "{conflict}: {answers:?}");
        let stack_of_winner = [&one, &two][winner].payload["StackId"].as_str().unwrap();
        assert!(answers[loser].reason.contains(stack_of_winner), "{conflict}: {}", answers[loser].reason);
        let (name, key) = [("one", "k1"), ("two", "k2")][winner];
        let state = format!("latest {key}, default {key}; {name} wants {key}, before alias/old");
        assert_eq!(house.state(), state, "{conflict}");
        house.assert_settings_kept();
        house.assert_no_violations();
    }
}

#[tokio::test]
async fn a_record_that_appears_just_before_ours_wins() {
    let house = House::furnished().await;
    let winner = json!({
        "owner": {"stackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/winner/1", "logicalResourceId": "Key"},
        "wanted": house.k2,
        "before": "alias/old",
        "there": {"kmsKeyId": "alias/old", "version": 1, "ours": false},
        "onDelete": "Restore",
        "accepted": [],
    });
    let body = json!({"Name": RECORD, "Value": winner.to_string(), "Type": "String"});
    house.stub.fault(
        When::operation("ssm", "PutParameter").nth(1),
        Fault::before(move |world| drop(world.ask("ssm", "PutParameter", body.clone()).unwrap())),
    );
    let run = async |payload| house.run(payload).await;
    let created = house.stack("demo").create(&enabled(&house.k1), &run).await;
    assert!(created.reason().contains("stack/winner/1"), "{}", created.reason());
    assert_eq!(created.status, StackStatus::RollbackComplete);
    assert_eq!(house.state(), "latest alias/old, default alias/old; winner wants k2, before alias/old");
    house.assert_no_violations();
}

#[tokio::test]
async fn a_takeover_in_the_middle_of_a_create_ends_the_create() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let house = House::furnished().await;
        let taken = |world: &mut crate::stub::World| {
            let text = world.parameter(RECORD).unwrap().replace("stack/demo", "stack/taker");
            let body = json!({"Name": RECORD, "Value": text, "Type": "String", "Overwrite": true});
            world.ask("ssm", "PutParameter", body).unwrap();
        };
        house.stub.fault(When::operation("ssm", operation).nth(1), Fault::before(taken));
        let answer = house.send(&resource("demo").create(&house.stub, &enabled(&house.k1))).await;
        assert!(!answer.success && answer.reason.contains("stack/taker"), "{operation}: {}", answer.reason);
        assert!(house.state().contains("taker wants k1"), "{operation}: {}", house.state());
        house.assert_settings_kept();
        house.assert_no_violations();
    }
}
