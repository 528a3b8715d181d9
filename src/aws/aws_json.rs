//! The errors of services that speak AWS JSON and have no client here.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::Value;

use super::raw_operation::Refusal;

/// The refusal that an answer tells which is no success.
pub(super) fn refused<O>(response: &HttpResponse) -> Result<O, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    Refusal::new(code(&answer, response.headers().get("x-amzn-errortype")), message(&answer))
}

/// The error's name, without the namespace before it and the address behind it.
fn code(answer: &Value, header: Option<&str>) -> Option<String> {
    let full = header.or_else(|| answer["__type"].as_str()).or_else(|| answer["code"].as_str())?;
    let name = full.rsplit('#').next()?.split(':').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Services spell the member in two ways.
fn message(answer: &Value) -> Option<String> {
    answer["message"].as_str().or_else(|| answer["Message"].as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errors_name_stands_alone() {
        for (header, answer, expected) in [
            (
                None,
                r#"{"__type":"com.amazonaws.config#InvalidResultTokenException"}"#,
                "InvalidResultTokenException",
            ),
            (None, r#"{"__type":"ThrottlingException"}"#, "ThrottlingException"),
            (None, r#"{"code":"AccessDeniedException"}"#, "AccessDeniedException"),
            (Some("ns#A:http://internal.example/"), r#"{"__type":"B"}"#, "A"),
        ] {
            let answer: Value = serde_json::from_str(answer).unwrap();
            assert_eq!(code(&answer, header).as_deref(), Some(expected));
        }
        for none in ["null", "{}", r#"{"__type":""}"#, r#"{"__type":7}"#, "[]"] {
            assert_eq!(code(&serde_json::from_str(none).unwrap(), None), None, "{none}");
        }
    }

    #[test]
    fn a_message_is_found_in_either_spelling() {
        for (answer, expected) in
            [(r#"{"message":"m"}"#, Some("m")), (r#"{"Message":"m"}"#, Some("m")), ("{}", None)]
        {
            assert_eq!(message(&serde_json::from_str(answer).unwrap()).as_deref(), expected, "{answer}");
        }
    }
}
