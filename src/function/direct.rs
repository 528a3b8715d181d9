//! Direct calls: the report that the command line would give, as JSON.

use std::time::Duration;

use serde_json::Value;

use crate::event::direct::DirectCall;
use crate::intent::{Intent, Owner};
use crate::operations::{self, Wanted};
use crate::ports::{Environment, WritePorts};
use crate::reconcile::ReconcileError;

/// Answers a call. `digest` is of its properties, `patience` how long a refusal may be asked again.
///
/// # Errors
/// See [`ReconcileError`]. Findings that block are no error: the report says that it fails.
pub(super) async fn answer<P: WritePorts>(
    environment: Environment<'_, P>,
    call: &DirectCall,
    digest: String,
    patience: Duration,
) -> Result<Value, ReconcileError> {
    let wanted = |command, intent: &Intent| {
        Wanted::new(command, intent.clone(), owner(), digest).with_patience(patience)
    };
    let location = environment.location;
    let report = match call {
        DirectCall::Status { document } => {
            let status = operations::status(environment, document).await?;
            operations::status_report(document, vec![(location.clone(), status)])
        }
        DirectCall::Check(intent) => operations::check(environment, intent).await?,
        DirectCall::Plan(intent) => {
            let wanted = wanted("plan", intent);
            let preview = wanted.preview(environment).await?;
            wanted.planned(location, &preview)
        }
        DirectCall::Reconcile(intent) => {
            operations::carry_out(environment, &wanted("reconcile", intent)).await?
        }
    };
    Ok(report.to_value())
}

/// Direct calls are one owner: what one has set, another may change.
fn owner() -> Owner {
    Owner { stack_id: "direct-call".to_owned(), logical_resource_id: "session-kms".to_owned() }
}
