//! Observing: the reads of the document and its record. Reads that do not depend on each other run together.
//!
//! That something does not exist is believed if a second read agrees: for the document another operation, for the
//! record the same one again, since Parameter Store promises no read after write. Otherwise one wrong answer would make
//! a Delete leave everything behind, or a Create forget the key from before.

use super::error::ReconcileError;
use super::record::Record;
use super::stored_record::{StoredRecord, read_stored};
use crate::ports::{DocumentHead, Environment, ReadPorts, VersionStatus};
use crate::session::{Content, ContentError, DocumentFormat, DocumentName, Target};

/// What is there: the document and the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The document, if there is one.
    pub document: Option<ObservedDocument>,
    /// The record, if there is one.
    pub record: Option<Record>,
}

/// The document's latest and default versions, the two that sessions and updates use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedDocument {
    /// The latest version.
    pub latest: ObservedVersion,
    /// The default version, which may be the latest.
    pub default: ObservedVersion,
    /// Whether the observing run has made the default version the default after somebody had written a later one. That
    /// one may have been the default, with settings that are not in force now.
    pub is_promotion_stale: bool,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedVersion {
    /// Its number.
    pub number: u64,
    /// Its content.
    pub content: Content,
    /// The key in it, or why the content cannot be edited.
    pub kms_key_id: Result<Target, ContentError>,
    /// Whether AWS has taken it up.
    pub status: VersionStatus,
}

impl Observation {
    /// What the latest version carries: off if there is no document, or if its key cannot be read.
    #[must_use]
    pub fn carried(&self) -> Target {
        let latest = self.document.as_ref().map(|document| &document.latest);
        latest.and_then(|latest| latest.kms_key_id.clone().ok()).unwrap_or_default()
    }

    /// Whether sessions are encrypted with a key, whichever of the two versions they use.
    #[must_use]
    pub(super) fn is_encrypted(&self) -> bool {
        let has_key = |version: &ObservedVersion| matches!(version.kms_key_id, Ok(Target::Key(_)));
        self.document
            .as_ref()
            .is_some_and(|ObservedDocument { latest, default, .. }| has_key(latest) && has_key(default))
    }
}

impl ObservedDocument {
    /// A document with these versions.
    #[must_use]
    pub fn new(latest: ObservedVersion, default: ObservedVersion) -> Self {
        Self { latest, default, is_promotion_stale: false }
    }

    /// Whether both versions carry this key, or both none.
    #[must_use]
    pub fn carries(&self, target: &Target) -> bool {
        [&self.latest, &self.default].iter().all(|version| version.carries(target))
    }
}

impl ObservedVersion {
    /// Whether this version carries this key, or none.
    #[must_use]
    pub fn carries(&self, target: &Target) -> bool {
        self.kms_key_id.as_ref() == Ok(target)
    }

    #[cfg(test)]
    pub(crate) fn with_key(number: u64, key: &str) -> Self {
        let content = Content::of_console(key);
        Self {
            number,
            kms_key_id: content.kms_key_id().map(Target::from),
            content,
            status: VersionStatus::Active,
        }
    }
}

/// The format in which a document's content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadAs {
    /// The format that the document is stored in.
    Stored,
    /// JSON, whatever the document is stored in.
    Json,
}

/// Reads the document and the record, and with them the version of the record's parameter (`None` if there is no
/// parameter). The result is `None` if the document changed while it was being read, or if two reads do not agree
/// whether there is a document.
pub(super) async fn observe<P: ReadPorts>(
    environment: Environment<'_, P>,
    name: &DocumentName,
    read_as: ReadAs,
) -> Result<Option<(Observation, Option<u64>)>, ReconcileError> {
    let ports = environment.ports;
    let (head, stored) = tokio::join!(ports.head(name), read_stored(ports, name));
    let (head, stored) = (head?, stored?);
    let document = async {
        Ok::<_, ReconcileError>(match head {
            None => (!ports.exists(name).await?).then_some(None),
            Some(head) => versions(ports, name, head, read_as).await?.map(Some),
        })
    };
    let stored = async {
        match stored.version {
            None => read_stored(ports, name).await,
            Some(_) => Ok(stored),
        }
    };
    let (document, stored) = tokio::join!(Box::pin(document), Box::pin(stored));
    let (document, StoredRecord { record, version }) = (document?, stored?);
    Ok(document.map(|document| (Observation { document, record }, version)))
}

async fn versions<P: ReadPorts>(
    ports: &P,
    name: &DocumentName,
    head: DocumentHead,
    read_as: ReadAs,
) -> Result<Option<ObservedDocument>, ReconcileError> {
    let format = match read_as {
        ReadAs::Stored => head.format,
        ReadAs::Json => DocumentFormat::Json,
    };
    let read = async |number| {
        let version = ports.version(name, number, format).await?;
        Ok::<_, ReconcileError>(version.map(|version| ObservedVersion {
            number,
            kms_key_id: version.content.kms_key_id().map(Target::from),
            content: version.content,
            status: version.status,
        }))
    };
    let (latest, default) = if head.latest == head.default {
        let latest = read(head.latest).await?;
        (latest.clone(), latest)
    } else {
        let (latest, default) = tokio::join!(read(head.latest), read(head.default));
        (latest?, default?)
    };
    Ok(latest.zip(default).map(|(latest, default)| ObservedDocument::new(latest, default)))
}
