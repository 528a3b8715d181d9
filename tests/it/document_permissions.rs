//! Which documents a function remediates: those whose records its role may read, and its own document above all.

use serde_json::{Value, json};
use session_kms::function::FunctionError;
use session_kms::session::DocumentName;

use crate::fixture::{Fixture, NAME, PATIENCE, RECORD, handle};
use crate::stub::{Fault, When};

/// The record of a document that the role's policy does not cover.
const OTHER_RECORD: &str = "/session-kms/Team-Other";
const DENIED: Fault = Fault::AccessDenied { action: "ssm:GetParameter" };

/// The stack `demo` wants `k1`. Beside its record there is another function's record, which the role may not read.
async fn fixture() -> Fixture {
    let fixture = Fixture::with_settings().await;
    fixture.deployed("demo", &json!({"KmsKeyId": fixture.k1})).await;
    fixture.stub.world(|world| {
        world.put_parameter(OTHER_RECORD, "{}");
    });
    fixture.stub.fault(When::operation("ssm", "GetParameter").on(OTHER_RECORD), DENIED);
    fixture
}

async fn invoke(fixture: &Fixture, event: &Value) -> Result<Value, FunctionError> {
    let mut function = fixture.function(None);
    function.settings.document = Some(DocumentName::parse(NAME).unwrap());
    handle(&function, event, PATIENCE).await
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn schedule() -> Value {
    sample(include_str!("../../events/schedule.json"))
}

fn deny_own_record(fixture: &Fixture) {
    fixture.stub.fault(When::operation("ssm", "GetParameter").on(RECORD), DENIED);
}

fn delete_record(fixture: &Fixture) {
    let gone = fixture.stub.world(|world| world.ask("ssm", "DeleteParameter", json!({"Name": RECORD})));
    assert!(gone.is_ok());
}

/// Runs the rule of AWS Config. Returns the compliance of the account and the annotation.
async fn evaluate_rule(fixture: &Fixture, event: &Value) -> Result<(String, String), FunctionError> {
    fixture.stub.world(|world| world.asks_rule(event["resultToken"].as_str().unwrap()));
    let report = invoke(fixture, event).await?;
    Ok(["compliance", "annotation"].map(|name| report[name].as_str().unwrap().to_owned()).into())
}

#[tokio::test]
async fn a_document_that_the_role_does_not_cover_is_skipped() {
    let fixture = fixture().await;
    let report = invoke(&fixture, &schedule()).await.unwrap();
    assert_eq!(report["documents"].as_array().unwrap().len(), 1);
    assert_eq!((&report["documents"][0]["result"], &report["alert"]), (&json!("asWanted"), &json!(false)));
    // A rule of EventBridge may match more documents than the role covers.
    let mut event = sample(include_str!("../../events/document-update-call.json"));
    event["detail"]["requestParameters"]["name"] = "Team-Other".into();
    let report = invoke(&fixture, &event).await.unwrap();
    assert_eq!((&report["documents"], &report["alert"]), (&json!([]), &json!(false)));
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_direct_call_for_such_a_document_names_what_is_denied() {
    let fixture = fixture().await;
    let call = json!({"action": "reconcile", "documentName": "Team-Other"});
    let error = invoke(&fixture, &call).await.unwrap_err();
    assert!(matches!(error, FunctionError::Incomplete { .. }), "{error}");
    assert!(error.to_string().contains("ssm:GetParameter"), "{error}");
}

#[tokio::test]
async fn a_direct_call_for_all_documents_skips_those_of_others() {
    let fixture = fixture().await;
    let report = invoke(&fixture, &json!({"action": "reconcile"})).await.unwrap();
    assert_eq!(report["documents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_missing_record_of_the_own_document_is_an_alert() {
    let fixture = fixture().await;
    delete_record(&fixture);
    for event in [schedule(), sample(include_str!("../../events/record-change.json"))] {
        let report = invoke(&fixture, &event).await.unwrap();
        assert_eq!(report["documents"][0]["result"], "notOurs", "{event}");
        let alerts = report["alerts"].as_array().unwrap();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert!(alerts[0].as_str().unwrap().contains("record") && report["alert"] == true, "{alerts:?}");
    }
}

#[tokio::test]
async fn a_denied_record_of_the_own_document_is_a_failure() {
    let fixture = fixture().await;
    deny_own_record(&fixture);
    let error = invoke(&fixture, &schedule()).await.unwrap_err();
    assert!(matches!(error, FunctionError::Incomplete { .. }), "{error}");
}

#[tokio::test]
async fn a_rule_of_aws_config_does_not_evaluate_documents_that_the_role_does_not_cover() {
    let fixture = fixture().await;
    let scheduled = sample(include_str!("../../events/config-rule-scheduled.json"));
    let (compliance, annotation) = evaluate_rule(&fixture, &scheduled).await.unwrap();
    assert_eq!(compliance, "COMPLIANT", "{annotation}");
    assert!(annotation.contains(NAME) && !annotation.contains("Team-Other"), "{annotation}");
    let text = include_str!("../../events/config-rule-change.json").replace(NAME, "Team-Other");
    assert_eq!(evaluate_rule(&fixture, &sample(&text)).await.unwrap().0, "NOT_APPLICABLE");
    deny_own_record(&fixture);
    let error = evaluate_rule(&fixture, &scheduled).await.unwrap_err();
    assert!(matches!(error, FunctionError::Unanswered(_)), "not to know is no pass: {error}");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_key_that_cannot_be_described_does_not_comply() {
    let fixture = fixture().await;
    let denied = Fault::AccessDenied { action: "kms:DescribeKey" };
    fixture.stub.fault(When::operation("kms", "DescribeKey"), denied);
    let scheduled = sample(include_str!("../../events/config-rule-scheduled.json"));
    let (compliance, annotation) = evaluate_rule(&fixture, &scheduled).await.unwrap();
    assert_eq!(compliance, "NON_COMPLIANT");
    assert!(annotation.contains("not known"), "{annotation}");
}

#[tokio::test]
async fn a_key_that_cannot_be_described_is_an_alert_and_stays() {
    for more in
        [json!({"OnKeyTrouble": "Clear"}), json!({"OnKeyTrouble": "Standby", "StandbyKmsKeyId": "k2"})]
    {
        let fixture = Fixture::with_settings().await;
        let mut properties = json!({"KmsKeyId": fixture.k1});
        for (name, value) in more.as_object().unwrap() {
            properties[name] = if value == "k2" { json!(fixture.k2) } else { value.clone() };
        }
        fixture.deployed("demo", &properties).await;
        let before = fixture.state();
        let denied = Fault::AccessDenied { action: "kms:DescribeKey" };
        fixture.stub.fault(When::operation("kms", "DescribeKey"), denied);
        let report = invoke(&fixture, &schedule()).await.unwrap();
        assert!(report["alerts"][0].as_str().unwrap().contains("is not known"), "{more}: {report}");
        assert_eq!(
            (fixture.state(), &report["documents"][0]["keyTrouble"]),
            (before, &json!(false)),
            "{more}"
        );
        fixture.assert_no_violations();
    }
}
