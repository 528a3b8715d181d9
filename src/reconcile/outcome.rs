//! The outcome: what was done, read back.

use crate::key::KeyArn;
use crate::preflight::Finding;
use crate::session::DocumentName;

/// What is there now, after a fresh read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The document.
    pub document: DocumentName,
    /// The number of its latest version; `None` where there is no document.
    pub version: Option<u64>,
    /// The key that it carries as asked; `None` for encryption off, and after a Delete.
    pub key: Option<KeyArn>,
    /// The key that stands by, should that one fail.
    pub standby: Option<KeyArn>,
    /// The key that was there before the document was adopted, verbatim; empty for none.
    pub before: String,
    /// Whether the document was written.
    pub changed: bool,
    /// What the checks found.
    pub findings: Vec<Finding>,
    /// What the asker should know.
    pub notes: Vec<String>,
}

/// What encryption off does to the console's password reset (AWS-PasswordReset needs encryption on).
pub(super) const CLEARED: &str = "sessions are not encrypted with a key of yours now, and the console's password reset of managed nodes, \
     which needs session encryption, does not work";
