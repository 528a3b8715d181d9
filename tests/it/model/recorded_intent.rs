//! The intent that an owner asked for, in the form in which the record remembers it.

use session_kms::intent::{OnDelete, PreflightMode};
use session_kms::reconcile::{Record, RecordedKeyTrouble};

use super::run::{OwnerRequest, owner};

/// An intent as the record remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedIntent {
    pub stack: String,
    pub first: String,
    pub on_key_trouble: RecordedKeyTrouble,
    pub mode: PreflightMode,
    pub on_delete: OnDelete,
    pub before: Option<String>,
}

impl RecordedIntent {
    pub fn of_record(record: &Record) -> Self {
        Self {
            stack: record.owner.stack_id.clone(),
            first: record.asked_for().into(),
            on_key_trouble: record.on_key_trouble.clone(),
            mode: record.safeguards.mode,
            on_delete: record.on_delete,
            before: Some(record.before_adoption.clone().into()),
        }
    }

    pub fn of_request(request: &OwnerRequest) -> Self {
        Self {
            stack: owner(request.owner).stack_id,
            first: request.wanted().to_owned(),
            on_key_trouble: request.recorded_key_trouble(),
            mode: request.mode,
            on_delete: request.on_delete,
            before: None,
        }
    }

    pub fn without_key_before(self) -> Self {
        Self { before: None, ..self }
    }
}
