//! The outcome of a request: what was done, read back.

use crate::key::KeyArn;
use crate::preflight::Finding;
use crate::session::{DocumentName, Target};

/// What is there now, after a fresh read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The document.
    pub document: DocumentName,
    /// The number of its latest version. `None` if there is no document.
    pub version: Option<u64>,
    /// The key that the owner asked for. `None` for encryption off, and after a Delete.
    pub key: Option<KeyArn>,
    /// The standby key.
    pub standby: Option<KeyArn>,
    /// The key that was in the document before it was adopted, verbatim.
    pub before_adoption: Target,
    /// Whether the document was written.
    pub changed: bool,
    /// What the checks found.
    pub findings: Vec<Finding>,
    /// What the asker should know, one line each.
    pub notes: Vec<String>,
}

/// What encryption off does to the console's password reset (AWS-PasswordReset needs session encryption).
pub(super) const CLEARED: &str = "sessions are not encrypted with a key of yours now, and the console's password reset of managed nodes, \
     which needs session encryption, does not work";

/// The same, said before it is done.
pub(super) const TO_BE_CLEARED: &str = "afterwards sessions are not encrypted with a key of yours, and the console's password reset of managed \
     nodes, which needs session encryption, does not work";

/// What clients need when sessions become encrypted with a key. No check can see the clients. Sources: the Session Manager
/// user guide, and the issues of the two projects (github.com/mmmorris1975/ssm-session-client/issues/10 and
/// github.com/gravitational/teleport/issues/42371).
pub(super) const CLIENTS: &str = "whoever starts a session now needs a client that can encrypt: session-manager-plugin 1.1.17.0 or later \
     (Session Manager user guide); a client with its own implementation of the protocol may fail on every encrypted session: the \
     shell of mmmorris1975/ssm-session-client does not support KMS (issue 10 there), and Teleport's `tsh aws ssm start-session` fails in \
     versions from before December 2024 (gravitational/teleport issue 42371)";
