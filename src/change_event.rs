//! A change event: a source says that a document or a key has changed.
//!
//! Change events repeat, and come late and out of order. So what is done depends on the state that is read
//! afterwards. The event only gives the scope to look at, the actor to name, and details that no read gives.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::KeyArn;
use crate::session::DocumentName;

/// A change, as its source describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeEvent {
    /// The source.
    pub source: ChangeSource,
    /// What happened, in the source's words: `UpdateDocument`.
    pub what: String,
    /// Which documents are concerned.
    pub scope: Scope,
    /// Who made the change, if the source names them.
    pub actor: Option<Actor>,
    /// When the change happened, as the source writes it.
    pub at: Option<String>,
    /// A detail that no read of the document or the key gives.
    pub detail: Option<ChangeDetail>,
}

/// The sources of change events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ChangeSource {
    /// CloudTrail: a call on a document.
    DocumentCall,
    /// CloudTrail: a call on a key.
    KeyCall,
    /// KMS: a key was deleted, or its key material expired.
    KeyEvent,
    /// The schedule.
    Schedule,
    /// AWS Config: the compliance of a resource with a rule changed.
    ConfigCompliance,
    /// Security Hub: a finding arrived, or somebody chose a custom action for one.
    SecurityHub,
    /// Parameter Store: a record changed.
    RecordChange,
    /// A direct call that names no key: the documents are to be as their records want them.
    DirectCall,
}

/// Which documents a change concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This document.
    Document(DocumentName),
    /// Every document whose record names the key.
    Key(KeyArn),
    /// Every document with a record.
    Everything,
}

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The ARN of the user or role session; if there is none, the account or the service.
    pub principal: String,
    /// The user agent, which often names the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// A detail that only the event gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeDetail {
    /// The new key policy, as text.
    KeyPolicy(String),
    /// When the key will be deleted, as the source writes it.
    DeletionDate(String),
}

/// The calls on a key that give it an alias or take one away. A record of `UpdateAlias` names the key that gets
/// the alias, and not the key that loses it.
pub(crate) const ALIAS_CALLS: [&str; 3] = ["CreateAlias", "UpdateAlias", "DeleteAlias"];

impl ChangeEvent {
    /// Whether it is a call that changes which key an alias belongs to. It concerns only those who are admitted by the
    /// aliases of a key: a document carries its key's ARN, which no alias changes.
    #[must_use]
    pub fn is_alias_call(&self) -> bool {
        self.source == ChangeSource::KeyCall && ALIAS_CALLS.contains(&self.what.as_str())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.principal)?;
        match &self.user_agent {
            Some(user_agent) => write!(f, " ({user_agent})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ChangeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(by) = &self.actor {
            write!(f, " by {by}")?;
        }
        match &self.at {
            Some(at) => write!(f, " at {at}"),
            None => Ok(()),
        }
    }
}

/// The source in the words of the reports.
impl fmt::Display for ChangeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DocumentCall => "documentCall",
            Self::KeyCall => "keyCall",
            Self::KeyEvent => "keyEvent",
            Self::Schedule => "schedule",
            Self::ConfigCompliance => "configCompliance",
            Self::SecurityHub => "securityHub",
            Self::RecordChange => "recordChange",
            Self::DirectCall => "directCall",
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(document) => write!(f, "document {document}"),
            Self::Key(key) => write!(f, "documents with key {key}"),
            Self::Everything => f.write_str("every document"),
        }
    }
}
