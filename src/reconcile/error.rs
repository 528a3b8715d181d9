//! Why the way ended short of the intent: what was tried, on what, what came of it, what to do.

use thiserror::Error;

use super::record::{Record, RecordError};
use crate::intent::Owner;
use crate::key::{KeyArn, KeyRefError, Misplaced};
use crate::ports::{AwsError, AwsErrorKind};
use crate::preflight::{Finding, Remedies, Verdict};
use crate::session::{ContentError, DocumentName};

/// Why nothing, or not everything, was done. The document is as it was or as wanted; the next event goes on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReconcileError {
    /// A call that AWS refused or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The key lives where the document's sessions do not look.
    #[error(transparent)]
    KeyMisplaced(#[from] Misplaced),
    /// KMS knows no such key.
    #[error(
        "KMS finds no key `{key}` in {location}; look for a typing error, and give another account's key by its \
         key ARN"
    )]
    KeyNotFound {
        /// The key as named.
        key: String,
        /// Where it was looked for.
        location: String,
    },
    /// The key cannot encrypt sessions.
    #[error("key {key} cannot encrypt sessions: {problem}")]
    KeyUnfit {
        /// The key.
        key: KeyArn,
        /// Its faults, with what to do.
        problem: String,
    },
    /// The standby key is not one to rely on.
    #[error("the standby key could not stand in: {0}")]
    Standby(Box<Self>),
    /// The standby key is the key itself.
    #[error("the standby key is {key}, which is the key itself; give another in StandbyKmsKeyId")]
    StandbyIsKey {
        /// The key.
        key: KeyArn,
    },
    /// Somebody would be locked out.
    #[error("key {key} is not switched on, and nothing was changed: {}", blocked(blocking))]
    Blocked {
        /// The key.
        key: KeyArn,
        /// The findings that block, in the mode asked for.
        blocking: Vec<Finding>,
        /// What would let in whoever is locked out.
        remedies: Remedies,
    },
    /// The key does not admit everybody it should.
    #[error("key {key} does not admit everybody: {}", blocked(refused))]
    NotAdmitted {
        /// The key.
        key: KeyArn,
        /// Who is not admitted.
        refused: Vec<Finding>,
        /// The statements that would admit them.
        remedies: Remedies,
    },
    /// The key's side can be proven in the key's account only.
    #[error(
        "key {key} is another account's than {account}; prove its side there, where its policy can be read"
    )]
    NotOurKey {
        /// The key.
        key: KeyArn,
        /// The account of the function.
        account: String,
    },
    /// The key to put back is not one to put back.
    #[error(
        "the key before, which OnDelete Restore would put back, is not usable ({0}); set OnDelete to Clear or \
         Retain"
    )]
    KeyBefore(Box<Self>),
    /// The key before is no reference to a key.
    #[error(transparent)]
    KeyRef(#[from] KeyRefError),
    /// Another owner has the document.
    #[error("document {document} is owned by {owner}; remove it there first, or set OnConflict to TakeOver")]
    Owned {
        /// The document.
        document: DocumentName,
        /// Its owner.
        owner: Owner,
    },
    /// The document is not one that can be edited.
    #[error("document {document} is left as it is: {problem}; mend it by hand, then try again")]
    Content {
        /// The document.
        document: DocumentName,
        /// What is wrong with it.
        problem: ContentError,
    },
    /// AWS could not use the version that was written.
    #[error("AWS reports version {version} of document {document} as Failed: {reason}")]
    VersionFailed {
        /// The document.
        document: DocumentName,
        /// The version.
        version: u64,
        /// AWS's reason.
        reason: String,
    },
    /// The record vanished: a Delete overtook this request.
    #[error(
        "a Delete of the same resource came while the key was being set on document {document}; what had \
         been set is undone"
    )]
    Superseded {
        /// The document.
        document: DocumentName,
    },
    /// Another intent was recorded while an earlier one was being pursued, or the document changed.
    #[error(
        "document {document}, or what is wanted of it, kept changing while it was looked at; the next event \
         looks again"
    )]
    Overtaken {
        /// The document.
        document: DocumentName,
    },
    /// Others kept writing the document.
    #[error(
        "document {document} kept changing under {attempts} attempts, last: {last}; find out who else writes \
         it, then try again"
    )]
    Contended {
        /// The document.
        document: DocumentName,
        /// How often it was tried.
        attempts: u32,
        /// What came of the last attempt.
        last: String,
    },
    /// The document's history is full, and nothing of it may go.
    #[error("{0}; delete versions of the document that nobody needs")]
    HistoryFull(AwsError),
    /// The record does not fit into a parameter.
    #[error(
        "what is to be remembered of document {document} takes {bytes} bytes, and there is room for {}; name fewer \
         Users, Nodes and Exempt, or leave them to be discovered, and say less by Context",
        Record::LONGEST_REQUEST
    )]
    RecordTooLong {
        /// The document.
        document: DocumentName,
        /// How long the record is.
        bytes: usize,
    },
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// How many subjects a message names.
const NAMED: usize = 3;

/// The first subjects that block, failures before what is unknown, each with its findings, and how many more
/// there are.
fn blocked(blocking: &[Finding]) -> String {
    let of = |verdict| blocking.iter().filter(move |finding| finding.verdict == verdict);
    let in_order: Vec<&Finding> = of(Verdict::Fail).chain(of(Verdict::Unknown)).collect();
    let mut subjects: Vec<&str> = Vec::new();
    for finding in &in_order {
        if !subjects.contains(&finding.subject.as_str()) {
            subjects.push(&finding.subject);
        }
    }
    let more = subjects.len().saturating_sub(NAMED);
    let named = |finding: &&&Finding| subjects.iter().take(NAMED).any(|subject| *subject == finding.subject);
    let first: Vec<_> = in_order.iter().filter(named).map(ToString::to_string).collect();
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("{}{more}", first.join("; "))
}

impl ReconcileError {
    /// Whether it was the record that may not be read: the document is then no business of who asks.
    #[must_use]
    pub fn is_record_withheld(&self) -> bool {
        let Self::Aws(AwsError { operation, kind, .. }) = self else { return false };
        *operation == "ssm:GetParameter" && matches!(kind, AwsErrorKind::Denied { .. })
    }
}
