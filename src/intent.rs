//! The intent: what somebody wants of a preferences document, whoever asks and however the request arrives.

mod audit_pairs;
mod audit_question;
mod audit_report;
mod object_address;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::{KnownContext, PrincipalArn};
use crate::key::{KeyArn, KeyRef};
use crate::session::DocumentName;
pub use audit_pairs::{AuditedAccounts, AuditedRegions, PairsQuestion};
pub use audit_question::{AuditQuestion, AuditRole, ExternalId, ExternalIdError, RoleName, RoleNameError};
pub use audit_report::ReportQuestion;
use kms_key_policy::AccountId;
pub use object_address::{ObjectAddress, ObjectAddressError};

/// What is wanted of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The preferences document.
    pub document: DocumentName,
    /// Whether its sessions are encrypted, and with which key.
    pub encryption: Encryption,
    /// What Delete does to the document.
    pub on_delete: OnDelete,
    /// What happens if another resource owns the document.
    pub on_conflict: OnConflict,
    /// Whether a document that does not exist is created. The regional preferences always are, and so is a document that
    /// the asker owns.
    pub create_document: bool,
    /// What the preflight checks before it lets a key be written.
    pub safeguards: Safeguards,
}

/// What happens when the key can no longer be used: disabled, about to be deleted, gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnKeyTrouble {
    /// Raise an alert; the document stays as it is.
    #[default]
    Alert,
    /// Let this key stand in, and go back when the first is usable again.
    Standby(KeyRef),
    /// Turn encryption off, and on again when the key is usable.
    Clear,
}

/// What the preflight checks, and what its findings do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Safeguards {
    /// Which findings block.
    pub mode: PreflightMode,
    /// Roles and users that start sessions, and so must be able to use the key.
    pub users: Vec<PrincipalArn>,
    /// Roles of nodes that must be able to use the key.
    pub nodes: Vec<PrincipalArn>,
    /// Patterns of ARNs. If one of these principals cannot use the key, that is reported and does not block.
    pub exempt: Vec<String>,
    /// Whether the session history gives further users.
    pub discover_users: bool,
    /// Whether the managed nodes of the account and Region give further roles.
    pub discover_nodes: bool,
    /// The role that may read the policy of another account's key.
    pub reader: Option<KeyPolicyReader>,
    /// Condition keys that hold in every call, as the owner states them.
    #[serde(skip_serializing_if = "KnownContext::is_empty")]
    pub context: KnownContext,
    /// The key policy, if nothing may read it. The record does not hold it, because it may be longer than a record.
    #[serde(skip)]
    pub key_policy: Option<String>,
}

/// Which findings block a key: the property Preflight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub enum PreflightMode {
    /// Findings that fail or are unknown block.
    Strict,
    /// Findings that fail block.
    #[default]
    Enforce,
    /// No finding blocks; all are reported.
    Warn,
    /// No access check runs. An unfit key still blocks.
    Off,
}

/// A role in the key's account that may read the key's policy and grants.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyPolicyReader {
    /// The role's ARN.
    pub role_arn: String,
    /// The external id that its trust policy requires.
    pub external_id: Option<String>,
}

/// The question which keys a document is to carry. A stack asks it before it switches a key on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKeyQuestion {
    /// The keys, or encryption off.
    pub encryption: Encryption,
    /// The document.
    pub document: DocumentName,
    /// The document that an Update replaces by this one.
    pub previous_document: Option<DocumentName>,
    /// The keys that the stack's policies let users and nodes use.
    pub granted: Vec<KeyArn>,
}

/// The question whether a key's policy and grants allow those who will use the key. It is asked in the key's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAccessQuestion {
    /// The key.
    pub key: KeyRef,
    /// Accounts whose own policies decide who of them uses the key.
    pub accounts: Vec<AccountId>,
    /// Roles and users that start sessions.
    pub users: Vec<PrincipalArn>,
    /// Roles of nodes.
    pub nodes: Vec<PrincipalArn>,
    /// Condition keys that hold in every call, as the asker states them.
    pub context: KnownContext,
    /// Which verdicts are good enough.
    pub require: Require,
}

/// Which verdicts of the key's side are good enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Require {
    /// The call is allowed, whatever the unknown facts are.
    #[default]
    Allowed,
    /// The call is allowed, or it depends on unknown facts.
    NotDenied,
}

/// Encryption on or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// On.
    Enabled {
        /// The key.
        key: KeyRef,
        /// What happens if the key cannot be used any more.
        on_key_trouble: OnKeyTrouble,
    },
    /// Off.
    Disabled,
}

impl Encryption {
    /// On, with this key, and an alert if the key cannot be used any more.
    #[must_use]
    pub fn with_key(key: KeyRef) -> Self {
        Self::Enabled { key, on_key_trouble: OnKeyTrouble::Alert }
    }
}

/// What Delete does to the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDelete {
    /// Put back the key that was there before.
    #[default]
    Restore,
    /// Turn encryption off.
    Clear,
    /// Leave the document as it is.
    Retain,
}

/// What happens if another resource owns the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnConflict {
    /// Refuse, naming the owner.
    #[default]
    Fail,
    /// Become the owner.
    TakeOver,
}

/// Who owns a document: one resource of one stack, the command line, or whoever calls the function directly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The stack's ARN, or the word for an owner that is no stack.
    pub stack_id: String,
    /// The resource's name in the stack's template.
    pub logical_resource_id: String,
}

/// The kinds of owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// A resource of a stack.
    Stack,
    /// The command line, whoever runs it.
    CommandLine,
    /// A direct call of the function, whoever makes it.
    DirectCall,
}

/// What stands for a stack in the records of owners that are none.
const COMMAND_LINE: &str = "command-line";
const DIRECT_CALL: &str = "direct-call";

impl Owner {
    /// The command line. It is one owner: it may change and give back what it set before.
    #[must_use]
    pub fn command_line() -> Self {
        Self::without_stack(COMMAND_LINE)
    }

    /// All direct calls. They are one owner: one may change and give back what another has set.
    #[must_use]
    pub fn direct_call() -> Self {
        Self::without_stack(DIRECT_CALL)
    }

    fn without_stack(word: &str) -> Self {
        Self { stack_id: word.to_owned(), logical_resource_id: "session-kms".to_owned() }
    }

    /// The kind of owner.
    #[must_use]
    pub fn kind(&self) -> OwnerKind {
        match self.stack_id.as_str() {
            COMMAND_LINE => OwnerKind::CommandLine,
            DIRECT_CALL => OwnerKind::DirectCall,
            _ => OwnerKind::Stack,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            OwnerKind::Stack => write!(f, "resource {} of stack {}", self.logical_resource_id, self.stack_id),
            OwnerKind::CommandLine => f.write_str("the command line"),
            OwnerKind::DirectCall => f.write_str("a direct call of the function"),
        }
    }
}
