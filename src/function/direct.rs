//! Direct calls: the report that the command line would give, as JSON.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::terraform::TerraformResource;
use super::{FunctionError, FunctionSettings, audit, organization};
use crate::event::direct::DirectCall;
use crate::intent::{Intent, Owner};
use crate::operations::{self, ChangeRequest, Release, ReleaseProposal};
use crate::ports::{Environment, OrganizationPorts, WritePorts};
use crate::quote::quoted;

/// What a call knows of its invocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirectInvocation<'a> {
    pub(super) settings: &'a FunctionSettings,
    pub(super) request_id: &'a str,
    /// The time that is left to work.
    pub(super) time: Duration,
}

impl DirectInvocation<'_> {
    /// How long a refusal may be asked about again.
    pub(super) fn patience(&self) -> Duration {
        self.time.div_f64(2.0)
    }
}

/// Answers a call. `digest` is the digest of its properties.
///
/// # Errors
/// If the call could not be answered. Findings that block are no error: the report says that it fails.
pub(super) async fn answer<P: WritePorts + OrganizationPorts>(
    environment: Environment<'_, P>,
    call: &DirectCall,
    digest: String,
    invocation: DirectInvocation<'_>,
) -> Result<Value, FunctionError> {
    let request = |command, intent: &Intent| {
        ChangeRequest::new(command, intent.clone(), Owner::direct_call(), digest.clone())
            .with_patience(invocation.patience())
    };
    let location = environment.location;
    let report = match call {
        DirectCall::Status { document } => {
            let status = operations::status(environment, document).await?;
            operations::status_report(document, vec![(location.clone(), status)])
        }
        DirectCall::Terraform(call) => {
            return Box::pin(TerraformResource { environment, invocation }.answer(call, &digest)).await;
        }
        DirectCall::Audit(question) => return audit::answer(environment, question).await,
        DirectCall::Organization(call) => return Ok(organization::answer(environment, call).await?),
        DirectCall::Check(intent) => operations::check(environment, intent).await?,
        DirectCall::Plan(intent) => {
            let request = request("plan", intent);
            let preview = request.preview(environment).await?;
            request.planned(location, &preview)
        }
        DirectCall::Reconcile(intent) => {
            operations::apply(environment, &request("reconcile", intent)).await?
        }
        DirectCall::Release { document, on_delete } => {
            let (document, on_delete) = (document.clone(), *on_delete);
            let release = Release { document, owner: Owner::direct_call(), on_delete };
            match release.planned(environment).await? {
                ReleaseProposal::Final(report) => *report,
                ReleaseProposal::Applicable(planned) => release.apply(environment, *planned).await?,
            }
        }
    };
    Ok(report.to_value())
}

/// The answer to a question that cannot be answered with a report. It is no error of the function, which would ring an
/// alarm.
pub(super) fn unanswered(payload: &Value, error: &FunctionError) -> Value {
    let message = error.to_string();
    tracing::warn!(error = %message, "the question could not be answered");
    let answer = UnansweredCall {
        command: payload.get("action").and_then(Value::as_str).map(quoted),
        fails: true,
        summary: &message,
        error: ErrorInAnswer { kind: error.kind(), message: &message },
    };
    serde_json::to_value(answer).unwrap_or_default()
}

/// The answer to a question that cannot be answered with a report.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(crate) struct UnansweredCall<'a> {
    /// The action of the call.
    command: Option<String>,
    /// Always true.
    fails: bool,
    /// Why there is no report, in one line.
    summary: &'a str,
    /// Why there is no report.
    error: ErrorInAnswer<'a>,
}

/// Why there is no report.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct ErrorInAnswer<'a> {
    /// The kind of error: `BadCall`, `Aws`, `Refused`, `OutOfTime` or `NoAccount`.
    #[serde(rename = "type")]
    kind: &'a str,
    /// The error, as `summary` says it.
    message: &'a str,
}
