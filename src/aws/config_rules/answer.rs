//! An answer of PutEvaluations: AWS JSON 1.1, and its errors.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::Value;

use crate::aws::one_off::Refusal;

/// The code for evaluations that AWS Config took the request of, and not them; it has none of its own.
const NOT_TAKEN: &str = "FailedEvaluations";

/// Reads an answer.
pub(super) fn read(response: &HttpResponse) -> Result<(), OrchestratorError<Refusal>> {
    let answer = serde_json::from_slice(response.body().bytes().unwrap_or_default());
    if !response.status().is_success() {
        let answer: Value = answer.unwrap_or_default();
        return Refusal::new(code(&answer, response.headers().get("x-amzn-errortype")), message(&answer));
    }
    match answer {
        Ok(Value::Object(answer)) => match answer.get("FailedEvaluations") {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Array(failed)) if failed.is_empty() => Ok(()),
            Some(_) => {
                let why = "AWS Config did not take the evaluation; try again";
                Refusal::new(Some(NOT_TAKEN.to_owned()), Some(why.to_owned()))
            }
        },
        Ok(_) => Err(OrchestratorError::other("not the answer to what was asked")),
        Err(error) => Err(OrchestratorError::other(error)),
    }
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
