//! Calls on the tags and the aliases of a key: whoever a policy admits by one of them loses access with it.

use serde_json::{Value, json};
use session_kms::session::DocumentName;

use super::{handled, parsed};
use crate::fixture::{Fixture, NAME, PATIENCE, handle};
use crate::stub::{ACCOUNT, Fault, SimulatedAnswer, SimulatedDecision, When, World};

const TAG: &str = include_str!("../../../events/key-tag-resource-call.json");
const UNTAG: &str = include_str!("../../../events/key-untag-resource-call.json");
const ALIAS: &str = include_str!("../../../events/key-alias-update-call.json");
/// The key of the samples.
const SAMPLE_KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// Who asks for the tag or the alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    KeyPolicy,
    OwnPolicy,
    Nobody,
}

/// The condition that asks for the tag, and the condition that asks for the alias.
fn on_tag() -> Value {
    json!({"StringEquals": {"aws:ResourceTag/stage": "prod"}})
}

fn on_alias() -> Value {
    json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/session"}})
}

/// A stack whose key has the tag and the alias, and whose nodes need what this policy asks for. Returns the nodes' role.
async fn deployed(fixture: &Fixture, asks: Asks, condition: &Value, mode: &str) -> String {
    let node = fixture.stub.world(|world| {
        let node = world.add_role("Node");
        world.key(&fixture.k1).tags = vec![("stage".to_owned(), "prod".to_owned())];
        world.add_alias("alias/session", &fixture.k1);
        let condition_of_policy = if asks == Asks::KeyPolicy { condition.clone() } else { json!({}) };
        set_policy(world, &fixture.k1, &format!("arn:aws:iam::{ACCOUNT}:root"), &condition_of_policy);
        let answer = match asks {
            Asks::OwnPolicy => answer_on(condition),
            Asks::KeyPolicy | Asks::Nobody => SimulatedAnswer::allowed("UseKeys"),
        };
        world.simulates(&node, "*", "*", answer);
        node
    });
    let properties = json!({
        "KmsKeyId": fixture.k1, "Nodes": [node], "Preflight": mode, "DiscoverUsers": false, "DiscoverNodes": false,
    });
    fixture.deployed("demo", &properties).await;
    node
}

fn set_policy(world: &mut World, key: &str, principal: &str, condition: &Value) {
    let policy = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*", "Condition": condition,
    }});
    world.key(key).policy = policy.to_string();
}

/// The simulator's answer for a policy that allows the call under this condition.
fn answer_on(condition: &Value) -> SimulatedAnswer {
    let block = condition.as_object().unwrap().values().next().unwrap().as_object().unwrap();
    let (key, value) = block.iter().next().unwrap();
    let allowed = (key.clone(), vec![value.as_str().unwrap().to_owned()], SimulatedDecision::Allowed);
    SimulatedAnswer { asks_for: vec![key.clone()], decisions: vec![allowed], ..SimulatedAnswer::default() }
}

/// Handles a sample event about the key of the stack. Returns the report.
async fn after(fixture: &Fixture, sample: &str, call: Option<&str>) -> Value {
    let id = fixture.k1.rsplit('/').next().unwrap();
    let mut event = parsed(&sample.replace(SAMPLE_KEY, id));
    if let Some(call) = call {
        event["detail"]["eventName"] = call.into();
    }
    handled(fixture, &event.to_string()).await.unwrap()
}

/// The alert that the nodes have lost access, which must be the only one.
fn assert_lost(report: &Value, node: &str, call: &str) {
    let alerts = report["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "{report:#}");
    let alert = alerts[0].as_str().unwrap();
    for word in [node, call, "user/Alice", "kms:Decrypt"] {
        assert!(alert.contains(word), "no `{word}` in {alert}");
    }
    assert_eq!(report["documents"][0]["checksFailed"], 1, "{report:#}");
}

fn assert_quiet(report: &Value) {
    assert_eq!((&report["alert"], &report["alerts"]), (&false.into(), &json!([])), "{report:#}");
}

fn untag(fixture: &Fixture) {
    fixture.stub.world(|world| world.key(&fixture.k1).tags.clear());
}

fn take_alias_away(fixture: &Fixture) {
    fixture.stub.world(|world| world.keys.aliases.retain(|alias| alias.name != "alias/session"));
}

#[tokio::test]
async fn removing_the_tag_that_a_policy_asks_for_is_an_alert() {
    for asks in [Asks::KeyPolicy, Asks::OwnPolicy] {
        let fixture = Fixture::with_settings().await;
        let node = deployed(&fixture, asks, &on_tag(), "Enforce").await;
        assert_quiet(&after(&fixture, TAG, None).await);
        untag(&fixture);
        assert_lost(&after(&fixture, UNTAG, None).await, &node, "UntagResource");
        fixture.stub.world(|world| world.key(&fixture.k1).tags.push(("stage".to_owned(), "test".to_owned())));
        assert_lost(&after(&fixture, TAG, None).await, &node, "TagResource");
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_tag_that_nobody_asks_for_is_no_alert() {
    let fixture = Fixture::with_settings().await;
    deployed(&fixture, Asks::Nobody, &on_tag(), "Enforce").await;
    untag(&fixture);
    assert_quiet(&after(&fixture, UNTAG, None).await);
    assert_eq!(fixture.stub.calls_of("ListResourceTags").len(), 0);
}

#[tokio::test]
async fn taking_away_the_alias_that_a_policy_asks_for_is_an_alert() {
    for asks in [Asks::KeyPolicy, Asks::OwnPolicy] {
        for call in ["UpdateAlias", "DeleteAlias"] {
            let fixture = Fixture::with_settings().await;
            let node = deployed(&fixture, asks, &on_alias(), "Enforce").await;
            assert_quiet(&after(&fixture, ALIAS, Some(call)).await);
            take_alias_away(&fixture);
            let report = match call {
                // The record names the key that gets the alias, and that is another.
                "UpdateAlias" => handled(&fixture, ALIAS).await.unwrap(),
                _ => after(&fixture, ALIAS, Some(call)).await,
            };
            assert_lost(&report, &node, call);
            fixture.assert_no_violations();
        }
    }
}

#[tokio::test]
async fn an_alias_that_no_policy_asks_for_ends_quietly_whatever_else_is_wrong() {
    let fixture = Fixture::with_settings().await;
    deployed(&fixture, Asks::Nobody, &on_alias(), "Enforce").await;
    let written = fixture.stub.writes().len();
    take_alias_away(&fixture);
    let report = after(&fixture, ALIAS, None).await;
    assert_quiet(&report);
    assert_eq!(report["documents"], json!([]), "{report:#}");
    // Somebody is locked out, and other events say so. An alias has nothing to do with it.
    fixture.stub.world(|world| {
        set_policy(world, &fixture.k1, &format!("arn:aws:iam::{ACCOUNT}:role/Admin"), &json!({}));
    });
    assert_quiet(&after(&fixture, ALIAS, None).await);
    assert_eq!(after(&fixture, UNTAG, None).await["alert"], true);
    fixture.stub.world(|world| world.key(&fixture.k1).state = "Disabled");
    assert_quiet(&after(&fixture, ALIAS, None).await);
    assert_eq!((fixture.stub.writes().len(), fixture.stub.calls_of("ListAliases").len()), (written, 0));
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_call_on_an_alias_without_a_record_or_a_preflight_ends_quietly() {
    let fixture = Fixture::with_settings().await;
    let mut function = fixture.function(None);
    function.settings.document = Some(DocumentName::parse(NAME).unwrap());
    let report = handle(&function, &parsed(ALIAS), PATIENCE).await.unwrap();
    assert_quiet(&report);
    deployed(&fixture, Asks::KeyPolicy, &on_alias(), "Off").await;
    take_alias_away(&fixture);
    assert_quiet(&after(&fixture, ALIAS, None).await);
}

#[tokio::test]
async fn what_cannot_be_read_is_no_lost_access() {
    let fixture = Fixture::with_settings().await;
    deployed(&fixture, Asks::KeyPolicy, &on_alias(), "Enforce").await;
    take_alias_away(&fixture);
    fixture
        .stub
        .fault(When::operation("kms", "ListAliases"), Fault::AccessDenied { action: "kms:ListAliases" });
    let report = after(&fixture, ALIAS, None).await;
    let alert = report["alerts"][0].as_str().unwrap();
    assert!(alert.contains("the aliases of key") && alert.contains("cannot be read now"), "{alert}");
    assert_eq!(report["documents"][0]["checksFailed"], 0, "{report:#}");
    let findings = report["documents"][0]["findings"].to_string();
    assert!(findings.contains("kms:ListAliases") && findings.contains("unknown"), "{findings}");
}

#[tokio::test]
async fn a_call_that_failed_is_ignored() {
    let fixture = Fixture::with_settings().await;
    deployed(&fixture, Asks::KeyPolicy, &on_alias(), "Enforce").await;
    take_alias_away(&fixture);
    untag(&fixture);
    for sample in [TAG, UNTAG, ALIAS] {
        let mut event = parsed(sample);
        event["detail"]["errorCode"] = "AccessDenied".into();
        let report = handled(&fixture, &event.to_string()).await.unwrap();
        assert!(report["ignored"].as_str().unwrap().contains("failed with AccessDenied"), "{report:#}");
    }
}
