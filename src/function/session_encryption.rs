//! `Custom::SessionEncryption`: from a request of CloudFormation to the way, and from its outcome to the
//! answer.

use std::collections::BTreeMap;

use super::resource::{self, Home};
use super::session_key_access;
use crate::event::custom_resource::{self, document_of_id, physical_id};
use crate::intent::{Intent, Owner};
use crate::location::Location;
use crate::ports::{Environment, WritePorts};
use crate::preflight::{KeyFault, summary};
use crate::reconcile::{
    Establish, Outcome, ReconcileError, Release, digest, establish, read_record, release, unchanged,
};
use crate::session::DocumentName;
use cloudformation_custom_resource::{
    Attribute, CustomResource, Deadline, Failure, PhysicalResourceId, Progress, Request, RequestType,
    Success, Unknown,
};

/// The resource's types; the second is how CloudFormation names a custom resource without a type of its own.
const TYPES: [&str; 2] = ["Custom::SessionEncryption", "AWS::CloudFormation::CustomResource"];

/// How often a request that is denied something is tried again.
const FRESH_ROLE: u32 = 4;

/// The resource, for one invocation.
#[derive(Debug)]
pub(super) struct SessionEncryption<'a, P> {
    pub(super) ports: &'a P,
    pub(super) location: Home<'a>,
    pub(super) request_id: &'a str,
}

impl<P: WritePorts> SessionEncryption<'_, P> {
    async fn establish(
        &self,
        request: &Request,
        location: &Location,
        deadline: &Deadline,
        progress: &Progress,
    ) -> Result<Success, Failure> {
        if !TYPES.contains(&request.resource_type.as_str()) {
            let reason = format!(
                "resource type `{}` is none that this function knows; it is asked as {} or {}",
                request.resource_type,
                TYPES[0],
                session_key_access::TYPE
            );
            return Err(Failure { reason });
        }
        let digest = digest(&request.properties);
        let intent = self.intent(request, &digest).await?;
        let owner = owner(request);
        let step = |step: &str| progress.set(step);
        let environment = Environment::new(self.ports, location).with_progress(&step);
        let patience = deadline.left_to_work(self.ports.now()).div_f64(2.0);
        let wanted = Establish { owner: &owner, intent: &intent, digest: &digest, patience };
        let mut attempt = 0;
        let mut outcome = loop {
            // Boxed: the state of the whole way is large.
            match Box::pin(establish(environment, wanted)).await {
                Ok(outcome) => break outcome,
                Err(error) if attempt < FRESH_ROLE && is_fresh_role(request, &error) => {
                    attempt += 1;
                    tracing::info!(attempt, %error, "trying again, since the role may be seconds old");
                    self.ports.pause(attempt).await;
                }
                Err(error) if may_go_back(request, &error) => {
                    match Box::pin(unchanged(environment, wanted)).await {
                        Ok(Some(mut outcome)) => {
                            outcome.notes.push(error.to_string());
                            break outcome;
                        }
                        Ok(None) | Err(_) => return Err(resource::failure(&error, self.request_id)),
                    }
                }
                Err(error) => return Err(resource::failure(&error, self.request_id)),
            }
        };
        if let Some(left) = left_behind(request, location, &intent.document) {
            outcome.notes.extend(self.release(request, location, &left, progress).await?.notes);
        }
        success(location, &outcome)
    }

    /// The intent of the properties. Those that were accepted before are never refused for a property that
    /// this version does not know: a rollback to them must not fail.
    async fn intent(&self, request: &Request, digest: &str) -> Result<Intent, Failure> {
        let refused = match custom_resource::intent(&request.properties, Unknown::Refused) {
            Ok(intent) => return Ok(intent),
            Err(problems) => Failure { reason: problems.to_string() },
        };
        let lenient = custom_resource::intent(&request.properties, Unknown::Ignored);
        let (RequestType::Update { .. }, Ok(intent)) = (&request.request_type, lenient) else {
            return Err(refused);
        };
        let record = match read_record(self.ports, &intent.document).await {
            Ok(record) => record,
            Err(ReconcileError::Record(_)) => None,
            Err(error) => return Err(failure(&error)),
        };
        match record {
            Some(record) if record.owner == owner(request) && record.has_accepted(digest) => Ok(intent),
            _ => Err(refused),
        }
    }

    async fn release(
        &self,
        request: &Request,
        location: &Location,
        document: &DocumentName,
        progress: &Progress,
    ) -> Result<Outcome, Failure> {
        let properties = match &request.request_type {
            RequestType::Update { old_properties, .. } => old_properties,
            RequestType::Create | RequestType::Delete { .. } => &request.properties,
        };
        let owner = owner(request);
        let wanted = Release { owner: &owner, document, on_delete: custom_resource::on_delete(properties) };
        let step = |step: &str| progress.set(step);
        let environment = Environment::new(self.ports, location).with_progress(&step);
        Box::pin(release(environment, wanted))
            .await
            .map_err(|error| resource::failure(&error, self.request_id))
    }
}

impl<P: WritePorts> CustomResource for SessionEncryption<'_, P> {
    fn physical_id_of_create(&self, request: &Request) -> Result<PhysicalResourceId, Failure> {
        let document = custom_resource::document(&request.properties)
            .map_err(|error| Failure { reason: format!("`DocumentName`: {error}") })?;
        resource_id(self.location.of(request)?.as_ref(), &document)
    }

    async fn handle(
        &self,
        request: &Request,
        deadline: &Deadline,
        progress: &Progress,
    ) -> Result<Success, Failure> {
        let location = self.location.of(request)?;
        match &request.request_type {
            RequestType::Create | RequestType::Update { .. } => {
                // Boxed: else all that it holds is in the state of whoever waits for it.
                Box::pin(self.establish(request, &location, deadline, progress)).await
            }
            RequestType::Delete { physical_resource_id } => {
                // The id names what is to go; an id that CloudFormation made up leaves it to the properties,
                // and properties that name no possible document never got as far as to leave anything.
                let named = document_of_id(&location, physical_resource_id.as_str())
                    .or_else(|| custom_resource::document(&request.properties).ok());
                let Some(document) = named else {
                    return done(physical_resource_id.clone(), "nothing of this resource exists".to_owned());
                };
                let outcome = self.release(request, &location, &document, progress).await?;
                log(&outcome);
                done(physical_resource_id.clone(), outcome.notes.join("; "))
            }
        }
    }
}

/// Whether a denial may come of a role that the same stack made or changed just before: IAM takes seconds until it
/// is seen everywhere.
fn is_fresh_role(request: &Request, error: &ReconcileError) -> bool {
    let denied = matches!(error, ReconcileError::Aws(error) if error.is_denied());
    denied && !matches!(request.request_type, RequestType::Delete { .. })
}

/// Whether a request that fails on its keys may be one back to what is there.
fn may_go_back(request: &Request, error: &ReconcileError) -> bool {
    let of_keys = matches!(
        error,
        ReconcileError::Key(KeyFault::Unfit { .. } | KeyFault::NotFound { .. })
            | ReconcileError::StandbyKey(_)
    );
    of_keys && matches!(request.request_type, RequestType::Update { .. })
}

/// A document that a failed replacement left behind: an Update that goes back to the document of the id it
/// came with. No Delete follows for the other, whose id was never answered.
fn left_behind(request: &Request, location: &Location, document: &DocumentName) -> Option<DocumentName> {
    let RequestType::Update { physical_resource_id, old_properties } = &request.request_type else {
        return None;
    };
    let other = custom_resource::document(old_properties).ok().filter(|other| other != document)?;
    (document_of_id(location, physical_resource_id.as_str()).as_ref() == Some(document)).then_some(other)
}

fn owner(request: &Request) -> Owner {
    Owner {
        stack_id: request.ids.stack_id.clone(),
        logical_resource_id: request.ids.logical_resource_id.clone(),
    }
}

fn success(location: &Location, outcome: &Outcome) -> Result<Success, Failure> {
    log(outcome);
    let exact = |text: &str| Attribute::Exact(text.to_owned());
    let key = outcome.key.as_ref();
    let mut data = BTreeMap::from([
        ("KeyArn".to_owned(), exact(key.map_or("", |key| key.as_str()))),
        ("KeyAccount".to_owned(), exact(key.map_or("", |key| &key.location().account))),
        ("DocumentName".to_owned(), exact(outcome.document.as_str())),
        (
            "DocumentVersion".to_owned(),
            Attribute::Exact(outcome.version.map_or_else(String::new, |v| v.to_string())),
        ),
        ("PreviousKmsKeyId".to_owned(), exact(outcome.before_adoption.as_kms_key_id())),
        ("Changed".to_owned(), Attribute::Exact(outcome.changed.to_string())),
        ("Findings".to_owned(), Attribute::FreeText(summary(&outcome.findings))),
    ]);
    if let Some(standby) = &outcome.standby {
        data.insert("StandbyKeyArn".to_owned(), exact(standby.as_str()));
    }
    Ok(Success {
        physical_resource_id: resource_id(location, &outcome.document)?,
        data,
        reason: Some(outcome.notes.join("; ")).filter(|reason| !reason.is_empty()),
        no_echo: false,
    })
}

fn done(physical_resource_id: PhysicalResourceId, reason: String) -> Result<Success, Failure> {
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    Ok(Success { physical_resource_id, data: BTreeMap::new(), reason, no_echo: false })
}

fn log(outcome: &Outcome) {
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

fn resource_id(location: &Location, document: &DocumentName) -> Result<PhysicalResourceId, Failure> {
    PhysicalResourceId::new(&physical_id(location, document)).map_err(|error| failure(&error))
}

fn failure(error: &impl ToString) -> Failure {
    Failure { reason: error.to_string() }
}
