//! Why a document was not brought to its intent: what was tried, on what, what AWS said, and what to do.

use thiserror::Error;

use super::half_change::HalfChange;
use super::record::{Record, RecordError};
use super::release::RELEASE;
use crate::intent::{Owner, OwnerKind};
use crate::ports::AwsError;
use crate::preflight::{KeyError, KeyFault};
use crate::session::{ContentError, DocumentName};

/// Why nothing, or not everything, was done. The document is as it was or as wanted, and the next event goes on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReconcileError {
    /// AWS refused a call, or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The key must not be switched on.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The standby key could not be relied on.
    #[error("the standby key could not stand in: {0}")]
    StandbyKey(KeyFault),
    /// The key from before the adoption cannot be restored.
    #[error(
        "the key before, which OnDelete Restore would put back, is not usable ({0}); set OnDelete to Clear or \
         Retain"
    )]
    KeyBefore(KeyFault),
    /// Another owner has the document.
    #[error("document {document} is owned by {owner}; {}", way_out(document, owner, *asked_by))]
    Owned {
        /// The document.
        document: DocumentName,
        /// Its owner.
        owner: Owner,
        /// Who asks.
        asked_by: OwnerKind,
    },
    /// Only its owner gives a document back.
    #[error(
        "document {document} is owned by {owner}, who alone can give it back; {}",
        way_to_release(document, owner)
    )]
    NotYours {
        /// The document.
        document: DocumentName,
        /// Its owner.
        owner: Owner,
    },
    /// Nobody has such a document, and the request does not say that it is to be created.
    #[error("document {document} does not exist; {}", way_to_create(document, *asked_by))]
    NoDocument {
        /// The document.
        document: DocumentName,
        /// Who asks.
        asked_by: OwnerKind,
    },
    /// The document's content cannot be edited.
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
    /// The owner is giving the document back.
    #[error(
        "a Delete began to give document {document} back {seconds} s ago and has not come to its \
         end; wait until it has, or until {} s have passed, and try again",
        RELEASE.as_secs()
    )]
    BeingReleased {
        /// The document.
        document: DocumentName,
        /// How long ago the Delete began, in seconds.
        seconds: u64,
    },
    /// Another intent was recorded while an earlier one was being pursued, or the document changed.
    #[error(
        "document {document}, or what is wanted of it, kept changing while it was read; the next event \
         reads it again"
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
        /// How many conflicts there were.
        attempts: u32,
        /// The last conflict.
        last: String,
    },
    /// The document has as many versions as AWS allows, and none of them may be deleted.
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
        /// How long the record is, in bytes.
        bytes: usize,
    },
    /// The change failed between its two writes.
    #[error("{cause}; {half}; the same request again, or the next change event, finishes the change")]
    HalfChanged {
        /// Why it failed.
        cause: Box<Self>,
        /// What is left.
        half: HalfChange,
    },
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<KeyError> for ReconcileError {
    fn from(error: KeyError) -> Self {
        Self::of_key(error, Self::Key)
    }
}

impl ReconcileError {
    /// The error of a key check. `as_role` says which key it was: the one asked for, the standby key, the key before.
    pub fn of_key(error: KeyError, as_role: fn(KeyFault) -> Self) -> Self {
        match error {
            KeyError::Aws(error) => Self::Aws(error),
            KeyError::Fault(fault) => as_role(fault),
        }
    }

    /// Why the change failed, however far it had come.
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::HalfChanged { cause, .. } => cause,
            error => error,
        }
    }

    /// The error of a change that left this half changed.
    pub(crate) fn after(self, half: Option<HalfChange>) -> Self {
        match half {
            Some(half) if !matches!(self, Self::HalfChanged { .. }) => {
                Self::HalfChanged { cause: Box::new(self), half }
            }
            _ => self,
        }
    }

    /// Whether the permission to read the record was missing. Then the document belongs to another owner.
    #[must_use]
    pub fn is_record_withheld(&self) -> bool {
        matches!(self, Self::Aws(error) if error.is_record_withheld())
    }
}

/// How a document becomes free of its owner, and how whoever asks takes it over.
fn way_out(document: &DocumentName, owner: &Owner, asked_by: OwnerKind) -> String {
    let free = way_to_release(document, owner);
    let take_over = match asked_by {
        OwnerKind::Stack => "set OnConflict to TakeOver",
        OwnerKind::CommandLine => "give --take-over",
        OwnerKind::DirectCall => "set `onConflict` to `TakeOver`",
    };
    format!("{free} first, or {take_over}")
}

fn way_to_release(document: &DocumentName, owner: &Owner) -> String {
    match owner.kind() {
        OwnerKind::Stack => "remove it there".to_owned(),
        OwnerKind::CommandLine => format!("run `session-kms release --document {document}`"),
        OwnerKind::DirectCall => {
            format!(r#"call the function with {{"action": "release", "documentName": "{document}"}}"#)
        }
    }
}

/// What to do about a document that does not exist.
fn way_to_create(document: &DocumentName, asked_by: OwnerKind) -> String {
    let create = match asked_by {
        OwnerKind::Stack => "set CreateDocument to true",
        OwnerKind::CommandLine => "give --create-document",
        OwnerKind::DirectCall => "set `createDocument` to `true`",
    };
    format!("look for a typing error, or {create}; {}", only_if_named(document))
}

/// Which sessions use a document that is not the regional preferences.
pub(super) fn only_if_named(document: &DocumentName) -> String {
    format!(
        "no session uses the document unless its start names it (aws ssm start-session --document-name {document})"
    )
}
