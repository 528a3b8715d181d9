//! One report value, and its four formats: text, JSON, Markdown, HTML; one file each.
//!
//! Pure. A report holds keys, principals, statements and verdicts. Of a document it holds one field and the
//! numbers of its versions, never other content. Whatever comes from outside is escaped as its format asks.

mod change;
mod escape;
mod headline;
mod html;
mod json;
mod keys;
mod markdown;
mod matrix;
mod status;
mod text;
mod words;

use std::fmt::Write as _;

use serde_json::Value;

pub use change::{Change, Version};
pub use headline::Headline;
pub use keys::{KeyList, ListedKey};
pub use matrix::{Cell, Matrix, Row};
pub use status::Status;

use crate::intent::Mode;
use crate::preflight::{Assessment, Finding};

/// What was asked and what came of it. Parts that do not belong to a command are empty.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was asked.
    pub asked: Asked,
    /// What the checks say of the key.
    pub judged: Option<Judged>,
    /// The change of the document, to come or done.
    pub change: Option<Change>,
    /// What is there, by Region.
    pub status: Vec<Status>,
    /// The keys to choose from, by Region.
    pub keys: Vec<KeyList>,
    /// What else to know, one line each.
    pub notes: Vec<String>,
}

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The command: `check`, `plan`, `apply`, `clear`, `status`, `keys`.
    pub command: String,
    /// The account whose sessions it is about.
    pub account: Option<String>,
    /// The Regions.
    pub regions: Vec<String>,
    /// The document.
    pub document: Option<String>,
    /// The key, by its ARN where that is known.
    pub key: Option<String>,
}

/// What the checks say of a key, and how much that weighs.
#[derive(Clone, Debug)]
pub struct Judged {
    /// How much findings weigh.
    pub mode: Mode,
    /// The findings.
    pub assessment: Assessment,
    /// The key's policy, to show the statements that decided.
    pub key_policy: Option<Value>,
}

/// The formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For a terminal, with colour where asked.
    Text {
        /// Whether escape sequences for colour may be written.
        colour: bool,
    },
    /// For programs: one object.
    #[default]
    Json,
    /// For the comment on a pull request.
    Markdown,
    /// One file that loads nothing else.
    Html,
}

impl Report {
    /// The report in a format, with a line end at its end.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        let mut text = match format {
            Format::Text { colour } => text::render(self, colour),
            Format::Json => {
                let mut text = String::new();
                // Writing to a String cannot fail.
                let _ = write!(text, "{:#}", self.to_value());
                text
            }
            Format::Markdown => markdown::render(self),
            Format::Html => html::render(self),
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

    /// The findings that block, in the mode asked.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.judged.iter().flat_map(Judged::blocking)
    }

    /// Whether something is wrong: a finding blocks, or a document is not as its record wants it.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.blocking().next().is_some() || self.status.iter().any(Status::fails)
    }
}

impl Judged {
    /// The findings that block.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.assessment.findings.iter().filter(|finding| self.mode.blocks(finding))
    }

    /// Whether there is something to do for those who fail.
    fn has_remedies(&self) -> bool {
        let remedies = &self.assessment.remedies;
        !remedies.key_policy_statements.is_empty() || !remedies.identity_policies.is_empty()
    }

    /// The findings, what weighs most first.
    fn by_weight(&self) -> Vec<&Finding> {
        let mut findings: Vec<_> = self.assessment.findings.iter().collect();
        findings.sort_by_key(|finding| {
            let exempt = finding.exempt;
            (!self.mode.blocks(finding), exempt, matrix::Weight::of(finding.verdict))
        });
        findings
    }
}
