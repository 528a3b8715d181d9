//! Repairs a document: brings it to the key that was chosen for it, unless the breaker is open.

use std::time::Duration;

use super::RemediationRequest;
use super::breaker::{BreakerDecision, RepairKind, decide_breaker, versions};
use super::drift::drift;
use super::key_choice::ChosenKey;
use super::lost_access::{lost_access_alert, new_key_policy, uncertain_access_alert};
use super::outcome::{Alert, RemediationOutcome};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::intent::{OnConflict, PreflightMode, Safeguards};
use crate::ports::{AwsError, AwsErrorKind, WritePorts};
use crate::preflight::{Finding, KeyFault};
use crate::reconcile::{
    Converged, Convergence, Goal, Observation, PlanError, Purpose, ReconcileError, Record, RecordedRepair,
    RemediationState, Run, Step, UntoldRepair, converge, plan_establish, seconds,
};
use crate::session::Target;

/// A document that is not, or may not be, as it is wanted.
pub(super) struct Repair<'a> {
    pub(super) request: RemediationRequest<'a>,
    /// What is there, with the record.
    pub(super) observation: &'a Observation,
    pub(super) record: &'a Record,
    pub(super) chosen: &'a ChosenKey,
}

/// The result of a repair.
#[derive(Debug, Default)]
pub(super) struct RepairReport {
    /// The outcome; `None` if the document was as wanted.
    pub(super) outcome: Option<RemediationOutcome>,
    /// What is there in the end, if that was read.
    pub(super) observation: Option<Observation>,
    pub(super) is_breaker_open: bool,
    pub(super) alerts: Vec<Alert>,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
    /// Whether the chosen key has been checked and what the checks found has been reported.
    pub(super) is_access_reported: bool,
    /// Why the document is not as wanted, if something else than AWS kept it from that.
    pub(super) error: Option<ReconcileError>,
}

/// What a repair is going to do. Made by pure functions.
enum RepairDecision {
    /// Nothing differs, and nothing is to be remembered.
    Nothing,
    /// The breaker is open: the document is left alone.
    Leave { state: RemediationState, is_alert: bool, would_write: bool },
    /// The document is brought to the chosen key.
    Proceed { state: RemediationState, writes: bool },
}

impl Repair<'_> {
    /// Repairs the document. What happened to the document itself is known to the run.
    ///
    /// # Errors
    /// If AWS refused or did not answer.
    pub(super) async fn repair<P: WritePorts>(&self, run: &mut Run<'_, P>) -> Result<RepairReport, AwsError> {
        let mut report = match self.carry_out(run).await {
            Ok(report) => report,
            Err(ReconcileError::Aws(error)) => return Err(error),
            Err(error) => RepairReport { error: Some(error), ..RepairReport::default() },
        };
        let is_left = report.error.is_some() || report.outcome == Some(RemediationOutcome::BreakerOpen);
        let observation = report.observation.as_ref().unwrap_or(self.observation);
        let is_carried = observation.carried() == self.chosen.target();
        report.alerts.extend(self.chosen.alert(!is_left && is_carried));
        Ok(report)
    }

    async fn carry_out<P: WritePorts>(&self, run: &mut Run<'_, P>) -> Result<RepairReport, ReconcileError> {
        let target = self.chosen.target();
        let safeguards = self.safeguards();
        let now = seconds(run.environment().ports.now());
        let (state, writes) = match self.decide(&target, &safeguards, now) {
            Ok(RepairDecision::Nothing) => return Ok(RepairReport::default()),
            Ok(RepairDecision::Leave { state, is_alert, would_write }) => {
                return self.leave(run, state, is_alert, would_write).await;
            }
            Ok(RepairDecision::Proceed { state, writes }) => (state, writes),
            Err(error) => {
                run.without_plan(error)?;
                return Ok(RepairReport::default());
            }
        };
        let keys: Vec<_> = self.chosen.key.iter().filter(|_| writes).collect();
        let convergence = Convergence {
            goal: self.goal(&target, &safeguards, &state),
            keys: &keys,
            // Going back to a key that was checked once does not fail on what is unknown.
            mode: match self.record.safeguards.mode {
                PreflightMode::Strict => PreflightMode::Enforce,
                mode => mode,
            },
            patience: Duration::ZERO,
            purpose: Purpose::Repair { record: self.record, is_counted: writes },
            observed: Some(self.observation),
            assessed: None,
        };
        let converged = Box::pin(converge(run, convergence)).await;
        let is_refused = if state.refused { converged.is_err() } else { is_refusal(&converged) };
        if is_refused != state.refused {
            self.remember_refusal(run, &target, is_refused).await;
        }
        match converged {
            Ok(converged) => Ok(self.report(run.changed(), converged)),
            Err(error @ ReconcileError::Aws(_)) => Err(error),
            Err(error) => Ok(RepairReport {
                is_access_reported: matches!(error, ReconcileError::Key(KeyFault::Blocked { .. })),
                notes: self.breaker_note().into_iter().collect(),
                error: Some(error),
                ..RepairReport::default()
            }),
        }
    }

    /// Decides what the repair does. `now` is in seconds since 1970.
    fn decide(
        &self,
        target: &Target,
        safeguards: &Safeguards,
        now: u64,
    ) -> Result<RepairDecision, PlanError> {
        let Self { request, observation, record, chosen } = *self;
        let before =
            RemediationState { replaced_key: chosen.replaced_key.clone(), ..record.remediation.clone() };
        let (differs, writes) = match plan_establish(observation, self.goal(target, safeguards, &before)) {
            Ok(plan) => (!plan.is_empty(), plan.iter().any(Step::is_write)),
            Err(PlanError::NeedsJson) => (true, true),
            Err(error) => return Err(error),
        };
        let kind = match writes {
            false => RepairKind::None,
            true if *target == record.wanted => RepairKind::SameKey,
            true => RepairKind::OtherKey,
        };
        let versions = versions(observation.document.as_ref());
        let drift = drift(observation, &record.wanted);
        let untold = |repair| {
            let repair = UntoldRepair::new(repair, &drift, observation.document.is_none());
            Some(repair.after(before.untold.as_ref()))
        };
        let is_opening_untold = before.untold.as_ref().is_some_and(|untold| {
            untold.repair == RecordedRepair::BreakerOpened && untold.is_for(request.request_id)
        });
        Ok(match decide_breaker(&before, request.event, now, request.repairs_per_hour, versions, kind) {
            BreakerDecision::Leave { mut state, opened } => {
                if opened && state.pending().is_none() {
                    state.untold = untold(RecordedRepair::BreakerOpened);
                }
                let is_worth_an_alert = opened
                    || is_opening_untold
                    || request.event.source == ChangeSource::Schedule
                    || chosen.problem.is_some();
                RepairDecision::Leave { state, is_alert: is_worth_an_alert && writes, would_write: writes }
            }
            BreakerDecision::Proceed(state) if !differs && state == record.remediation => {
                RepairDecision::Nothing
            }
            BreakerDecision::Proceed(mut state) => {
                // Lambda may repeat the request that told of a repair.
                state.untold = match writes {
                    true => untold(self.repair_of(target)),
                    false => state.untold.take().filter(UntoldRepair::may_be_told_again),
                };
                RepairDecision::Proceed { state, writes }
            }
        })
    }

    /// What bringing the document to this key is.
    fn repair_of(&self, target: &Target) -> RecordedRepair {
        match (&self.chosen.replaced_key, &self.record.remediation.replaced_key) {
            (Some(_), None) if *target == Target::Off => RecordedRepair::Cleared,
            (Some(_), None) => RecordedRepair::StandIn,
            (None, Some(_)) => RecordedRepair::Returned,
            (None, None) | (Some(_), Some(_)) => RecordedRepair::Repaired,
        }
    }

    /// The report of a repair that came to its end.
    fn report(&self, changed: bool, converged: Converged) -> RepairReport {
        let Self { request, record, chosen, .. } = *self;
        let Converged { observation, findings, remedies, .. } = converged;
        let target = chosen.target();
        let mut alerts = Vec::new();
        if let Some(key) = &chosen.key {
            alerts.extend(lost_access_alert(key, request.event, &findings, remedies));
            if changed && target != record.wanted {
                alerts.extend(uncertain_access_alert(key, request.event, &findings));
            }
        }
        let outcome = RemediationOutcome::of_repair(self.repair_of(&target));
        RepairReport {
            outcome: outcome.filter(|_| changed),
            observation: Some(observation),
            alerts,
            findings,
            notes: self.breaker_note().into_iter().collect(),
            // The policy that an event carries is assessed separately.
            is_access_reported: changed && chosen.key.is_some() && new_key_policy(request.event).is_none(),
            ..RepairReport::default()
        }
    }

    /// Leaves the document alone, and remembers that.
    async fn leave<P: WritePorts>(
        &self,
        run: &mut Run<'_, P>,
        state: RemediationState,
        is_alert: bool,
        would_write: bool,
    ) -> Result<RepairReport, ReconcileError> {
        let Self { request, record, .. } = *self;
        // Which key stands in is not decided while nothing may be written.
        let state = RemediationState { replaced_key: record.remediation.replaced_key.clone(), ..state };
        let by = state.actor.as_ref().map_or_else(
            || "somebody whom no event named".to_owned(),
            |actor| format!("{actor}, who was last seen to change it"),
        );
        let text = format!(
            "document {} was repaired {} times within an hour and is left alone now; settle it with {by}; it \
             will be repaired again when nobody has changed it for an hour, or when its owner asks",
            request.document, request.repairs_per_hour
        );
        let error = match self.remember(run, state).await {
            Err(error @ ReconcileError::Aws(_)) => return Err(error),
            remembered => remembered.err(),
        };
        let (alerts, notes) =
            if is_alert { (vec![Alert::Other(text)], Vec::new()) } else { (Vec::new(), vec![text]) };
        let outcome = would_write.then_some(RemediationOutcome::BreakerOpen);
        let is_breaker_open = error.is_none();
        Ok(RepairReport { outcome, is_breaker_open, alerts, notes, error, ..RepairReport::default() })
    }

    /// Writes this state of remediation into the record, if it is another.
    async fn remember<P: WritePorts>(
        &self,
        run: &mut Run<'_, P>,
        state: RemediationState,
    ) -> Result<(), ReconcileError> {
        if state == self.record.remediation {
            return Ok(());
        }
        let record = Box::new(Record { remediation: state, ..self.record.clone() });
        if run.apply(vec![Step::SaveRecord { record, first: false }]).await? {
            Ok(())
        } else {
            Err(ReconcileError::Overtaken { document: self.request.document.clone() })
        }
    }

    /// Remembers whether AWS refused the repair that was counted. If that fails, the next try counts once more.
    async fn remember_refusal<P: WritePorts>(&self, run: &mut Run<'_, P>, target: &Target, refused: bool) {
        let Ok(Observation { record: Some(record), .. }) = run.observe().await else { return };
        if record.owner != self.record.owner || record.wanted != *target {
            return;
        }
        let remediation = RemediationState { refused, ..record.remediation.clone() };
        let record = Box::new(Record { remediation, ..record });
        if let Err(error) = run.apply(vec![Step::SaveRecord { record, first: false }]).await {
            tracing::warn!(document = %self.request.document, %error, "could not remember how a repair ended");
        }
    }

    /// The safeguards of the record. A policy that cannot be read from here is known by the event that brought it.
    fn safeguards(&self) -> Safeguards {
        let target = self.chosen.target();
        let is_about_target =
            |event: &ChangeEvent| matches!(&event.scope, Scope::Key(key) if target.is_key(key.as_str()));
        let key_policy = new_key_policy(self.request.event).filter(|_| is_about_target(self.request.event));
        Safeguards { key_policy: key_policy.cloned(), ..self.record.safeguards.clone() }
    }

    fn goal<'b>(
        &'b self,
        wanted: &'b Target,
        safeguards: &'b Safeguards,
        state: &'b RemediationState,
    ) -> Goal<'b> {
        let record = self.record;
        Goal {
            owner: &record.owner,
            wanted,
            on_delete: record.on_delete,
            safeguards,
            on_key_trouble: &record.on_key_trouble,
            remediation: Some(state),
            on_conflict: OnConflict::Fail,
            creates_document: true,
            digest: record.accepted.last().map_or("", String::as_str),
            adopts_anew: false,
            unread: None,
        }
    }

    /// A note if the breaker was open, and closed since nobody changed the document for an hour.
    fn breaker_note(&self) -> Option<String> {
        let was_open = self.record.remediation.breaker.is_some();
        was_open.then(|| "nobody changed the document for an hour, so it is repaired again".to_owned())
    }
}

/// Whether AWS refused to write the document.
fn is_refusal(converged: &Result<Converged, ReconcileError>) -> bool {
    let Err(ReconcileError::Aws(AwsError { operation, kind, .. })) = converged else { return false };
    let writes = ["ssm:CreateDocument", "ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion"];
    writes.contains(operation) && !matches!(kind, AwsErrorKind::NoAnswer(_))
}
