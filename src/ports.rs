//! What the way needs of the outside: few methods, plain data in and out.
//!
//! A method's error is an [`AwsError`] unless the answer decides what comes next; such answers are values.

mod access;
mod compliance;

use std::time::{Duration, SystemTime};

pub use access::{
    ContextEntry, DryRun, Fleet, Identities, KeyAccess, KeyPolicyReader, ManagedNode, Organizations,
    PrincipalTags, SessionCall, SimulatedDecision, Simulation,
};
pub use compliance::{Compliance, ComplianceReport, ComplianceType};
use thiserror::Error;

use crate::key::KeyDescription;
use crate::session::{Content, DocumentFormat, DocumentName};

/// A call that AWS refused, or did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{operation} on {on} {kind}")]
pub struct AwsError {
    /// The action, as IAM names it: `ssm:GetDocument`.
    pub operation: &'static str,
    /// What it was called on.
    pub on: String,
    /// What came of it.
    pub kind: AwsErrorKind,
}

/// What came of a failed call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AwsErrorKind {
    /// The caller may not.
    #[error("was denied ({answer}); allow {action} on it to the caller")]
    Denied {
        /// The action that is missing.
        action: &'static str,
        /// AWS's words.
        answer: AwsAnswer,
    },
    /// AWS said no.
    #[error("failed: {0}")]
    Refused(AwsAnswer),
    /// No answer: time-out, connection, or an answer that cannot be read.
    #[error("got no answer: {0}")]
    NoAnswer(String),
}

/// What AWS said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAnswer {
    /// The error's code: `InvalidDocument`.
    pub code: String,
    /// Its message; withheld where it may repeat the content of a document.
    pub message: Option<String>,
    /// The id to quote to AWS support.
    pub request_id: Option<String>,
}

impl std::fmt::Display for AwsAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.code)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

/// A document's versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentHead {
    /// The number of the latest version, the only one that can be updated.
    pub latest: u64,
    /// The number of the default version.
    pub default: u64,
    /// The format that the document is stored in.
    pub format: DocumentFormat,
}

/// One version of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentVersion {
    /// Its content.
    pub content: Content,
    /// Where AWS is with it.
    pub status: VersionStatus,
}

/// Where AWS is with a version that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionStatus {
    /// In use.
    Active,
    /// Being created or updated.
    Pending,
    /// Not usable, with AWS's reason.
    Failed(String),
}

/// What came of a write to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It took effect.
    Done,
    /// The document was not as it was read: read again.
    LostRace(AwsError),
    /// AWS takes the content for a duplicate.
    Duplicate(AwsError),
    /// The document has as many versions as AWS allows.
    HistoryFull(AwsError),
}

/// The preferences document.
pub trait Documents {
    /// Its versions; `None` where there is no such document.
    async fn head(&self, name: &DocumentName) -> Result<Option<DocumentHead>, AwsError>;
    /// One version's content in a format; `None` where the version is gone.
    async fn version(
        &self,
        name: &DocumentName,
        version: u64,
        format: DocumentFormat,
    ) -> Result<Option<DocumentVersion>, AwsError>;
    /// Creates the document.
    async fn create(&self, name: &DocumentName, content: &Content) -> Result<Written, AwsError>;
    /// Writes a new version, provided that `latest` still is the latest.
    async fn update(&self, name: &DocumentName, content: &Content, latest: u64) -> Result<Written, AwsError>;
    /// Makes a version the default.
    async fn promote(&self, name: &DocumentName, version: u64) -> Result<Written, AwsError>;
    /// The numbers of all versions.
    async fn versions(&self, name: &DocumentName) -> Result<Vec<u64>, AwsError>;
    /// Deletes one version, never the document.
    async fn delete_version(&self, name: &DocumentName, version: u64) -> Result<(), AwsError>;
}

/// What a parameter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The text.
    pub text: String,
    /// The number of its version; they count from 1.
    pub version: u64,
}

/// The record of a document, as text.
pub trait Records {
    /// The record; `None` where there is none.
    async fn read(&self, name: &DocumentName) -> Result<Option<Stored>, AwsError>;
    /// An earlier version of it; `None` where there is none.
    async fn read_version(&self, name: &DocumentName, version: u64) -> Result<Option<String>, AwsError>;
    /// Writes a first record; `false` where there is one already, or another write is under way.
    async fn create_record(&self, name: &DocumentName, text: &str) -> Result<bool, AwsError>;
    /// Writes over the record, whatever is there; the number of the version that the text became, 1 where there was
    /// nothing, 0 where it became none since another write is under way.
    async fn replace_record(&self, name: &DocumentName, text: &str) -> Result<u64, AwsError>;
    /// Removes the record; no error where there is none.
    async fn delete_record(&self, name: &DocumentName) -> Result<(), AwsError>;
    /// The documents that have a record.
    async fn recorded(&self) -> Result<Vec<DocumentName>, AwsError>;
}

/// KMS keys.
pub trait Keys {
    /// What a key is, by any reference; `None` where KMS finds no such key.
    async fn describe(&self, key: &str) -> Result<Option<KeyDescription>, AwsError>;
}

/// Time.
pub trait Clock {
    /// The time.
    fn now(&self) -> SystemTime;
    /// Waits before the next try: longer each time, with jitter, and never long against a deadline.
    async fn pause(&self, attempt: u32) -> Duration;
}

/// All of the outside.
pub trait Ports: Documents + Records + Keys + Clock {}

impl<T: Documents + Records + Keys + Clock> Ports for T {}

/// All of the outside, with what the proof of access reads.
pub trait AccessPorts: Ports + KeyAccess + Identities + Organizations + Fleet {}

impl<T: Ports + KeyAccess + Identities + Organizations + Fleet> AccessPorts for T {}
