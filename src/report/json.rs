//! The report as one JSON object. Parts that do not belong to the operation are left out.

use serde::Serialize;
use serde_json::Value;

#[cfg(feature = "cli")]
use super::KeyCallers;
use super::{
    Change, KeyAssessment, KeyList, Matrix, PreflightMode, RegionStatus, Report, ReportHeader, ReportOrigin,
};
use crate::preflight::{Assessment, Finding, Verdict};

/// A report of session-kms: what an operation was asked for, and what it found or did. Parts that do not belong to the
/// operation are left out.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportJson<'a> {
    /// The name of the operation: `check`, `plan`, `apply`, `clear`, `status`, `keys`, `key-report`, `reconcile`,
    /// `release`.
    command: &'a str,
    /// The account whose sessions the report is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    /// The document.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<&'a str>,
    /// The key's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(flatten)]
    origin: Option<OriginJson<'a>>,
    /// The Regions.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    regions: &'a [String],
    /// Whether a finding blocks, a document is not as its record wants it, or a key refuses somebody who needs it.
    fails: bool,
    /// What the report means, in one line.
    summary: String,
    #[serde(flatten)]
    key_assessment: Option<KeyAssessmentJson<'a>>,
    /// The change of the document, planned or done.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ChangeJson<'a>>,
    /// The documents and their keys, by Region.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    status: &'a [RegionStatus],
    /// The keys to choose from, by Region.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    keys: &'a [KeyList],
    /// Whom a key admits, and who uses it.
    #[cfg(feature = "cli")]
    #[serde(skip_serializing_if = "Option::is_none")]
    key_callers: Option<&'a KeyCallers>,
    /// What else the reader should know, one line each.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
}

/// When and by which command a report was made.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct OriginJson<'a> {
    /// When, in UTC, as RFC 3339 writes it: `2026-03-01T12:00:00Z`.
    generated_at: &'a str,
    /// The version of session-kms.
    version: &'a str,
    /// The ARN of whoever asked AWS. It is absent if AWS was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    /// The command, with words quoted for a shell and without secrets.
    command_line: &'a str,
}

/// What the checks found about a key, and which findings block.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct KeyAssessmentJson<'a> {
    /// The mode, which says which findings block.
    mode: PreflightMode,
    /// Whether a finding blocks.
    blocks: bool,
    /// The findings that block.
    blocking: Vec<&'a Finding>,
    /// How many principals can use the key.
    principals: PrincipalCounts,
    #[serde(flatten)]
    assessment: &'a Assessment,
    /// The key policy, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_policy: Option<&'a Value>,
}

/// How many principals can use a key.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct PrincipalCounts {
    /// Those who can.
    pass: usize,
    /// Those who cannot.
    fail: usize,
    /// Those of whom it is not known.
    unknown: usize,
}

/// A change of the document, planned or done.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct ChangeJson<'a> {
    #[serde(flatten)]
    change: &'a Change,
    /// Whether something differs.
    differs: bool,
    /// The change as a unified diff of the one field.
    diff: String,
}

/// The report as a value.
pub(super) fn value(report: &Report) -> Value {
    serde_json::to_value(ReportJson::of(report)).unwrap_or_default()
}

impl<'a> ReportJson<'a> {
    fn of(report: &'a Report) -> Self {
        let ReportHeader { command, account, regions, document, key, origin } = &report.header;
        Self {
            command,
            account: account.as_deref(),
            document: document.as_deref(),
            key: key.as_deref(),
            origin: origin.as_ref().map(OriginJson::of),
            regions,
            fails: report.fails(),
            summary: report.headline().text,
            key_assessment: report.key_assessment.as_ref().map(KeyAssessmentJson::of),
            change: report.change.as_ref().map(ChangeJson::of),
            status: &report.status,
            keys: &report.keys,
            #[cfg(feature = "cli")]
            key_callers: report.key_callers.as_ref(),
            notes: &report.notes,
        }
    }
}

impl<'a> OriginJson<'a> {
    fn of(origin: &'a ReportOrigin) -> Self {
        let ReportOrigin { generated_at, version, caller, command_line } = origin;
        Self { generated_at, version, caller: caller.as_deref(), command_line }
    }
}

impl<'a> KeyAssessmentJson<'a> {
    fn of(key_assessment: &'a KeyAssessment) -> Self {
        let matrix = Matrix::of(key_assessment);
        let count = |verdict| matrix.count(verdict);
        let blocking: Vec<_> = key_assessment.blocking().collect();
        Self {
            mode: key_assessment.mode,
            blocks: !blocking.is_empty(),
            blocking,
            principals: PrincipalCounts {
                pass: count(Verdict::Pass) + count(Verdict::Warning),
                fail: count(Verdict::Fail),
                unknown: count(Verdict::Unknown),
            },
            assessment: &key_assessment.assessment,
            key_policy: key_assessment.key_policy.as_ref(),
        }
    }
}

impl<'a> ChangeJson<'a> {
    fn of(change: &'a Change) -> Self {
        let lines: Vec<_> = change.diff().into_iter().map(|(_, line)| line).collect();
        Self { change, differs: !change.is_empty(), diff: lines.join("\n") }
    }
}
