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

use self::access::{check_access, put, tell_doubtful, tell_failing};
use self::breaker::{Gate, Repair, gate, versions};
use self::choice::{Choice, choose};
use self::drift::drift;
pub use self::kept::{KeepResult, Kept};
use super::apply::Rounds;
use super::drive::{Drive, Driven, drive};
use super::error::ReconcileError;
use super::observe::{Observation, ObservedDocument};
use super::plan::{Goal, PlanError, Step, plan_establish};
use super::ports::{AccessPorts, AwsError, AwsErrorKind, VersionStatus};
use super::record::{Record, Watch};
use crate::intent::{Mode, OnConflict, Safeguards};
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
            let bring = Bring { ports, home, request, record, progress };
            // Boxed, as what follows: the state of the whole way is large.
            if Box::pin(bring.carry(&mut rounds, &observation, &choice, kept)).await? {
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

fn is_about(notice: &Notice, key: &str) -> bool {
    matches!(&notice.about, About::Key(about) if about.as_str() == key)
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
    /// Brings the document to the key chosen, and tells what came of it. `true` where who may use the key has been
    /// told, so that nobody need look again.
    async fn carry(
        &self,
        rounds: &mut Rounds<'_, P>,
        observation: &Observation,
        choice: &choice::Carried,
        kept: &mut Kept,
    ) -> Result<bool, ReconcileError> {
        let brought = self.bring(rounds, observation, choice, kept).await;
        if observation.document.is_none() && kept.changed {
            let notice = self.request.notice;
            let by = if notice.what == "DeleteDocument" { format!(" ({notice})") } else { String::new() };
            kept.made_anew = Some(format!(
                "document {} was deleted{by} and is made anew with its key; put back its other settings, which are lost",
                self.request.document
            ));
        }
        let is_told = match brought {
            // What an event says was put is judged besides.
            Ok(is_proven) => is_proven && put(self.request.notice).is_none(),
            Err(error @ ReconcileError::Aws(_)) => return Err(error),
            Err(error @ ReconcileError::Overtaken { .. }) => {
                choice.told(false).into_iter().for_each(|told| kept.trouble(told));
                return Err(error);
            }
            Err(error) => {
                let is_told = matches!(error, ReconcileError::Blocked { .. });
                kept.refuse(error);
                is_told
            }
        };
        let is_left = matches!(kept.result, KeepResult::Refused | KeepResult::BreakerOpen);
        if let Some(told) = choice.told(!is_left && kept.kms_key_id == choice.target()) {
            kept.trouble(told);
        }
        Ok(is_told)
    }

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
        let target = choice.target();
        let before = Watch { stands_in_for: choice.stands_in_for.clone(), ..record.watch.clone() };
        // A policy that is not to be read from here is known by the event that told of it.
        let key_policy = put(request.notice).filter(|_| is_about(request.notice, target)).cloned();
        let safeguards = Safeguards { key_policy, ..record.safeguards.clone() };
        let (differs, writes) = match plan_establish(observation, self.goal(target, &safeguards, &before)) {
            Ok(plan) => (!plan.is_empty(), plan.iter().any(Step::is_write)),
            Err(PlanError::NeedsJson) => (true, true),
            Err(error) => {
                rounds.no_plan(error)?;
                (false, false)
            }
        };
        let repair = match writes {
            false => Repair::None,
            true if target != record.wanted => Repair::Turn,
            true => Repair::Back,
        };
        let versions = versions(observation.document.as_ref());
        let watch = match gate(&before, request.notice, now, request.repairs_per_hour, versions, repair) {
            Gate::Go(watch) => watch,
            Gate::Stay { watch, opened } => {
                let tells = opened || request.notice.source == Source::Schedule || choice.problem.is_some();
                self.stay(rounds, watch, tells && writes, writes, kept).await?;
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
            goal: self.goal(target, &safeguards, &watch),
            keys: &keys,
            mode,
            patience: Duration::ZERO,
            of: Some(record),
            writes,
        };
        let driven = drive(self.ports, self.home, rounds, way, self.progress).await;
        kept.changed = rounds.changed();
        if if watch.refused { driven.is_ok() } else { is_refusal(&driven) } {
            self.mark(rounds, target, !watch.refused).await;
        }
        let Driven { observation, findings, remedies } = driven?;
        kept.see(&observation);
        if let Some(key) = &choice.key {
            tell_failing(key, request.notice, &findings, remedies, kept);
            if kept.changed && target != record.wanted {
                tell_doubtful(key, request.notice, &findings, kept);
            }
        }
        kept.find(findings);
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

    /// Remembers whether AWS refused the repair, which is counted. Where that cannot be, it counts once more.
    async fn mark(&self, rounds: &mut Rounds<'_, P>, target: &str, refused: bool) {
        let Ok(Observation { record: Some(record), .. }) = rounds.observe().await else { return };
        if record.owner != self.record.owner || record.wanted != target {
            return;
        }
        let record = Record { watch: Watch { refused, ..record.watch.clone() }, ..record };
        let save = Step::SaveRecord { record: Box::new(record), first: false };
        if let Err(error) = rounds.apply(vec![save]).await {
            tracing::warn!(document = %self.request.document, %error, "could not remember how a repair ended");
        }
    }

    /// Leaves the document, and remembers that.
    async fn stay(
        &self,
        rounds: &mut Rounds<'_, P>,
        watch: Watch,
        tells: bool,
        writes: bool,
        kept: &mut Kept,
    ) -> Result<(), ReconcileError> {
        let Self { request, record, .. } = *self;
        // Which key stands in is not decided while nothing may be written.
        let watch = Watch { stands_in_for: record.watch.stands_in_for.clone(), ..watch };
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
        if tells {
            kept.alerts.push(told);
        } else {
            kept.notes.push(told);
        }
        if watch != record.watch {
            let record = Record { watch, ..record.clone() };
            if !rounds.apply(vec![Step::SaveRecord { record: Box::new(record), first: false }]).await? {
                return Err(ReconcileError::Overtaken { document: request.document.clone() });
            }
        }
        kept.breaker_open = true;
        Ok(())
    }

    fn goal<'b>(&'b self, wanted: &'b str, safeguards: &'b Safeguards, watch: &'b Watch) -> Goal<'b> {
        let record = self.record;
        Goal {
            owner: &record.owner,
            wanted,
            on_delete: record.on_delete,
            safeguards,
            on_key_trouble: &record.on_key_trouble,
            watch: Some(watch),
            on_conflict: OnConflict::Fail,
            digest: record.accepted.last().map_or("", String::as_str),
        }
    }
}

/// Whether AWS refused to write the document.
fn is_refusal(driven: &Result<Driven, ReconcileError>) -> bool {
    let Err(ReconcileError::Aws(AwsError { operation, kind, .. })) = driven else { return false };
    let writes = ["ssm:CreateDocument", "ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion"];
    writes.contains(operation) && !matches!(kind, AwsErrorKind::NoAnswer(_))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
