//! Keep: a document is to be as its record wants it, whatever has happened to it or to its key.
//!
//! The intent comes from the record. A notice only says where to look and whom to name: what is done rests on
//! what is there. The way on is the one of requests, with two questions more: can the key still be used, and
//! has the document been put right too often to go on.

mod access;
mod breaker;
mod choice;
mod drift;
mod kept;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::access::{check_access, tell_failing};
use self::breaker::{Gate, gate, versions};
use self::choice::{Choice, choose};
use self::drift::drift;
pub use self::kept::{KeepResult, Kept};
use super::apply::Rounds;
use super::drive::{Drive, Driven, drive};
use super::error::ReconcileError;
use super::observe::{Observation, ObservedDocument};
use super::plan::{Goal, PlanError, Step, plan_establish};
use super::ports::{AccessPorts, VersionStatus};
use super::record::{Record, Watch};
use crate::intent::{Mode, OnConflict};
use crate::notice::{About, Notice, Source};
use crate::place::Place;
use crate::session::DocumentName;

/// How often it begins anew where the intent changes under it.
const BEGINNINGS: u32 = 3;

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
    let mut changed = false;
    loop {
        let mut kept = Kept::new(request.document);
        let attempted = attempt(ports, home, request, &mut kept, progress).await;
        changed |= kept.changed;
        match attempted {
            Ok(()) => {}
            Err(ReconcileError::Overtaken { .. }) if beginnings < BEGINNINGS => {
                beginnings += 1;
                continue;
            }
            Err(error @ ReconcileError::Aws(_)) => return Err(error),
            Err(error) => kept.refuse(error),
        }
        return Ok(Kept { changed, ..kept });
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
    let observation = settled(&mut rounds, request).await?;
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
    let mut proven = false;
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
            let bring = Bring { ports, home, request, record, progress };
            proven = bring.bring(&mut rounds, &observation, &choice, kept).await?;
        }
    }
    if !proven {
        check_access(ports, home, record, request.notice, kept).await?;
    }
    Ok(())
}

/// What is there once AWS is done with the latest version: what it is to be until then cannot be told.
async fn settled<P: AccessPorts>(
    rounds: &mut Rounds<'_, P>,
    request: Keep<'_>,
) -> Result<Observation, ReconcileError> {
    loop {
        let observation = rounds.observe().await?;
        match (&observation.document, &observation.record) {
            (Some(ObservedDocument { latest, .. }), Some(record))
                if latest.status == VersionStatus::Pending && concerns(request.notice, record) =>
            {
                rounds.apply(vec![Step::Await { version: latest.number }]).await?;
            }
            _ => return Ok(observation),
        }
    }
}

fn concerns(notice: &Notice, record: &Record) -> bool {
    match &notice.about {
        About::Key(key) => record.names(key.as_str()),
        About::Document(_) | About::Everything => true,
    }
}

/// What a document is brought to a key with.
struct Bring<'a, P> {
    ports: &'a P,
    home: &'a Place,
    request: Keep<'a>,
    record: &'a Record,
    progress: &'a dyn Fn(&str),
}

impl<P: AccessPorts> Bring<'_, P> {
    /// Brings the document to the key chosen, unless it had to be too often. `true` where the key has been proven.
    async fn bring(
        &self,
        rounds: &mut Rounds<'_, P>,
        observation: &Observation,
        choice: &choice::Carried,
        kept: &mut Kept,
    ) -> Result<bool, ReconcileError> {
        let Self { request, record, .. } = *self;
        let now = seconds(self.ports.now());
        let target = choice.key.as_ref().map_or("", |key| key.arn.as_str());
        let before = Watch { stands_in_for: choice.stands_in_for.clone(), ..record.watch.clone() };
        let (differs, writes) = match plan_establish(observation, self.goal(target, &before)) {
            Ok(plan) => (!plan.is_empty(), plan.iter().any(Step::is_write)),
            Err(PlanError::NeedsJson) => (true, true),
            Err(error) => {
                rounds.no_plan(error)?;
                (false, false)
            }
        };
        let versions = versions(observation.document.as_ref());
        let watch = match gate(&before, request.notice, now, request.repairs_per_hour, versions, writes) {
            Gate::Go(watch) => watch,
            Gate::Stay { watch, opened } => {
                self.stay(rounds, watch, opened, writes, kept).await?;
                return Ok(false);
            }
        };
        if !differs && watch == record.watch {
            return Ok(false);
        }
        if record.watch.breaker.is_some() {
            kept.notes.push("nobody changed the document for an hour, so it is put right again".to_owned());
        }
        let keys: Vec<_> = choice.key.iter().filter(|_| writes).collect();
        // What is not known keeps nobody from going back to a key that was proven once.
        let mode = match record.safeguards.mode {
            Mode::Strict => Mode::Enforce,
            mode => mode,
        };
        let way = Drive {
            goal: self.goal(target, &watch),
            keys: &keys,
            mode,
            patience: Duration::ZERO,
            of: Some(record),
            writes,
        };
        let driven = drive(self.ports, self.home, rounds, way, self.progress).await;
        kept.changed = rounds.changed();
        let Driven { observation, findings, remedies } = driven?;
        kept.see(&observation);
        if let Some(key) = &choice.key {
            tell_failing(key, request.notice, &findings, remedies, kept);
        }
        kept.findings.extend(findings);
        if kept.changed {
            kept.result = match (&choice.stands_in_for, &record.watch.stands_in_for) {
                (Some(_), None) if target.is_empty() => KeepResult::Cleared,
                (Some(_), None) => KeepResult::StandIn,
                (None, Some(_)) => KeepResult::Returned,
                (None, None) | (Some(_), Some(_)) => KeepResult::Repaired,
            };
        }
        Ok(kept.changed && !keys.is_empty())
    }

    /// Leaves the document, and remembers that.
    async fn stay(
        &self,
        rounds: &mut Rounds<'_, P>,
        watch: Watch,
        opened: bool,
        writes: bool,
        kept: &mut Kept,
    ) -> Result<(), ReconcileError> {
        let Self { request, record, .. } = *self;
        // Which key stands in is not decided while nothing may be written.
        let watch = Watch { stands_in_for: record.watch.stands_in_for.clone(), ..watch };
        kept.breaker_open = true;
        if writes {
            kept.result = KeepResult::BreakerOpen;
        }
        let by = watch.by.as_ref().map_or_else(
            || "somebody whom no event named".to_owned(),
            |by| format!("{by}, who was last seen to change it"),
        );
        let told = format!(
            "document {} was put right {} times within an hour and is left alone now; settle it with {by}; it \
             will be put right again when nobody has changed it for an hour, or when its owner asks",
            request.document, request.repairs_per_hour
        );
        if writes && (opened || request.notice.source == Source::Schedule) {
            kept.alerts.push(told);
        } else {
            kept.notes.push(told);
        }
        if watch != record.watch {
            let record = Record { watch, ..record.clone() };
            rounds.apply(vec![Step::SaveRecord { record: Box::new(record), first: false }]).await?;
        }
        Ok(())
    }

    fn goal<'b>(&'b self, wanted: &'b str, watch: &'b Watch) -> Goal<'b> {
        let record = self.record;
        Goal {
            owner: &record.owner,
            wanted,
            on_delete: record.on_delete,
            safeguards: &record.safeguards,
            on_key_trouble: &record.on_key_trouble,
            watch: Some(watch),
            on_conflict: OnConflict::Fail,
            digest: record.accepted.last().map_or("", String::as_str),
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
