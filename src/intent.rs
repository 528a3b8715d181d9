//! The intent: what somebody wants of a preferences document, whoever asked and however it arrived.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::{KnownContext, PrincipalArn};
use crate::key::KeyRef;
use crate::session::DocumentName;
use kms_key_policy::AccountId;

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
    /// What happens when the key can no longer be used.
    pub on_key_trouble: OnKeyTrouble,
    /// What is proven before a key is switched on.
    pub safeguards: Safeguards,
}

/// What happens when the key can no longer be used: disabled, about to be deleted, gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnKeyTrouble {
    /// Say so; the document stays as it is.
    #[default]
    Alert,
    /// Let this key stand in, and go back when the first is usable again.
    Standby(KeyRef),
    /// Turn encryption off, and on again when the key is usable.
    Clear,
}

/// What is proven before a key is switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Safeguards {
    /// How much the findings weigh.
    pub mode: Mode,
    /// Roles and users that start sessions and must be able to use the key.
    pub users: Vec<PrincipalArn>,
    /// Roles of nodes that must be able to use the key.
    pub nodes: Vec<PrincipalArn>,
    /// Patterns of ARNs whose failure is reported and does not block.
    pub exempt: Vec<String>,
    /// Whether further users are taken from the session history.
    pub discover_users: bool,
    /// Whether further nodes are taken from the fleet.
    pub discover_nodes: bool,
    /// Who may read the key's policy, where it is another account's.
    pub reader: Option<KeyPolicyReader>,
    /// Condition keys of every call that are known to the owner.
    #[serde(skip_serializing_if = "KnownContext::is_empty")]
    pub context: KnownContext,
    /// The key's policy, where nothing may read it. It is not remembered: it may be longer than a record.
    #[serde(skip)]
    pub key_policy: Option<String>,
}

/// How much the findings weigh: the property Preflight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Whatever is unknown blocks too.
    Strict,
    /// What fails blocks.
    #[default]
    Enforce,
    /// Nothing blocks; everything is reported.
    Warn,
    /// The access checks are not made. An unfit key blocks all the same.
    Off,
}

/// A role in the key's account that may read the key's policy and grants.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyPolicyReader {
    /// The role's ARN.
    pub role_arn: String,
    /// The external id that its trust policy asks for.
    pub external_id: Option<String>,
}

/// The question whether a key admits those who will use it, asked in the key's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAccessQuestion {
    /// The key.
    pub key: KeyRef,
    /// Accounts that use it by their own policies.
    pub accounts: Vec<AccountId>,
    /// Roles and users that start sessions.
    pub users: Vec<PrincipalArn>,
    /// Roles of nodes.
    pub nodes: Vec<PrincipalArn>,
    /// Condition keys of every call that are known.
    pub context: KnownContext,
    /// What counts as admitted.
    pub require: Require,
}

/// What counts as admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Require {
    /// Whatever is unknown turns out to be.
    #[default]
    Allowed,
    /// It may depend on what is unknown.
    NotDenied,
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
