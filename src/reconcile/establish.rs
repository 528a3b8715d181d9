//! Establishes an intent: the document carries the key, or none, and belongs to the owner who asks. The preview says what
//! that would change, and changes nothing.

use std::time::Duration;

use futures_util::future::join_all;

use super::converge::{Converged, Convergence, Purpose, converge, version_skew};
use super::error::{ReconcileError, only_if_named};
use super::observe::Observation;
use super::observer::Observer;
use super::outcome::{CLEARED, CLIENTS, Outcome, TO_BE_CLEARED};
use super::plan::{Goal, Plan, PlanError, Step, plan_establish};
use super::record::RecordedKeyTrouble;
use super::run::Run;
use crate::intent::{Encryption, Intent, OnConflict, OnKeyTrouble, Owner, PreflightMode};
use crate::key::{KeyArn, KeyDescription};
use crate::ports::{Environment, PreflightPorts, ReadPorts, WritePorts};
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
    let mut run = Run::new(environment, document);
    // Boxed: each call in flight has a large state.
    let observing = async { Ok(Box::pin(run.observe_while_key_is_described()).await) };
    let checking = Box::pin(check_keys(environment, &request.intent.encryption));
    // A key that is misplaced is refused without a call, and what is wrong with a key is said first.
    let (keys, observed) = tokio::try_join!(biased; checking, observing)?;
    let observed = observed?;
    let convergence = Convergence {
        goal: keys.goal(&request),
        keys: &keys.all(),
        mode: safeguards.mode,
        patience: request.patience,
        purpose: Purpose::Request,
        observed: Some(&observed),
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

/// What a request brings the document and the record to.
pub(super) fn goal<'a>(
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
    let mut observer = Observer::new(environment, document);
    // Boxed: each call in flight has a large state.
    let (keys, observed) = tokio::join!(
        Box::pin(describe_keys(environment, &request.intent.encryption)),
        Box::pin(observer.observe())
    );
    let keys = keys?;
    let (observation, plan, mut of_document) = plan_of(&mut observer, observed, keys.goal(&request)).await?;
    of_document.extend(version_skew(&observation, &keys.wanted));
    let mut assessment = Assessment::default();
    if safeguards.mode == PreflightMode::Off {
        assessment.findings.extend(keys.all().into_iter().flat_map(key_fitness));
    } else {
        let check = |key| {
            let question = AccessQuestion { key, document, safeguards };
            Box::pin(check_access(environment, question, Duration::ZERO))
        };
        for of_key in join_all(keys.all().into_iter().map(check)).await {
            assessment.extend(of_key);
        }
    }
    assessment.findings.extend(of_document);
    let blocking = blocking(&assessment, safeguards.mode);
    let checked_keys = keys.all().into_iter().map(|key| key.arn.clone()).collect();
    Ok(Preview { key: keys.key, checked_keys, blocking, assessment, observation, plan })
}

/// What is there, the plan if there can be one, and a finding if something about the document refuses the change.
async fn plan_of<P: ReadPorts>(
    observer: &mut Observer<'_, P>,
    mut observed: Result<Observation, ReconcileError>,
    goal: Goal<'_>,
) -> Result<(Observation, Option<Plan>, Vec<Finding>), ReconcileError> {
    let document = observer.document();
    loop {
        let observation = match observed {
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
        observed = observer.observe().await;
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
    let standby = async {
        match on_key_trouble {
            OnKeyTrouble::Alert | OnKeyTrouble::Clear => None,
            OnKeyTrouble::Standby(standby) => Some(Box::pin(describe_key(environment, standby)).await),
        }
    };
    let (key, standby) = tokio::join!(Box::pin(describe_key(environment, key)), standby);
    let key = key?;
    let (standby, on_key_trouble) = match (on_key_trouble, standby) {
        (OnKeyTrouble::Clear, _) => (None, RecordedKeyTrouble::Clear),
        (OnKeyTrouble::Alert | OnKeyTrouble::Standby(_), None) => (None, RecordedKeyTrouble::Alert),
        (_, Some(standby)) => {
            let standby =
                standby.map_err(|error| ReconcileError::of_key(error, ReconcileError::StandbyKey))?;
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
