//! Release: an owner goes. What is still the owner's is restored, cleared or left, as asked; whatever is
//! not is left alone, and that is a success.

use super::error::ReconcileError;
use super::outcome::{CLEARED, Outcome};
use super::plan::{Step, plan_release};
use super::record::Record;
use super::run::Run;
use crate::intent::{OnDelete, Owner};
use crate::key::KeyRef;
use crate::location::Location;
use crate::ports::Ports;
use crate::preflight::judge_key;
use crate::session::DocumentName;

/// A request to let go of a document.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Who asks.
    pub owner: &'a Owner,
    /// The document.
    pub document: &'a DocumentName,
    /// What to leave behind; `None` where the request does not say, and the record does.
    pub on_delete: Option<OnDelete>,
}

/// Undoes what the owner had set, as far as it still is the owner's, and removes the record.
///
/// # Errors
/// See [`ReconcileError`]; a document that is not the owner's is none.
pub async fn release<P: Ports>(
    ports: &P,
    location: &Location,
    request: Release<'_>,
    progress: &dyn Fn(&str),
) -> Result<Outcome, ReconcileError> {
    let mut rounds = Run::new(ports, request.document, progress);
    let mut outcome = Outcome {
        document: request.document.clone(),
        version: None,
        key: None,
        standby: None,
        before: String::new(),
        changed: false,
        findings: Vec::new(),
        notes: Vec::new(),
    };
    loop {
        let observation = rounds.observe().await?;
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
        outcome.before.clone_from(&record.before);
        let on_delete = request.on_delete.unwrap_or(record.on_delete);
        match plan_release(observation.document.as_ref(), &record, on_delete) {
            Ok(plan) if plan == [Step::DeleteRecord] => {
                let carries = |key: &str| observation.document.as_ref().is_some_and(|d| d.carries(key));
                rounds.apply(plan).await?;
                if on_delete != OnDelete::Retain {
                    // A Create or a repair that still runs may have written the document while the record went.
                    undo(ports, location, &mut rounds, &record, on_delete, Some(outcome.version)).await?;
                }
                outcome.changed = rounds.changed();
                outcome.notes.extend(match on_delete {
                    OnDelete::Retain => {
                        Some("the document was left as it is, as OnDelete Retain asks".to_owned())
                    }
                    OnDelete::Clear if carries("") => Some(CLEARED.to_owned()),
                    OnDelete::Restore if carries("") && record.before.is_empty() => Some(CLEARED.to_owned()),
                    OnDelete::Restore if carries(&record.before) => None,
                    OnDelete::Clear | OnDelete::Restore => Some(
                        "the document no longer carries the key that this resource set; it was left as it is"
                            .to_owned(),
                    ),
                });
                return Ok(outcome);
            }
            Ok(plan) => {
                if on_delete == OnDelete::Restore && !record.before.is_empty() && outcome.findings.is_empty()
                {
                    outcome.findings = judge_before(ports, location, &record.before).await?;
                }
                let new_key = if on_delete == OnDelete::Restore { record.before.as_str() } else { "" };
                tracing::info!(document = %request.document, old_key = record.wanted, new_key, "giving the document back");
                rounds.apply(plan).await?;
            }
            Err(error) => rounds.no_plan(error)?,
        }
    }
}

/// A key that is unfit by now is not put back: that would end every session.
async fn judge_before<P: Ports>(
    ports: &P,
    location: &Location,
    before: &str,
) -> Result<Vec<crate::preflight::Finding>, ReconcileError> {
    let judged = match KeyRef::parse(before) {
        Ok(key) => judge_key(ports, location, &key).await.map(|(_, findings)| findings),
        Err(error) => Err(error.into()),
    };
    judged.map_err(|error| match error {
        ReconcileError::Aws(_) => error,
        error => ReconcileError::KeyBefore(Box::new(error)),
    })
}

/// Undoes a change whose record a Delete has removed while the change was being made. `seen` is the latest version
/// as the Delete saw it: a version since then with any key of the record is a repair's, which may have chosen
/// another key than the Delete knew of.
pub(super) async fn undo<P: Ports>(
    ports: &P,
    location: &Location,
    rounds: &mut Run<'_, P>,
    record: &Record,
    on_delete: OnDelete,
    seen: Option<Option<u64>>,
) -> Result<(), ReconcileError> {
    let mut record = record.clone();
    loop {
        let observation = rounds.observe().await?;
        if observation.record.is_some() {
            return Ok(());
        }
        let latest = observation.document.as_ref().map(|document| &document.latest);
        if let (Some(seen), Some(latest)) = (seen, latest)
            && Some(latest.number) > seen
            && let Ok(key) = &latest.kms_key_id
            && record.may_choose(key)
        {
            record.wanted.clone_from(key);
        }
        match plan_release(observation.document.as_ref(), &record, on_delete) {
            Ok(plan) if plan == [Step::DeleteRecord] => return Ok(()),
            Ok(plan) => {
                if on_delete == OnDelete::Restore && !record.before.is_empty() {
                    judge_before(ports, location, &record.before).await?;
                }
                rounds.apply(plan).await?;
            }
            Err(error) => rounds.no_plan(error)?,
        }
    }
}
