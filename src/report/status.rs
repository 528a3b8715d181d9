//! What is there in one Region: the document, its key, its owner.

use serde::Serialize;

use super::change::VersionSummary;
use crate::preflight::Verdict;

/// What is there in one Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionStatus {
    /// The Region.
    pub region: String,
    /// The document.
    pub document: String,
    /// Its versions; `None` where there is no document.
    pub versions: Option<VersionSummary>,
    /// `inputs.kmsKeyId` of the default version, where it differs from the latest one's.
    pub default_kms_key_id: Option<String>,
    /// Who owns the document; `None` for nobody.
    pub owner: Option<String>,
    /// The key that the owner wants; empty for encryption off.
    pub wanted: Option<String>,
    /// What is not as it should be, one line each.
    pub problems: Vec<String>,
}

impl RegionStatus {
    /// Whether something is not as it should be.
    #[must_use]
    pub fn fails(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Whether sessions are encrypted with a key.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.versions.as_ref().is_some_and(|versions| !versions.kms_key_id.is_empty())
    }

    /// It in one verdict, and in words: no encryption that nobody wants otherwise is worth knowing.
    pub(super) fn verdict(&self) -> (Verdict, &'static str) {
        match (self.fails(), self.is_encrypted()) {
            (true, _) => (Verdict::Fail, "not as wanted"),
            (false, true) => (Verdict::Pass, "encrypted"),
            (false, false) => (Verdict::Warning, "not encrypted"),
        }
    }

    /// The key, or that there is none.
    pub(super) fn key(&self) -> &str {
        match &self.versions {
            None => "no document: sessions are not encrypted with a key",
            Some(versions) if versions.kms_key_id.is_empty() => "not encrypted with a key",
            Some(versions) => &versions.kms_key_id,
        }
    }
}
