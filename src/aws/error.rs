//! What the SDK's errors mean here, and the log line of each call.

use std::time::Instant;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::operation::RequestId;
use aws_smithy_types::retry::ErrorKind;

use crate::ports::{AwsAnswer, AwsError, AwsErrorKind};

/// Makes a call and logs it: operation, subject, duration, error code.
pub(super) async fn call<T, E, R>(
    operation: &'static str,
    on: &str,
    future: impl Future<Output = Result<T, SdkError<E, R>>>,
) -> Result<T, AwsError>
where
    E: ProvideErrorMetadata,
    SdkError<E, R>: RequestId,
{
    let begun = Instant::now();
    let result = future.await;
    // What follows is no generic code: it would be in the binary once for each operation.
    let error = result.as_ref().err().map(|error| translated(operation, on, &said(error)));
    log(operation, on, begun, error.as_ref());
    match (result, error) {
        (Ok(output), _) => Ok(output),
        (Err(_), Some(error)) => Err(error),
        (Err(_), None) => Err(unreadable(operation, on, "the answer could not be read")),
    }
}

fn log(operation: &'static str, on: &str, begun: Instant, error: Option<&AwsError>) {
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(operation, on, ms, code = error.map(AwsError::code), "called AWS");
}

/// An answer that says too little.
pub(super) fn unreadable(operation: &'static str, on: &str, problem: &str) -> AwsError {
    AwsError { operation, on: on.to_owned(), kind: AwsErrorKind::NoAnswer(problem.to_owned()) }
}

/// What came of a failed call.
enum Said<'a> {
    /// AWS's code, message and request id.
    No { code: Option<&'a str>, message: Option<&'a str>, request_id: Option<&'a str> },
    /// Nothing, and why.
    Nothing(&'static str),
}

fn said<E, R>(error: &SdkError<E, R>) -> Said<'_>
where
    E: ProvideErrorMetadata,
    SdkError<E, R>: RequestId,
{
    match error {
        SdkError::ServiceError(service) => {
            let (code, message) = (service.err().code(), service.err().message());
            Said::No { code, message, request_id: error.request_id() }
        }
        SdkError::TimeoutError(_) => Said::Nothing("it took too long"),
        SdkError::DispatchFailure(failure) => Said::Nothing(match () {
            () if failure.is_timeout() => "it took too long",
            // A connection that is closed instead of an answer is no I/O error to the SDK.
            () if failure.is_io() || failure.as_other() == Some(ErrorKind::TransientError) => {
                "the connection failed or was cut"
            }
            () => "the request could not be sent; are there credentials and a network?",
        }),
        SdkError::ResponseError(_) => Said::Nothing("the answer could not be read"),
        _ => Said::Nothing("the request could not be made"),
    }
}

fn translated(operation: &'static str, on: &str, said: &Said<'_>) -> AwsError {
    let (code, message, request_id) = match said {
        Said::No { code: Some(code), message, request_id } => (*code, message, request_id),
        // No error of AWS's own: a proxy's, or an answer that the SDK could not read.
        Said::No { code: None, .. } => return unreadable(operation, on, "the answer could not be read"),
        Said::Nothing(why) => return unreadable(operation, on, why),
    };
    let answer = AwsAnswer {
        code: code.to_owned(),
        message: message.map(str::to_owned).filter(|_| !may_repeat_content(operation, code)),
        request_id: request_id.map(str::to_owned),
    };
    let kind = match code {
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => {
            AwsErrorKind::Denied { action: operation, answer }
        }
        _ => AwsErrorKind::Refused(answer),
    };
    AwsError { operation, on: on.to_owned(), kind }
}

/// A complaint about what was sent may quote it: a document's content, whose shellProfile may hold secrets, or a
/// result token of AWS Config.
fn may_repeat_content(operation: &str, code: &str) -> bool {
    let of_operation: &[&str] = match operation {
        "ssm:CreateDocument" | "ssm:UpdateDocument" | "ssm:PutParameter" => &["InvalidDocument"],
        "config:PutEvaluations" => &["InvalidParameter", "InvalidResultToken"],
        _ => return false,
    };
    let of_all = ["Validation", "Serialization"];
    of_operation.iter().chain(&of_all).any(|part| code.contains(part))
}

impl AwsError {
    /// AWS's code for what went wrong; empty where AWS did not answer.
    #[must_use]
    pub fn code(&self) -> &str {
        match &self.kind {
            AwsErrorKind::Denied { answer, .. } | AwsErrorKind::Refused(answer) => &answer.code,
            AwsErrorKind::NoAnswer(_) => "",
        }
    }
}
