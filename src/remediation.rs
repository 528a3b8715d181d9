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
mod settled;
mod telling;

use std::time::SystemTime;

use thiserror::Error;

use self::drift::drift;
use self::key_choice::{Choice, KeyChoice, choose_key};
use self::lost_access::check_lost_access;
use self::outcome::Alert;
pub use self::outcome::{Remediation, RemediationOutcome};
use self::repair::Repair;
use self::settled::observe_settled;
pub use self::telling::TellingNote;
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::ports::{AwsError, Environment, OutOfTime, TimeLimit, VersionStatus, WritePorts, within};
use crate::reconcile::{HalfChange, Observation, ReconcileError, Record, Run, released_for, seconds};
use crate::session::DocumentName;

/// How many attempts are made if the intent changes during one.
const ATTEMPTS: u32 = 3;
/// A request to remediate a document.
#[derive(Clone, Copy, Debug)]
pub struct RemediationRequest<'a> {
    /// The document.
    pub document: &'a DocumentName,
    /// The event that is the occasion.
    pub event: &'a ChangeEvent,
    /// How many repairs within an hour are made before the breaker opens.
    pub repairs_per_hour: usize,
    /// The id of the Lambda request. A request that Lambda repeats has the same.
    pub request_id: &'a str,
    /// How long it may take. `None` if somebody else ends it.
    pub limit: Option<TimeLimit<'a>>,
}

/// Why the same event should come again.
#[derive(Debug, Error)]
#[error("{cause}{}", half_change.map(|half| format!("; {half}")).unwrap_or_default())]
pub struct RemediationError {
    /// What ended the remediation.
    pub cause: RemediationErrorCause,
    /// What had been found and written until then.
    pub remediation: Box<Remediation>,
    /// What was left half changed.
    pub half_change: Option<HalfChange>,
    /// Whether nothing had been read before.
    is_first_read: bool,
}

/// What ended a remediation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RemediationErrorCause {
    /// AWS refused a call, or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// No time was left.
    #[error("document {document}: {error}; the next event goes on")]
    OutOfTime {
        /// The document.
        document: DocumentName,
        /// What it was doing.
        error: OutOfTime,
    },
}

impl RemediationError {
    /// Whether the record could not even be read once, because the permission is missing. Then the document may belong
    /// to another function or to the command line.
    #[must_use]
    pub fn is_record_withheld(&self) -> bool {
        let is_withheld =
            matches!(&self.cause, RemediationErrorCause::Aws(error) if error.is_record_withheld());
        self.is_first_read && is_withheld
    }

    /// Whether the document has been written, and both versions have what is wanted as far as the run knows.
    #[must_use]
    pub fn is_repaired(&self) -> bool {
        self.remediation.changed && self.half_change.is_none()
    }
}

/// One attempt to remediate a document.
struct Attempt {
    remediation: Remediation,
    /// Whether there was no document.
    was_absent: bool,
    /// The alert that an earlier run had created the document again.
    recreated: Option<Alert>,
    /// Why the attempt ended early, if something else than AWS ended it.
    error: Option<ReconcileError>,
}

/// Observes a document and repairs what differs from its record.
///
/// # Errors
/// If AWS refused or did not answer. Whatever else keeps the document from being as wanted is an alert of the
/// [`Remediation`].
pub async fn remediate<P: WritePorts>(
    environment: Environment<'_, P>,
    request: RemediationRequest<'_>,
) -> Result<Remediation, RemediationError> {
    let (mut changed, mut drift, mut recreated) = (false, Vec::new(), None);
    let (mut attempts, begun) = (0, environment.ports.now());
    loop {
        attempts += 1;
        let mut run = Run::new(environment, request.document);
        let mut attempt = Attempt {
            remediation: Remediation::new(request.document),
            was_absent: false,
            recreated: None,
            error: None,
        };
        // Boxed, as what follows: the state of all that an attempt awaits is large.
        let made = Box::pin(attempt.make_in_time(&mut run, request, begun)).await;
        let Attempt { mut remediation, was_absent, error, .. } = attempt;
        changed |= run.changed() || remediation.changed;
        let created_again = (was_absent && run.changed()).then(|| recreation(request));
        recreated = recreated.or(created_again).or(attempt.recreated);
        if drift.is_empty() {
            drift.clone_from(&remediation.drift);
        }
        if let Err(cause) = made {
            let outcome = RemediationOutcome::Failed;
            remediation = Remediation { changed, drift, outcome, ..remediation };
            remediation.alert(recreated);
            return Err(RemediationError {
                cause,
                remediation: Box::new(remediation),
                half_change: run.half_change(),
                is_first_read: attempts == 1 && !run.has_observed(),
            });
        }
        match error {
            Some(ReconcileError::Overtaken { .. }) if attempts < ATTEMPTS => continue,
            Some(error) => remediation.refuse(error),
            None => {}
        }
        if changed && remediation.outcome == RemediationOutcome::AsWanted {
            remediation.outcome = RemediationOutcome::Repaired;
        }
        remediation.alert(recreated);
        return Ok(Remediation { changed, drift, ..remediation });
    }
}

impl Attempt {
    /// Makes the attempt within the time that the remediation has. What it finds and writes until then is known also if
    /// the time is over.
    async fn make_in_time<P: WritePorts>(
        &mut self,
        run: &mut Run<'_, P>,
        request: RemediationRequest<'_>,
        begun: SystemTime,
    ) -> Result<(), RemediationErrorCause> {
        let ports = run.environment().ports;
        // Boxed: the state of all that an attempt awaits is large.
        let attempt = Box::pin(self.make(run, request));
        let Some(TimeLimit { time, step }) = request.limit else { return Ok(attempt.await?) };
        let taken = ports.now().duration_since(begun).unwrap_or_default();
        let limit = TimeLimit { time: time.saturating_sub(taken), step };
        match within(ports, limit, attempt).await {
            Ok(made) => Ok(made?),
            Err(error) => Err(RemediationErrorCause::OutOfTime { document: request.document.clone(), error }),
        }
    }

    async fn make<P: WritePorts>(
        &mut self,
        run: &mut Run<'_, P>,
        request: RemediationRequest<'_>,
    ) -> Result<(), AwsError> {
        let RemediationRequest { event, .. } = request;
        let environment = run.environment();
        let observation = match Box::pin(observe_settled(run, request)).await {
            Ok(observation) => observation,
            Err(ReconcileError::Aws(error)) => return Err(error),
            Err(error) => {
                self.error = Some(error);
                return Ok(());
            }
        };
        self.remediation.observe(&observation);
        self.was_absent = observation.document.is_none();
        let Some(record) = &observation.record else {
            if event.is_alias_call() {
                self.remediation.outcome = RemediationOutcome::NotConcerned;
            }
            let note = "there is no record: nobody has asked session-kms for this document";
            self.remediation.notes.push(note.to_owned());
            return Ok(());
        };
        if !concerns(event, record) {
            self.remediation.outcome = RemediationOutcome::NotConcerned;
            return Ok(());
        }
        if record.releasing.is_some() {
            let now = environment.ports.now();
            self.remediation.notes.push("its owner is giving the document back".to_owned());
            self.remediation.outcome = RemediationOutcome::NotConcerned;
            if released_for(record, now).is_none() {
                self.remediation.outcome = RemediationOutcome::Refused;
                let text = format!(
                    "document {} was to be given back by {}, and that has not come to its end, so nothing repairs it; \
                     delete the resource again, or let its owner ask again",
                    request.document, record.owner
                );
                self.remediation.alert([Alert::Other(text)]);
            }
            return Ok(());
        }
        let mut alias_check = None;
        if event.is_alias_call() {
            let check = check_lost_access(environment, request, record, &self.remediation.kms_key_id, None);
            let lost = Box::pin(check).await?;
            if !lost.asks_for_aliases {
                self.remediation.outcome = RemediationOutcome::NotConcerned;
                return Ok(());
            }
            alias_check = Some(lost);
        }
        self.remediation.outcome = RemediationOutcome::AsWanted;
        self.remediation.drift = drift(&observation, &record.wanted);
        if !self.remediation.drift.is_empty() {
            let drift = self.remediation.drift.join("; ");
            tracing::info!(document = %request.document, drift, %event, "drift");
        }
        let chosen = match self.is_nothing_to_confirm(&observation, record, request, environment.ports.now())
        {
            true => None,
            false => Some(Box::pin(choose_key(environment, record, event)).await?),
        };
        let (choice, alerts) = chosen.map(|KeyChoice { choice, alerts }| (choice, alerts)).unzip();
        self.remediation.alert(alerts.into_iter().flatten());
        let mut checked = None;
        match choice {
            None => {}
            Some(Choice::Leave) if self.remediation.drift.is_empty() => {}
            Some(Choice::Leave) => {
                self.remediation.outcome = RemediationOutcome::Refused;
                let text = format!(
                    "document {} is not as wanted ({}), and is left so while no key that is wanted is known to be usable",
                    request.document,
                    self.remediation.drift.join("; ")
                );
                self.remediation.alert([Alert::Other(text)]);
            }
            Some(Choice::Carry(chosen)) => {
                let repair = Repair { request, observation: &observation, record, chosen: &chosen };
                let report = Box::pin(repair.repair(run)).await?;
                if let Some(observation) = &report.observation {
                    self.remediation.observe(observation);
                }
                checked = report.is_access_reported.then(|| chosen.target());
                self.remediation.breaker_open |= report.is_breaker_open;
                self.remediation.outcome = report.outcome.unwrap_or(self.remediation.outcome);
                self.remediation.notes.extend(report.notes);
                match report.error {
                    Some(overtaken @ ReconcileError::Overtaken { .. }) => self.error = Some(overtaken),
                    Some(error) => self.remediation.refuse(error),
                    None => {}
                }
                self.remediation.alert(report.alerts);
                self.remediation.find(report.findings);
            }
        }
        if self.error.is_some() {
            return Ok(());
        }
        let lost = match alias_check {
            Some(lost) => lost,
            None => {
                let carried = &self.remediation.kms_key_id;
                let check = check_lost_access(environment, request, record, carried, checked.as_ref());
                Box::pin(check).await?
            }
        };
        self.remediation.notes.extend(lost.notes);
        self.remediation.alert(lost.alerts);
        self.remediation.find(lost.findings);
        self.remediation.checks_unknown = lost.newly_unread.len();
        if let Some(record) = run.record() {
            self.tell_of_repair(run, record.clone(), request);
        }
        Ok(())
    }

    /// Whether the event is about the document alone, and the document is as wanted, with nothing that an earlier run has
    /// left to do. Then no key is asked about: events about keys and the schedule do that.
    fn is_nothing_to_confirm(
        &self,
        observation: &Observation,
        record: &Record,
        RemediationRequest { event, .. }: RemediationRequest<'_>,
        now: SystemTime,
    ) -> bool {
        let state = &record.remediation;
        matches!(event.source, ChangeSource::DocumentCall | ChangeSource::RecordChange)
            && self.remediation.drift.is_empty()
            && observation.document.as_ref().is_some_and(|document| {
                document.carries(&record.wanted) && document.latest.status == VersionStatus::Active
            })
            && state.replaced_key.is_none()
            && state.breaker.is_none()
            && !state.refused
            && state.pending().is_none()
            && state.recent_repairs(seconds(now)).is_empty()
    }

    /// Tells of the repair that the record says may not have been reported, an earlier run's or this one's, and prepares
    /// the note in the record that it has been told.
    fn tell_of_repair<P: WritePorts>(
        &mut self,
        run: &Run<'_, P>,
        record: Record,
        request: RemediationRequest<'_>,
    ) {
        let Some(untold) =
            record.remediation.untold.clone().filter(|repair| repair.is_for(request.request_id))
        else {
            return;
        };
        if let Some(outcome) = RemediationOutcome::of_repair(untold.repair) {
            if self.remediation.drift.is_empty() || run.changed() {
                self.remediation.drift.clone_from(&untold.drift);
            }
            if !run.changed() {
                self.remediation.changed = true;
                let note =
                    "an earlier run repaired the document, and may have ended before it could report that";
                self.remediation.notes.push(note.to_owned());
            }
            if self.remediation.outcome == RemediationOutcome::AsWanted {
                self.remediation.outcome = outcome;
            }
            self.recreated = untold.recreated.then(|| recreation(request));
        }
        self.remediation.note_to_save =
            Some(TellingNote::new(record, run.record_version(), request.request_id));
    }
}

/// The alert that a document had been deleted and was created again.
fn recreation(request: RemediationRequest<'_>) -> Alert {
    let RemediationRequest { document, event, .. } = request;
    let by = if event.what == "DeleteDocument" { format!(" ({event})") } else { String::new() };
    Alert::Other(format!(
        "document {document} was deleted{by} and is created again with its key; put back its other settings, which are lost"
    ))
}

/// Whether an event is about the document of this record.
fn concerns(event: &ChangeEvent, record: &Record) -> bool {
    match &event.scope {
        Scope::Key(key) => record.names(key.as_str()),
        Scope::Document(_) | Scope::Everything => true,
    }
}
