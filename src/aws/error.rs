//! What the SDK's errors mean here, and the log line of each call.

use std::time::Instant;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::operation::RequestId;
use aws_smithy_types::retry::ErrorKind;

use crate::reconcile::ports::{Answer, AwsError, AwsErrorKind};

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
    let result = future.await.map_err(|error| translated(operation, on, &error));
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &result {
        Ok(_) => tracing::info!(operation, on, ms, "called AWS"),
        Err(error) => tracing::info!(operation, on, ms, code = error.code(), "called AWS"),
    }
    result
}

/// An answer that says too little.
pub(super) fn unreadable(operation: &'static str, on: &str, problem: &str) -> AwsError {
    AwsError { operation, on: on.to_owned(), kind: AwsErrorKind::NoAnswer(problem.to_owned()) }
}

fn translated<E, R>(operation: &'static str, on: &str, error: &SdkError<E, R>) -> AwsError
where
    E: ProvideErrorMetadata,
    SdkError<E, R>: RequestId,
{
    let kind = match error {
        SdkError::ServiceError(service) => {
            // No error of AWS's own: a proxy's, or an answer that the SDK could not read.
            let Some(code) = service.err().code().map(str::to_owned) else {
                return unreadable(operation, on, "the answer could not be read");
            };
            let message =
                service.err().message().map(str::to_owned).filter(|_| !may_repeat_content(operation, &code));
            let answer = Answer { code, message, request_id: error.request_id().map(str::to_owned) };
            if matches!(
                answer.code.as_str(),
                "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation"
            ) {
                AwsErrorKind::Denied { action: operation, answer }
            } else {
                AwsErrorKind::Refused(answer)
            }
        }
        SdkError::TimeoutError(_) => AwsErrorKind::NoAnswer("it took too long".to_owned()),
        SdkError::DispatchFailure(failure) => AwsErrorKind::NoAnswer(
            match () {
                () if failure.is_timeout() => "it took too long",
                // A connection that is closed instead of an answer is no I/O error to the SDK.
                () if failure.is_io() || failure.as_other() == Some(ErrorKind::TransientError) => {
                    "the connection failed or was cut"
                }
                () => "the request could not be sent; are there credentials and a network?",
            }
            .to_owned(),
        ),
        SdkError::ResponseError(_) => AwsErrorKind::NoAnswer("the answer could not be read".to_owned()),
        _ => AwsErrorKind::NoAnswer("the request could not be made".to_owned()),
    };
    AwsError { operation, on: on.to_owned(), kind }
}

/// A complaint about a document's content may quote it, and a shellProfile may hold secrets.
fn may_repeat_content(operation: &str, code: &str) -> bool {
    matches!(operation, "ssm:CreateDocument" | "ssm:UpdateDocument" | "ssm:PutParameter")
        && (code.starts_with("InvalidDocument")
            || code.contains("Validation")
            || code.contains("Serialization"))
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
