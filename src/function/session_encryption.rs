//! `Custom::SessionEncryption`: from a request of CloudFormation to the convergence of its document, and from the
//! outcome to the response.

use super::FunctionSettings;
use super::check_command::CheckCommand;
use super::resource::{self, FunctionLocation, WholeReport, plain_failure};
use crate::event::custom_resource::{SESSION_ENCRYPTION, SESSION_KEY, SESSION_KEY_ACCESS};
use crate::event::session_encryption::{
    EncryptionChange, PreviousResource, SessionEncryptionRequest, WantedEncryption, document_of_id,
    id_of_document,
};
use crate::intent::{Intent, OnDelete, Owner};
use crate::location::Location;
use crate::ports::{Environment, FleetMemory, WritePorts, waiting_for};
use crate::preflight::{KeyFault, summary};
use crate::quote::quoted;
use crate::reconcile::{
    EstablishRequest, Outcome, ReconcileError, ReleaseRequest, digest, establish, read_record, release,
    return_to_accepted,
};
use crate::session::DocumentName;
use cloudformation_custom_resource::{
    CustomResource, Deadline, Failure, PhysicalResourceId, Progress, Success,
};

/// The resource, for one invocation.
#[derive(Debug)]
pub(super) struct SessionEncryption<'a, P> {
    pub(super) ports: &'a P,
    pub(super) location: FunctionLocation<'a>,
    pub(super) request_id: &'a str,
    pub(super) settings: &'a FunctionSettings,
}

impl<P: WritePorts> CustomResource for SessionEncryption<'_, P> {
    type Request = SessionEncryptionRequest;

    fn physical_id_of_create(
        &self,
        request: &SessionEncryptionRequest,
    ) -> Result<PhysicalResourceId, Failure> {
        let document = request.document.as_ref();
        let document = document.map_err(|error| Failure { reason: format!("`DocumentName`: {error}") })?;
        let location = self.location.or_of_stack(&request.owner.stack_id)?;
        resource::valid_physical_id(&id_of_document(&location, document))
    }

    fn waiting_for(&self) -> Option<String> {
        waiting_for(self.ports)
    }

    async fn handle(
        &self,
        request: &SessionEncryptionRequest,
        deadline: &Deadline,
        progress: &Progress,
    ) -> Result<Success, Failure> {
        let location = self.location.or_of_stack(&request.owner.stack_id)?;
        match &request.change {
            EncryptionChange::Establish { wanted, previous } => {
                refuse_unknown_type(&request.resource_type)?;
                let change = CreateOrUpdate {
                    owner: &request.owner,
                    location: &location,
                    wanted,
                    previous: previous.as_ref(),
                };
                // Boxed: the state of this future would be part of every caller's.
                Box::pin(self.establish(change, deadline, progress)).await
            }
            EncryptionChange::Release { physical_resource_id, on_delete } => {
                let id = resource::valid_physical_id(physical_resource_id)?;
                // CloudFormation may have made up the id. Then the properties name the document; if there can be no
                // such document, the resource was never created.
                let named = document_of_id(&location, physical_resource_id)
                    .or_else(|| request.document.as_ref().ok().cloned());
                let Some(document) = named else {
                    return Ok(with_reason(Success::new(id), "nothing of this resource exists".to_owned()));
                };
                let outcome =
                    self.release(&request.owner, &location, &document, *on_delete, progress).await?;
                log(&outcome);
                Ok(with_reason(Success::new(id), outcome.notes.join("; ")))
            }
        }
    }
}

/// A Create or an Update.
#[derive(Clone, Copy)]
struct CreateOrUpdate<'a> {
    owner: &'a Owner,
    location: &'a Location,
    wanted: &'a WantedEncryption,
    /// `None` on Create.
    previous: Option<&'a PreviousResource>,
}

impl<P: WritePorts> SessionEncryption<'_, P> {
    async fn establish(
        &self,
        change: CreateOrUpdate<'_>,
        deadline: &Deadline,
        progress: &Progress,
    ) -> Result<Success, Failure> {
        let CreateOrUpdate { owner, location, wanted, previous } = change;
        let digest = digest(&wanted.properties);
        let intent = self.accepted_intent(change, &digest).await?;
        let step = |step: &str| progress.set(step);
        let (memory, denials) =
            (FleetMemory::default(), resource::retries_of_fresh_role(self.ports, deadline));
        let environment = Environment::new(self.ports, location)
            .with_progress(&step)
            .with_memory(&memory)
            .with_dry_run(self.settings.dry_run)
            .with_denial_retries(&denials);
        let patience = deadline.left_to_work(self.ports.now()).div_f64(2.0);
        let request = EstablishRequest { owner, intent, digest: &digest, patience, preview: None };
        // Boxed: the state of these futures is large.
        let attempt = async || Box::pin(establish(environment, request)).await;
        let mut outcome = match resource::despite_fresh_role(self.ports, &denials, attempt).await {
            Ok(outcome) => outcome,
            Err(error) if previous.is_some() && is_about_keys(&error) => {
                match Box::pin(return_to_accepted(environment, request)).await {
                    Ok(Some(mut outcome)) => {
                        outcome.notes.push(error.to_string());
                        outcome
                    }
                    Ok(None) | Err(_) => return Err(self.refusal(&error, intent, location)),
                }
            }
            Err(error) => return Err(self.refusal(&error, intent, location)),
        };
        if let Some((left, on_delete)) = left_behind(change, &intent.document) {
            outcome.notes.extend(self.release(owner, location, left, on_delete, progress).await?.notes);
        }
        success(location, &outcome)
    }

    /// The intent of the properties. An Update back to properties that were accepted before is never refused for a
    /// property that this version does not know: a rollback must not fail.
    async fn accepted_intent<'c>(
        &self,
        change: CreateOrUpdate<'c>,
        digest: &str,
    ) -> Result<&'c Intent, Failure> {
        let refused = match &change.wanted.intent {
            Ok(intent) => return Ok(intent),
            Err(problems) => plain_failure(problems),
        };
        let (Some(_), Some(intent)) = (change.previous, &change.wanted.intent_of_known_properties) else {
            return Err(refused);
        };
        let record = match read_record(self.ports, &intent.document).await {
            Ok(record) => record,
            Err(ReconcileError::Record(_)) => None,
            Err(error) => return Err(plain_failure(&error)),
        };
        match record {
            Some(record) if record.owner == *change.owner && record.has_accepted(digest) => Ok(intent),
            _ => Err(refused),
        }
    }

    async fn release(
        &self,
        owner: &Owner,
        location: &Location,
        document: &DocumentName,
        on_delete: Option<OnDelete>,
        progress: &Progress,
    ) -> Result<Outcome, Failure> {
        let request = ReleaseRequest { owner, document, on_delete };
        let step = |step: &str| progress.set(step);
        let environment = Environment::new(self.ports, location).with_progress(&step);
        Box::pin(release(environment, request)).await.map_err(|error| plain_failure(&error))
    }

    /// The failure of a request to establish an intent.
    fn refusal(&self, error: &ReconcileError, intent: &Intent, location: &Location) -> Failure {
        let command = CheckCommand::of_intent(intent, &location.region);
        let log_group = self.settings.log_group.as_deref();
        let (request_id, command) = (self.request_id, &command);
        resource::failure(error, WholeReport { request_id, log_group, command })
    }
}

fn refuse_unknown_type(resource_type: &str) -> Result<(), Failure> {
    if SESSION_ENCRYPTION.contains(&resource_type) {
        return Ok(());
    }
    let reason = format!(
        "resource type `{}` is none that this function knows; it is asked as {}, {SESSION_KEY} or {SESSION_KEY_ACCESS}",
        quoted(resource_type),
        SESSION_ENCRYPTION[0]
    );
    Err(Failure { reason })
}

/// Whether a request failed because of its keys, or because they could not be described. An Update may be a rollback to a
/// document that already has them.
fn is_about_keys(error: &ReconcileError) -> bool {
    match error.cause() {
        ReconcileError::Key(KeyFault::Unfit { .. } | KeyFault::NotFound { .. })
        | ReconcileError::StandbyKey(_) => true,
        ReconcileError::Aws(error) => error.is_denied() && error.operation == "kms:DescribeKey",
        _ => false,
    }
}

/// A document that a failed replacement left behind, and what to do with it: the Update goes back to the document
/// of the id that it has. No Delete follows for the other document, as no response has named its id.
fn left_behind<'c>(
    change: CreateOrUpdate<'c>,
    document: &DocumentName,
) -> Option<(&'c DocumentName, Option<OnDelete>)> {
    let previous = change.previous?;
    let other = previous.document.as_ref().filter(|other| *other != document)?;
    let goes_back =
        document_of_id(change.location, &previous.physical_resource_id).as_ref() == Some(document);
    goes_back.then_some((other, previous.on_delete))
}

fn success(location: &Location, outcome: &Outcome) -> Result<Success, Failure> {
    log(outcome);
    let key = outcome.key.as_ref();
    let version = outcome.version.map_or_else(String::new, |version| version.to_string());
    let id = resource::valid_physical_id(&id_of_document(location, &outcome.document))?;
    let mut success = Success::new(id)
        .with_attribute("KeyArn", key.map_or("", |key| key.as_str()))
        .with_attribute("KeyAccount", key.map_or("", |key| &key.location().account))
        .with_attribute("DocumentName", outcome.document.as_str())
        .with_attribute("DocumentVersion", &version)
        .with_attribute("PreviousKmsKeyId", outcome.before_adoption.as_kms_key_id())
        .with_attribute("Changed", &outcome.changed.to_string())
        .with_free_text("Findings", &summary(&outcome.findings));
    if let Some(standby) = &outcome.standby {
        success = success.with_attribute("StandbyKeyArn", standby.as_str());
    }
    Ok(with_reason(success, outcome.notes.join("; ")))
}

fn with_reason(success: Success, reason: String) -> Success {
    Success { reason: Some(reason).filter(|reason| !reason.is_empty()), ..success }
}

/// Logs what was read back.
pub(super) fn log(outcome: &Outcome) {
    tracing::info!(
        document = %outcome.document,
        version = outcome.version,
        key = outcome.key.as_ref().map_or("", |key| key.as_str()),
        before = %outcome.before_adoption,
        changed = outcome.changed,
        findings = summary(&outcome.findings),
        notes = outcome.notes.join("; "),
        "read back"
    );
}
