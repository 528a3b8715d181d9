//! Bring: a document is brought to the key that was chosen for it, unless it had to be too often, and what came of it
//! is told.

use std::time::Duration;

use super::access::{put, tell_doubtful, tell_failing};
use super::breaker::{Gate, Repair, gate, versions};
use super::choice::Carried;
use super::kept::{KeepResult, Kept};
use super::{Keep, seconds};
use crate::intent::{Mode, OnConflict, Safeguards};
use crate::notice::{About, Notice, Source};
use crate::place::Place;
use crate::reconcile::apply::Rounds;
use crate::reconcile::drive::{Drive, Driven, drive};
use crate::reconcile::error::ReconcileError;
use crate::reconcile::observe::Observation;
use crate::reconcile::plan::{Goal, PlanError, Step, plan_establish};
use crate::reconcile::ports::{AccessPorts, AwsError, AwsErrorKind};
use crate::reconcile::record::{Record, Watch};

/// What a document is brought to a key with.
pub(super) struct Bring<'a, P> {
    pub(super) ports: &'a P,
    pub(super) home: &'a Place,
    pub(super) request: Keep<'a>,
    /// What is there, with the record.
    pub(super) observation: &'a Observation,
    pub(super) record: &'a Record,
    pub(super) choice: &'a Carried,
    pub(super) progress: &'a dyn Fn(&str),
}

impl<P: AccessPorts> Bring<'_, P> {
    /// Brings the document to the key chosen, and tells what came of it. `true` where who may use the key has been
    /// told, so that nobody need look again.
    pub(super) async fn carry(
        &self,
        rounds: &mut Rounds<'_, P>,
        kept: &mut Kept,
    ) -> Result<bool, ReconcileError> {
        let Self { observation, choice, .. } = *self;
        let brought = self.bring(rounds, kept).await;
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
    async fn bring(&self, rounds: &mut Rounds<'_, P>, kept: &mut Kept) -> Result<bool, ReconcileError> {
        let Self { request, observation, record, choice, .. } = *self;
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
        let is_refused = if watch.refused { driven.is_err() } else { is_refusal(&driven) };
        if is_refused != watch.refused {
            self.mark(rounds, target, is_refused).await;
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

fn is_about(notice: &Notice, key: &str) -> bool {
    matches!(&notice.about, About::Key(about) if about.as_str() == key)
}

/// Whether AWS refused to write the document.
fn is_refusal(driven: &Result<Driven, ReconcileError>) -> bool {
    let Err(ReconcileError::Aws(AwsError { operation, kind, .. })) = driven else { return false };
    let writes = ["ssm:CreateDocument", "ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion"];
    writes.contains(operation) && !matches!(kind, AwsErrorKind::NoAnswer(_))
}
