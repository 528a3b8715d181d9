//! What a custom rule of AWS Config reports, by its one call PutEvaluations: the request in AWS JSON 1.1. (The
//! settings of the clients are in `config.rs`.)

mod answer;

use std::borrow::Cow;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};

use super::Aws;
use super::error::{call, unreadable};
use super::raw_operation::{RawOperation, Service};
use crate::ports::{AwsError, Compliance, ComplianceReport, ComplianceType};

const ACTION: &str = "PutEvaluations";
const OPERATION: &str = "config:PutEvaluations";
const CONFIG: Service = Service {
    id: "Config Service",
    name: "config",
    content_type: "application/x-amz-json-1.1",
    headers: &[("x-amz-target", "StarlingDoveService.PutEvaluations")],
    region: |region| region,
};

/// The longest annotation, in characters (AWS Config API reference, Evaluation).
const LONGEST: usize = 256;

impl Compliance for Aws {
    async fn report_compliance(&self, report: &ComplianceReport<'_>) -> Result<(), AwsError> {
        let on = format!("{} {}", report.resource_type, report.resource_id);
        let body = body(report).map_err(|problem| unreadable(OPERATION, &on, problem))?;
        let put = RawOperation::new(&self.config, &CONFIG, ACTION, answer::read).await;
        let put = put.map_err(|problem| unreadable(OPERATION, &on, problem))?;
        call(OPERATION, &on, put.ask(body)).await
    }
}

fn body(report: &ComplianceReport<'_>) -> Result<String, &'static str> {
    let ordering = DateTime::from_str(report.ordering, Format::DateTimeWithOffset)
        .map_err(|_| "the moment that the verdict is about is no RFC 3339 time; nothing was sent")?;
    let mut evaluation = json!({
        "ComplianceResourceType": report.resource_type,
        "ComplianceResourceId": report.resource_id,
        "ComplianceType": match report.compliance {
            ComplianceType::Compliant => "COMPLIANT",
            ComplianceType::NonCompliant => "NON_COMPLIANT",
            ComplianceType::NotApplicable => "NOT_APPLICABLE",
        },
        "OrderingTimestamp": seconds(ordering),
    });
    // An empty one would be refused.
    if let (Value::Object(members), false) = (&mut evaluation, report.annotation.is_empty()) {
        members.insert("Annotation".to_owned(), cut(report.annotation).into());
    }
    let body = json!({
        "Evaluations": [evaluation],
        "ResultToken": report.result_token,
        "TestMode": report.test_mode,
    });
    Ok(body.to_string())
}

/// Epoch seconds; whole ones without a fraction.
fn seconds(time: DateTime) -> Value {
    if time.subsec_nanos() == 0 { time.secs().into() } else { time.as_secs_f64().into() }
}

/// As much of a text as an annotation takes; what is cut ends with an ellipsis.
fn cut(text: &str) -> Cow<'_, str> {
    if text.chars().count() <= LONGEST {
        return text.into();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
