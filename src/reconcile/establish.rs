//! Establish: a document is to carry a key, or none, and to belong to its asker.

use std::time::Duration;

use super::apply::Rounds;
use super::error::ReconcileError;
use super::judge::judge_key;
use super::observe::Observation;
use super::outcome::{CLEARED, Outcome};
use super::plan::{Goal, Plan, Step, plan_establish};
use super::ports::AccessPorts;
use super::prove::{self, blocking, prove};
use super::record::Record;
use super::release::undo;
use crate::intent::{Encryption, Intent, Mode, OnDelete, Owner};
use crate::key::KeyDescription;
use crate::place::Place;
use crate::preflight::{Assessment, Check, Finding, Verdict};

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
    home: &Place,
    request: Establish<'_>,
    progress: &dyn Fn(&str),
) -> Result<Outcome, ReconcileError> {
    let Intent { document, safeguards, .. } = request.intent;
    let mut rounds = Rounds::new(ports, document, progress);
    let (key, mut findings) = judged(ports, home, request.intent, progress).await?;
    let goal = goal(&request, key.as_ref());
    let mut proven = key.is_none() || safeguards.mode == Mode::Off;
    let mut observation = rounds.observe().await?;
    findings.extend(skew(&observation, goal.wanted));
    // What a run that was cut off has written counts as written by this one.
    let mut saved = observation.record.clone().filter(|record| record.owner == *request.owner);
    loop {
        if let Some(record) = &saved {
            still_ours(&mut rounds, &observation, record).await?;
        }
        match plan_establish(&observation, goal) {
            Ok(plan) if plan.is_empty() => break,
            Ok(plan) => {
                if let Some(key) = key.as_ref().filter(|_| !proven && !settled(&observation, goal)) {
                    let assessment =
                        Box::pin(prove(ports, home, key, safeguards, request.patience, progress)).await;
                    prove::log(key, &assessment);
                    prove::check(key, &assessment, safeguards.mode)?;
                    findings.extend(
                        assessment.findings.into_iter().filter(|finding| finding.check != Check::KeyFitness),
                    );
                    // The world may have moved on meanwhile.
                    proven = true;
                    observation = rounds.observe().await?;
                    continue;
                }
                for step in &plan {
                    if let Step::SaveRecord { record, .. } = step {
                        saved = Some(record.clone());
                    }
                }
                rounds.apply(plan).await?;
            }
            Err(error) => rounds.no_plan(error)?,
        }
        observation = rounds.observe().await?;
    }
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
        changed: rounds.changed(),
        findings,
        notes,
    })
}

/// Finds out what [`establish`] would do, and writes nothing.
///
/// # Errors
/// See [`ReconcileError`]; findings that block are no error here.
pub async fn preview<P: AccessPorts>(
    ports: &P,
    home: &Place,
    request: Establish<'_>,
    progress: &dyn Fn(&str),
) -> Result<Preview, ReconcileError> {
    let Intent { document, safeguards, .. } = request.intent;
    let mut rounds = Rounds::new(ports, document, progress);
    let (key, findings) = judged(ports, home, request.intent, progress).await?;
    let goal = goal(&request, key.as_ref());
    let (observation, plan) = loop {
        let observation = rounds.observe().await?;
        match plan_establish(&observation, goal) {
            Ok(plan) => break (observation, plan),
            Err(error) => rounds.no_plan(error)?,
        }
    };
    let mut assessment = match key.as_ref().filter(|_| safeguards.mode != Mode::Off) {
        Some(key) => Box::pin(prove(ports, home, key, safeguards, Duration::ZERO, progress)).await,
        None => Assessment { findings, ..Assessment::default() },
    };
    assessment.findings.extend(skew(&observation, goal.wanted));
    Ok(Preview { blocking: blocking(&assessment, safeguards.mode), key, assessment, observation, plan })
}

/// The key wanted, described and judged.
async fn judged<P: AccessPorts>(
    ports: &P,
    home: &Place,
    intent: &Intent,
    progress: &dyn Fn(&str),
) -> Result<(Option<KeyDescription>, Vec<Finding>), ReconcileError> {
    progress("describing the key");
    match &intent.encryption {
        Encryption::Enabled(key) => {
            let (key, findings) = judge_key(ports, home, key).await?;
            Ok((Some(key), findings))
        }
        Encryption::Disabled => Ok((None, Vec::new())),
    }
}

fn goal<'a>(request: &Establish<'a>, key: Option<&'a KeyDescription>) -> Goal<'a> {
    Goal {
        owner: request.owner,
        wanted: key.map_or("", |key| key.arn.as_str()),
        on_delete: request.intent.on_delete,
        on_conflict: request.intent.on_conflict,
        safeguards: &request.intent.safeguards,
        digest: request.digest,
    }
}

/// Whether the key is on already, as these very properties once asked: a rollback, which must not fail on
/// somebody who lost access meanwhile, since nobody loses it by it.
fn settled(observation: &Observation, goal: Goal<'_>) -> bool {
    let carried = observation.document.as_ref().is_some_and(|document| document.carries(goal.wanted));
    let accepted = observation
        .record
        .as_ref()
        .is_some_and(|record| record.owner == *goal.owner && record.has_accepted(goal.digest));
    carried && accepted
}

/// Once the record was written, only a Delete removes it and only another owner replaces it.
async fn still_ours<P: AccessPorts>(
    rounds: &mut Rounds<'_, P>,
    observation: &Observation,
    saved: &Record,
) -> Result<(), ReconcileError> {
    match &observation.record {
        Some(record) if record.owner == saved.owner => Ok(()),
        Some(record) => {
            Err(ReconcileError::Owned { document: rounds.document().clone(), owner: record.owner.clone() })
        }
        None => {
            // A change that did not come to its end leaves nothing, whatever a Delete would retain.
            let on_delete = match saved.on_delete {
                OnDelete::Clear => OnDelete::Clear,
                OnDelete::Restore | OnDelete::Retain => OnDelete::Restore,
            };
            undo(rounds, saved, on_delete).await?;
            Err(ReconcileError::Superseded { document: rounds.document().clone() })
        }
    }
}

/// The check *document*: a default version that is not the latest is about to be replaced by it, with all
/// settings that differ between the two.
fn skew(observation: &Observation, wanted: &str) -> Option<Finding> {
    let document = observation.document.as_ref()?;
    let (latest, default) = (document.latest.number, document.default.number);
    (latest != default && !document.carries(wanted)).then(|| {
        let evidence = format!(
            "was the default and version {latest} the latest; the settings of the latest are in force now"
        );
        Finding::new(Check::Document, Verdict::Warning, format!("version {default}"), evidence)
    })
}
