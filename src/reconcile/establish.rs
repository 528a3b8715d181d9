//! Establishes an intent: the document carries the key, or none, and belongs to the owner who asks. The preview says what
//! that would change, and changes nothing.

use std::time::Duration;

use super::converge::{Converged, Convergence, Purpose, converge, version_skew};
use super::error::ReconcileError;
use super::observe::Observation;
use super::observer::Observer;
use super::outcome::{CLEARED, CLIENTS, Outcome};
use super::plan::{Goal, Plan, Step, plan_establish};
use super::record::RecordedKeyTrouble;
use super::run::Run;
use crate::intent::{Encryption, Intent, OnKeyTrouble, Owner, PreflightMode};
use crate::key::{KeyArn, KeyDescription, KeyRef};
use crate::ports::{Environment, PreflightPorts, ReadPorts, VersionStatus, WritePorts};
use crate::preflight::{AccessQuestion, Assessment, Finding, KeyFault, blocking, check_access, check_key};
use crate::session::Target;

/// A request to establish an intent.
#[derive(Clone, Copy, Debug)]
pub struct EstablishRequest<'a> {
    /// Who asks.
    pub owner: &'a Owner,
    /// What is wanted.
    pub intent: &'a Intent,
    /// The digest of the properties asked with.
    pub digest: &'a str,
    /// How long a refusal may be asked about again before it counts.
    pub patience: Duration,
    /// A preview of this request that was made a moment ago. Whom it checked is not checked again.
    pub preview: Option<&'a Preview>,
}

/// What establishing an intent would do, and what the checks say of it. Nothing was written.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The key. `None` for encryption off.
    pub key: Option<KeyDescription>,
    /// The keys that were checked: the one asked for and the standby key.
    pub checked_keys: Vec<KeyArn>,
    /// What the checks found.
    pub assessment: Assessment,
    /// The findings that block the change.
    pub blocking: Vec<Finding>,
    /// What is there.
    pub observation: Observation,
    /// The first steps. Empty if nothing differs.
    pub plan: Plan,
}

impl Preview {
    /// What to know before the change is made, one line each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let switches_on =
            self.key.is_some() && !self.observation.is_encrypted() && self.plan.iter().any(Step::is_write);
        switches_on.then(|| CLIENTS.to_owned()).into_iter().collect()
    }
}

/// Brings the document to the intent, and reads it back.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn establish<P: WritePorts>(
    environment: Environment<'_, P>,
    request: EstablishRequest<'_>,
) -> Result<Outcome, ReconcileError> {
    let Intent { document, safeguards, .. } = request.intent;
    let keys = check_keys(environment, &request.intent.encryption).await?;
    let mut run = Run::new(environment, document);
    let convergence = Convergence {
        goal: keys.goal(&request),
        keys: &keys.all(),
        mode: safeguards.mode,
        patience: request.patience,
        purpose: Purpose::Request,
        assessed: request
            .preview
            .filter(|preview| keys.are(&preview.checked_keys))
            .map(|one| &one.assessment),
    };
    let converged = Box::pin(converge(&mut run, convergence)).await;
    let converged = converged.map_err(|error| error.after(run.half_change()))?;
    let Converged { observation, findings, was_encrypted, .. } = converged;
    let mut notes = Vec::new();
    if keys.key.is_none() {
        notes.push(CLEARED.to_owned());
    } else if run.changed() && !was_encrypted {
        notes.push(CLIENTS.to_owned());
    }
    if run.converts_to_json() && run.changed() {
        notes.push(
            "the document was stored as YAML that cannot be edited in place, and is JSON now".to_owned(),
        );
    }
    Ok(Outcome {
        document: document.clone(),
        version: observation.document.map(|document| document.latest.number),
        before_adoption: observation.record.map(|record| record.before_adoption).unwrap_or_default(),
        key: keys.key.map(|key| key.arn),
        standby: keys.standby.map(|key| key.arn),
        changed: run.changed(),
        findings: keys.findings.into_iter().chain(findings).collect(),
        notes,
    })
}

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

/// What a request brings the document and the record to.
fn goal<'a>(
    request: &EstablishRequest<'a>,
    wanted: &'a Target,
    on_key_trouble: &'a RecordedKeyTrouble,
) -> Goal<'a> {
    Goal {
        owner: request.owner,
        wanted,
        on_delete: request.intent.on_delete,
        on_conflict: request.intent.on_conflict,
        safeguards: &request.intent.safeguards,
        on_key_trouble,
        remediation: None,
        digest: request.digest,
        adopts_anew: false,
        unread: None,
    }
}

/// Finds out what [`establish`] would do, and writes nothing.
///
/// # Errors
/// See [`ReconcileError`]. Findings that block are no error here.
pub async fn preview<P: ReadPorts>(
    environment: Environment<'_, P>,
    request: EstablishRequest<'_>,
) -> Result<Preview, ReconcileError> {
    let Intent { document, safeguards, .. } = request.intent;
    let keys = check_keys(environment, &request.intent.encryption).await?;
    let mut observer = Observer::new(environment, document);
    let goal = keys.goal(&request);
    let (observation, plan) = loop {
        let observation = observer.observe().await?;
        match plan_establish(&observation, goal) {
            Ok(plan) => break (observation, plan),
            Err(error) => observer.without_plan(error)?,
        }
    };
    let skew = version_skew(&observation, goal.wanted);
    let mut assessment = Assessment::default();
    if safeguards.mode == PreflightMode::Off {
        assessment.findings.clone_from(&keys.findings);
    } else {
        for key in keys.all() {
            let question = AccessQuestion { key, document, safeguards };
            assessment.extend(Box::pin(check_access(environment, question, Duration::ZERO)).await);
        }
    }
    assessment.findings.extend(skew);
    let blocking = blocking(&assessment, safeguards.mode);
    let checked_keys = keys.all().into_iter().map(|key| key.arn.clone()).collect();
    Ok(Preview { key: keys.key, checked_keys, blocking, assessment, observation, plan })
}

/// The keys of an intent, described and found fit, and what the record remembers of them.
pub(super) struct CheckedKeys {
    /// What the document is to carry.
    wanted: Target,
    pub(super) key: Option<KeyDescription>,
    pub(super) standby: Option<KeyDescription>,
    on_key_trouble: RecordedKeyTrouble,
    findings: Vec<Finding>,
}

impl CheckedKeys {
    fn all(&self) -> Vec<&KeyDescription> {
        self.key.iter().chain(&self.standby).collect()
    }

    /// Whether these are the keys.
    fn are(&self, keys: &[KeyArn]) -> bool {
        self.all().into_iter().map(|key| &key.arn).eq(keys)
    }

    fn goal<'a>(&'a self, request: &EstablishRequest<'a>) -> Goal<'a> {
        goal(request, &self.wanted, &self.on_key_trouble)
    }
}

/// Describes the keys of an intent, and checks that they can encrypt sessions.
pub(super) async fn check_keys<P: PreflightPorts>(
    environment: Environment<'_, P>,
    encryption: &Encryption,
) -> Result<CheckedKeys, ReconcileError> {
    environment.progress("describing the key");
    let Encryption::Enabled { key, on_key_trouble } = encryption else {
        return Ok(CheckedKeys {
            wanted: Target::Off,
            key: None,
            standby: None,
            on_key_trouble: RecordedKeyTrouble::Alert,
            findings: Vec::new(),
        });
    };
    let (key, mut findings) = check_key(environment, key).await?;
    let (standby, on_key_trouble) = match on_key_trouble {
        OnKeyTrouble::Alert => (None, RecordedKeyTrouble::Alert),
        OnKeyTrouble::Clear => (None, RecordedKeyTrouble::Clear),
        OnKeyTrouble::Standby(standby) => {
            let (standby, of_standby) = check_key(environment, standby)
                .await
                .map_err(|error| ReconcileError::of_key(error, ReconcileError::StandbyKey))?;
            if standby.arn == key.arn {
                return Err(KeyFault::StandbyIsKey { key: key.arn }.into());
            }
            findings.extend(of_standby);
            let on_key_trouble = RecordedKeyTrouble::Standby(standby.arn.to_string());
            (Some(standby), on_key_trouble)
        }
    };
    Ok(CheckedKeys {
        wanted: Target::from(Some(&key.arn)),
        key: Some(key),
        standby,
        on_key_trouble,
        findings,
    })
}
