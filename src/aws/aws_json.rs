//! Answers in AWS JSON 1.1, of services that have no client here.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::Value;

use super::raw_operation::Refusal;

/// Reads an answer: `output` reads the body of a success, and every other answer is a refusal.
pub(super) fn read<O>(
    response: &HttpResponse,
    output: impl FnOnce(&Value) -> Result<O, OrchestratorError<Refusal>>,
) -> Result<O, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return output(&serde_json::from_slice(body).map_err(OrchestratorError::other)?);
    }
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    Err(Refusal::error(code(&error, response.headers().get("x-amzn-errortype")), message(&error)))
}

/// The error's code, without the namespace before it and the address behind it.
fn code(error: &Value, header: Option<&str>) -> Option<String> {
    let full = header.or_else(|| error["__type"].as_str()).or_else(|| error["code"].as_str())?;
    let code = full.rsplit('#').next()?.split(':').next()?;
    (!code.is_empty()).then(|| code.to_owned())
}

/// Services spell the member in two ways.
fn message(error: &Value) -> Option<String> {
    error["message"].as_str().or_else(|| error["Message"].as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errors_code_has_no_namespace_and_no_address() {
        for (header, error, expected) in [
            (
                None,
                r#"{"__type":"com.amazonaws.config#InvalidResultTokenException"}"#,
                "InvalidResultTokenException",
            ),
            (None, r#"{"__type":"ThrottlingException"}"#, "ThrottlingException"),
            (None, r#"{"code":"AccessDeniedException"}"#, "AccessDeniedException"),
            (Some("ns#A:http://internal.example/"), r#"{"__type":"B"}"#, "A"),
        ] {
            let error: Value = serde_json::from_str(error).unwrap();
            assert_eq!(code(&error, header).as_deref(), Some(expected));
        }
        for none in ["null", "{}", r#"{"__type":""}"#, r#"{"__type":7}"#, "[]"] {
            assert_eq!(code(&serde_json::from_str(none).unwrap(), None), None, "{none}");
        }
    }

    #[test]
    fn a_message_is_found_in_either_spelling() {
        for (error, expected) in
            [(r#"{"message":"m"}"#, Some("m")), (r#"{"Message":"m"}"#, Some("m")), ("{}", None)]
        {
            assert_eq!(message(&serde_json::from_str(error).unwrap()).as_deref(), expected, "{error}");
        }
    }
}
