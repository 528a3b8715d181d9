use serde_json::json;

use super::*;
use crate::event::tests::{function, ignored, parsed, sample};

const TOKEN: &str = "eyJlbmNyeXB0ZWREYXRhIjpbMSwyLDNdLCJleGFtcGxlIjp0cnVlfQ==";

fn read_evaluation(event: &Value) -> RuleEvaluation {
    match crate::event::read(event, function()) {
        Event::ConfigRule(evaluation) => evaluation,
        other => panic!("{other:?}"),
    }
}

/// An event whose invoking event has been changed.
fn changed(text: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut event = parsed(text);
    let mut invoking = parsed(event["invokingEvent"].as_str().unwrap());
    change(&mut invoking);
    event["invokingEvent"] = invoking.to_string().into();
    event
}

fn document() -> EvaluatedResource {
    EvaluatedResource::Document {
        resource_type: "AWS::SSM::Document".to_owned(),
        resource_id: "SSM-SessionManagerRunShell".to_owned(),
        name: DocumentName::default(),
    }
}

#[test]
fn the_schedule_asks_about_the_account() {
    let expected = RuleEvaluation {
        result_token: ResultToken(TOKEN.to_owned()),
        left_scope: false,
        resource: EvaluatedResource::Account,
        account: "123456789012".to_owned(),
        ordering: "2026-03-04T06:00:12.406Z".to_owned(),
        test_mode: false,
    };
    assert_eq!(read_evaluation(&parsed(sample!("config-rule-scheduled"))), expected);
}

#[test]
fn a_change_asks_about_its_document() {
    let expected = RuleEvaluation {
        result_token: ResultToken(TOKEN.to_owned()),
        left_scope: false,
        resource: document(),
        account: "123456789012".to_owned(),
        ordering: "2026-03-02T09:15:31.812Z".to_owned(),
        test_mode: false,
    };
    assert_eq!(read_evaluation(&parsed(sample!("config-rule-change"))), expected);
}

#[test]
fn an_oversized_change_holds_a_summary() {
    let event = changed(sample!("config-rule-change"), |invoking| {
        invoking["configurationItemSummary"] = invoking["configurationItem"].take();
        invoking["messageType"] = "OversizedConfigurationItemChangeNotification".into();
    });
    let evaluation = read_evaluation(&event);
    assert_eq!((evaluation.resource, evaluation.left_scope), (document(), false));
}

#[test]
fn a_resource_that_is_gone_has_left_the_scope() {
    for status in ["ResourceDeleted", "ResourceDeletedNotRecorded", "ResourceNotRecorded"] {
        let event = changed(sample!("config-rule-change"), |invoking| {
            invoking["configurationItem"]["configurationItemStatus"] = status.into();
        });
        assert!(read_evaluation(&event).left_scope, "{status}");
    }
    let mut event = parsed(sample!("config-rule-change"));
    event["eventLeftScope"] = true.into();
    assert!(read_evaluation(&event).left_scope);
}

#[test]
fn a_document_may_be_named_by_its_arn_and_the_answer_repeats_the_arn() {
    let arn = "arn:aws:ssm:eu-west-1:123456789012:document/Other-Document";
    let event = changed(sample!("config-rule-change"), |invoking| {
        invoking["configurationItem"]["resourceId"] = arn.into();
    });
    let EvaluatedResource::Document { resource_id, name, .. } = read_evaluation(&event).resource else {
        panic!("no document")
    };
    assert_eq!((&*resource_id, name.as_str()), (arn, "Other-Document"));
}

#[test]
fn other_resources_are_answered_too() {
    let event = changed(sample!("config-rule-change"), |invoking| {
        invoking["configurationItem"]["resourceType"] = "AWS::EC2::Instance".into();
        invoking["configurationItem"]["resourceId"] = "i-00000000".into();
    });
    assert_eq!(
        read_evaluation(&event).resource,
        EvaluatedResource::Other {
            resource_type: "AWS::EC2::Instance".to_owned(),
            resource_id: "i-00000000".to_owned()
        }
    );
}

#[test]
fn a_trial_is_known_by_its_token() {
    let mut event = parsed(sample!("config-rule-scheduled"));
    event["resultToken"] = "TESTMODE".into();
    assert!(read_evaluation(&event).test_mode);
}

#[test]
fn fields_of_an_unexpected_type_count_as_absent() {
    let mut event = parsed(sample!("config-rule-scheduled"));
    for name in ["accountId", "eventLeftScope", "ruleParameters", "version"] {
        event[name] = json!([7]);
    }
    let expected = read_evaluation(&parsed(sample!("config-rule-scheduled")));
    assert_eq!(read_evaluation(&event), expected);
    event.as_object_mut().unwrap().remove("eventLeftScope");
    assert_eq!(read_evaluation(&event), expected);
}

#[test]
fn the_token_is_never_shown() {
    let shown = format!("{:?}", crate::event::read(&parsed(sample!("config-rule-scheduled")), function()));
    assert!(!shown.contains(TOKEN) && shown.contains("ResultToken(…)"), "{shown}");
}

#[test]
fn a_question_that_cannot_be_answered_says_why() {
    let scheduled = sample!("config-rule-scheduled");
    let with = |name: &str, value: Value| {
        let mut event = parsed(scheduled);
        event[name] = value;
        event
    };
    let change = |name: &str, value: Value| changed(scheduled, |invoking| invoking[name] = value);
    for (event, why) in [
        (with("resultToken", json!(null)), "no result token"),
        (with("resultToken", json!("")), "no result token"),
        (with("invokingEvent", json!("no JSON")), "no readable invoking event"),
        (with("invokingEvent", json!("[]")), "no readable invoking event"),
        (with("invokingEvent", json!({})), "no readable invoking event"),
        (change("messageType", json!("Other")), "kind `Other`"),
        (change("messageType", json!("ConfigurationItemChangeNotification")), "no configuration item"),
        (change("awsAccountId", json!("222222222222")), "account 222222222222"),
        (change("notificationCreationTime", json!(null)), "carries no time"),
        (
            changed(sample!("config-rule-change"), |invoking| {
                invoking["configurationItem"]["resourceType"] = json!(null);
            }),
            "names no resource",
        ),
    ] {
        let reason = ignored(&event);
        assert!(reason.starts_with("the question of AWS Config ") && reason.contains(why), "{reason}");
        assert!(!reason.contains(TOKEN), "{reason}");
    }
}
