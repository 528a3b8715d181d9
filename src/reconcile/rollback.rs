//! Returning to what an owner's earlier properties led to, without any check of a key.

use super::error::ReconcileError;
use super::establish::{EstablishRequest, goal};
use super::observe::Observation;
use super::outcome::Outcome;
use super::plan::{Plan, Step, plan_establish};
use super::record::RecordedKeyTrouble;
use super::run::Run;
use crate::intent::{Encryption, OnKeyTrouble};
use crate::key::{KeyArn, KeyRef};
use crate::ports::{Environment, VersionStatus, WritePorts};
use crate::session::Target;

/// The outcome of a request that asks for what its owner's earlier properties led to, if that is still there. A request
/// back to them, such as a rollback, changes nothing of the document, and it does not fail on a key that cannot be used by
/// now. If a later request has failed after its record was written, the record is brought back too.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn return_to_accepted<P: WritePorts>(
    environment: Environment<'_, P>,
    request: EstablishRequest<'_>,
) -> Result<Option<Outcome>, ReconcileError> {
    let document = &request.intent.document;
    let mut run = Run::new(environment, document);
    let mut observation = run.observe().await?;
    if let Some(plan) = back_to_earlier(&observation, request) {
        run.apply(plan).await?;
        observation = run.observe().await?;
    }
    let (Some(observed), Some(record)) = (observation.document, observation.record) else { return Ok(None) };
    let asked_for = record.asked_for();
    let is_named = match &request.intent.encryption {
        Encryption::Enabled { key: KeyRef::Arn(key), .. } => asked_for.is_key(key.as_str()),
        Encryption::Enabled { .. } => asked_for != Target::Off,
        Encryption::Disabled => false,
    };
    let is_unchanged = is_named
        && record.releasing.is_none()
        && record.owner == *request.owner
        && record.accepted_last(request.digest)
        && observed.carries(&record.wanted)
        && observed.latest.status == VersionStatus::Active;
    Ok(is_unchanged.then(|| Outcome {
        document: document.clone(),
        version: Some(observed.latest.number),
        key: asked_for.key().and_then(|key| KeyArn::parse(key).ok()),
        standby: record.standby().and_then(|standby| KeyArn::parse(standby).ok()),
        before_adoption: record.before_adoption.clone(),
        changed: false,
        findings: Vec::new(),
        notes: vec![match (&record.remediation.replaced_key, &record.wanted) {
            (None, _) => "nothing is changed, and there is trouble with the key".to_owned(),
            (Some(_), Target::Off) => {
                "nothing is changed: encryption is off until the key can be used again".to_owned()
            }
            (Some(_), Target::Key(standby)) => {
                format!("nothing is changed: the standby key {standby} stands in")
            }
        }],
    }))
}

/// The steps that bring the record back to properties that were accepted before the last ones, if the document carries
/// their key still. `None` if it does not, if a key is not named by its ARN, or if these are the last properties.
fn back_to_earlier(observation: &Observation, request: EstablishRequest<'_>) -> Option<Plan> {
    let (document, record) = (observation.document.as_ref()?, observation.record.as_ref()?);
    let Encryption::Enabled { key: KeyRef::Arn(key), on_key_trouble } = &request.intent.encryption else {
        return None;
    };
    let on_key_trouble = match on_key_trouble {
        OnKeyTrouble::Alert => RecordedKeyTrouble::Alert,
        OnKeyTrouble::Clear => RecordedKeyTrouble::Clear,
        OnKeyTrouble::Standby(KeyRef::Arn(standby)) => RecordedKeyTrouble::Standby(standby.to_string()),
        OnKeyTrouble::Standby(_) => return None,
    };
    let wanted = Target::from(Some(key));
    let is_earlier = record.owner == *request.owner
        && record.releasing.is_none()
        && record.has_accepted(request.digest)
        && !record.accepted_last(request.digest);
    let is_carried = document.carries(&wanted) && document.latest.status == VersionStatus::Active;
    if !is_earlier || !is_carried {
        return None;
    }
    let goal = goal(&request, &wanted, &on_key_trouble);
    let plan = plan_establish(observation, goal).ok()?;
    plan.iter().all(|step| matches!(step, Step::SaveRecord { .. })).then_some(plan)
}
