//! The state of SSM documents and their versions, with its switches, and the rules that hold for every call.

use std::collections::BTreeMap;

use super::super::call::{Location, Refusal};
use super::content::Format;

/// Which contents UpdateDocument refuses as DuplicateDocumentContent. AWS does not document it, so tests try all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateReading {
    /// The same bytes as the latest version.
    LatestOnly,
    /// The same bytes as any version that is still there.
    AnyVersionBytes,
    /// The same JSON value as any version, whatever the order, spacing and format.
    AnyVersionNormalised,
}

/// All documents, and how the service treats them.
#[derive(Clone, Debug)]
pub struct Documents {
    pub duplicates: DuplicateReading,
    /// Versions that a document may hold; 1000 by report.
    pub version_limit: usize,
    /// Documents that an account may hold in a Region.
    pub document_limit: usize,
    /// How often a new version's status is shown as Creating or Updating before it settles.
    pub settle_after: u32,
    /// The next version becomes Failed, with this StatusInformation. The write that uses it clears it.
    pub fail_next: Option<String>,
    pub held: BTreeMap<(Location, String), Document>,
}

impl Default for Documents {
    fn default() -> Self {
        Self {
            duplicates: DuplicateReading::LatestOnly,
            version_limit: 1000,
            document_limit: 500,
            settle_after: 0,
            fail_next: None,
            held: BTreeMap::new(),
        }
    }
}

/// A document: its versions in ascending order, never empty; version numbers are never used twice.
#[derive(Clone, Debug)]
pub struct Document {
    /// `Session`, `Command`, …
    pub kind: String,
    pub versions: Vec<Version>,
    pub default: u64,
    pub next: u64,
}

/// One version of a document.
#[derive(Clone, Debug)]
pub struct Version {
    pub number: u64,
    /// `VersionName`, which is unique within the document.
    pub name: Option<String>,
    /// The text exactly as it was sent.
    pub content: String,
    pub format: Format,
    pub created: f64,
    pub progress: Progress,
}

/// How far the service has come with a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Settled,
    /// Answers show it `left` more times as `shown`, then as Active, or as Failed for the reason given.
    Pending {
        shown: &'static str,
        left: u32,
        failure: Option<String>,
    },
    Failed(String),
}

impl Document {
    /// An active Session document of one version.
    pub fn session(format: Format, content: &str) -> Self {
        let mut document = Self { kind: "Session".to_owned(), versions: Vec::new(), default: 1, next: 1 };
        document.push(format, content.to_owned(), None, 1_600_000_000.0, Progress::Settled);
        document
    }

    /// The same with one more active version; the default stays.
    pub fn with_version(mut self, format: Format, content: &str) -> Self {
        self.push(format, content.to_owned(), None, 1_600_000_000.0, Progress::Settled);
        self
    }

    pub fn push(
        &mut self,
        format: Format,
        content: String,
        name: Option<String>,
        created: f64,
        progress: Progress,
    ) -> u64 {
        let number = self.next;
        self.next += 1;
        self.versions.push(Version { number, name, content, format, created, progress });
        number
    }

    pub fn latest(&self) -> &Version {
        self.versions.last().expect("a document has a version")
    }

    /// The content of the latest version.
    pub fn latest_content(&self) -> &str {
        &self.latest().content
    }

    /// The content of the default version.
    pub fn default_content(&self) -> &str {
        let default = self.versions.iter().find(|version| version.number == self.default);
        &default.expect("the default version exists").content
    }

    /// The version that a request names, and otherwise the default one. A missing one is InvalidDocumentVersion.
    pub fn select(&mut self, version: Option<&str>, name: Option<&str>) -> Result<&mut Version, Refusal> {
        let number = match version {
            None | Some("$DEFAULT") => self.default,
            Some("$LATEST") => self.latest().number,
            Some(number) => version_number(number)?,
        };
        let found = match (name, version) {
            (Some(name), None) => {
                self.versions.iter_mut().find(|version| version.name.as_deref() == Some(name))
            }
            _ => self.versions.iter_mut().find(|version| version.number == number),
        };
        match found {
            Some(found) if name.is_none() || found.name.as_deref() == name => Ok(found),
            _ => Err(no_such_version()),
        }
    }
}

impl Version {
    /// The status and StatusInformation as an answer shows them. Each answer brings a pending version closer to its
    /// final status, so it never becomes Active for a caller that does not poll.
    pub fn show(&mut self) -> (&'static str, Option<String>) {
        if let Progress::Pending { shown, left, failure } = &mut self.progress {
            if *left > 0 {
                *left -= 1;
                return (shown, None);
            }
            self.progress = failure.take().map_or(Progress::Settled, Progress::Failed);
        }
        match &self.progress {
            Progress::Failed(reason) => ("Failed", Some(reason.clone())),
            _ => ("Active", None),
        }
    }

    /// Whether it is Active. This does not count as an answer.
    pub fn is_active(&self) -> bool {
        matches!(self.progress, Progress::Settled | Progress::Pending { left: 0, failure: None, .. })
    }
}

/// A version number as a request writes it. The model's pattern admits no zero and no leading zeros.
pub fn version_number(text: &str) -> Result<u64, Refusal> {
    match text.parse() {
        Ok(number) if !text.starts_with(['0', '+']) => Ok(number),
        _ => Err(Refusal::validation(format!(
            "1 validation error detected: Value '{text}' at 'documentVersion' failed to satisfy \
            constraint: Member must satisfy regular expression pattern: \
            ([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)"
        ))),
    }
}

pub fn no_such_version() -> Refusal {
    Refusal::client("InvalidDocumentVersion", "The document version is not valid or does not exist.")
}
