use super::*;
use crate::ports::ComplianceType;

const REPORT: ComplianceReport<'static> = ComplianceReport {
    resource_type: "AWS::SSM::Document",
    resource_id: "SSM-SessionManagerRunShell",
    compliance: ComplianceType::Compliant,
    annotation: "encrypted",
    ordering: "2026-01-01T00:00:00Z",
    result_token: "token",
    test_mode: false,
};

fn evaluation(report: &ComplianceReport<'_>) -> Value {
    serde_json::from_str::<Value>(&body(report).unwrap()).unwrap()["Evaluations"][0].clone()
}

#[test]
fn times_are_epoch_seconds_whatever_their_offset() {
    for (ordering, expected) in [
        ("2026-01-01T00:00:00Z", json!(1_767_225_600)),
        ("2026-01-01T00:00:00.250Z", json!(1_767_225_600.25)),
        ("2026-01-01T02:00:00+02:00", json!(1_767_225_600)),
    ] {
        let report = ComplianceReport { ordering, ..REPORT };
        assert_eq!(evaluation(&report)["OrderingTimestamp"], expected, "{ordering}");
    }
    for ordering in ["", "yesterday", "1767225600"] {
        assert!(body(&ComplianceReport { ordering, ..REPORT }).is_err(), "{ordering}");
    }
}

#[test]
fn an_annotation_is_cut_between_characters_and_left_out_if_empty() {
    let (fits, long) = ("ü".repeat(256), "ü".repeat(257));
    for (annotation, expected) in [
        ("", Value::Null),
        (fits.as_str(), fits.as_str().into()),
        (long.as_str(), format!("{}…", "ü".repeat(255)).into()),
    ] {
        let report = ComplianceReport { annotation, ..REPORT };
        assert_eq!(evaluation(&report)["Annotation"], expected);
    }
}

#[test]
fn verdicts_have_aws_configs_names() {
    for (compliance, expected) in [
        (ComplianceType::Compliant, "COMPLIANT"),
        (ComplianceType::NonCompliant, "NON_COMPLIANT"),
        (ComplianceType::NotApplicable, "NOT_APPLICABLE"),
    ] {
        assert_eq!(evaluation(&ComplianceReport { compliance, ..REPORT })["ComplianceType"], expected);
    }
}
