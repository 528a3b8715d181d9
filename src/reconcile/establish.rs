//! Establish: a document is to carry a key, or none, and to belong to its asker.

use super::apply::Rounds;
use super::error::ReconcileError;
use super::judge::judge_key;
use super::observe::Observation;
use super::outcome::{CLEARED, Outcome};
use super::plan::{Goal, Step, plan_establish};
use super::ports::Ports;
use super::record::Record;
use super::release::undo;
use crate::intent::{Encryption, Intent, Owner};
use crate::key::KeyArn;
use crate::place::Place;
use crate::preflight::{Check, Finding, Verdict};

/// A request to establish an intent.
#[derive(Clone, Copy, Debug)]
pub struct Establish<'a> {
    /// Who asks.
    pub owner: &'a Owner,
    /// What is wanted.
    pub intent: &'a Intent,
    /// The digest of the properties asked with.
    pub digest: &'a str,
}

/// Brings the document to the intent, and reads it back.
///
/// `progress` is told what is going on, for the answer to a request that runs out of time.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn establish<P: Ports>(
    ports: &P,
    home: &Place,
    request: Establish<'_>,
    progress: &dyn Fn(&str),
) -> Result<Outcome, ReconcileError> {
    let Intent { document, encryption, on_delete, on_conflict } = request.intent;
    let mut rounds = Rounds::new(ports, document, progress);
    progress("describing the key");
    let (key, mut findings) = match encryption {
        Encryption::Enabled(key) => {
            let (arn, findings) = judge_key(ports, home, key).await?;
            (Some(arn), findings)
        }
        Encryption::Disabled => (None, Vec::new()),
    };
    let goal = Goal {
        owner: request.owner,
        wanted: key.as_ref().map_or("", KeyArn::as_str),
        on_delete: *on_delete,
        on_conflict: *on_conflict,
        digest: request.digest,
    };
    let mut observation = rounds.observe().await?;
    findings.extend(skew(&observation, goal.wanted));
    let mut saved: Option<Record> = None;
    loop {
        if let Some(record) = &saved {
            still_ours(&mut rounds, &observation, record).await?;
        }
        match plan_establish(&observation, goal) {
            Ok(plan) if plan.is_empty() => break,
            Ok(plan) => {
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
        key,
        changed: rounds.changed(),
        findings,
        notes,
    })
}

/// Once the record was written, only a Delete removes it and only another owner replaces it.
async fn still_ours<P: Ports>(
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
            undo(rounds, saved).await?;
            Err(ReconcileError::Superseded { document: rounds.document().clone() })
        }
    }
}

/// The check *document*: a default version that is not the latest is about to be replaced by it, with all
/// settings that differ between the two.
fn skew(observation: &Observation, wanted: &str) -> Option<Finding> {
    let document = observation.document.as_ref()?;
    let (latest, default) = (document.latest.number, document.default.number);
    (latest != default && !document.carries(wanted)).then(|| Finding {
        check: Check::Document,
        verdict: Verdict::Warning,
        subject: format!("version {default}"),
        evidence: format!(
            "was the default and version {latest} the latest; the settings of the latest are in force now"
        ),
        remedy: None,
    })
}
