//! PutEvaluations: the reports of a custom rule of AWS Config.

use serde_json::{Value, json};
use session_kms::ports::{AwsError, AwsErrorKind, Compliance as _, ComplianceReport, ComplianceType};

use super::{REPORT, TOKEN, aws};
use crate::fixture::Logs;
use crate::stub::{Evaluation, Fault, REGION, Refusal, Stub, When};

const NAME: &str = REPORT.resource_id;

async fn stub() -> Stub {
    let stub = Stub::start().await;
    stub.world(|world| world.asks_rule(TOKEN));
    stub
}

async fn refused(stub: &Stub, fault: Fault) -> AwsError {
    stub.clear_faults();
    stub.fault(When::operation("config", "PutEvaluations"), fault);
    aws(stub).report_compliance(&REPORT).await.unwrap_err()
}

#[tokio::test]
async fn a_report_arrives_complete() {
    let stub = stub().await;
    aws(&stub).report_compliance(&REPORT).await.unwrap();
    let expected = Evaluation {
        resource_type: "AWS::SSM::Document".to_owned(),
        resource_id: NAME.to_owned(),
        compliance: "NON_COMPLIANT".to_owned(),
        annotation: Some(REPORT.annotation.to_owned()),
        ordering: 1_767_323_045.678,
        test_mode: false,
    };
    assert_eq!(stub.world(|world| world.rules.evaluations.clone()), [expected]);
    let call = stub.calls().remove(0);
    assert_eq!((call.service, call.region.as_str()), ("config", REGION));
    assert_eq!((&call.body["ResultToken"], &call.body["TestMode"]), (&json!(TOKEN), &json!(false)));
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn every_compliance_type_and_every_length_of_annotation_is_accepted() {
    let stub = stub().await;
    let long = "Schlüssel → ".repeat(100);
    for compliance in [ComplianceType::Compliant, ComplianceType::NonCompliant, ComplianceType::NotApplicable]
    {
        for annotation in ["", &long] {
            let report = ComplianceReport { compliance, annotation, ..REPORT };
            aws(&stub).report_compliance(&report).await.unwrap();
        }
    }
    let taken = stub.world(|world| world.rules.evaluations.clone());
    assert_eq!(taken.len(), 6);
    assert_eq!(taken[0].annotation, None);
    let cut = taken[1].annotation.as_ref().unwrap();
    assert!(cut.chars().count() == 256 && cut.starts_with("Schlüssel → ") && cut.ends_with('…'), "{cut}");
}

#[tokio::test]
async fn a_test_run_needs_no_valid_token() {
    let stub = Stub::start().await;
    let report = ComplianceReport { test_mode: true, result_token: "TESTMODE", ..REPORT };
    aws(&stub).report_compliance(&report).await.unwrap();
    assert!(stub.world(|world| world.rules.evaluations[0].test_mode));
}

#[tokio::test(flavor = "current_thread")]
async fn no_log_and_no_error_holds_the_token() {
    let stub = stub().await;
    let logs = Logs::captured();
    aws(&stub).report_compliance(&REPORT).await.unwrap();
    let mut errors = Vec::new();
    let unknown = ComplianceReport { result_token: "token-of-nobody", ..REPORT };
    let error = aws(&stub).report_compliance(&unknown).await.unwrap_err();
    assert_eq!(error.code(), "InvalidResultTokenException");
    errors.push(error);
    for code in ["ValidationException", "SerializationException", "InvalidParameterValueException"] {
        let quoting = Refusal::client(code, format!("Value '{TOKEN}' at 'resultToken' is none"));
        errors.push(refused(&stub, Fault::Refuse(quoting)).await);
    }
    let bad_time = ComplianceReport { ordering: "never", ..REPORT };
    errors.push(aws(&stub).report_compliance(&bad_time).await.unwrap_err());
    let text =
        format!("{errors:?} {} {:?}", errors.iter().map(ToString::to_string).collect::<String>(), aws(&stub));
    for text in [text, logs.text()] {
        assert!(text.contains("config:PutEvaluations") && text.contains(NAME), "{text}");
        assert!(!text.contains(TOKEN) && !text.contains("token-of-nobody"), "{text}");
    }
}

#[tokio::test]
async fn an_evaluation_that_aws_config_does_not_accept_is_an_error() {
    let stub = stub().await;
    stub.world(|world| world.rules.not_taken.insert(NAME.to_owned()));
    let error = aws(&stub).report_compliance(&REPORT).await.unwrap_err();
    assert_eq!((error.operation, error.code()), ("config:PutEvaluations", "FailedEvaluations"));
    assert!(error.on.contains("AWS::SSM::Document") && error.on.contains(NAME), "{error}");
    assert_eq!(stub.calls_of("PutEvaluations").len(), 1);
}

#[tokio::test]
async fn an_error_s_code_is_read_with_and_without_a_namespace() {
    let stub = stub().await;
    for code in ["NoSuchConfigRuleException", "com.amazonaws.config#NoSuchConfigRuleException"] {
        let error = refused(&stub, Fault::Refuse(Refusal::client(code, "The rule is gone"))).await;
        assert_eq!(error.code(), "NoSuchConfigRuleException");
        assert!(error.to_string().contains("The rule is gone"), "{error}");
    }
    let denied = refused(&stub, Fault::Refuse(Refusal::client("c.a.c#AccessDeniedException", "no"))).await;
    assert!(matches!(denied.kind, AwsErrorKind::Denied { action: "config:PutEvaluations", .. }), "{denied}");
}

#[tokio::test]
async fn a_malformed_time_is_not_sent() {
    let stub = stub().await;
    let error = aws(&stub)
        .report_compliance(&ComplianceReport { ordering: "yesterday", ..REPORT })
        .await
        .unwrap_err();
    assert!(error.to_string().contains("RFC 3339"), "{error}");
    assert_eq!(stub.calls().len(), 0);
}

/// The other tests prove something only because the stub is as strict as AWS Config.
#[tokio::test]
async fn the_stub_refuses_what_aws_config_refuses() {
    let stub = stub().await;
    let with = |member: &str, value: Value| {
        let mut one = json!({
            "ComplianceResourceType": "AWS::::Account", "ComplianceResourceId": "123456789012",
            "ComplianceType": "COMPLIANT", "OrderingTimestamp": 1_767_225_600,
        });
        one[member] = value;
        json!([one])
    };
    let good = with("Annotation", "fine".into());
    let many = |count: usize| Value::Array(vec![good[0].clone(); count]);
    let (validation, parameter, token, kind) = (
        "ValidationException",
        "InvalidParameterValueException",
        "InvalidResultTokenException",
        "SerializationException",
    );
    for (evaluations, result_token, expected) in [
        (good.clone(), json!(TOKEN), "ok"),
        (many(100), json!(TOKEN), "ok"),
        (many(101), json!(TOKEN), validation),
        (good.clone(), json!("other"), token),
        (good.clone(), Value::Null, validation),
        (with("ComplianceType", "INSUFFICIENT_DATA".into()), json!(TOKEN), parameter),
        (with("Annotation", "".into()), json!(TOKEN), validation),
        (with("Annotation", "x".repeat(257).into()), json!(TOKEN), validation),
        (with("ComplianceResourceId", Value::Null), json!(TOKEN), validation),
        (with("OrderingTimestamp", "2026-01-01T00:00:00Z".into()), json!(TOKEN), kind),
        (with("Other", 1.into()), json!(TOKEN), validation),
    ] {
        let body = json!({"Evaluations": evaluations, "ResultToken": result_token});
        let said = stub.world(|world| world.ask("config", "PutEvaluations", body));
        assert_eq!(
            said.map_or_else(|refusal| refusal.code, |_| "ok".to_owned()),
            expected,
            "{evaluations:.80}"
        );
    }
    assert_eq!(stub.world(|world| world.rules.evaluations.len()), 101);
}
