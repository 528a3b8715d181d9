//! Keep: a document is to be as its record wants it, whatever has happened to it or to its key.
//!
//! The intent comes from the record. A notice only says where to look and whom to name: what is done rests on
//! what is there. The way on is the one of requests, with two questions more: can the key still be used, and
//! has the document been put right too often to go on.

mod access;
mod breaker;
mod bring;
mod choice;
mod drift;
mod kept;

use std::time::{SystemTime, UNIX_EPOCH};

use self::access::check_access;
use self::bring::Bring;
use self::choice::{Choice, choose};
use self::drift::drift;
pub use self::kept::{KeepResult, Kept};
use super::apply::Rounds;
use super::error::ReconcileError;
use super::observe::{Observation, ObservedDocument};
use super::plan::Step;
use super::ports::{AccessPorts, VersionStatus};
use super::record::Record;
use crate::notice::{About, Notice, Source};
use crate::place::Place;
use crate::session::DocumentName;

/// How often it begins anew where the intent changes under it.
const BEGINNINGS: u32 = 3;
/// How often it gives way to another run, each time for longer: a few seconds in all.
const WAITS: u32 = 4;
/// How old the last repair may be, in seconds, for the run that makes it to be under way still.
const UNDER_WAY: u64 = 15;

/// A document to be kept as its record wants it.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// The document.
    pub document: &'a DocumentName,
    /// What gave the occasion.
    pub notice: &'a Notice,
    /// How often within an hour the document is put right before that stops.
    pub repairs_per_hour: usize,
}

/// Looks at a document and puts right what differs.
///
/// # Errors
/// Where AWS refused or did not answer, so that the same notice had better come again. Whatever else keeps the
/// document from being as wanted is told in the [`Kept`], as an alert.
pub async fn keep<P: AccessPorts>(
    ports: &P,
    home: &Place,
    request: Keep<'_>,
    progress: &dyn Fn(&str),
) -> Result<Kept, ReconcileError> {
    let mut beginnings = 1;
    let (mut changed, mut drift, mut made_anew) = (false, Vec::new(), None);
    loop {
        let mut kept = Kept::new(request.document);
        let attempted = attempt(ports, home, request, &mut kept, progress).await;
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
        if changed && kept.result == KeepResult::AsWanted {
            kept.result = KeepResult::Repaired;
        }
        kept.alerts.extend(made_anew);
        return Ok(Kept { changed, drift, ..kept });
    }
}

async fn attempt<P: AccessPorts>(
    ports: &P,
    home: &Place,
    request: Keep<'_>,
    kept: &mut Kept,
    progress: &dyn Fn(&str),
) -> Result<(), ReconcileError> {
    let mut rounds = Rounds::new(ports, request.document, progress);
    let observation = settled(ports, &mut rounds, request).await?;
    kept.see(&observation);
    let Some(record) = &observation.record else {
        kept.notes.push("no record: nobody has put this document in our care".to_owned());
        return Ok(());
    };
    if !concerns(request.notice, record) {
        kept.result = KeepResult::NotConcerned;
        return Ok(());
    }
    kept.result = KeepResult::AsWanted;
    kept.drift = drift(&observation, &record.wanted);
    if !kept.drift.is_empty() {
        tracing::info!(document = %request.document, drift = kept.drift.join("; "), notice = %request.notice, "drift");
    }
    let mut told = None;
    match choose(ports, home, record, request.notice, kept).await? {
        Choice::Leave if kept.drift.is_empty() => {}
        Choice::Leave => {
            kept.result = KeepResult::Refused;
            kept.alerts.push(format!(
                "document {} is not as wanted ({}), and is left so while no key that is wanted is known to be usable",
                request.document,
                kept.drift.join("; ")
            ));
        }
        Choice::Carry(choice) => {
            let (observation, choice) = (&observation, &choice);
            let bring = Bring { ports, home, request, observation, record, choice, progress };
            // Boxed, as what follows: the state of the whole way is large.
            if Box::pin(bring.carry(&mut rounds, kept)).await? {
                told = Some(choice.target().to_owned());
            }
        }
    }
    Box::pin(check_access(ports, home, record, request.notice, told.as_deref(), kept)).await
}

/// What is there once AWS is done with the latest version, and other runs with what they were at: what it is to be
/// until then cannot be told.
async fn settled<P: AccessPorts>(
    ports: &P,
    rounds: &mut Rounds<'_, P>,
    request: Keep<'_>,
) -> Result<Observation, ReconcileError> {
    let mut waits = 0;
    loop {
        let observation = rounds.observe().await?;
        let Some(record) = observation.record.as_ref().filter(|record| concerns(request.notice, record))
        else {
            return Ok(observation);
        };
        match &observation.document {
            Some(ObservedDocument { latest, .. }) if latest.status == VersionStatus::Pending => {
                rounds.apply(vec![Step::Await { version: latest.number }]).await?;
            }
            _ if waits < WAITS
                && is_under_way(&observation, record, request.notice, seconds(ports.now())) =>
            {
                waits += 1;
                rounds.give_way(waits).await;
            }
            _ => return Ok(observation),
        }
    }
}

/// Whether another run may be about to put right what differs: it wrote the record a moment ago, and that is what
/// the notice tells, or the record itself.
fn is_under_way(observation: &Observation, record: &Record, notice: &Notice, now: u64) -> bool {
    let is_new = |at: &u64| now.saturating_sub(*at) < UNDER_WAY;
    record.watch.breaker.is_none()
        && !drift(observation, &record.wanted).is_empty()
        && (notice.source == Source::RecordChange || record.watch.repairs.last().is_some_and(is_new))
}

fn concerns(notice: &Notice, record: &Record) -> bool {
    match &notice.about {
        About::Key(key) => record.names(key.as_str()),
        About::Document(_) | About::Everything => true,
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
