//! One report value and its formats, text, JSON, Markdown, HTML and, on the command line, SARIF, with one file a format.
//!
//! This module is pure. A report holds keys, principals, statements and verdicts. Of a document it holds one field and
//! the numbers of its versions, and never other content. Each format escapes whatever comes from outside.

mod change;
pub(crate) mod escape;
#[cfg(feature = "cli")]
mod explanations;
mod headline;
mod html;
mod json;
#[cfg(feature = "cli")]
mod key_callers;
mod keys;
mod markdown;
mod matrix;
#[cfg(feature = "cli")]
mod policy_source;
#[cfg(feature = "cli")]
mod sarif;
mod status;
mod text;
mod words;

use std::cmp::Reverse;

use serde_json::Value;

pub use change::{Change, VersionSummary};
#[cfg(feature = "cli")]
pub use explanations::{CHECKS, Explanation};
pub use headline::Headline;
#[cfg(feature = "cli")]
pub(crate) use json::ReportJson;
#[cfg(feature = "cli")]
pub use key_callers::{
    AccountAdmission, AccountUse, CallAdmission, CallerAdmission, KeyCallers, KeyUse, ListedCaller,
    ListedRule, NamedAs, RefusedPrincipal,
};
pub use keys::{KeyList, ListedKey};
pub use matrix::{Cell, Matrix, Row};
#[cfg(feature = "cli")]
pub use policy_source::{PolicySource, SourcePlace};
pub use status::RegionStatus;

use crate::intent::PreflightMode;
use crate::preflight::{Assessment, Finding, Remedies};

/// What an operation was asked for and what it found or did. Parts that do not belong to the operation are empty.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the operation was asked for.
    pub header: ReportHeader,
    /// What the checks found about the key.
    pub key_assessment: Option<KeyAssessment>,
    /// The change of the document, planned or done.
    pub change: Option<Change>,
    /// The documents and their keys, by Region.
    pub status: Vec<RegionStatus>,
    /// The keys to choose from, by Region.
    pub keys: Vec<KeyList>,
    /// Whom a key admits, and who uses it. Only the command line asks for it.
    #[cfg(feature = "cli")]
    pub key_callers: Option<KeyCallers>,
    /// Where the checked key policy stands, if it was read from a file. No JSON report holds it.
    #[cfg(feature = "cli")]
    pub policy_source: Option<PolicySource>,
    /// What else the reader should know, one line each.
    pub notes: Vec<String>,
}

/// What an operation was asked for: the head of its report.
#[derive(Clone, Debug, Default)]
pub struct ReportHeader {
    /// The name of the operation: `check`, `plan`, `apply`, `clear`, `status`, `keys`, `key-report`,
    /// `reconcile`.
    pub command: String,
    /// The account whose sessions the report is about.
    pub account: Option<String>,
    /// The Regions.
    pub regions: Vec<String>,
    /// The document.
    pub document: Option<String>,
    /// The key's ARN.
    pub key: Option<String>,
    /// Where the report comes from, if a command made it.
    pub origin: Option<ReportOrigin>,
}

/// When and by which command a report was made.
#[derive(Clone, Debug, Default)]
pub struct ReportOrigin {
    /// When, in UTC, as RFC 3339 writes it: `2026-03-01T12:00:00Z`.
    pub generated_at: String,
    /// The version of session-kms.
    pub version: String,
    /// The ARN of whoever asked AWS; `None` if AWS was not asked.
    pub caller: Option<String>,
    /// The command, with words quoted for a shell and without secrets.
    pub command_line: String,
}

impl ReportOrigin {
    /// The origin as names and values for people, in the order in which they are shown.
    fn facts(&self) -> Vec<(&'static str, String)> {
        // 2026-03-01T12:00:00Z is 2026-03-01 12:00:00 UTC.
        let made = self.generated_at.replace('T', " ").replace('Z', " UTC");
        let mut facts = vec![("made", format!("{made}, by session-kms {}", self.version))];
        facts.extend(self.caller.clone().map(|caller| ("caller", caller)));
        facts.push(("command", self.command_line.clone()));
        facts
    }
}

/// What the checks found about a key, and which findings block.
#[derive(Clone, Debug)]
pub struct KeyAssessment {
    /// The mode, which says which findings block.
    pub mode: PreflightMode,
    /// The findings.
    pub assessment: Assessment,
    /// The key policy, from which the HTML report shows the statements that decided.
    pub key_policy: Option<Value>,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportFormat {
    /// For a terminal.
    Text {
        /// Whether escape sequences for colour may be written.
        colour: bool,
    },
    /// For programs: one JSON object.
    #[default]
    Json,
    /// For the comment on a pull request.
    Markdown,
    /// For a browser: one file that loads nothing else.
    Html,
    /// For services that show findings at the lines of a pull request: SARIF 2.1.0. Only findings are in it.
    #[cfg(feature = "cli")]
    Sarif,
}

impl Report {
    /// The report in a format. It ends with one line end.
    #[must_use]
    pub fn render(&self, format: ReportFormat) -> String {
        let mut text = match format {
            ReportFormat::Text { colour } => text::render(self, colour),
            ReportFormat::Json => format!("{:#}", self.to_value()),
            ReportFormat::Markdown => markdown::render(self),
            ReportFormat::Html => html::render(self),
            #[cfg(feature = "cli")]
            ReportFormat::Sarif => format!("{:#}", sarif::value(self)),
        };
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json::value(self)
    }

    /// The findings that block in the report's mode.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.key_assessment.iter().flat_map(KeyAssessment::blocking)
    }

    /// Whether a finding blocks, a document is not as its record wants it, or a key refuses somebody who needs it.
    #[must_use]
    pub fn fails(&self) -> bool {
        #[cfg(feature = "cli")]
        if self.key_callers.as_ref().is_some_and(KeyCallers::fails) {
            return true;
        }
        self.blocking().next().is_some() || self.status.iter().any(RegionStatus::fails)
    }
}

impl KeyAssessment {
    /// The findings that block.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.assessment.findings.iter().filter(|finding| self.mode.blocks(finding))
    }

    /// Whether there is something that would let somebody in: a statement, a policy, a change of a resource.
    fn has_remedies(&self) -> bool {
        let Remedies { key_policy_statements, identity_policies, resources } = &self.assessment.remedies;
        !(key_policy_statements.is_empty() && identity_policies.is_empty() && resources.is_empty())
    }

    /// The findings: first those that block, last those of exempt principals, and of each the heaviest first.
    fn by_weight(&self) -> Vec<&Finding> {
        let mut findings: Vec<_> = self.assessment.findings.iter().collect();
        findings.sort_by_key(|finding| {
            let exempt = finding.exempt;
            (!self.mode.blocks(finding), exempt, Reverse(finding.verdict))
        });
        findings
    }
}
