//! The property Context: condition keys that the owner vouches for, and verdicts that rest on them.

use serde_json::{Value, json};

use super::super::{arn, create, function, key_in_document, properties_naming};
use super::{ANN, NODE, add_key_and_principals, check, everybody, of, policy, start};
use crate::fixture::{PATIENCE, RECORD, handle, rival_key};
use crate::stub::{ACCOUNT, SimulatedAnswer, SimulatedDecision, Stub};

#[tokio::test]
async fn the_report_says_which_verdicts_rest_on_context() {
    let network = json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}, "Null": {"aws:SourceVpc": "true"}});
    let (stub, key) = start(ACCOUNT, &network).await;
    stub.world(|world| {
        let answer = SimulatedAnswer {
            asks_for: vec!["aws:SourceIp".to_owned()],
            decisions: vec![(
                "aws:SourceIp".to_owned(),
                vec!["10.0.0.1".to_owned()],
                SimulatedDecision::Allowed,
            )],
            ..SimulatedAnswer::default()
        };
        world.simulates(&arn(NODE), "*", "*", answer);
    });
    let mut properties = everybody(&key, "Strict");
    let report = check(&stub, &function(&stub), &properties).await;
    assert_eq!((of(&report, NODE).0, of(&report, ANN).0), ("unknown", "unknown"));
    properties["Context"] = json!({"aws:SourceVpce": "vpce-1", "aws:sourcevpc": null, "aws:SourceIp": "10.0.0.1", "aws:UserAgent": "x"});
    let report = check(&stub, &function(&stub), &properties).await;
    let suffix = "(given that aws:SourceVpce is vpce-1 and aws:sourcevpc is absent, as Context says)";
    let (verdict, key_side, own_side) = of(&report, NODE);
    assert_eq!(verdict, "pass", "{report:#}");
    assert!(key_side.ends_with(suffix), "{key_side}");
    assert!(own_side.ends_with("(given that aws:SourceIp is 10.0.0.1, as Context says)"), "{own_side}");
    let (verdict, key_side, own_side) = of(&report, ANN);
    assert_eq!(verdict, "pass");
    assert!(key_side.ends_with(suffix) && !own_side.contains("Context"), "{key_side}; {own_side}");
    // A refusal rests on it as well.
    properties["Context"] = json!({"aws:SourceVpce": "vpce-2"});
    let report = check(&stub, &function(&stub), &properties).await;
    let (verdict, key_side, _) = of(&report, ANN);
    assert_eq!(verdict, "fail");
    assert!(key_side.ends_with("(given that aws:SourceVpce is vpce-2, as Context says)"), "{key_side}");
}

#[tokio::test]
async fn a_verdict_that_does_not_rest_on_context_does_not_say_so() {
    // Whatever Context says, the second statement admits.
    let stub = Stub::start().await;
    let key = stub.world(|world| {
        let both: Value =
            serde_json::from_str(&policy(&json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}))).unwrap();
        let all: Value = serde_json::from_str(&policy(&json!({}))).unwrap();
        let text =
            json!({"Version": "2012-10-17", "Statement": [both["Statement"], all["Statement"]]}).to_string();
        add_key_and_principals(world, ACCOUNT, &text)
    });
    let mut properties = everybody(&key, "Strict");
    properties["Context"] = json!({"aws:SourceVpce": "vpce-1"});
    let report = check(&stub, &function(&stub), &properties).await;
    let (verdict, key_side, own_side) = of(&report, NODE);
    assert_eq!(verdict, "pass");
    assert!(!key_side.contains("Context") && !own_side.contains("Context"), "{key_side}; {own_side}");
}

#[tokio::test]
async fn a_policy_of_the_organization_is_simulated_with_the_keys_of_context() {
    let (stub, key) = start(ACCOUNT, &json!({})).await;
    stub.world(|world| {
        let answer = SimulatedAnswer {
            organization_wants: Some(("aws:SourceVpce".to_owned(), "vpce-1".to_owned())),
            ..SimulatedAnswer::allowed("Kms")
        };
        world.simulates(&arn(NODE), "*", "*", answer);
    });
    let mut properties = properties_naming(&key, &[], &[&arn(NODE)], "Strict");
    properties["Context"] = json!({"aws:SourceVpce": "vpce-1"});
    let report = check(&stub, &function(&stub), &properties).await;
    let (verdict, _, own_side) = of(&report, NODE);
    assert_eq!(verdict, "pass", "{own_side}");
    assert!(own_side.contains("aws:SourceVpce is vpce-1, as Context says"), "{own_side}");
}

#[tokio::test]
async fn context_is_remembered_and_later_runs_use_it() {
    let (stub, key) = start(ACCOUNT, &json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}})).await;
    let function = function(&stub);
    let mut properties = everybody(&key, "Strict");
    properties["Context"] =
        json!({"aws:SourceVpce": "vpce-1", "aws:PrincipalOrgPaths": ["o-1/r-1/"], "aws:SourceVpc": null})
            .to_string()
            .into();
    let answer = create(&stub, &function, &properties).await;
    assert!(answer.success, "{}", answer.reason);
    let record: Value = stub.world(|world| serde_json::from_str(world.parameter(RECORD).unwrap()).unwrap());
    assert_eq!(
        record["safeguards"]["context"],
        json!({"aws:SourceVpce": "vpce-1", "aws:PrincipalOrgPaths": "o-1/r-1/", "aws:SourceVpc": null})
    );
    // The schedule repairs drift, though the mode is Strict.
    let schedule = json!({
        "version": "0", "id": "e", "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z", "region": "eu-west-1", "resources": [], "detail": {},
    });
    stub.world(rival_key("alias/rival"));
    handle(&function, &schedule, PATIENCE).await.unwrap();
    assert_eq!(key_in_document(&stub).as_ref(), Some(&key));
    // Another context on record gives another verdict. The record of an earlier version has no context, and an unknown
    // does not block the return to a key that was accepted once.
    stub.world(rival_key("alias/rival-2"));
    for (context, expected) in [(json!({"aws:SourceVpce": "vpce-2"}), "alias/rival-2"), (Value::Null, &*key)]
    {
        stub.world(|world| {
            let mut record = record.clone();
            record.as_object_mut().unwrap().shift_remove("written");
            let safeguards = record["safeguards"].as_object_mut().unwrap();
            match context.is_null() {
                true => drop(safeguards.shift_remove("context")),
                false => safeguards["context"] = context,
            }
            world.put_parameter(RECORD, &record.to_string());
        });
        handle(&function, &schedule, PATIENCE).await.unwrap();
        assert_eq!(key_in_document(&stub).as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn an_impossible_context_is_refused() {
    let (stub, key) = start(ACCOUNT, &json!({})).await;
    for (context, words) in [
        (json!({"kms:ViaService": "ssm.amazonaws.com"}), vec!["Context", "kms:ViaService", "absent"]),
        (json!({"SourceVpce": "x"}), vec!["Context", "`SourceVpce`", "aws:SourceVpce"]),
        (json!("{\"aws:SourceVpce\":1,\"AWS:SourceVpce\":2}"), vec!["Context", "twice"]),
    ] {
        let mut properties = everybody(&key, "Enforce");
        properties["Context"] = context;
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(!answer.success);
        for word in words {
            assert!(answer.reason.contains(word), "{} has no {word}", answer.reason);
        }
        assert_eq!(stub.writes().len(), 0);
    }
}
