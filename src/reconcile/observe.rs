//! Observing: the reads of the document and its record. Reads that do not depend on each other run together.
//!
//! That something does not exist is believed if a second read agrees: for the document another operation, for the
//! record the same one again, since Parameter Store promises no read after write. Otherwise one wrong answer would make
//! a Delete leave everything behind, or a Create forget the key from before.

use super::error::ReconcileError;
use super::record::Record;
use super::stored_record::{StoredRecord, read_stored};
use crate::ports::{DocumentHead, DocumentVersion, Environment, LatestVersion, ReadPorts, VersionStatus};
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

/// What a read of the document is likely to find. If it finds something else, a second round of calls follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// The format that the document is stored in.
    pub(super) format: DocumentFormat,
    /// The number of the default version. `None` if it is the latest.
    pub(super) default: Option<u64>,
}

/// Whether it is read once more that there is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AbsentRecord {
    /// It is believed if a second read agrees.
    ReadTwice,
    /// One read is enough for now: whoever goes on without a record finds out by a write, which fails if there is one, or
    /// reads again.
    ReadOnce,
}

/// What was read.
#[derive(Debug)]
pub(super) struct DocumentRead {
    pub(super) observation: Observation,
    /// The version of the record's parameter. `None` if there is no parameter.
    pub(super) record_version: Option<u64>,
    /// The document's versions, if there is a document.
    pub(super) head: Option<DocumentHead>,
}

/// Reads the document and the record, in one round of calls if all is as expected. The result is `None` if the document
/// changed while it was being read, or if two reads do not agree whether there is a document.
pub(super) async fn observe<P: ReadPorts>(
    environment: Environment<'_, P>,
    name: &DocumentName,
    read_as: ReadAs,
    expected: Expected,
    absent_record: AbsentRecord,
) -> Result<Option<DocumentRead>, ReconcileError> {
    let ports = environment.ports;
    let format = match read_as {
        ReadAs::Stored => expected.format,
        ReadAs::Json => DocumentFormat::Json,
    };
    let expected_default = async {
        match expected.default {
            Some(number) => ports.version(name, number, format).await,
            None => Ok(None),
        }
    };
    // Boxed: each call in flight has a large state.
    let (head, stored, latest, default) = tokio::join!(
        Box::pin(ports.head(name)),
        Box::pin(read_stored(ports, name)),
        Box::pin(ports.latest(name, format)),
        Box::pin(expected_default)
    );
    let (head, stored) = (head?, stored?);
    let document = async {
        let Some(head) = head else { return Ok::<_, ReconcileError>(latest?.is_none().then_some(None)) };
        let mut read = AlreadyRead { format, versions: Vec::new() };
        if let Ok(Some(LatestVersion { number: Some(number), version })) = latest {
            read.versions.push((number, version));
        }
        if let (Some(number), Ok(Some(version))) = (expected.default, default) {
            read.versions.push((number, version));
        }
        Ok(versions(ports, name, head, read_as, read).await?.map(Some))
    };
    let stored = async {
        match stored.version {
            None if absent_record == AbsentRecord::ReadTwice => read_stored(ports, name).await,
            _ => Ok(stored),
        }
    };
    let (document, stored) = tokio::join!(Box::pin(document), Box::pin(stored));
    let (document, StoredRecord { record, version }) = (document?, stored?);
    Ok(document.map(|document| DocumentRead {
        observation: Observation { document, record },
        record_version: version,
        head,
    }))
}

/// Versions that were read beside the document's description, in this format.
struct AlreadyRead {
    format: DocumentFormat,
    versions: Vec<(u64, DocumentVersion)>,
}

/// The versions that the document's description names. Those that were read already are not read again.
async fn versions<P: ReadPorts>(
    ports: &P,
    name: &DocumentName,
    head: DocumentHead,
    read_as: ReadAs,
    already: AlreadyRead,
) -> Result<Option<ObservedDocument>, ReconcileError> {
    let format = match read_as {
        ReadAs::Stored => head.format,
        ReadAs::Json => DocumentFormat::Json,
    };
    let read = async |number| {
        let known = already.versions.iter().find(|(known, _)| *known == number && already.format == format);
        let version = match known {
            Some((_, version)) => Some(version.clone()),
            None => ports.version(name, number, format).await?,
        };
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
