//! A resource `aws_lambda_invocation` of Terraform, which follows its resource from creation to destruction
//! (`lifecycle_scope = "CRUD"`): what is done with its calls, and the answers, which Terraform keeps in its state.

use serde::Serialize;
use serde_json::Value;

use super::FunctionError;
use super::check_command::CheckCommand;
use super::direct::DirectInvocation;
use super::resource::{self, WholeReport, cut};
use super::session_encryption::log;
use crate::event::terraform::{PreviousDocument, TerraformCall};
use crate::intent::{Intent, OnDelete, Owner};
use crate::ports::{Environment, WritePorts};
use crate::preflight::summary;
use crate::reconcile::{EstablishRequest, Outcome, ReconcileError, ReleaseRequest, establish, release};
use crate::session::DocumentName;

/// How long a text for Terraform may become, in bytes of JSON. What is left out is in the log.
const LONGEST: usize = 6000;

/// The resource, for one invocation.
#[derive(Debug)]
pub(super) struct TerraformResource<'a, P> {
    pub(super) environment: Environment<'a, P>,
    pub(super) invocation: DirectInvocation<'a>,
}

impl<P: WritePorts> TerraformResource<'_, P> {
    /// Does what Terraform asks for, as the custom resource does it. `digest` is the digest of the properties.
    ///
    /// # Errors
    /// If it was refused or could not be done. Terraform takes every answer but an error for success.
    pub(super) async fn answer(&self, call: &TerraformCall, digest: &str) -> Result<Value, FunctionError> {
        let (command, mut outcome) = match call {
            TerraformCall::Establish { intent, .. } => ("reconcile", self.establish(intent, digest).await?),
            TerraformCall::Release { document: None, .. } => {
                let summary = "nothing of this resource exists";
                let answer = NothingToRelease { command: "release", fails: false, summary };
                return Ok(serde_json::to_value(answer).unwrap_or_default());
            }
            TerraformCall::Release { document: Some(document), on_delete } => {
                ("release", self.release(document, *on_delete).await?)
            }
        };
        if let TerraformCall::Establish { previous: Some(left), .. } = call {
            let PreviousDocument { document, on_delete } = left;
            outcome.notes.extend(self.release(document, *on_delete).await?.notes);
        }
        log(&outcome);
        Ok(answer(command, &outcome))
    }

    async fn establish(&self, intent: &Intent, digest: &str) -> Result<Outcome, FunctionError> {
        let owner = Owner::direct_call();
        let ports = self.environment.ports;
        let denials = resource::retries_within(ports, self.invocation.time);
        let environment = self.environment.with_denial_retries(&denials);
        let patience = self.invocation.patience();
        let request = EstablishRequest { owner: &owner, intent, digest, patience, preview: None };
        // Boxed: the state of this future is large.
        let attempt = async || Box::pin(establish(environment, request)).await;
        let established = resource::despite_fresh_role(ports, &denials, attempt).await;
        established.map_err(|error| self.refusal(error, intent))
    }

    async fn release(
        &self,
        document: &DocumentName,
        on_delete: Option<OnDelete>,
    ) -> Result<Outcome, FunctionError> {
        let owner = Owner::direct_call();
        let request = ReleaseRequest { owner: &owner, document, on_delete };
        Ok(Box::pin(release(self.environment, request)).await?)
    }

    /// The error that Terraform shows: with the remedies and with the command that asks again, if a key was refused.
    fn refusal(&self, error: ReconcileError, intent: &Intent) -> FunctionError {
        if matches!(error.cause(), ReconcileError::Aws(_)) {
            return error.into();
        }
        let command = CheckCommand::of_intent(intent, &self.environment.location.region);
        let DirectInvocation { settings, request_id, .. } = self.invocation;
        let log_group = settings.log_group.as_deref();
        let report = WholeReport { request_id, log_group, command: &command };
        FunctionError::Refused(cut(resource::failure(&error, report).reason, LONGEST))
    }
}

/// The answer to a call of Terraform: what the attributes of the custom resource say, and what happened. It does not grow
/// with the number of principals, because Terraform keeps it.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct TerraformAnswer<'a> {
    /// `reconcile` or `release`.
    command: &'a str,
    /// Always false: Terraform takes every answer but an error for success.
    fails: bool,
    /// What the checks found, in a short line.
    summary: String,
    /// The document.
    document_name: &'a str,
    /// The number of the document's latest version. Null if there is no document.
    document_version: Option<u64>,
    /// The key's ARN. Null without encryption.
    key_arn: Option<String>,
    /// The standby key's ARN. Null if there is none.
    standby_key_arn: Option<String>,
    /// The key from before the first owner, which `Restore` sets again; empty if there was none.
    previous_kms_key_id: &'a str,
    /// Whether the document was changed.
    changed: bool,
    /// What else to know, one line each.
    notes: &'a [String],
}

/// The answer to a call of Terraform to give back what there is not.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(crate) struct NothingToRelease<'a> {
    /// Always `release`.
    command: &'a str,
    /// Always false.
    fails: bool,
    /// Why nothing was done.
    summary: &'a str,
}

fn answer(command: &str, outcome: &Outcome) -> Value {
    let answer = TerraformAnswer {
        command,
        fails: false,
        summary: cut(summary(&outcome.findings), LONGEST),
        document_name: outcome.document.as_str(),
        document_version: outcome.version,
        key_arn: outcome.key.as_ref().map(ToString::to_string),
        standby_key_arn: outcome.standby.as_ref().map(ToString::to_string),
        previous_kms_key_id: outcome.before_adoption.as_kms_key_id(),
        changed: outcome.changed,
        notes: &outcome.notes,
    };
    serde_json::to_value(answer).unwrap_or_default()
}
