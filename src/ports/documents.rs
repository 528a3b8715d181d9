//! The preferences document: reading it and writing it.

use super::AwsError;
use crate::session::{Content, DocumentFormat, DocumentName};

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
    /// Whether AWS has taken it up.
    pub status: VersionStatus,
}

/// The latest version of a document, with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestVersion {
    /// Its number. `None` if the answer does not say.
    pub number: Option<u64>,
    /// The version.
    pub version: DocumentVersion,
}

/// Whether AWS has taken up a version that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionStatus {
    /// In use.
    Active,
    /// Being created or updated.
    Pending,
    /// Not usable, with AWS's reason.
    Failed(String),
}

/// The result of a write to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentWrite {
    /// It took effect.
    Done,
    /// The document was not as it had been read: read it again.
    LostRace(AwsError),
    /// AWS takes the content for a duplicate.
    Duplicate(AwsError),
    /// The document has as many versions as AWS allows.
    HistoryFull(AwsError),
}

/// Reads the preferences document.
pub trait ReadDocuments {
    /// Its versions. `None` if there is no such document.
    async fn head(&self, name: &DocumentName) -> Result<Option<DocumentHead>, AwsError>;
    /// The latest version in a format, whatever its number. `None` if there is no such document. It is another call than
    /// [`Self::head`]: one answer alone that says that there is no document may be wrong.
    async fn latest(
        &self,
        name: &DocumentName,
        format: DocumentFormat,
    ) -> Result<Option<LatestVersion>, AwsError>;
    /// One version's content in a format. `None` if the version is gone.
    async fn version(
        &self,
        name: &DocumentName,
        version: u64,
        format: DocumentFormat,
    ) -> Result<Option<DocumentVersion>, AwsError>;
    /// The numbers of all versions.
    async fn versions(&self, name: &DocumentName) -> Result<Vec<u64>, AwsError>;
}

/// Writes the preferences document.
pub trait WriteDocuments {
    /// Creates the document.
    async fn create(&self, name: &DocumentName, content: &Content) -> Result<DocumentWrite, AwsError>;
    /// Writes a new version, provided that `latest` still is the latest.
    async fn update(
        &self,
        name: &DocumentName,
        content: &Content,
        latest: u64,
    ) -> Result<DocumentWrite, AwsError>;
    /// Makes a version the default.
    async fn promote(&self, name: &DocumentName, version: u64) -> Result<DocumentWrite, AwsError>;
    /// Deletes one version, never the document.
    async fn delete_version(&self, name: &DocumentName, version: u64) -> Result<(), AwsError>;
}
