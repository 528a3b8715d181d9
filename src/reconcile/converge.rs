//! Drive: rounds of observing, planning, proving and applying until nothing differs. Requests of owners and
//! repairs take it alike.

use std::time::Duration;

use super::error::ReconcileError;
use super::observe::Observation;
use super::plan::{Goal, Plan, Step, plan_establish};
use super::record::Record;
use super::release::undo;
use super::run::Run;
use crate::intent::{Mode, OnDelete};
use crate::key::KeyDescription;
use crate::location::Location;
use crate::ports::{AccessPorts, VersionStatus};
use crate::preflight::{self, prove};
use crate::preflight::{Check, Finding, Remedies, Verdict};

/// Where to, and what has to be proven on the way.
#[derive(Clone, Copy)]
pub(crate) struct Convergence<'a> {
    /// What is to be there.
    pub(crate) goal: Goal<'a>,
    /// The keys that must be usable by those who need them, before anything is written.
    pub(crate) keys: &'a [&'a KeyDescription],
    /// How much findings weigh.
    pub(crate) mode: Mode,
    /// How long a refusal may be asked again before it counts.
    pub(crate) patience: Duration,
    /// The record that the goal was made of, if it was: an intent that is no longer recorded is not pursued.
    pub(crate) of: Option<&'a Record>,
    /// Whether a repair may write the document: what nothing differed in when it was looked at, and so nothing was
    /// proven for and no repair counted, is to be looked at again.
    pub(crate) writes: bool,
}

/// What is there in the end, read back.
pub(crate) struct Converged {
    /// The last observation.
    pub(crate) observation: Observation,
    /// What the checks found.
    pub(crate) findings: Vec<Finding>,
    /// What would let in whoever is locked out, where that does not block.
    pub(crate) remedies: Remedies,
}

/// Goes there.
pub(crate) async fn converge<P: AccessPorts>(
    ports: &P,
    location: &Location,
    rounds: &mut Run<'_, P>,
    way: Convergence<'_>,
    progress: &dyn Fn(&str),
) -> Result<Converged, ReconcileError> {
    let Convergence { goal, keys, .. } = way;
    let mut proven = keys.is_empty() || way.mode == Mode::Off;
    let mut observation = rounds.observe().await?;
    let mut findings: Vec<Finding> = skew(&observation, goal.wanted).into_iter().collect();
    let mut remedies = Remedies::default();
    // What a run that was cut off has written counts as written by this one.
    let mut written = None;
    let mut saved = observation.record.clone().filter(|record| record.owner == *goal.owner);
    let mut is_saved = saved.is_some();
    loop {
        if let Some(record) = &saved
            // Where AWS was busy with another write, nothing is there yet.
            && (is_saved || observation.record.is_some())
        {
            still_ours(ports, location, rounds, &observation, record, way.of.is_some()).await?;
        }
        still_wanted(rounds, &observation, way.of, written.as_ref())?;
        match plan_establish(&observation, goal) {
            Ok(plan) if plan.is_empty() => return Ok(Converged { observation, findings, remedies }),
            Ok(plan)
                if way.of.is_some() && (surprises(rounds, &plan, way.writes) || rewrites(rounds, &plan)) =>
            {
                return Err(ReconcileError::Overtaken { document: rounds.document().clone() });
            }
            Ok(plan) => {
                if !proven && !settled(&observation, goal) {
                    for key in keys {
                        let safeguards = goal.safeguards;
                        let assessment =
                            Box::pin(prove(ports, location, key, safeguards, way.patience, progress)).await;
                        preflight::log(key, &assessment);
                        preflight::check(key, &assessment, way.mode)?;
                        remedies.key_policy_statements.extend(assessment.remedies.key_policy_statements);
                        remedies.identity_policies.extend(assessment.remedies.identity_policies);
                        let new = assessment.findings.into_iter();
                        findings.extend(new.filter(|finding| finding.check != Check::KeyFitness));
                    }
                    // The world may have moved on meanwhile.
                    proven = true;
                    observation = rounds.observe().await?;
                    continue;
                }
                for step in &plan {
                    if let Step::SaveRecord { record, .. } = step {
                        saved = Some((**record).clone());
                        written.clone_from(&saved);
                    }
                }
                let before = rounds.record_version();
                rounds.apply(plan).await?;
                is_saved |= rounds.record_version() > before;
            }
            Err(error) => rounds.no_plan(error)?,
        }
        observation = rounds.observe().await?;
    }
}

/// Whether a repair that was counted has nothing to write, or one that was not counted has.
fn surprises<P: AccessPorts>(rounds: &Run<'_, P>, plan: &Plan, writes: bool) -> bool {
    let saves = plan.iter().any(|step| matches!(step, Step::SaveRecord { .. }));
    match plan.iter().any(Step::is_write) {
        true => !writes,
        false => writes && saves && !rounds.changed(),
    }
}

/// Whether what was written is not there any more: putting it right once more is another repair, and counts.
fn rewrites<P: AccessPorts>(rounds: &Run<'_, P>, plan: &Plan) -> bool {
    let is_content = |step: &Step| matches!(step, Step::CreateDocument(_) | Step::UpdateDocument { .. });
    rounds.wrote() && plan.iter().any(is_content)
}

/// Whether the key is on already, as these very properties once asked: a rollback, which must not fail on
/// somebody who lost access meanwhile, since nobody loses it by it.
fn settled(observation: &Observation, goal: Goal<'_>) -> bool {
    let carried = observation.document.as_ref().is_some_and(|document| {
        // A version that AWS failed is not in use, whatever it carries.
        document.carries(goal.wanted) && !matches!(document.latest.status, VersionStatus::Failed(_))
    });
    let accepted = observation
        .record
        .as_ref()
        .is_some_and(|record| record.owner == *goal.owner && record.has_accepted(goal.digest));
    carried && accepted
}

/// Once the record was written, only a Delete removes it and only another owner replaces it.
async fn still_ours<P: AccessPorts>(
    ports: &P,
    location: &Location,
    rounds: &mut Run<'_, P>,
    observation: &Observation,
    saved: &Record,
    is_repair: bool,
) -> Result<(), ReconcileError> {
    match &observation.record {
        Some(record) if record.owner == saved.owner => Ok(()),
        Some(record) => {
            Err(ReconcileError::Owned { document: rounds.document().clone(), owner: record.owner.clone() })
        }
        None => {
            let undone = match (saved.on_delete, is_repair) {
                // What a repair goes back to is what the owner left.
                (OnDelete::Retain, true) => None,
                // A change that did not come to its end leaves nothing, whatever a Delete would retain.
                (OnDelete::Restore | OnDelete::Retain, _) => Some(OnDelete::Restore),
                (OnDelete::Clear, _) => Some(OnDelete::Clear),
            };
            if let Some(on_delete) = undone {
                undo(ports, location, rounds, saved, on_delete, None).await?;
            }
            let document = rounds.document().clone();
            // A repair has nothing to tell anybody: it looks again, and finds that it is not asked for.
            Err(match is_repair {
                true => ReconcileError::Overtaken { document },
                false => ReconcileError::Superseded { document },
            })
        }
    }
}

/// A goal that was made of a record is pursued while that is the record, or the one that this run wrote over it:
/// neither may an intent come back that is not wanted any more, nor a repair go uncounted.
fn still_wanted<P: AccessPorts>(
    rounds: &Run<'_, P>,
    observation: &Observation,
    of: Option<&Record>,
    written: Option<&Record>,
) -> Result<(), ReconcileError> {
    let Some(of) = of else { return Ok(()) };
    match &observation.record {
        Some(record) if record == of || Some(record) == written => Ok(()),
        _ => Err(ReconcileError::Overtaken { document: rounds.document().clone() }),
    }
}

/// The check *document*: a default version that is not the latest is about to be replaced by it, with all
/// settings that differ between the two.
pub(crate) fn skew(observation: &Observation, wanted: &str) -> Option<Finding> {
    let document = observation.document.as_ref()?;
    let (latest, default) = (document.latest.number, document.default.number);
    (latest != default && !document.carries(wanted)).then(|| {
        let evidence = format!(
            "was the default and version {latest} the latest; the settings of the latest are in force now"
        );
        Finding::new(Check::Document, Verdict::Warning, format!("version {default}"), evidence)
    })
}
