//! Two stacks want the same document.

use serde_json::json;

use crate::fixture::{Fixture, NAME, RECORD, and, enabled, id_of, resource};
use crate::stub::{Fault, Request, StackStatus, When};

#[tokio::test]
async fn a_stack_that_takes_over_owns_the_document_and_remembers_the_key_before() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut first = fixture.deployed("first", &enabled(&fixture.k1)).await;
    let mut second = fixture.deployed("second", &and(enabled(&fixture.k2), "OnConflict", "TakeOver")).await;
    let owned = "latest k2, default k2; second wants k2, before alias/old";
    assert_eq!(fixture.state(), owned);

    let refused = first.update(&and(enabled(&fixture.k1), "Revision", "2"), &run).await;
    assert!(refused.reason().contains(&second.resource.stack_id), "{}", refused.reason());
    assert_eq!(refused.status, StackStatus::UpdateRollbackFailed);
    assert_eq!(fixture.state(), owned);

    let deleted = first.delete(&run).await;
    assert_eq!(deleted.status, StackStatus::DeleteComplete);
    assert!(deleted.last_answer().unwrap().reason.contains(&second.resource.stack_id));
    assert_eq!(fixture.state(), owned, "the first stack's Delete touches nothing");

    assert_eq!(second.delete(&run).await.status, StackStatus::DeleteComplete);
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn two_resources_of_one_stack_are_two_owners() {
    let fixture = Fixture::with_settings().await;
    let first = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let mut twin = first.resource.clone();
    twin.logical_id = "Twin".to_owned();
    let refused = fixture.send(&twin.create(&fixture.stub, &enabled(&fixture.k2))).await;
    assert!(!refused.success && refused.reason.contains("resource Encryption of"), "{}", refused.reason);
    assert!(fixture.send(&twin.delete(&fixture.stub, &id_of(NAME), &enabled(&fixture.k2))).await.success);
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn of_two_concurrent_creates_one_wins_and_the_other_names_the_winner_unless_it_takes_over() {
    for conflict in ["Fail", "TakeOver"] {
        let fixture = Fixture::with_settings().await;
        let create = |stack: &str, key: &str| {
            resource(stack).create(&fixture.stub, &and(enabled(key), "OnConflict", conflict))
        };
        let (one, two) = (create("one", &fixture.k1), create("two", &fixture.k2));
        tokio::join!(fixture.run(one.payload.clone()), fixture.run(two.payload.clone()));
        let answer = |request: &Request| fixture.stub.answers(&request.url).remove(0);
        let answers = [answer(&one), answer(&two)];
        if conflict == "TakeOver" && answers.iter().all(|answer| answer.success) {
            // One after the other: the second has taken over what the first had.
            let states = ["k1", "k2"].map(|key| format!("latest {key}, default {key}; "));
            assert!(states.iter().any(|state| fixture.state().starts_with(state)), "{}", fixture.state());
            fixture.assert_no_violations();
            continue;
        }
        let (winner, loser) = if answers[0].success { (0, 1) } else { (1, 0) };
        assert!(answers[winner].success && !answers[loser].success, "{conflict}: {answers:?}");
        let stack_of_winner = [&one, &two][winner].payload["StackId"].as_str().unwrap();
        assert!(answers[loser].reason.contains(stack_of_winner), "{conflict}: {}", answers[loser].reason);
        let (name, key) = [("one", "k1"), ("two", "k2")][winner];
        let state = format!("latest {key}, default {key}; {name} wants {key}, before alias/old");
        assert_eq!(fixture.state(), state, "{conflict}");
        fixture.assert_settings_kept();
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_record_that_appears_just_before_ours_wins() {
    let fixture = Fixture::with_settings().await;
    let winner = json!({
        "owner": {"stackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/winner/1", "logicalResourceId": "Key"},
        "wanted": fixture.k2,
        "before": "alias/old",
        "there": {"kmsKeyId": "alias/old", "version": 1, "ours": false},
        "onDelete": "Restore",
        "accepted": [],
    });
    fixture.stub.fault(
        When::operation("ssm", "PutParameter").nth(1),
        Fault::before(move |world| world.put_parameter(RECORD, &winner.to_string())),
    );
    let run = async |payload| fixture.run(payload).await;
    let created = fixture.stack("demo").create(&enabled(&fixture.k1), &run).await;
    assert!(created.reason().contains("stack/winner/1"), "{}", created.reason());
    assert_eq!(created.status, StackStatus::RollbackComplete);
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; winner wants k2, before alias/old");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_takeover_in_the_middle_of_a_create_ends_the_create() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let fixture = Fixture::with_settings().await;
        let taken = |world: &mut crate::stub::World| {
            let text = world.parameter(RECORD).unwrap().replace("stack/demo", "stack/taker");
            world.put_parameter(RECORD, &text);
        };
        fixture.stub.fault(When::operation("ssm", operation).nth(1), Fault::before(taken));
        let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
        assert!(!answer.success && answer.reason.contains("stack/taker"), "{operation}: {}", answer.reason);
        assert!(fixture.state().contains("taker wants k1"), "{operation}: {}", fixture.state());
        fixture.assert_settings_kept();
        fixture.assert_no_violations();
    }
}
