//! The plan: from an observation to the next steps. Pure; a plan is empty if nothing differs.
//!
//! A plan reaches only as far as the result of its steps is known. After a write the document is observed again and
//! planned for again, so a plan never rests on the hope that a write succeeded.

use super::observe::{Observation, ObservedDocument, ObservedVersion};
use super::record::{BeforeChange, Record, RecordedKeyTrouble, RemediationState};
use crate::intent::{OnConflict, OnDelete, Owner, OwnerKind, Safeguards};
use crate::ports::VersionStatus;
use crate::session::{Content, ContentError, Edit, Target, padded};

/// The next steps, in order.
pub type Plan = Vec<Step>;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write the record.
    SaveRecord {
        /// The record.
        record: Box<Record>,
        /// Whether there must be none yet.
        first: bool,
    },
    /// Create the document.
    CreateDocument(Content),
    /// Write a new version, provided that `latest` still is the latest.
    UpdateDocument {
        /// The new content.
        content: Content,
        /// The latest version as observed.
        latest: u64,
    },
    /// Wait until AWS has taken up a version.
    Await {
        /// The version.
        version: u64,
    },
    /// Make a version the default.
    Promote {
        /// The version.
        version: u64,
    },
    /// Remove the record.
    DeleteRecord,
}

impl Step {
    /// Whether the step writes the document.
    pub fn is_write(&self) -> bool {
        match self {
            Self::CreateDocument(_) | Self::UpdateDocument { .. } | Self::Promote { .. } => true,
            Self::SaveRecord { .. } | Self::Await { .. } | Self::DeleteRecord => false,
        }
    }
}

/// What a document is to be brought to, once the key is known.
#[derive(Clone, Copy, Debug)]
pub struct Goal<'a> {
    /// Who asks.
    pub owner: &'a Owner,
    /// The key ARN to carry, or encryption off.
    pub wanted: &'a Target,
    /// What to remember for Delete.
    pub on_delete: OnDelete,
    /// What to remember of the safeguards.
    pub safeguards: &'a Safeguards,
    /// What to remember for when the key cannot be used.
    pub on_key_trouble: &'a RecordedKeyTrouble,
    /// What to remember of remediation. `None` for a request of the owner's: it resets what is remembered, unless the
    /// same request came before.
    pub remediation: Option<&'a RemediationState>,
    /// What to do if another owner has the document.
    pub on_conflict: OnConflict,
    /// Whether a document is created that does not exist and that nobody has a record of.
    pub creates_document: bool,
    /// The digest of the properties asked with.
    pub digest: &'a str,
    /// What the checks could not read, if they have been made for this request.
    pub unread: Option<&'a [String]>,
    /// Whether the key that the document carries is the one from before its adoption, whatever the record says: the
    /// record was written on the word that there is no document, and there is one.
    pub adopts_anew: bool,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// Another owner has the document.
    Owned {
        /// Who has it.
        owner: Owner,
        /// Who asks.
        asked_by: OwnerKind,
    },
    /// There is no document, and none is to be created.
    NoDocument {
        /// Who asks.
        asked_by: OwnerKind,
    },
    /// The document's content cannot be edited.
    Content(ContentError),
    /// The document's YAML cannot be edited in place: observe it as JSON.
    NeedsJson,
}

/// The steps towards a goal.
///
/// # Errors
/// See [`PlanError`].
pub fn plan_establish(observation: &Observation, goal: Goal<'_>) -> Result<Plan, PlanError> {
    let known = observation.record.as_ref();
    if let Some(other) = known.filter(|record| record.owner != *goal.owner)
        && goal.on_conflict == OnConflict::Fail
    {
        return Err(PlanError::Owned { owner: other.owner.clone(), asked_by: goal.owner.kind() });
    }
    let document = observation.document.as_ref();
    if document.is_none() && known.is_none() && *goal.wanted != Target::Off && !goal.creates_document {
        return Err(PlanError::NoDocument { asked_by: goal.owner.kind() });
    }
    let change = match document {
        None => goal.wanted.key().map(|key| Step::CreateDocument(Content::of_console(key))),
        Some(document) => towards(document, goal.wanted)?,
    };
    let current = document.map(|document| &document.latest);
    let writes = matches!(change, Some(Step::CreateDocument(_) | Step::UpdateDocument { .. }));
    let record = Record {
        owner: goal.owner.clone(),
        wanted: goal.wanted.clone(),
        before_adoption: known
            .filter(|_| !goal.adopts_anew)
            .map_or_else(|| observation.carried(), |record| record.before_adoption.clone()),
        before_change: match known {
            Some(record) if !writes => record.before_change.clone(),
            _ => BeforeChange {
                kms_key_id: observation.carried(),
                version: current.map_or(0, |version| version.number),
                set_by_owner: known.zip(current).is_some_and(|(record, version)| record.has_set(version)),
            },
        },
        on_delete: goal.on_delete,
        safeguards: Safeguards { key_policy: None, ..goal.safeguards.clone() },
        on_key_trouble: goal.on_key_trouble.clone(),
        remediation: match (goal.remediation, known) {
            (Some(remediation), _) => remediation.clone(),
            (None, Some(known)) if known.owner == *goal.owner && known.accepted_last(goal.digest) => {
                RemediationState {
                    replaced_key: None,
                    unread: unread(goal, Some(known)),
                    ..known.remediation.clone()
                }
            }
            // The owner's request is answered, and does not tell of repairs.
            (None, known) => RemediationState {
                untold: known.and_then(|known| known.remediation.pending().cloned()),
                unread: unread(goal, known),
                ..RemediationState::default()
            },
        },
        releasing: None,
        accepted: Record::accepting(known.map_or(&[], |record| &record.accepted), goal.digest),
    };
    let save = (known != Some(&record))
        .then(|| Step::SaveRecord { record: Box::new(record), first: known.is_none() });
    Ok(save.into_iter().chain(change).collect())
}

/// What to remember of what could not be read. If this request has checked nothing, what was known before stays.
fn unread(goal: Goal<'_>, known: Option<&Record>) -> Option<Vec<String>> {
    let before = || known?.remediation.unread.clone();
    goal.unread.map(<[String]>::to_vec).or_else(before)
}

/// The steps that release a document from its owner. What the owner did not set stays as it is.
///
/// # Errors
/// If the document's YAML cannot be edited in place.
pub fn plan_release(
    document: Option<&ObservedDocument>,
    record: &Record,
    on_delete: OnDelete,
) -> Result<Plan, PlanError> {
    let target = match on_delete {
        OnDelete::Retain => return Ok(vec![Step::DeleteRecord]),
        OnDelete::Clear => &Target::Off,
        OnDelete::Restore => &record.before_adoption,
    };
    let Some(document) = document else { return Ok(vec![Step::DeleteRecord]) };
    let still_set = record.has_set(&document.latest) && !document.latest.carries(target);
    let back = document.latest.carries(target);
    let written_since = document.latest.number > record.before_change.version;
    // The default version is the owner's to move if it carries the owner's key, or if the owner's last change was cut
    // off before it was promoted. A version from before the owner may stay the default, unless Clear asks for no key
    // at all.
    let left_over = document.default.number <= record.before_change.version
        && (record.before_change.set_by_owner || (on_delete == OnDelete::Clear && written_since));
    let half_undone = back
        && (document.is_promotion_stale
            || (!document.default.carries(target)
                && (document.default.carries(&record.wanted) || left_over)));
    // The document is not restored before AWS has taken up the version.
    let unsettled = back && written_since && document.latest.status != VersionStatus::Active;
    if still_set || half_undone || unsettled {
        // INVARIANT: each condition makes `towards` plan a step, so the record stays until it is done.
        if let Some(step) = towards(document, target)? {
            return Ok(vec![step]);
        }
    }
    Ok(vec![Step::DeleteRecord])
}

/// The steps that bring a document to a key, or to none, whoever owns it.
///
/// # Errors
/// If the document cannot be edited, or not in place.
pub(super) fn plan_towards(document: &ObservedDocument, wanted: &Target) -> Result<Plan, PlanError> {
    Ok(towards(document, wanted)?.into_iter().collect())
}

/// The next step towards both versions carrying a key, or none. There is no step if they do.
fn towards(document: &ObservedDocument, wanted: &Target) -> Result<Option<Step>, PlanError> {
    let ObservedDocument { latest, default, is_promotion_stale } = document;
    let key = latest.kms_key_id.as_ref().map_err(|error| PlanError::Content(error.clone()))?;
    Ok(match &latest.status {
        VersionStatus::Pending => Some(Step::Await { version: latest.number }),
        VersionStatus::Active if key == wanted => (!default.carries(wanted) || *is_promotion_stale)
            .then_some(Step::Promote { version: latest.number }),
        VersionStatus::Active => Some(rewrite(latest, wanted)?),
        // Whatever a failed version carries, it is not in use; the same text again would be a duplicate.
        VersionStatus::Failed(_) => Some(match rewrite(latest, wanted)? {
            Step::UpdateDocument { content, latest } => {
                let content = padded(&content, latest + 1).unwrap_or(content);
                Step::UpdateDocument { content, latest }
            }
            step => step,
        }),
    })
}

fn rewrite(latest: &ObservedVersion, wanted: &Target) -> Result<Step, PlanError> {
    match latest.content.with_kms_key_id(wanted.as_kms_key_id()) {
        Ok(Edit::Done(content)) => Ok(Step::UpdateDocument { content, latest: latest.number }),
        Ok(Edit::AskForJson) => Err(PlanError::NeedsJson),
        Err(error) => Err(PlanError::Content(error)),
    }
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
