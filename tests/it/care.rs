//! Whose business a document is: a function looks after those that its role was given, its own above all.

use serde_json::{Value, json};
use session_kms::function::FunctionError;
use session_kms::session::DocumentName;

use crate::fixture::{Fixture, NAME, PATIENCE, RECORD, handle};
use crate::stub::{Fault, When};

/// The record of a document that the role was not given.
const OTHER_RECORD: &str = "/session-kms/Team-Other";
const DENIED: Fault = Fault::AccessDenied { action: "ssm:GetParameter" };

/// A house whose stack `demo` wants `k1`, beside another function's record.
async fn fixture() -> Fixture {
    let fixture = Fixture::furnished().await;
    fixture.deployed("demo", &json!({"KmsKeyId": fixture.k1})).await;
    fixture.stub.world(|world| {
        let body = json!({"Name": OTHER_RECORD, "Value": "{}", "Type": "String"});
        world.ask("ssm", "PutParameter", body).unwrap();
    });
    fixture.stub.fault(When::operation("ssm", "GetParameter").on(OTHER_RECORD), DENIED);
    fixture
}

async fn told(fixture: &Fixture, event: &Value) -> Result<Value, FunctionError> {
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

fn withhold_own(fixture: &Fixture) {
    fixture.stub.fault(When::operation("ssm", "GetParameter").on(RECORD), DENIED);
}

fn forget_record(fixture: &Fixture) {
    let gone = fixture.stub.world(|world| world.ask("ssm", "DeleteParameter", json!({"Name": RECORD})));
    assert!(gone.is_ok());
}

/// The function, asked by AWS Config about the account: its compliance and why.
async fn complies(fixture: &Fixture, event: &Value) -> Result<(String, String), FunctionError> {
    fixture.stub.world(|world| world.asks_rule(event["resultToken"].as_str().unwrap()));
    let report = told(fixture, event).await?;
    Ok(["compliance", "annotation"].map(|name| report[name].as_str().unwrap().to_owned()).into())
}

#[tokio::test]
async fn a_document_that_the_role_was_not_given_is_passed_over() {
    let fixture = fixture().await;
    let report = told(&fixture, &schedule()).await.unwrap();
    assert_eq!(report["documents"].as_array().unwrap().len(), 1);
    assert_eq!((&report["documents"][0]["result"], &report["alert"]), (&json!("asWanted"), &json!(false)));
    // As a rule whose pattern is wider than the role lets through.
    let mut event = sample(include_str!("../../events/document-update-call.json"));
    event["detail"]["requestParameters"]["name"] = "Team-Other".into();
    let report = told(&fixture, &event).await.unwrap();
    assert_eq!((&report["documents"], &report["alert"]), (&json!([]), &json!(false)));
    fixture.assert_no_violations();
}

#[tokio::test]
async fn who_asks_for_such_a_document_is_told_what_is_denied() {
    let fixture = fixture().await;
    let call = json!({"action": "reconcile", "documentName": "Team-Other"});
    let error = told(&fixture, &call).await.unwrap_err();
    assert!(matches!(error, FunctionError::Incomplete { .. }), "{error}");
    assert!(error.to_string().contains("ssm:GetParameter"), "{error}");
}

#[tokio::test]
async fn who_asks_for_all_is_not_told_of_documents_of_others() {
    let fixture = fixture().await;
    let report = told(&fixture, &json!({"action": "reconcile"})).await.unwrap();
    assert_eq!(report["documents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn that_the_own_record_is_gone_is_an_alert() {
    let fixture = fixture().await;
    forget_record(&fixture);
    for event in [schedule(), sample(include_str!("../../events/record-change.json"))] {
        let report = told(&fixture, &event).await.unwrap();
        assert_eq!(report["documents"][0]["result"], "notOurs", "{event}");
        let alerts = report["alerts"].as_array().unwrap();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert!(alerts[0].as_str().unwrap().contains("record") && report["alert"] == true, "{alerts:?}");
    }
}

#[tokio::test]
async fn that_the_own_record_may_not_be_read_is_a_failure() {
    let fixture = fixture().await;
    withhold_own(&fixture);
    let error = told(&fixture, &schedule()).await.unwrap_err();
    assert!(matches!(error, FunctionError::Incomplete { .. }), "{error}");
}

#[tokio::test]
async fn a_rule_of_aws_config_says_nothing_of_documents_that_the_role_was_not_given() {
    let fixture = fixture().await;
    let scheduled = sample(include_str!("../../events/config-rule-scheduled.json"));
    let (compliance, annotation) = complies(&fixture, &scheduled).await.unwrap();
    assert_eq!(compliance, "COMPLIANT", "{annotation}");
    assert!(annotation.contains(NAME) && !annotation.contains("Team-Other"), "{annotation}");
    let text = include_str!("../../events/config-rule-change.json").replace(NAME, "Team-Other");
    assert_eq!(complies(&fixture, &sample(&text)).await.unwrap().0, "NOT_APPLICABLE");
    withhold_own(&fixture);
    let error = complies(&fixture, &scheduled).await.unwrap_err();
    assert!(matches!(error, FunctionError::Unanswered(_)), "not to know is no pass: {error}");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_key_that_may_not_be_looked_at_does_not_comply() {
    let fixture = fixture().await;
    let denied = Fault::AccessDenied { action: "kms:DescribeKey" };
    fixture.stub.fault(When::operation("kms", "DescribeKey"), denied);
    let scheduled = sample(include_str!("../../events/config-rule-scheduled.json"));
    let (compliance, annotation) = complies(&fixture, &scheduled).await.unwrap();
    assert_eq!(compliance, "NON_COMPLIANT");
    assert!(annotation.contains("not known"), "{annotation}");
}

#[tokio::test]
async fn a_key_that_may_not_be_looked_at_is_an_alert_and_stays() {
    for more in
        [json!({"OnKeyTrouble": "Clear"}), json!({"OnKeyTrouble": "Standby", "StandbyKmsKeyId": "k2"})]
    {
        let fixture = Fixture::furnished().await;
        let mut properties = json!({"KmsKeyId": fixture.k1});
        for (name, value) in more.as_object().unwrap() {
            properties[name] = if value == "k2" { json!(fixture.k2) } else { value.clone() };
        }
        fixture.deployed("demo", &properties).await;
        let before = fixture.state();
        let denied = Fault::AccessDenied { action: "kms:DescribeKey" };
        fixture.stub.fault(When::operation("kms", "DescribeKey"), denied);
        let report = told(&fixture, &schedule()).await.unwrap();
        assert!(report["alerts"][0].as_str().unwrap().contains("is not known"), "{more}: {report}");
        assert_eq!(
            (fixture.state(), &report["documents"][0]["keyTrouble"]),
            (before, &json!(false)),
            "{more}"
        );
        fixture.assert_no_violations();
    }
}
