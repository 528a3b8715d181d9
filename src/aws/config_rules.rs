//! The evaluations that a custom rule of AWS Config reports with PutEvaluations.

use std::borrow::Cow;

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};

use super::Aws;
use super::aws_json;
use super::error::unreadable;
use super::raw_operation::{OperationSpec, Protocol, RawOperation, Refusal, Service};
use crate::ports::{AwsError, Compliance, ComplianceReport};

const PUT_EVALUATIONS: OperationSpec = OperationSpec {
    service: Service { id: "Config Service", name: "config", endpoint_region: |region| region },
    name: "PutEvaluations",
    iam_action: "config:PutEvaluations",
    protocol: Protocol::Json { target: "StarlingDoveService.PutEvaluations" },
    attempt: None,
};

/// Stands for a code of AWS Config, which has none if it takes a request and not the evaluation in it.
const NOT_TAKEN: &str = "FailedEvaluations";

/// The longest annotation, in characters (AWS Config API reference, Evaluation).
const LONGEST_ANNOTATION: usize = 256;

impl Compliance for Aws {
    async fn report_compliance(&self, report: &ComplianceReport<'_>) -> Result<(), AwsError> {
        let on = format!("{} {}", report.resource_type, report.resource_id);
        let body = body(report).map_err(|problem| unreadable(PUT_EVALUATIONS.iam_action, &on, problem))?;
        RawOperation::new(self, &PUT_EVALUATIONS, &on, read).await?.call(body).await
    }
}

fn body(report: &ComplianceReport<'_>) -> Result<String, &'static str> {
    let ordering = DateTime::from_str(report.ordering, Format::DateTimeWithOffset)
        .map_err(|_| "the moment that the verdict is about is no RFC 3339 time; nothing was sent")?;
    let mut evaluation = json!({
        "ComplianceResourceType": report.resource_type,
        "ComplianceResourceId": report.resource_id,
        "ComplianceType": report.compliance.as_str(),
        "OrderingTimestamp": seconds(ordering),
    });
    // AWS Config refuses an empty annotation.
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

/// Epoch seconds, without a fraction if they are whole.
fn seconds(time: DateTime) -> Value {
    if time.subsec_nanos() == 0 { time.secs().into() } else { time.as_secs_f64().into() }
}

/// A text that fits an annotation. A longer one is cut and ends with an ellipsis.
fn cut(text: &str) -> Cow<'_, str> {
    if text.chars().count() <= LONGEST_ANNOTATION {
        return text.into();
    }
    text.chars().take(LONGEST_ANNOTATION - 1).chain(['…']).collect()
}

/// Reads whether the evaluation was taken.
fn read(response: &HttpResponse) -> Result<(), OrchestratorError<Refusal>> {
    aws_json::read(response, |answer| {
        let Value::Object(answer) = answer else {
            return Err(OrchestratorError::other("not the answer to what was asked"));
        };
        match answer.get("FailedEvaluations") {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Array(failed)) if failed.is_empty() => Ok(()),
            Some(_) => {
                let why = "AWS Config did not take the evaluation; try again";
                Err(Refusal::error(Some(NOT_TAKEN.to_owned()), Some(why.to_owned())))
            }
        }
    })
}

#[cfg(test)]
mod tests;
