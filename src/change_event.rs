//! A notice: somebody says that a document or a key is not as it was, whatever the source.
//!
//! Notices are hints. They repeat, come late and out of order, so what is done rests on what is there, and a
//! notice only says where to look, whom to name, and what nothing else tells.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::KeyArn;
use crate::session::DocumentName;

/// What a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeEvent {
    /// Where it comes from.
    pub source: ChangeSource,
    /// What happened, in the source's words: `UpdateDocument`.
    pub what: String,
    /// Where to look.
    pub scope: Scope,
    /// Who did it, where the source tells.
    pub actor: Option<Actor>,
    /// When it happened, as the source writes it.
    pub at: Option<String>,
    /// What reading the document and the key does not tell.
    pub detail: Option<ChangeDetail>,
}

/// The sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeSource {
    /// CloudTrail: a call on a document.
    DocumentCall,
    /// CloudTrail: a call on a key.
    KeyCall,
    /// KMS itself: a key is gone, or its material has expired.
    KeyEvent,
    /// The clock.
    Schedule,
    /// AWS Config: a rule's compliance changed.
    ConfigCompliance,
    /// Security Hub: a finding came in, or somebody chose a custom action on one.
    SecurityHub,
    /// Parameter Store: our own record changed.
    RecordChange,
    /// A direct call that names no key: put right what the record wants.
    DirectCall,
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One document.
    Document(DocumentName),
    /// Every document whose record names the key.
    Key(KeyArn),
    /// Every document with a record.
    Everything,
}

/// Who made a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The ARN of the user or role session; an account or a service where there is none.
    pub principal: String,
    /// The user agent, which often names the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// What only the event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeDetail {
    /// The key policy that was put, as text.
    KeyPolicy(String),
    /// When the key will be deleted, as the source writes it.
    DeletionDate(String),
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
