//! Keep: a document is to be as its record wants it, whatever has happened to it or to its key.
//!
//! The intent comes from the record. A notice only says where to look and whom to name: what is done rests on
//! what is there. The way on is the one of requests, with two questions more: can the key still be used, and
//! has the document been put right too often to go on.

mod breaker;
mod drift;
mod key_choice;
mod lost_access;
mod outcome;
mod repair;

use std::time::{SystemTime, UNIX_EPOCH};

use self::drift::drift;
use self::key_choice::{KeyChoice, choose};
use self::lost_access::check_access;
pub use self::outcome::{Remediation, RemediationOutcome};
use self::repair::Bring;
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::location::Location;
use crate::ports::{AccessPorts, VersionStatus};
use crate::reconcile::ReconcileError;
use crate::reconcile::Record;
use crate::reconcile::Run;
use crate::reconcile::Step;
use crate::reconcile::{Observation, ObservedDocument};
use crate::session::DocumentName;

/// How often it begins anew where the intent changes under it.
const BEGINNINGS: u32 = 3;
/// How often it gives way to another run, each time for longer: a few seconds in all.
const WAITS: u32 = 4;
/// How old the last repair may be, in seconds, for the run that makes it to be under way still.
const UNDER_WAY: u64 = 15;

/// A document to be kept as its record wants it.
#[derive(Clone, Copy, Debug)]
pub struct RemediationRequest<'a> {
    /// The document.
    pub document: &'a DocumentName,
    /// What gave the occasion.
    pub event: &'a ChangeEvent,
    /// How often within an hour the document is put right before that stops.
    pub repairs_per_hour: usize,
}

/// Looks at a document and puts right what differs.
///
/// # Errors
/// Where AWS refused or did not answer, so that the same notice had better come again. Whatever else keeps the
/// document from being as wanted is told in the [`Remediation`], as an alert.
pub async fn remediate<P: AccessPorts>(
    ports: &P,
    location: &Location,
    request: RemediationRequest<'_>,
    progress: &dyn Fn(&str),
) -> Result<Remediation, ReconcileError> {
    let mut beginnings = 1;
    let (mut changed, mut drift, mut made_anew) = (false, Vec::new(), None);
    loop {
        let mut kept = Remediation::new(request.document);
        let attempted = attempt(ports, location, request, &mut kept, progress).await;
        changed |= kept.changed;
        made_anew = made_anew.or(kept.made_anew.take());
        if drift.is_empty() {
            drift.clone_from(&kept.drift);
        }
        match attempted {
            Ok(()) => {}
            Err(ReconcileError::Overtaken { .. }) if beginnings < BEGINNINGS => {
                beginnings += 1;
                continue;
            }
            Err(error @ ReconcileError::Aws(_)) => return Err(error),
            Err(error) => kept.refuse(error),
        }
        if changed && kept.result == RemediationOutcome::AsWanted {
            kept.result = RemediationOutcome::Repaired;
        }
        kept.alerts.extend(made_anew);
        return Ok(Remediation { changed, drift, ..kept });
    }
}

async fn attempt<P: AccessPorts>(
    ports: &P,
    location: &Location,
    request: RemediationRequest<'_>,
    kept: &mut Remediation,
    progress: &dyn Fn(&str),
) -> Result<(), ReconcileError> {
    let mut rounds = Run::new(ports, request.document, progress);
    let observation = settled(ports, &mut rounds, request).await?;
    kept.see(&observation);
    let Some(record) = &observation.record else {
        kept.notes.push("no record: nobody has put this document in our care".to_owned());
        return Ok(());
    };
    if !concerns(request.event, record) {
        kept.result = RemediationOutcome::NotConcerned;
        return Ok(());
    }
    kept.result = RemediationOutcome::AsWanted;
    kept.drift = drift(&observation, &record.wanted);
    if !kept.drift.is_empty() {
        tracing::info!(document = %request.document, drift = kept.drift.join("; "), event = %request.event, "drift");
    }
    let mut told = None;
    match choose(ports, location, record, request.event, kept).await? {
        KeyChoice::Leave if kept.drift.is_empty() => {}
        KeyChoice::Leave => {
            kept.result = RemediationOutcome::Refused;
            kept.alerts.push(format!(
                "document {} is not as wanted ({}), and is left so while no key that is wanted is known to be usable",
                request.document,
                kept.drift.join("; ")
            ));
        }
        KeyChoice::Carry(choice) => {
            let (observation, choice) = (&observation, &choice);
            let bring = Bring { ports, location, request, observation, record, choice, progress };
            // Boxed, as what follows: the state of the whole way is large.
            if Box::pin(bring.carry(&mut rounds, kept)).await? {
                told = Some(choice.target().to_owned());
            }
        }
    }
    Box::pin(check_access(ports, location, record, request.event, told.as_deref(), kept)).await
}

/// What is there once AWS is done with the latest version, and other runs with what they were at: what it is to be
/// until then cannot be told.
async fn settled<P: AccessPorts>(
    ports: &P,
    rounds: &mut Run<'_, P>,
    request: RemediationRequest<'_>,
) -> Result<Observation, ReconcileError> {
    let mut waits = 0;
    loop {
        let observation = rounds.observe().await?;
        let Some(record) = observation.record.as_ref().filter(|record| concerns(request.event, record))
        else {
            return Ok(observation);
        };
        match &observation.document {
            Some(ObservedDocument { latest, .. }) if latest.status == VersionStatus::Pending => {
                rounds.apply(vec![Step::Await { version: latest.number }]).await?;
            }
            _ if waits < WAITS && is_under_way(&observation, record, request.event, seconds(ports.now())) => {
                waits += 1;
                rounds.give_way(waits).await;
            }
            _ => return Ok(observation),
        }
    }
}

/// Whether another run may be about to put right what differs: it wrote the record a moment ago, and that is what
/// the notice tells, or the record itself.
fn is_under_way(observation: &Observation, record: &Record, event: &ChangeEvent, now: u64) -> bool {
    let is_new = |at: &u64| now.saturating_sub(*at) < UNDER_WAY;
    record.watch.breaker.is_none()
        && !drift(observation, &record.wanted).is_empty()
        && (event.source == ChangeSource::RecordChange || record.watch.repairs.last().is_some_and(is_new))
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
