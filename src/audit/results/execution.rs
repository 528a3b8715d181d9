//! One stored result: a line of an audit as it is, or an execution of Step Functions with its input and output as texts.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ResultProblem, StoredResult, beginning};
use crate::audit::{AuditLine, AuditedPlace, Unreadable, UnreadableReason};

/// An execution as the ResultWriter stores it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredExecution<'a> {
    status: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    error: Option<String>,
    cause: Option<String>,
    stop_date: Option<String>,
    start_date: Option<String>,
}

/// How the Lambda runtime describes an error of the function.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThrownError {
    error_message: String,
}

/// The line of a stored result. An execution that did not succeed is a line that could not be looked at.
pub(super) fn line(text: &[u8]) -> StoredResult {
    let unread = |error: String| ResultProblem::Unread {
        reason: error,
        beginning: beginning(text.trim_ascii_start()),
    };
    let text_of = std::str::from_utf8(text).map_err(|error| unread(error.to_string()))?;
    let execution: StoredExecution =
        serde_json::from_str(text_of).map_err(|error| unread(error.to_string()))?;
    if execution.status.is_none() && execution.output.is_none() && execution.input.is_none() {
        return parse_line(text_of).map_err(unread);
    }
    let answer = execution.output.map(|output| unquoted(output).and_then(|output| parse_line(&output)));
    let message = match answer {
        Some(Ok(line)) => return Ok(line),
        Some(Err(error)) => {
            format!("The answer of the audit of this account and Region cannot be read: {error}")
        }
        None => execution.trouble(),
    };
    let place = execution.place().map_err(unread)?;
    let reason = match execution.error.as_deref() {
        Some(error) if error.contains("Throttl") || error.contains("TooManyRequests") => {
            UnreadableReason::Throttled
        }
        _ => UnreadableReason::Failed,
    };
    let audited_at = execution.stop_date.or(execution.start_date).unwrap_or_default();
    Ok(AuditLine::unreadable(place, audited_at, Unreadable { reason, message }))
}

impl StoredExecution<'_> {
    /// The account and Region of the input, which the execution was asked about.
    fn place(&self) -> Result<AuditedPlace, String> {
        let input = self.input.ok_or("an execution has no input")?;
        let place: AuditedPlace =
            serde_json::from_str(&unquoted(input)?).map_err(|error| error.to_string())?;
        complete(&place).then_some(place).ok_or_else(|| "an execution names no account and Region".to_owned())
    }

    /// Why there is no answer, in one line.
    fn trouble(&self) -> String {
        let Some(error) = &self.error else {
            return match self.status.as_deref() {
                Some("PENDING") | None => {
                    "The audit of this account and Region did not run, because the run ended \
                                           before. Run the audit again."
                        .to_owned()
                }
                Some(status) => {
                    let status = one_line(status);
                    format!("The audit of this account and Region has no answer: its execution is {status}.")
                }
            };
        };
        let cause = self.cause.as_deref().unwrap_or_default();
        let of_function = serde_json::from_str::<ThrownError>(cause).ok();
        let cause = of_function.map_or_else(|| cause.to_owned(), |of_function| of_function.error_message);
        let mut message =
            format!("The audit of this account and Region ended with an error, {}", one_line(error));
        if !cause.is_empty() {
            message.push_str(": ");
            message.push_str(&one_line(&cause));
        }
        message
    }
}

fn parse_line(text: &str) -> Result<AuditLine, String> {
    let line: AuditLine = serde_json::from_str(text).map_err(|error| error.to_string())?;
    complete(&line.place).then_some(line).ok_or_else(|| "it names no account and Region".to_owned())
}

fn complete(place: &AuditedPlace) -> bool {
    !place.account.is_empty() && !place.region.is_empty()
}

/// The JSON that a text of JSON holds. What is no text is taken as it is.
fn unquoted(value: &RawValue) -> Result<String, String> {
    let text = value.get();
    if text.starts_with('"') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        Ok(text.to_owned())
    }
}

/// A text from outside as one line of bounded length.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 1000;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    line.trim().to_owned()
}
