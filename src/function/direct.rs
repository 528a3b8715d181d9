//! Direct calls: the report that the command line would give, as JSON.

use std::time::Duration;

use serde_json::Value;

use crate::event::direct::DirectCall;
use crate::intent::{Intent, Owner};
use crate::operations::{self, ChangeRequest};
use crate::ports::{Environment, WritePorts};
use crate::reconcile::ReconcileError;

/// Answers a call. `digest` is the digest of its properties, and `patience` is how long a refusal may be asked about again.
///
/// # Errors
/// See [`ReconcileError`]. Findings that block are no error: the report says that it fails.
pub(super) async fn answer<P: WritePorts>(
    environment: Environment<'_, P>,
    call: &DirectCall,
    digest: String,
    patience: Duration,
) -> Result<Value, ReconcileError> {
    let request = |command, intent: &Intent| {
        ChangeRequest::new(command, intent.clone(), owner(), digest).with_patience(patience)
    };
    let location = environment.location;
    let report = match call {
        DirectCall::Status { document } => {
            let status = operations::status(environment, document).await?;
            operations::status_report(document, vec![(location.clone(), status)])
        }
        DirectCall::Check(intent) => operations::check(environment, intent).await?,
        DirectCall::Plan(intent) => {
            let request = request("plan", intent);
            let preview = request.preview(environment).await?;
            request.planned(location, &preview)
        }
        DirectCall::Reconcile(intent) => {
            operations::apply(environment, &request("reconcile", intent)).await?
        }
    };
    Ok(report.to_value())
}

/// All direct calls are one owner: one may change what another has set.
fn owner() -> Owner {
    Owner { stack_id: "direct-call".to_owned(), logical_resource_id: "session-kms".to_owned() }
}
