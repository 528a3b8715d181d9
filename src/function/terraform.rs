//! A resource `aws_lambda_invocation` of Terraform, which follows its resource from creation to destruction
//! (`lifecycle_scope = "CRUD"`): what is done with its calls, and the answers, which Terraform keeps in its state.

use serde_json::{Value, json};

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
        let mut outcome = match call {
            TerraformCall::Establish { intent, .. } => self.establish(intent, digest).await?,
            TerraformCall::Release { document: None, .. } => {
                let note = "nothing of this resource exists";
                return Ok(json!({ "command": "release", "fails": false, "summary": note }));
            }
            TerraformCall::Release { document: Some(document), on_delete } => {
                self.release(document, *on_delete).await?
            }
        };
        if let TerraformCall::Establish { previous: Some(left), .. } = call {
            let PreviousDocument { document, on_delete } = left;
            outcome.notes.extend(self.release(document, *on_delete).await?.notes);
        }
        log(&outcome);
        let is_release = matches!(call, TerraformCall::Release { .. });
        Ok(answer(if is_release { "release" } else { "reconcile" }, &outcome))
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

/// The answer: what the attributes of the custom resource say, and what happened. It does not grow with the number of
/// principals, because Terraform keeps it.
fn answer(command: &str, outcome: &Outcome) -> Value {
    let findings = cut(summary(&outcome.findings), LONGEST);
    json!({
        "command": command,
        "fails": false,
        "summary": findings,
        "documentName": outcome.document.as_str(),
        "documentVersion": outcome.version,
        "keyArn": outcome.key.as_ref().map(ToString::to_string),
        "standbyKeyArn": outcome.standby.as_ref().map(ToString::to_string),
        "previousKmsKeyId": outcome.before_adoption.as_kms_key_id(),
        "changed": outcome.changed,
        "notes": outcome.notes,
    })
}
