//! The status of the document in one Region: its key, its owner and what is wrong.

use serde::Serialize;

use super::change::VersionSummary;
use crate::preflight::Verdict;

/// The status of the document in one Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RegionStatus {
    /// The Region.
    pub region: String,
    /// The document.
    pub document: String,
    /// The document's versions; `None` if there is no document.
    pub versions: Option<VersionSummary>,
    /// `inputs.kmsKeyId` of the default version, if it differs from that of the latest version.
    pub default_kms_key_id: Option<String>,
    /// The owner of the document; `None` if nobody owns it.
    pub owner: Option<String>,
    /// The key that the owner wants; empty if it wants encryption off.
    pub wanted: Option<String>,
    /// Whether every session fails now, because a key that the document has cannot be used.
    pub sessions_fail: bool,
    /// What is not as wanted, one line each.
    pub problems: Vec<String>,
    /// What could not be found out, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

impl RegionStatus {
    /// Whether something is not as wanted.
    #[must_use]
    pub fn fails(&self) -> bool {
        !self.problems.is_empty()
    }

    /// What is not as wanted and what is unknown, each as its verdict and a line.
    pub(super) fn lines(&self) -> impl Iterator<Item = (Verdict, &str)> {
        let problems = self.problems.iter().map(|problem| (Verdict::Fail, problem.as_str()));
        problems.chain(self.unknown.iter().map(|unknown| (Verdict::Unknown, unknown.as_str())))
    }

    /// Whether sessions are encrypted with a key.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.versions.as_ref().is_some_and(|versions| !versions.kms_key_id.is_empty())
    }

    /// The status as a verdict and in words. It is a warning if sessions are not encrypted and nobody wants them to be.
    pub(super) fn verdict(&self) -> (Verdict, &'static str) {
        match (self.fails(), self.is_encrypted()) {
            (true, _) if self.sessions_fail => (Verdict::Fail, "sessions fail"),
            (true, _) => (Verdict::Fail, "not as wanted"),
            (false, _) if !self.unknown.is_empty() => (Verdict::Unknown, "not known whether the key works"),
            (false, true) => (Verdict::Pass, "encrypted"),
            (false, false) => (Verdict::Warning, "not encrypted"),
        }
    }

    /// The key, or words that say that there is none.
    pub(super) fn key(&self) -> &str {
        match &self.versions {
            None => "no document: sessions are not encrypted with a key",
            Some(versions) if versions.kms_key_id.is_empty() => "not encrypted with a key",
            Some(versions) => &versions.kms_key_id,
        }
    }
}
