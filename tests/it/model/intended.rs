//! What is wanted, as an owner asked for it and as the record says it.

use session_kms::intent::{Mode, OnDelete};
use session_kms::reconcile::{Record, RecordedKeyTrouble};

use super::run::{Ask, owner};

/// The intent that somebody recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intended {
    pub stack: String,
    pub first: String,
    pub on_trouble: RecordedKeyTrouble,
    pub mode: Mode,
    pub on_delete: OnDelete,
    pub before: Option<String>,
}

impl Intended {
    pub fn of(record: &Record) -> Self {
        Self {
            stack: record.owner.stack_id.clone(),
            first: record.asked_for().into(),
            on_trouble: record.on_key_trouble.clone(),
            mode: record.safeguards.mode,
            on_delete: record.on_delete,
            before: Some(record.before_adoption.clone().into()),
        }
    }

    pub fn asked(ask: &Ask) -> Self {
        Self {
            stack: owner(ask.owner).stack_id,
            first: ask.wanted().to_owned(),
            on_trouble: ask.on_trouble(),
            mode: ask.mode,
            on_delete: ask.on_delete,
            before: None,
        }
    }

    pub fn but_for_before(self) -> Self {
        Self { before: None, ..self }
    }
}
