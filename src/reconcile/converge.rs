//! The convergence loop: observe, plan, check access and apply until nothing differs. Requests of owners and repairs both
//! run it.

use std::time::Duration;

use futures_util::future::join_all;

use super::error::ReconcileError;
use super::observe::Observation;
use super::plan::{Goal, Plan, Step, plan_establish, plan_towards};
use super::record::Record;
use super::release::{UndoneBy, undo};
use super::run::Run;
use super::waits::{despite_missed_read, despite_release};
use crate::intent::{OnConflict, OnDelete, PreflightMode};
use crate::key::KeyDescription;
use crate::ports::{VersionStatus, WritePorts};
use crate::preflight::{
    AccessQuestion, Assessment, Check, Finding, KeyStanding, Remedies, Verdict, check_access, log_assessment,
    refuse_if_blocked,
};
use crate::session::Target;

/// What a document is brought to, and what is checked before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convergence<'a> {
    /// What the document and the record must hold in the end.
    pub(crate) goal: Goal<'a>,
    /// The keys that must be usable by those who need them, before anything is written.
    pub(crate) keys: &'a [&'a KeyDescription],
    /// How much findings weigh.
    pub(crate) mode: PreflightMode,
    /// How long a refusal may be asked about again before it counts.
    pub(crate) patience: Duration,
    /// On whose behalf the document is brought there.
    pub(crate) purpose: Purpose<'a>,
    /// What the run has observed before, if it has.
    pub(crate) observed: Option<&'a Observation>,
    /// What the checks of these keys have just found, if they were made and nothing that they found blocks.
    pub(crate) assessed: Option<&'a Assessment>,
}

/// On whose behalf a document is brought to its goal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    /// An owner asks for it.
    Request,
    /// The record wants it, and somebody or something has changed the document or its key.
    Repair {
        /// The record that the goal was made of. An intent that is no longer recorded is not pursued.
        record: &'a Record,
        /// Whether the repair was counted and may write the document. If the first observation was as
        /// wanted, no access was checked and no repair was counted.
        is_counted: bool,
    },
}

/// What is there in the end, read back.
#[derive(Debug)]
pub(crate) struct Converged {
    /// The last observation.
    pub(crate) observation: Observation,
    /// What the checks found.
    pub(crate) findings: Vec<Finding>,
    /// What would admit whoever is locked out, if that does not block.
    pub(crate) remedies: Remedies,
    /// Whether sessions were encrypted with a key before.
    pub(super) was_encrypted: bool,
}

/// The owner's record, as far as the run knows it.
enum RecordState {
    /// The owner has no record.
    Absent,
    /// The owner's record was there before this run wrote any.
    Found(Record),
    /// This run has sent its first record. AWS may have been busy with another write, so it need not be there.
    Sent(Record),
    /// This run has written its record, and the parameter holds it.
    Written(Record),
}

impl RecordState {
    /// The record that must still be the owner's in this observation.
    fn expected_in(&self, observation: &Observation) -> Option<&Record> {
        match self {
            Self::Absent => None,
            Self::Sent(record) => observation.record.as_ref().map(|_| record),
            Self::Found(record) | Self::Written(record) => Some(record),
        }
    }

    /// Whether another owner wrote the first record before this run's, and this owner takes documents over.
    fn is_overtaken_in(&self, observation: &Observation, goal: Goal<'_>) -> bool {
        let is_others = observation.record.as_ref().is_some_and(|record| record.owner != *goal.owner);
        matches!(self, Self::Sent(_)) && is_others && goal.on_conflict == OnConflict::TakeOver
    }

    /// The record that this run has sent or written.
    fn own(&self) -> Option<&Record> {
        match self {
            Self::Absent | Self::Found(_) => None,
            Self::Sent(record) | Self::Written(record) => Some(record),
        }
    }

    /// The state once this record has been sent.
    fn with_sent(self, record: Record) -> Self {
        match self {
            Self::Absent | Self::Sent(_) => Self::Sent(record),
            Self::Found(_) | Self::Written(_) => Self::Written(record),
        }
    }

    /// The state once the parameter has a new version.
    fn confirm(self) -> Self {
        match self {
            Self::Sent(record) => Self::Written(record),
            state => state,
        }
    }
}

/// Runs the convergence loop until nothing differs.
///
/// # Errors
/// See [`ReconcileError`]. The document is then as it was or as wanted.
pub(crate) async fn converge<P: WritePorts>(
    run: &mut Run<'_, P>,
    convergence: Convergence<'_>,
) -> Result<Converged, ReconcileError> {
    let Convergence { mut goal, keys, mode, purpose, assessed, .. } = convergence;
    let mut is_access_checked = keys.is_empty() || mode == PreflightMode::Off || assessed.is_some();
    let first = match convergence.observed {
        Some(observed) if run.has_observed_just_now() => observed.clone(),
        _ => run.observe_before_writing().await?,
    };
    let mut observation = match purpose {
        Purpose::Request => despite_release(run, first).await?,
        Purpose::Repair { .. } => first,
    };
    let was_encrypted = observation.is_encrypted();
    let mut findings: Vec<Finding> = version_skew(&observation, goal.wanted).into_iter().collect();
    let mut remedies = Remedies::default();
    let mut unread: Option<Vec<String>> = None;
    if let Some((assessment, key)) = assessed.zip(keys.first()) {
        log_assessment(key, assessment);
        findings.extend(of_access(assessment.findings.clone()));
        remedies.extend(assessment.remedies.clone());
        unread = Some(assessment.unread.iter().map(|unread| unread.what.clone()).collect());
    }
    let found = observation.record.clone().filter(|record| record.owner == *goal.owner);
    let mut state = found.map_or(RecordState::Absent, RecordState::Found);
    loop {
        if state.is_overtaken_in(&observation, goal) {
            // Another owner was quicker, and this one takes over.
            state = RecordState::Absent;
        }
        if let Some(record) = state.expected_in(&observation) {
            observation = despite_missed_read(run, observation).await?;
            still_ours(run, &observation, record, purpose).await?;
        }
        run.note_half_change(&observation, goal.wanted);
        // What this run wrote is not what was there before.
        let is_own = observation.record.as_ref().is_some_and(|record| record.owner == *goal.owner);
        goal.adopts_anew &= is_own && observation.document.is_some() && !run.changed();
        still_wanted(run, &observation, purpose, state.own())?;
        match plan_establish(&observation, Goal { unread: unread.as_deref(), ..goal }) {
            Ok(plan) if plan.is_empty() => {
                return Ok(Converged { observation, findings, remedies, was_encrypted });
            }
            Ok(plan) if is_overtaken(run, &plan, purpose) => {
                return Err(ReconcileError::Overtaken { document: run.document().clone() });
            }
            Ok(_) if !is_access_checked && !is_accepted(&observation, goal) => {
                let mut names = Vec::new();
                for (key, assessment) in keys.iter().zip(check_keys(run, convergence).await) {
                    log_assessment(key, &assessment);
                    refuse_if_blocked(key, &assessment, mode, standing(key, &observation, goal.wanted))?;
                    remedies.extend(assessment.remedies);
                    names.extend(assessment.unread.into_iter().map(|unread| unread.what));
                    findings.extend(of_access(assessment.findings));
                }
                names.sort_unstable();
                names.dedup();
                unread = Some(names);
                is_access_checked = true;
                if run.has_observed_just_now() {
                    continue;
                }
                // The checks took time, so the observation may be out of date.
            }
            Ok(plan) => {
                if let Some(record) = saved_by(&plan) {
                    state = state.with_sent(record.clone());
                }
                let is_first_creation = matches!(
                    plan.as_slice(),
                    [Step::SaveRecord { first: true, .. }, Step::CreateDocument(_)]
                );
                let version = run.record_version();
                run.apply(plan).await?;
                let is_recorded = run.record_version() > version;
                if is_recorded {
                    state = state.confirm();
                }
                // If the creation finds that the document exists, its key is the one from before.
                goal.adopts_anew = is_first_creation && is_recorded;
            }
            Err(_) if run.is_absence_unconfirmed() => {}
            Err(error) => run.without_plan(error)?,
        }
        observation = run.observe().await?;
    }
}

/// Checks the access to all keys at the same time.
async fn check_keys<P: WritePorts>(run: &Run<'_, P>, convergence: Convergence<'_>) -> Vec<Assessment> {
    let Convergence { goal, keys, patience, .. } = convergence;
    let environment = run.environment();
    let check = |key| {
        let question = AccessQuestion { key, document: run.document(), safeguards: goal.safeguards };
        // Boxed: many calls in flight make for a large state.
        Box::pin(check_access(environment, question, patience))
    };
    join_all(keys.iter().copied().map(check)).await
}

/// What a key is to the document. A key that is not the wanted one is the standby key.
fn standing(key: &KeyDescription, observation: &Observation, wanted: &Target) -> KeyStanding {
    if !wanted.is_key(key.arn.as_str()) {
        return KeyStanding::Standby;
    }
    let versions = observation.document.iter().flat_map(|document| [&document.latest, &document.default]);
    match versions.filter(|version| version.carries(wanted)).count() {
        0 => KeyStanding::NotOn,
        1 => KeyStanding::HalfOn,
        _ => KeyStanding::On,
    }
}

/// The findings about access. Those about the key itself are made elsewhere, and those about the document here.
fn of_access(findings: Vec<Finding>) -> impl Iterator<Item = Finding> {
    findings.into_iter().filter(|finding| !matches!(finding.check, Check::KeyFitness | Check::Document))
}

/// The record that a plan saves.
fn saved_by(plan: &Plan) -> Option<&Record> {
    plan.iter().find_map(|step| match step {
        Step::SaveRecord { record, .. } => Some(&**record),
        _ => None,
    })
}

/// Whether a repair has been overtaken: it was counted and has nothing to write, or was not counted and has, or what it
/// wrote is not there any more. To write that again is another repair, and counts.
fn is_overtaken<P: WritePorts>(run: &Run<'_, P>, plan: &Plan, purpose: Purpose<'_>) -> bool {
    let Purpose::Repair { is_counted, .. } = purpose else { return false };
    let writes_document = plan.iter().any(Step::is_write);
    let is_surprising = match writes_document {
        true => !is_counted,
        false => is_counted && saved_by(plan).is_some() && !run.changed(),
    };
    let is_content = |step: &Step| matches!(step, Step::CreateDocument(_) | Step::UpdateDocument { .. });
    is_surprising || (run.wrote_content() && plan.iter().any(is_content))
}

/// Whether the key is on already, and these very properties were accepted before. Then the request is a rollback, which
/// must not fail on somebody who lost access meanwhile: nobody loses access by it.
fn is_accepted(observation: &Observation, goal: Goal<'_>) -> bool {
    let is_carried = observation.document.as_ref().is_some_and(|document| {
        // A version that AWS failed is not in use, whatever it carries.
        document.carries(goal.wanted) && !matches!(document.latest.status, VersionStatus::Failed(_))
    });
    let was_accepted = observation
        .record
        .as_ref()
        .is_some_and(|record| record.owner == *goal.owner && record.has_accepted(goal.digest));
    is_carried && was_accepted
}

/// Brings the document to what its new owner's record wants: this run wrote it while it was taken over.
pub(super) async fn give_way<P: WritePorts>(run: &mut Run<'_, P>) -> Result<(), ReconcileError> {
    loop {
        let observation = run.observe().await?;
        let (Some(document), Some(record)) = (&observation.document, &observation.record) else {
            return Ok(());
        };
        if record.releasing.is_some() {
            return Ok(());
        }
        match plan_towards(document, &record.wanted) {
            Ok(plan) if plan.is_empty() => return Ok(()),
            Ok(plan) => drop(run.apply(plan).await?),
            Err(error) => run.without_plan(error)?,
        }
    }
}

/// Fails if the record has gone, is being given back, or is another owner's. Once the record was written, only a Delete removes it, and only
/// another owner replaces it.
async fn still_ours<P: WritePorts>(
    run: &mut Run<'_, P>,
    observation: &Observation,
    expected: &Record,
    purpose: Purpose<'_>,
) -> Result<(), ReconcileError> {
    let document = run.document().clone();
    let is_released = |record: &Record| record.releasing.is_some() && expected.releasing != record.releasing;
    match &observation.record {
        Some(record) if record.owner != expected.owner => {
            let owner = record.owner.clone();
            if run.changed() {
                give_way(run).await?;
            }
            Err(ReconcileError::Owned { document, owner, asked_by: expected.owner.kind() })
        }
        Some(record) if !is_released(record) => Ok(()),
        Some(_) | None => {
            let undone = match (expected.on_delete, purpose) {
                // A repair goes back to what the owner left.
                (OnDelete::Retain, Purpose::Repair { .. }) => None,
                // A change that did not come to its end leaves nothing, whatever a Delete would retain.
                (OnDelete::Restore | OnDelete::Retain, _) => Some(OnDelete::Restore),
                (OnDelete::Clear, _) => Some(OnDelete::Clear),
            };
            if let Some(on_delete) = undone {
                undo(run, expected, on_delete, UndoneBy::Change).await?;
            }
            // A repair has nobody to answer. The next attempt observes that there is no record, and ends.
            Err(match purpose {
                Purpose::Repair { .. } => ReconcileError::Overtaken { document },
                Purpose::Request => ReconcileError::Superseded { document },
            })
        }
    }
}

/// Fails if a repair's record is neither the one that its goal was made of nor the one that this run wrote over it.
/// Otherwise an intent could come back that is not wanted any more, or a repair could go uncounted.
fn still_wanted<P: WritePorts>(
    run: &Run<'_, P>,
    observation: &Observation,
    purpose: Purpose<'_>,
    own: Option<&Record>,
) -> Result<(), ReconcileError> {
    let Purpose::Repair { record: origin, .. } = purpose else { return Ok(()) };
    match &observation.record {
        Some(record) if record == origin || Some(record) == own => Ok(()),
        _ => Err(ReconcileError::Overtaken { document: run.document().clone() }),
    }
}

/// The check *document*: if the default version is not the latest, the latest is about to become the default, with all
/// settings in which the two differ.
pub(super) fn version_skew(observation: &Observation, wanted: &Target) -> Option<Finding> {
    let document = observation.document.as_ref()?;
    let (latest, default) = (document.latest.number, document.default.number);
    (latest != default && !document.carries(wanted)).then(|| {
        let evidence = format!(
            "was the default and version {latest} the latest; the settings of the latest are in force now"
        );
        Finding::new(Check::Document, Verdict::Warning, format!("version {default}"), evidence)
    })
}
