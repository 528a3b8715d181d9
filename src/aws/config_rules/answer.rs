//! An answer of PutEvaluations: AWS JSON 1.1.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::Value;

use crate::aws::aws_json::refused;
use crate::aws::raw_operation::Refusal;

/// The code for evaluations that AWS Config took the request of, and not them; it has none of its own.
const NOT_TAKEN: &str = "FailedEvaluations";

/// Reads an answer.
pub(super) fn read(response: &HttpResponse) -> Result<(), OrchestratorError<Refusal>> {
    if !response.status().is_success() {
        return refused(response);
    }
    match serde_json::from_slice(response.body().bytes().unwrap_or_default()) {
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
