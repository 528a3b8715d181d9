//! Change events through the whole function: repairs that AWS refuses, documents that take too long, several messages in
//! one envelope of a topic, and the tags and aliases of keys.

mod tags_and_aliases;

use std::time::Duration;

use serde_json::{Value, json};
use session_kms::function::FunctionError;

use crate::fixture::{Fixture, Logs, NAME, PATIENCE, RECORD, handle, rival_key};
use crate::stub::{Fault, When};

pub const UPDATED: &str = include_str!("../../events/document-update-call.json");
const RECORD_CHANGED: &str = include_str!("../../events/record-change.json");
const SCHEDULE: &str = include_str!("../../events/schedule.json");

/// A fixture whose stack wants `k1`, and whose document somebody has changed.
async fn drifted() -> Fixture {
    let fixture = Fixture::with_settings().await;
    fixture.deployed("demo", &json!({"KmsKeyId": fixture.k1, "Preflight": "Off"})).await;
    fixture.stub.world(rival_key("alias/theirs"));
    fixture
}

pub async fn handled(fixture: &Fixture, event: &str) -> Result<Value, FunctionError> {
    handle(&fixture.function(None), &parsed(event), PATIENCE).await
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn assert_repaired(fixture: &Fixture) {
    assert!(fixture.state().starts_with("latest k1, default k1"), "{}", fixture.state());
    fixture.assert_no_violations();
}

/// A repair that AWS refuses is not a fight with another tool, however often it is tried.
#[tokio::test]
async fn a_repair_that_aws_refuses_is_counted_once_and_opens_no_breaker() {
    for operation in ["CreateDocument", "UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let fixture = drifted().await;
        if operation == "CreateDocument" {
            fixture.stub.world(|world| world.ask("ssm", "DeleteDocument", json!({"Name": NAME})).unwrap());
        }
        fixture.stub.fault(When::operation("ssm", operation), Fault::AccessDenied { action: "ssm:Write" });
        for event in [UPDATED, RECORD_CHANGED].iter().cycle().take(8) {
            let error = handled(&fixture, event).await.unwrap_err();
            assert!(error.to_string().contains(operation), "{error}");
            let record = fixture.stub.world(|world| world.parameter(RECORD).unwrap().to_owned());
            assert_eq!(parsed(&record)["watch"]["repairs"].as_array().unwrap().len(), 1, "{record}");
        }
        let saved = fixture.stub.calls().iter().filter(|call| call.operation == "PutParameter").count();
        assert_eq!(
            saved, 3,
            "by the owner, before the first try and after it, and not for the others: {operation}"
        );
        fixture.stub.clear_faults();
        let report = handled(&fixture, SCHEDULE).await.unwrap();
        assert_eq!(report["documents"][0]["result"], "repaired");
        assert_repaired(&fixture);
        fixture.stub.world(rival_key("alias/theirs"));
        handled(&fixture, UPDATED).await.unwrap();
        let record = fixture.stub.world(|world| world.parameter(RECORD).unwrap().to_owned());
        assert_eq!(
            parsed(&record)["watch"]["repairs"].as_array().unwrap().len(),
            2,
            "a repair that was made: {record}"
        );
    }
}

/// There are two documents, one of which takes all the time.
#[tokio::test]
async fn a_document_that_takes_too_long_does_not_stop_the_others() {
    let logs = Logs::captured();
    let fixture = drifted().await;
    fixture.stub.world(|world| {
        let body = json!({"Name": "/session-kms/Team-Slow", "Value": "{}", "Type": "String"});
        world.ask("ssm", "PutParameter", body).unwrap();
    });
    fixture.stub.fault(When::operation("ssm", "GetParameter").on("/session-kms/Team-Slow"), Fault::Hang);
    let function = fixture.function(None);
    let error = handle(&function, &parsed(SCHEDULE), Duration::from_secs(8)).await.unwrap_err();
    let problem = error.to_string();
    for part in ["Team-Slow", "the time-out of the Lambda function is near", "not answered ssm:GetParameter"]
    {
        assert!(problem.contains(part), "{problem}");
    }
    assert_repaired(&fixture);
    assert!(logs.text().contains("was repaired"), "the log reports the other document");
}

/// An envelope of SNS with these messages.
fn envelope(messages: &[&str]) -> String {
    let record = |message: &&str| json!({"EventSource": "aws:sns", "Sns": {"Message": message}});
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()}).to_string()
}

#[tokio::test]
async fn every_message_of_a_topic_is_handled_even_if_others_fail() {
    let logs = Logs::captured();
    let fixture = drifted().await;
    let alarm = r#"{"AlarmName": "of somebody else's", "NewStateValue": "ALARM"}"#;
    let status = r#"{"action": "status"}"#;
    let report = handled(&fixture, &envelope(&[alarm, "no JSON", UPDATED, status])).await.unwrap();
    let reports = report.as_array().unwrap();
    assert_eq!(reports.len(), 4);
    assert!(reports[0]["ignored"].as_str().unwrap().contains("does not concern this function"), "{report}");
    assert!(reports[1]["ignored"].as_str().unwrap().contains("no JSON"), "{report}");
    assert_eq!(reports[2]["documents"][0]["result"], "repaired");
    assert_eq!(reports[3]["command"], "status");
    assert_eq!(logs.text().matches(r#""message":"ignored""#).count(), 2, "each has a line that says why");

    fixture.stub.world(rival_key("alias/theirs"));
    fixture.stub.fault(
        When::operation("kms", "DescribeKey").first(1),
        Fault::AccessDenied { action: "kms:DescribeKey" },
    );
    let failing = r#"{"action": "reconcile", "kmsKeyId": "alias/any"}"#;
    let error = handled(&fixture, &envelope(&[failing, UPDATED])).await.unwrap_err();
    assert!(error.to_string().contains("kms:DescribeKey"), "{error}");
    assert_repaired(&fixture);

    assert_eq!(handled(&fixture, &envelope(&[alarm])).await.unwrap()["alert"], false);
    assert!(
        matches!(handled(&fixture, alarm).await, Err(FunctionError::UnknownEvent)),
        "without a topic it is an error"
    );
}
