//! Remediation makes a document as its record wants it, whatever has happened to the document or to its key.
//!
//! The intent comes from the record. A change event only says which documents to observe and whom to name. What is
//! done depends on what is observed. Repairs run the same convergence loop as requests of owners. Two questions come
//! first: can the key still be used, and has the document been repaired too often?

mod breaker;
mod drift;
mod key_choice;
mod lost_access;
mod outcome;
mod repair;

use std::time::{SystemTime, UNIX_EPOCH};

use self::drift::drift;
use self::key_choice::{Choice, KeyChoice, choose_key};
use self::lost_access::check_lost_access;
use self::outcome::Alert;
pub use self::outcome::{Remediation, RemediationOutcome};
use self::repair::Repair;
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::ports::{AwsError, Environment, VersionStatus, WritePorts};
use crate::reconcile::{Observation, ObservedDocument, ReconcileError, Record, Run, Step};
use crate::session::DocumentName;

/// How many attempts are made if the intent changes during one.
const ATTEMPTS: u32 = 3;
/// How many times an attempt waits for another run, each time for longer: a few seconds in all.
const WAITS: u32 = 4;
/// If the last repair is younger than this, in seconds, the run that made it may still be under way.
const UNDER_WAY: u64 = 15;

/// A request to remediate a document.
#[derive(Clone, Copy, Debug)]
pub struct RemediationRequest<'a> {
    /// The document.
    pub document: &'a DocumentName,
    /// The event that is the occasion.
    pub event: &'a ChangeEvent,
    /// How many repairs within an hour are made before the breaker opens.
    pub repairs_per_hour: usize,
}

/// One attempt to remediate a document.
struct Attempt {
    remediation: Remediation,
    /// Whether the document was written.
    changed: bool,
    /// The alert that the document had been deleted and was created again.
    recreated: Option<Alert>,
    /// Why the attempt ended early, if something else than AWS ended it.
    error: Option<ReconcileError>,
}

/// Observes a document and repairs what differs from its record.
///
/// # Errors
/// If AWS refused or did not answer, so that the same event should come again. Whatever else keeps the document from
/// being as wanted is an alert of the [`Remediation`].
pub async fn remediate<P: WritePorts>(
    environment: Environment<'_, P>,
    request: RemediationRequest<'_>,
) -> Result<Remediation, AwsError> {
    let (mut changed, mut drift, mut recreated) = (false, Vec::new(), None);
    let mut attempts = 0;
    loop {
        attempts += 1;
        // Boxed, as what follows: the state of all that an attempt awaits is large.
        let attempt = Box::pin(attempt(environment, request)).await?;
        changed |= attempt.changed;
        recreated = recreated.or(attempt.recreated);
        let mut remediation = attempt.remediation;
        if drift.is_empty() {
            drift.clone_from(&remediation.drift);
        }
        remediation = match attempt.error {
            Some(ReconcileError::Overtaken { .. }) if attempts < ATTEMPTS => continue,
            Some(error) => remediation.refused(error),
            None => remediation,
        };
        if changed && remediation.outcome == RemediationOutcome::AsWanted {
            remediation.outcome = RemediationOutcome::Repaired;
        }
        return Ok(Remediation { changed, drift, ..remediation.alerted(recreated) });
    }
}

async fn attempt<P: WritePorts>(
    environment: Environment<'_, P>,
    request: RemediationRequest<'_>,
) -> Result<Attempt, AwsError> {
    let RemediationRequest { document, event, .. } = request;
    let ended = |remediation, error| Attempt { remediation, changed: false, recreated: None, error };
    let mut run = Run::new(environment, document);
    let observation = match Box::pin(observe_settled(&mut run, request)).await {
        Ok(observation) => observation,
        Err(ReconcileError::Aws(error)) => return Err(error),
        Err(error) => return Ok(ended(Remediation::new(document), Some(error))),
    };
    let mut remediation = Remediation::new(document).observed(&observation);
    let Some(record) = &observation.record else {
        if event.is_alias_call() {
            remediation.outcome = RemediationOutcome::NotConcerned;
        }
        remediation
            .notes
            .push("there is no record: nobody has asked session-kms for this document".to_owned());
        return Ok(ended(remediation, None));
    };
    if !concerns(event, record) {
        remediation.outcome = RemediationOutcome::NotConcerned;
        return Ok(ended(remediation, None));
    }
    let mut alias_check = None;
    if event.is_alias_call() {
        let check = check_lost_access(environment, request, record, &remediation.kms_key_id, None);
        let lost = Box::pin(check).await?;
        if !lost.asks_for_aliases {
            remediation.outcome = RemediationOutcome::NotConcerned;
            return Ok(ended(remediation, None));
        }
        alias_check = Some(lost);
    }
    remediation.outcome = RemediationOutcome::AsWanted;
    remediation.drift = drift(&observation, &record.wanted);
    if !remediation.drift.is_empty() {
        tracing::info!(%document, drift = remediation.drift.join("; "), %event, "drift");
    }
    let KeyChoice { choice, alerts } = Box::pin(choose_key(environment, record, event)).await?;
    remediation = remediation.alerted(alerts);
    let (mut checked, mut recreated, mut error) = (None, None, None);
    match choice {
        Choice::Leave if remediation.drift.is_empty() => {}
        Choice::Leave => {
            remediation.outcome = RemediationOutcome::Refused;
            let text = format!(
                "document {document} is not as wanted ({}), and is left so while no key that is wanted is known to be usable",
                remediation.drift.join("; ")
            );
            remediation = remediation.alerted([Alert::Other(text)]);
        }
        Choice::Carry(chosen) => {
            let repair = Repair { request, observation: &observation, record, chosen: &chosen };
            let report = Box::pin(repair.repair(&mut run)).await?;
            if let Some(observation) = &report.observation {
                remediation = remediation.observed(observation);
            }
            remediation.breaker_open |= report.is_breaker_open;
            remediation.outcome = report.outcome.unwrap_or(remediation.outcome);
            remediation.notes.extend(report.notes);
            recreated = (observation.document.is_none() && run.changed()).then(|| recreation(request));
            checked = report.is_access_reported.then(|| chosen.target());
            error = match report.error {
                overtaken @ Some(ReconcileError::Overtaken { .. }) => overtaken,
                Some(error) => {
                    remediation = remediation.refused(error);
                    None
                }
                None => None,
            };
            remediation = remediation.alerted(report.alerts).found(report.findings);
        }
    }
    if error.is_none() {
        let lost = match alias_check {
            Some(lost) => lost,
            None => {
                let carried = &remediation.kms_key_id;
                let check = check_lost_access(environment, request, record, carried, checked.as_ref());
                Box::pin(check).await?
            }
        };
        remediation.notes.extend(lost.notes);
        remediation = remediation.alerted(lost.alerts).found(lost.findings);
    }
    Ok(Attempt { remediation, changed: run.changed(), recreated, error })
}

/// The alert that a document had been deleted and was created again.
fn recreation(request: RemediationRequest<'_>) -> Alert {
    let RemediationRequest { document, event, .. } = request;
    let by = if event.what == "DeleteDocument" { format!(" ({event})") } else { String::new() };
    Alert::Other(format!(
        "document {document} was deleted{by} and is created again with its key; put back its other settings, which are lost"
    ))
}

/// Observes the document once AWS has taken up its latest version and other runs have ended. Until then nobody knows
/// what the document is going to be.
async fn observe_settled<P: WritePorts>(
    run: &mut Run<'_, P>,
    request: RemediationRequest<'_>,
) -> Result<Observation, ReconcileError> {
    let mut waits = 0;
    loop {
        let observation = run.observe().await?;
        let Some(record) = observation.record.as_ref().filter(|record| concerns(request.event, record))
        else {
            return Ok(observation);
        };
        let now = seconds(run.environment().ports.now());
        match &observation.document {
            Some(ObservedDocument { latest, .. }) if latest.status == VersionStatus::Pending => {
                run.apply(vec![Step::Await { version: latest.number }]).await?;
            }
            _ if waits < WAITS && is_repair_under_way(&observation, record, request.event, now) => {
                waits += 1;
                run.wait_for_other_run(waits).await;
            }
            _ => return Ok(observation),
        }
    }
}

/// Whether another run may be about to repair what differs: it wrote the record a moment ago. Either the event says so,
/// or the record itself.
fn is_repair_under_way(observation: &Observation, record: &Record, event: &ChangeEvent, now: u64) -> bool {
    let is_recent = |at: &u64| now.saturating_sub(*at) < UNDER_WAY;
    record.remediation.breaker.is_none()
        && !drift(observation, &record.wanted).is_empty()
        && (event.source == ChangeSource::RecordChange
            || record.remediation.repairs.last().is_some_and(is_recent))
}

fn concerns(event: &ChangeEvent, record: &Record) -> bool {
    match &event.scope {
        Scope::Key(key) => record.names(key.as_str()),
        Scope::Document(_) | Scope::Everything => true,
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
