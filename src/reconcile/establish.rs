//! Establish: a document is to carry a key, or none, and to belong to its asker.

use std::time::Duration;

use super::converge::{Converged, Convergence, converge, skew};
use super::error::ReconcileError;
use super::observe::Observation;
use super::outcome::{CLEARED, Outcome};
use super::plan::{Goal, Plan, plan_establish};
use super::record::OnTrouble;
use super::run::Run;
use crate::intent::{Encryption, Intent, Mode, OnKeyTrouble, Owner};
use crate::key::{KeyArn, KeyDescription, KeyRef};
use crate::location::Location;
use crate::ports::{AccessPorts, VersionStatus};
use crate::preflight::judge_key;
use crate::preflight::{Assessment, Finding};
use crate::preflight::{blocking, prove};

/// A request to establish an intent.
#[derive(Clone, Copy, Debug)]
pub struct Establish<'a> {
    /// Who asks.
    pub owner: &'a Owner,
    /// What is wanted.
    pub intent: &'a Intent,
    /// The digest of the properties asked with.
    pub digest: &'a str,
    /// How long a refusal may be asked again before it counts.
    pub patience: Duration,
}

/// What would be done, and what the checks say of it. Nothing was.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The key; `None` for encryption off.
    pub key: Option<KeyDescription>,
    /// The key that stands by.
    pub standby: Option<KeyDescription>,
    /// What the checks found.
    pub assessment: Assessment,
    /// The findings that block the change.
    pub blocking: Vec<Finding>,
    /// What is there.
    pub observation: Observation,
    /// The first steps; empty where nothing differs.
    pub plan: Plan,
}

/// Brings the document to the intent, and reads it back.
///
/// `progress` is told what is going on, for the answer to a request that runs out of time.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn establish<P: AccessPorts>(
    ports: &P,
    location: &Location,
    request: Establish<'_>,
    progress: &dyn Fn(&str),
) -> Result<Outcome, ReconcileError> {
    let Intent { document, safeguards, .. } = request.intent;
    let judged = judged(ports, location, request.intent, progress).await?;
    let on_key_trouble = judged.on_trouble(&request.intent.on_key_trouble);
    let keys: Vec<_> = judged.key.iter().chain(&judged.standby).collect();
    let mut rounds = Run::new(ports, document, progress);
    let way = Convergence {
        goal: goal(&request, &judged, &on_key_trouble),
        keys: &keys,
        mode: safeguards.mode,
        patience: request.patience,
        of: None,
        writes: true,
    };
    let Converged { observation, findings, .. } =
        converge(ports, location, &mut rounds, way, progress).await?;
    let Judged { key, standby, findings: mut all } = judged;
    all.extend(findings);
    let mut notes = Vec::new();
    if key.is_none() {
        notes.push(CLEARED.to_owned());
    }
    if rounds.converts() && rounds.changed() {
        notes.push(
            "the document was stored as YAML that cannot be edited in place, and is JSON now".to_owned(),
        );
    }
    Ok(Outcome {
        document: document.clone(),
        version: observation.document.map(|document| document.latest.number),
        before: observation.record.map(|record| record.before).unwrap_or_default(),
        key: key.map(|key| key.arn),
        standby: standby.map(|key| key.arn),
        changed: rounds.changed(),
        findings: all,
        notes,
    })
}

/// What is there, where it is what the owner's last properties led to and these are they: a request that goes back to
/// them, such as a rollback, changes nothing, and does not fail on a key that cannot be used meanwhile.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn unchanged<P: AccessPorts>(
    ports: &P,
    request: Establish<'_>,
    progress: &dyn Fn(&str),
) -> Result<Option<Outcome>, ReconcileError> {
    let document = &request.intent.document;
    let Observation { document: there, record } = Run::new(ports, document, progress).observe().await?;
    let (Some(there), Some(record)) = (there, record) else { return Ok(None) };
    let is_named = match &request.intent.encryption {
        Encryption::Enabled(KeyRef::Arn(key)) => record.first_choice() == key.as_str(),
        Encryption::Enabled(_) => !record.first_choice().is_empty(),
        Encryption::Disabled => false,
    };
    let is_so = is_named
        && record.owner == *request.owner
        && record.accepted_last(request.digest)
        && there.carries(&record.wanted)
        && there.latest.status == VersionStatus::Active;
    Ok(is_so.then(|| Outcome {
        document: document.clone(),
        version: Some(there.latest.number),
        key: KeyArn::parse(record.first_choice()).ok(),
        standby: record.standby().and_then(|standby| KeyArn::parse(standby).ok()),
        before: record.before.clone(),
        changed: false,
        findings: Vec::new(),
        notes: vec![match (&record.watch.stands_in_for, record.wanted.as_str()) {
            (None, _) => "nothing is changed, and there is trouble with the key".to_owned(),
            (Some(_), "") => {
                "nothing is changed: encryption is off until the key can be used again".to_owned()
            }
            (Some(_), standby) => format!("nothing is changed: the standby key {standby} stands in"),
        }],
    }))
}

/// Finds out what [`establish`] would do, and writes nothing.
///
/// # Errors
/// See [`ReconcileError`]; findings that block are no error here.
pub async fn preview<P: AccessPorts>(
    ports: &P,
    location: &Location,
    request: Establish<'_>,
    progress: &dyn Fn(&str),
) -> Result<Preview, ReconcileError> {
    let Intent { document, safeguards, .. } = request.intent;
    let judged = judged(ports, location, request.intent, progress).await?;
    let on_key_trouble = judged.on_trouble(&request.intent.on_key_trouble);
    let mut rounds = Run::new(ports, document, progress);
    let goal = goal(&request, &judged, &on_key_trouble);
    let wanted = goal.wanted;
    let (observation, plan) = loop {
        let observation = rounds.observe().await?;
        match plan_establish(&observation, goal) {
            Ok(plan) => break (observation, plan),
            Err(error) => rounds.no_plan(error)?,
        }
    };
    let skew = skew(&observation, wanted);
    let mut assessment = Assessment::default();
    let keys = judged.key.iter().chain(&judged.standby).filter(|_| safeguards.mode != Mode::Off);
    let mut assessed = false;
    for key in keys {
        let of_key = Box::pin(prove(ports, location, key, safeguards, Duration::ZERO, progress)).await;
        assessment.extend(of_key);
        assessed = true;
    }
    let Judged { key, standby, findings } = judged;
    if !assessed {
        assessment.findings = findings;
    }
    assessment.findings.extend(skew);
    let blocking = blocking(&assessment, safeguards.mode);
    Ok(Preview { blocking, key, standby, assessment, observation, plan })
}

/// The keys of an intent, described and found fit.
struct Judged {
    key: Option<KeyDescription>,
    standby: Option<KeyDescription>,
    findings: Vec<Finding>,
}

impl Judged {
    /// What the record is to remember, with the standby key by its ARN.
    fn on_trouble(&self, asked: &OnKeyTrouble) -> OnTrouble {
        match (asked, &self.standby) {
            (OnKeyTrouble::Clear, _) => OnTrouble::Clear,
            (_, Some(standby)) => OnTrouble::Standby(standby.arn.to_string()),
            (OnKeyTrouble::Alert | OnKeyTrouble::Standby(_), None) => OnTrouble::Alert,
        }
    }
}

async fn judged<P: AccessPorts>(
    ports: &P,
    location: &Location,
    intent: &Intent,
    progress: &dyn Fn(&str),
) -> Result<Judged, ReconcileError> {
    progress("describing the key");
    let mut judged = Judged { key: None, standby: None, findings: Vec::new() };
    let Encryption::Enabled(key) = &intent.encryption else { return Ok(judged) };
    let (key, findings) = judge_key(ports, location, key).await?;
    judged.findings = findings;
    if let OnKeyTrouble::Standby(standby) = &intent.on_key_trouble {
        let (standby, findings) = judge_key(ports, location, standby).await.map_err(|error| match error {
            ReconcileError::Aws(_) => error,
            error => ReconcileError::Standby(Box::new(error)),
        })?;
        if standby.arn == key.arn {
            return Err(ReconcileError::StandbyIsKey { key: key.arn });
        }
        judged.findings.extend(findings);
        judged.standby = Some(standby);
    }
    judged.key = Some(key);
    Ok(judged)
}

fn goal<'a>(request: &Establish<'a>, judged: &'a Judged, on_key_trouble: &'a OnTrouble) -> Goal<'a> {
    Goal {
        owner: request.owner,
        wanted: judged.key.as_ref().map_or("", |key| key.arn.as_str()),
        on_delete: request.intent.on_delete,
        on_conflict: request.intent.on_conflict,
        safeguards: &request.intent.safeguards,
        on_key_trouble,
        watch: None,
        digest: request.digest,
    }
}
