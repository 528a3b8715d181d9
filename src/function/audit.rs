//! The direct call audit: one line for an account and Region.

use serde_json::Value;

use super::FunctionError;
use crate::audit::{AuditLine, Unreadable, UnreadableReason};
use crate::intent::AuditQuestion;
use crate::operations;
use crate::ports::{Clock, Environment, OutOfTime, ReachAccounts};

/// Answers with the line.
///
/// # Errors
/// [`FunctionError::Throttled`], so that whoever runs many audits asks again later.
pub(super) async fn answer<P: ReachAccounts + Clock>(
    environment: Environment<'_, P>,
    question: &AuditQuestion,
) -> Result<Value, FunctionError> {
    // Boxed: the state of all that an audit awaits is large.
    let line = Box::pin(operations::audit(environment, question)).await;
    Ok(logged(&line.map_err(FunctionError::Throttled)?))
}

/// The line of an account and Region that took too long.
pub(super) fn out_of_time(clock: &impl Clock, question: &AuditQuestion, error: &OutOfTime) -> Value {
    let unreadable = Unreadable {
        reason: UnreadableReason::Failed,
        message: format!("{error}; give the function more time, or let it discover neither users nor nodes"),
    };
    logged(&operations::unreadable_line(question, clock.now(), unreadable))
}

fn logged(line: &AuditLine) -> Value {
    tracing::info!(
        account = line.place.account,
        region = line.place.region,
        state = ?line.state,
        reason = line.unreadable.as_ref().map(|unreadable| unreadable.message.as_str()),
        locked_out = line.locked_out.len(),
        "audited"
    );
    serde_json::to_value(line).unwrap_or_default()
}
