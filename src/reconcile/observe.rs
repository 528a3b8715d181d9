//! Observe: the reads, those that do not depend on each other together.

use super::error::ReconcileError;
use super::record::Record;
use super::stored_record::{StoredRecord, read_stored};
use crate::ports::{DocumentHead, Ports, VersionStatus};
use crate::session::{Content, ContentError, DocumentFormat, DocumentName};

/// What is there: the document and the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The document, if there is one.
    pub document: Option<ObservedDocument>,
    /// The record, if there is one.
    pub record: Option<Record>,
}

/// The document's two versions that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedDocument {
    /// The latest version.
    pub latest: ObservedVersion,
    /// The default version; the latest itself where they are the same.
    pub default: ObservedVersion,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedVersion {
    /// Its number.
    pub number: u64,
    /// Its content.
    pub content: Content,
    /// The key in it, or why the content is not one to rewrite.
    pub kms_key_id: Result<String, ContentError>,
    /// Where AWS is with it.
    pub status: VersionStatus,
}

impl ObservedDocument {
    /// Whether both versions carry this key.
    #[must_use]
    pub fn carries(&self, key: &str) -> bool {
        [&self.latest, &self.default].iter().all(|version| version.carries(key))
    }
}

impl ObservedVersion {
    /// Whether this version carries this key.
    #[must_use]
    pub fn carries(&self, key: &str) -> bool {
        self.kms_key_id.as_deref() == Ok(key)
    }

    #[cfg(test)]
    pub(crate) fn with_key(number: u64, key: &str) -> Self {
        let content = Content::of_console(key);
        Self { number, kms_key_id: content.kms_key_id(), content, status: VersionStatus::Active }
    }
}

/// Reads the document and the record.
///
/// `as_json` asks for the content as JSON where the document is stored as YAML.
///
/// `None` where the document changed while it was being read. With it comes the version of the record's parameter.
pub(super) async fn observe<P: Ports>(
    ports: &P,
    name: &DocumentName,
    as_json: bool,
) -> Result<Option<(Observation, u64)>, ReconcileError> {
    let (head, read_stored) = tokio::join!(ports.head(name), read_stored(ports, name));
    let StoredRecord { record, version } = read_stored?;
    let document = match head? {
        None => None,
        Some(head) => match versions(ports, name, head, as_json).await? {
            None => return Ok(None),
            document => document,
        },
    };
    Ok(Some((Observation { document, record }, version)))
}

async fn versions<P: Ports>(
    ports: &P,
    name: &DocumentName,
    head: DocumentHead,
    as_json: bool,
) -> Result<Option<ObservedDocument>, ReconcileError> {
    let format = if as_json { DocumentFormat::Json } else { head.format };
    let read = async |number| {
        let version = ports.version(name, number, format).await?;
        Ok::<_, ReconcileError>(version.map(|version| ObservedVersion {
            number,
            kms_key_id: version.content.kms_key_id(),
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
    Ok(latest.zip(default).map(|(latest, default)| ObservedDocument { latest, default }))
}
