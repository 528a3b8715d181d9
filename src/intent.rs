//! The intent: what somebody wants of a preferences document, whoever asked and however it arrived.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::KeyRef;
use crate::session::DocumentName;

/// What is wanted of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The document.
    pub document: DocumentName,
    /// Whether its sessions are encrypted, and with which key.
    pub encryption: Encryption,
    /// What is left behind when the owner goes.
    pub on_delete: OnDelete,
    /// What happens where somebody else owns the document.
    pub on_conflict: OnConflict,
}

/// Encryption on or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// On, with this key.
    Enabled(KeyRef),
    /// Off.
    Disabled,
}

/// What Delete does to the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDelete {
    /// Put back the key that was there before.
    #[default]
    Restore,
    /// Turn encryption off.
    Clear,
    /// Leave everything as it is.
    Retain,
}

/// What happens where another owner has the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnConflict {
    /// Refuse, naming the owner.
    #[default]
    Fail,
    /// Become the owner.
    TakeOver,
}

/// Who owns a document: one resource of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The stack's ARN.
    pub stack_id: String,
    /// The resource's name in the stack's template.
    pub logical_resource_id: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resource {} of stack {}", self.logical_resource_id, self.stack_id)
    }
}
