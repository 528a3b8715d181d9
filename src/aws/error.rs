//! The translation of the SDK's errors, and the log line of each call.

use std::time::Instant;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::operation::RequestId;
use aws_smithy_runtime_api::client::result::DispatchFailure;
use aws_smithy_types::retry::ErrorKind;

use super::hosts::{self, Unreachable};
use crate::ports::{AwsAnswer, AwsError, AwsErrorKind};

/// Makes a call and logs it: operation, subject, duration in milliseconds, error code.
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
    // The rest is not generic, because generic code would be in the binary once for each operation.
    let error = result.as_ref().err().map(|error| translated(operation, on, &failure(error)));
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

/// The error for an answer that cannot be read, or lacks something.
pub(super) fn unreadable(operation: &'static str, on: &str, problem: &str) -> AwsError {
    AwsError { operation, on: on.to_owned(), kind: AwsErrorKind::NoAnswer(problem.to_owned()) }
}

/// How a call failed.
enum Failure<'a> {
    /// AWS refused it, with this code, message and request id.
    Refused { code: Option<&'a str>, message: Option<&'a str>, request_id: Option<&'a str> },
    /// AWS did not answer, for this reason.
    NoAnswer(&'static str),
    /// The request was not sent, or nothing came back.
    NotSent(&'a DispatchFailure),
}

fn failure<E, R>(error: &SdkError<E, R>) -> Failure<'_>
where
    E: ProvideErrorMetadata,
    SdkError<E, R>: RequestId,
{
    match error {
        SdkError::ServiceError(service) => {
            let (code, message) = (service.err().code(), service.err().message());
            Failure::Refused { code, message, request_id: error.request_id() }
        }
        SdkError::TimeoutError(_) => Failure::NoAnswer("it took too long"),
        SdkError::DispatchFailure(dispatch) => Failure::NotSent(dispatch),
        SdkError::ResponseError(_) => Failure::NoAnswer("the answer could not be read"),
        _ => Failure::NoAnswer("the request could not be made"),
    }
}

/// Why a request got no answer. It names the host if the client is one that knows it.
fn why_not_sent(dispatch: &DispatchFailure) -> String {
    let error = dispatch.as_connector_error();
    let unreachable =
        error.and_then(|error| hosts::chain(error).find_map(|error| error.downcast_ref::<Unreachable>()));
    if let Some(unreachable) = unreachable {
        return unreachable.to_string();
    }
    match error {
        _ if dispatch.is_timeout() => "it took too long".to_owned(),
        // The SDK does not count it as an I/O error if the connection closes without an answer.
        _ if dispatch.is_io() || dispatch.as_other() == Some(ErrorKind::TransientError) => {
            "the connection failed or was cut".to_owned()
        }
        // Mostly there are no credentials.
        Some(error) => format!("the request could not be sent: {}", hosts::texts(error)),
        None => "the request could not be sent".to_owned(),
    }
}

fn translated(operation: &'static str, on: &str, failure: &Failure<'_>) -> AwsError {
    let (code, message, request_id) = match failure {
        Failure::Refused { code: Some(code), message, request_id } => (*code, message, request_id),
        // The error is not AWS's own but a proxy's, or the SDK could not read it.
        Failure::Refused { code: None, .. } => {
            return unreadable(operation, on, "the answer could not be read");
        }
        Failure::NoAnswer(why) => return unreadable(operation, on, why),
        Failure::NotSent(dispatch) => return unreadable(operation, on, &why_not_sent(dispatch)),
    };
    let answer = AwsAnswer {
        code: code.to_owned(),
        message: message.map(str::to_owned).filter(|_| !may_quote_request(operation, code)),
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

/// Whether AWS's message may quote the request: a document's content, whose shellProfile may hold secrets, or a result
/// token of AWS Config.
fn may_quote_request(operation: &str, code: &str) -> bool {
    let of_operation: &[&str] = match operation {
        "ssm:CreateDocument" | "ssm:UpdateDocument" | "ssm:PutParameter" => &["InvalidDocument"],
        "config:PutEvaluations" => &["InvalidParameter", "InvalidResultToken"],
        _ => return false,
    };
    let of_all = ["Validation", "Serialization"];
    of_operation.iter().chain(&of_all).any(|part| code.contains(part))
}
