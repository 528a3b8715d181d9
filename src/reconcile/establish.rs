//! Establishes an intent: the document carries the key, or none, and belongs to the owner who asks. The preview says what
//! that would change, and changes nothing.

use std::time::Duration;

use super::converge::{Converged, Convergence, Purpose, converge, version_skew};
use super::error::{ReconcileError, only_if_named};
use super::observe::Observation;
use super::observer::Observer;
use super::outcome::{CLEARED, CLIENTS, Outcome, TO_BE_CLEARED};
use super::plan::{Goal, Plan, PlanError, Step, plan_establish};
use super::record::RecordedKeyTrouble;
use super::run::Run;
use crate::intent::{Encryption, Intent, OnConflict, OnKeyTrouble, Owner, PreflightMode};
use crate::key::{KeyArn, KeyDescription, KeyRef};
use crate::ports::{Environment, PreflightPorts, ReadPorts, VersionStatus, WritePorts};
use crate::preflight::{
    AccessQuestion, Assessment, Check, Finding, KeyFault, Verdict, blocking, check_access, describe_key,
    key_fitness, refuse_if_unfit,
};
use crate::session::{DocumentName, Target};

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
    /// What is there. Nothing, if the record cannot be read.
    pub observation: Observation,
    /// The first steps. Empty if nothing differs, and `None` if a finding about the document leaves nothing to plan.
    pub plan: Option<Plan>,
}

impl Preview {
    /// What to know before the change of this document is made, one line each.
    #[must_use]
    pub fn notes(&self, document: &DocumentName) -> Vec<String> {
        let Some(plan) = &self.plan else { return Vec::new() };
        let writes = plan.iter().any(Step::is_write);
        let creates = plan.iter().any(|step| matches!(step, Step::CreateDocument(_)));
        let is_off = self.key.is_none();
        let exists = self.observation.document.is_some();
        [
            (creates && !document.is_preferences()).then(|| new_document(document)),
            (!is_off && writes && !self.observation.is_encrypted()).then(|| CLIENTS.to_owned()),
            (is_off && writes).then(|| TO_BE_CLEARED.to_owned()),
            (is_off && !exists).then(|| {
                format!(
                    "document {document} does not exist, so there is no encryption with a key to turn off"
                )
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
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
    let version = observation.document.map(|document| document.latest.number);
    // Whoever has written the first version has created the document.
    if run.changed() && version == Some(1) && !document.is_preferences() {
        notes.push(new_document(document));
    }
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
        version,
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
        creates_document: request.intent.create_document || request.intent.document.is_preferences(),
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
/// See [`ReconcileError`]. What would refuse the change is no error here: it is a finding that blocks.
pub async fn preview<P: ReadPorts>(
    environment: Environment<'_, P>,
    request: EstablishRequest<'_>,
) -> Result<Preview, ReconcileError> {
    let Intent { document, safeguards, .. } = request.intent;
    let keys = describe_keys(environment, &request.intent.encryption).await?;
    let (observation, plan, mut of_document) = plan_of(environment, keys.goal(&request), document).await?;
    of_document.extend(version_skew(&observation, &keys.wanted));
    let mut assessment = Assessment::default();
    for key in keys.all() {
        if safeguards.mode == PreflightMode::Off {
            assessment.findings.extend(key_fitness(key));
        } else {
            let question = AccessQuestion { key, document, safeguards };
            assessment.extend(Box::pin(check_access(environment, question, Duration::ZERO)).await);
        }
    }
    assessment.findings.extend(of_document);
    let blocking = blocking(&assessment, safeguards.mode);
    let checked_keys = keys.all().into_iter().map(|key| key.arn.clone()).collect();
    Ok(Preview { key: keys.key, checked_keys, blocking, assessment, observation, plan })
}

/// What is there, the plan if there can be one, and a finding if something about the document refuses the change.
async fn plan_of<P: ReadPorts>(
    environment: Environment<'_, P>,
    goal: Goal<'_>,
    document: &DocumentName,
) -> Result<(Observation, Option<Plan>, Vec<Finding>), ReconcileError> {
    let mut observer = Observer::new(environment, document);
    loop {
        let observation = match observer.observe().await {
            Err(error @ ReconcileError::Record(_)) => {
                let nothing = Observation { document: None, record: None };
                return Ok((nothing, None, vec![refusal(document, &error)]));
            }
            observation => observation?,
        };
        // A document that does not exist has no encryption to turn off, and nobody is to own it for that.
        let is_nothing = observation.document.is_none() && observation.record.is_none();
        if is_nothing && *goal.wanted == Target::Off {
            return Ok((observation, Some(Plan::new()), Vec::new()));
        }
        let error = match plan_establish(&observation, goal) {
            Ok(plan) => return Ok((observation, Some(plan), Vec::new())),
            Err(error) => error,
        };
        // The plan is shown all the same, as it would be without what refuses it.
        let otherwise = match error {
            PlanError::Owned { .. } => Some(Goal { on_conflict: OnConflict::TakeOver, ..goal }),
            PlanError::NoDocument { .. } => Some(Goal { creates_document: true, ..goal }),
            PlanError::Content(_) | PlanError::NeedsJson => None,
        };
        let plan = otherwise.and_then(|goal| plan_establish(&observation, goal).ok());
        if let Err(error) = observer.without_plan(error) {
            return Ok((observation, plan, vec![refusal(document, &error)]));
        }
    }
}

/// The finding that a change of the document is refused.
fn refusal(document: &DocumentName, error: &ReconcileError) -> Finding {
    Finding::new(Check::Document, Verdict::Fail, document.as_str(), error.to_string())
}

/// The keys of an intent, described, what the record remembers of them, and what makes them fit.
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
    let keys = describe_keys(environment, encryption).await?;
    let key = keys.key.as_ref().map(refuse_if_unfit).transpose()?;
    let standby =
        keys.standby.as_ref().map(refuse_if_unfit).transpose().map_err(ReconcileError::StandbyKey)?;
    Ok(CheckedKeys { findings: key.into_iter().chain(standby).flatten().collect(), ..keys })
}

/// Describes the keys of an intent.
async fn describe_keys<P: PreflightPorts>(
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
    let key = describe_key(environment, key).await?;
    let (standby, on_key_trouble) = match on_key_trouble {
        OnKeyTrouble::Alert => (None, RecordedKeyTrouble::Alert),
        OnKeyTrouble::Clear => (None, RecordedKeyTrouble::Clear),
        OnKeyTrouble::Standby(standby) => {
            let standby = describe_key(environment, standby)
                .await
                .map_err(|error| ReconcileError::of_key(error, ReconcileError::StandbyKey))?;
            if standby.arn == key.arn {
                return Err(KeyFault::StandbyIsKey { key: key.arn }.into());
            }
            let on_key_trouble = RecordedKeyTrouble::Standby(standby.arn.to_string());
            (Some(standby), on_key_trouble)
        }
    };
    Ok(CheckedKeys {
        wanted: Target::from(Some(&key.arn)),
        key: Some(key),
        standby,
        on_key_trouble,
        findings: Vec::new(),
    })
}

/// What to know of a document that did not exist.
fn new_document(document: &DocumentName) -> String {
    format!("document {document} did not exist; {}", only_if_named(document))
}
