//! Releasing a document from its owner. What the owner set is restored, cleared or left, as asked. What somebody else
//! has set since stays as it is, and that is a success.

use super::error::ReconcileError;
use super::outcome::{CLEARED, Outcome};
use super::plan::{Step, plan_release};
use super::record::Record;
use super::run::Run;
use crate::intent::{OnDelete, Owner};
use crate::key::KeyRef;
use crate::ports::{Environment, PreflightPorts, WritePorts};
use crate::preflight::{Finding, KeyError, KeyFault, check_key};
use crate::session::{DocumentName, Target};

/// A request to release a document.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseRequest<'a> {
    /// Who asks.
    pub owner: &'a Owner,
    /// The document.
    pub document: &'a DocumentName,
    /// What to leave behind. `None` if the request does not say: then the record does.
    pub on_delete: Option<OnDelete>,
}

/// Undoes what the owner set, as far as nobody has changed it since, and removes the record.
///
/// # Errors
/// See [`ReconcileError`]. A document that is not the owner's is no error.
pub async fn release<P: WritePorts>(
    environment: Environment<'_, P>,
    request: ReleaseRequest<'_>,
) -> Result<Outcome, ReconcileError> {
    let mut run = Run::new(environment, request.document);
    let mut outcome = Outcome {
        document: request.document.clone(),
        version: None,
        key: None,
        standby: None,
        before_adoption: Target::Off,
        changed: false,
        findings: Vec::new(),
        notes: Vec::new(),
    };
    loop {
        let observation = run.observe().await?;
        outcome.version = observation.document.as_ref().map(|document| document.latest.number);
        let record = match observation.record {
            Some(record) if record.owner == *request.owner => record,
            Some(record) => {
                outcome.notes.push(format!("the document is owned by {}; nothing was changed", record.owner));
                return Ok(outcome);
            }
            None => {
                outcome.notes.push(
                    "there is nothing of this resource on the document; nothing was changed".to_owned(),
                );
                return Ok(outcome);
            }
        };
        outcome.before_adoption.clone_from(&record.before_adoption);
        let on_delete = request.on_delete.unwrap_or(record.on_delete);
        match plan_release(observation.document.as_ref(), &record, on_delete) {
            Ok(plan) if plan == [Step::DeleteRecord] => {
                run.apply(plan).await?;
                if on_delete != OnDelete::Retain {
                    // A Create or a repair that still runs may have written the document while the record went.
                    let by = UndoneBy::Delete { latest_seen: outcome.version };
                    undo(&mut run, &record, on_delete, by).await?;
                }
                outcome.changed = run.changed();
                let carries = |target: &Target| {
                    observation.document.as_ref().is_some_and(|document| document.carries(target))
                };
                outcome.notes.extend(match on_delete {
                    OnDelete::Retain => {
                        Some("the document was left as it is, as OnDelete Retain asks".to_owned())
                    }
                    OnDelete::Clear if carries(&Target::Off) => Some(CLEARED.to_owned()),
                    OnDelete::Restore if carries(&record.before_adoption) => {
                        (record.before_adoption == Target::Off).then(|| CLEARED.to_owned())
                    }
                    OnDelete::Clear | OnDelete::Restore => Some(
                        "the document no longer carries the key that this resource set; it was left as it is"
                            .to_owned(),
                    ),
                });
                return Ok(outcome);
            }
            Ok(plan) => {
                if on_delete == OnDelete::Restore && outcome.findings.is_empty() {
                    outcome.findings = check_key_before(environment, &record.before_adoption).await?;
                }
                let new_key = match on_delete {
                    OnDelete::Restore => &record.before_adoption,
                    OnDelete::Clear | OnDelete::Retain => &Target::Off,
                };
                tracing::info!(document = %request.document, old_key = %record.wanted, %new_key, "releasing the document");
                run.apply(plan).await?;
            }
            Err(error) => run.without_plan(error)?,
        }
    }
}

/// Checks the key that would be restored. A key that cannot be used any more is not restored, because every session
/// would fail.
async fn check_key_before<P: PreflightPorts>(
    environment: Environment<'_, P>,
    before: &Target,
) -> Result<Vec<Finding>, ReconcileError> {
    let Target::Key(before) = before else { return Ok(Vec::new()) };
    let checked = match KeyRef::parse(before) {
        Ok(key) => check_key(environment, &key).await.map(|(_, findings)| findings),
        Err(error) => Err(KeyError::Fault(KeyFault::Reference(error))),
    };
    checked.map_err(|error| ReconcileError::of_key(error, ReconcileError::KeyBefore))
}

/// Who undoes a change whose record has gone.
#[derive(Clone, Copy, Debug)]
pub(super) enum UndoneBy {
    /// The change itself, which finds that a Delete has removed its record.
    Change,
    /// The Delete. A version later than the latest that it saw, with any key of the record, is a repair's: that may
    /// have chosen another key than the Delete knew.
    Delete {
        /// The number of the latest version that the Delete saw. `None` if there was no document.
        latest_seen: Option<u64>,
    },
}

/// Undoes a change whose record a Delete has removed while the change was being made.
pub(super) async fn undo<P: WritePorts>(
    run: &mut Run<'_, P>,
    record: &Record,
    on_delete: OnDelete,
    by: UndoneBy,
) -> Result<(), ReconcileError> {
    let mut record = record.clone();
    loop {
        let observation = run.observe().await?;
        if observation.record.is_some() {
            return Ok(());
        }
        let latest = observation.document.as_ref().map(|document| &document.latest);
        if let (UndoneBy::Delete { latest_seen }, Some(latest)) = (by, latest)
            && Some(latest.number) > latest_seen
            && let Ok(target) = &latest.kms_key_id
            && record.may_choose(target)
        {
            record.wanted.clone_from(target);
        }
        match plan_release(observation.document.as_ref(), &record, on_delete) {
            Ok(plan) if plan == [Step::DeleteRecord] => return Ok(()),
            Ok(plan) => {
                if on_delete == OnDelete::Restore {
                    check_key_before(run.environment(), &record.before_adoption).await?;
                }
                run.apply(plan).await?;
            }
            Err(error) => run.without_plan(error)?,
        }
    }
}
