//! Bring: a document is brought to the key that was chosen for it, unless it had to be too often, and what came of it
//! is told.

use std::time::Duration;

use super::breaker::{BreakerDecision, Repair, gate, versions};
use super::key_choice::ChosenKey;
use super::lost_access::{put, tell_doubtful, tell_failing};
use super::outcome::{Remediation, RemediationOutcome};
use super::{RemediationRequest, seconds};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::intent::{Mode, OnConflict, Safeguards};
use crate::location::Location;
use crate::ports::{AccessPorts, AwsError, AwsErrorKind};
use crate::reconcile::Observation;
use crate::reconcile::ReconcileError;
use crate::reconcile::Run;
use crate::reconcile::{Converged, Convergence, converge};
use crate::reconcile::{Goal, PlanError, Step, plan_establish};
use crate::reconcile::{Record, Watch};

/// What a document is brought to a key with.
pub(super) struct Bring<'a, P> {
    pub(super) ports: &'a P,
    pub(super) location: &'a Location,
    pub(super) request: RemediationRequest<'a>,
    /// What is there, with the record.
    pub(super) observation: &'a Observation,
    pub(super) record: &'a Record,
    pub(super) choice: &'a ChosenKey,
    pub(super) progress: &'a dyn Fn(&str),
}

impl<P: AccessPorts> Bring<'_, P> {
    /// Brings the document to the key chosen, and tells what came of it. `true` where who may use the key has been
    /// told, so that nobody need look again.
    pub(super) async fn carry(
        &self,
        rounds: &mut Run<'_, P>,
        kept: &mut Remediation,
    ) -> Result<bool, ReconcileError> {
        let Self { observation, choice, .. } = *self;
        let brought = self.bring(rounds, kept).await;
        if observation.document.is_none() && kept.changed {
            let event = self.request.event;
            let by = if event.what == "DeleteDocument" { format!(" ({event})") } else { String::new() };
            kept.made_anew = Some(format!(
                "document {} was deleted{by} and is made anew with its key; put back its other settings, which are lost",
                self.request.document
            ));
        }
        let is_told = match brought {
            // What an event says was put is judged besides.
            Ok(is_proven) => is_proven && put(self.request.event).is_none(),
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
        let is_left = matches!(kept.result, RemediationOutcome::Refused | RemediationOutcome::BreakerOpen);
        if let Some(told) = choice.told(!is_left && kept.kms_key_id == choice.target()) {
            kept.trouble(told);
        }
        Ok(is_told)
    }

    /// Brings the document to the key chosen, unless it had to be too often. `true` where the key has been proven.
    async fn bring(&self, rounds: &mut Run<'_, P>, kept: &mut Remediation) -> Result<bool, ReconcileError> {
        let Self { request, observation, record, choice, .. } = *self;
        let now = seconds(self.ports.now());
        let target = choice.target();
        let before = Watch { stands_in_for: choice.stands_in_for.clone(), ..record.watch.clone() };
        // A policy that is not to be read from here is known by the event that told of it.
        let key_policy = put(request.event).filter(|_| is_about(request.event, target)).cloned();
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
        let watch = match gate(&before, request.event, now, request.repairs_per_hour, versions, repair) {
            BreakerDecision::Go(watch) => watch,
            BreakerDecision::Stay { watch, opened } => {
                let tells =
                    opened || request.event.source == ChangeSource::Schedule || choice.problem.is_some();
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
        let way = Convergence {
            goal: self.goal(target, &safeguards, &watch),
            keys: &keys,
            mode,
            patience: Duration::ZERO,
            of: Some(record),
            writes,
        };
        let driven = converge(self.ports, self.location, rounds, way, self.progress).await;
        kept.changed = rounds.changed();
        let is_refused = if watch.refused { driven.is_err() } else { is_refusal(&driven) };
        if is_refused != watch.refused {
            self.mark(rounds, target, is_refused).await;
        }
        let Converged { observation, findings, remedies } = driven?;
        kept.see(&observation);
        if let Some(key) = &choice.key {
            tell_failing(key, request.event, &findings, remedies, kept);
            if kept.changed && target != record.wanted {
                tell_doubtful(key, request.event, &findings, kept);
            }
        }
        kept.find(findings);
        if kept.changed {
            kept.result = match (&choice.stands_in_for, &record.watch.stands_in_for) {
                (Some(_), None) if target.is_empty() => RemediationOutcome::Cleared,
                (Some(_), None) => RemediationOutcome::StandIn,
                (None, Some(_)) => RemediationOutcome::Returned,
                (None, None) | (Some(_), Some(_)) => RemediationOutcome::Repaired,
            };
        }
        Ok(kept.changed && !keys.is_empty())
    }

    /// Remembers whether AWS refused the repair, which is counted. Where that cannot be, it counts once more.
    async fn mark(&self, rounds: &mut Run<'_, P>, target: &str, refused: bool) {
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
        rounds: &mut Run<'_, P>,
        watch: Watch,
        tells: bool,
        writes: bool,
        kept: &mut Remediation,
    ) -> Result<(), ReconcileError> {
        let Self { request, record, .. } = *self;
        // Which key stands in is not decided while nothing may be written.
        let watch = Watch { stands_in_for: record.watch.stands_in_for.clone(), ..watch };
        if writes {
            kept.result = RemediationOutcome::BreakerOpen;
        }
        let by = watch.actor.as_ref().map_or_else(
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

fn is_about(event: &ChangeEvent, key: &str) -> bool {
    matches!(&event.scope, Scope::Key(about) if about.as_str() == key)
}

/// Whether AWS refused to write the document.
fn is_refusal(driven: &Result<Converged, ReconcileError>) -> bool {
    let Err(ReconcileError::Aws(AwsError { operation, kind, .. })) = driven else { return false };
    let writes = ["ssm:CreateDocument", "ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion"];
    writes.contains(operation) && !matches!(kind, AwsErrorKind::NoAnswer(_))
}
