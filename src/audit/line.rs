//! One line of an audit: what is so in one account and Region, or why it could not be looked at.

use serde::{Deserialize, Serialize};

use crate::access::CallerKind;
use crate::preflight::{Check, Finding, Verdict};

/// An account and a Region, with what AWS Organizations says of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditedPlace {
    /// The account's id.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The account's name in AWS Organizations, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The path of names from the root to the account's organizational unit, such as `Root/Workloads/Production`, if it
    /// was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<String>,
}

/// What an audit found in one account and Region. One line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditLine {
    /// Where.
    #[serde(flatten)]
    pub place: AuditedPlace,
    /// When, in UTC, as RFC 3339 writes it: `2026-03-01T12:00:00Z`.
    pub audited_at: String,
    /// What counts most.
    pub state: AuditState,
    /// Why the account and Region could not be looked at. Everything below is empty then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<Unreadable>,
    /// The preferences document; `None` if there is none.
    pub document: Option<AuditedDocument>,
    /// Who owns the document, as the record says; `None` if nobody does.
    pub owner: Option<String>,
    /// The key that the owner wants, empty for encryption off; `None` without an owner.
    pub wanted: Option<String>,
    /// Whether the document does not have the key that its owner wants.
    pub drifted: bool,
    /// The keys that the document has: that of its latest version, then that of its default version if it differs.
    pub keys: Vec<AuditedKey>,
    /// Who needs a key of the document and cannot use it, exempt principals aside.
    pub locked_out: Vec<LockedOut>,
    /// The worst verdict on the way of the nodes to KMS; `None` if it was not checked.
    pub network: Option<Verdict>,
    /// What is wrong with document, record and key, one line each.
    pub problems: Vec<String>,
    /// What could not be found out, one line each.
    pub unknown: Vec<String>,
    /// The findings of the checks that did not simply pass, the heaviest first.
    pub findings: Vec<AuditFinding>,
    /// How many findings more there are than are listed, because a line has a limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub findings_left_out: usize,
}

/// What counts most of an account and Region. The order of the variants is the order of their weight: the heaviest one
/// comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum AuditState {
    /// Sessions are encrypted, and nobody is locked out.
    Encrypted,
    /// Sessions are encrypted, and something about it could not be found out.
    Unknown,
    /// Sessions are not encrypted, and nobody wants them to be; or there is no document. So it is, too, if only one of the
    /// two versions that sessions may use has a key.
    Unencrypted,
    /// The document does not have the key that its owner wants.
    Drifted,
    /// Sessions are encrypted, and somebody who needs the key cannot use it; or another check fails, such as that of the
    /// nodes' agents or of their way to KMS.
    LockedOut,
    /// Every session fails, because the key cannot be used.
    SessionsFail,
    /// It could not be looked at.
    Unreadable,
}

/// Why an account and Region could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Unreadable {
    /// The kind of reason.
    pub reason: UnreadableReason,
    /// One line: what was tried, on what, what AWS said, and what to do.
    pub message: String,
}

/// The kinds of reasons why an account and Region could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum UnreadableReason {
    /// The Region is not enabled in the account.
    RegionNotEnabled,
    /// The audit role may not be assumed: it is not there, or its trust policy refuses. AWS does not say which.
    RoleNotAssumed,
    /// A permission is missing, or a service control policy denies.
    Denied,
    /// AWS throttled to the end.
    Throttled,
    /// AWS did not answer, or with an error of its own.
    Failed,
}

/// The preferences document of an account and Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditedDocument {
    /// Its name.
    pub name: String,
    /// The number of its latest version.
    pub latest: u64,
    /// The number of its default version.
    pub default: u64,
    /// `inputs.kmsKeyId` of the latest version; empty for no encryption.
    pub kms_key_id: String,
    /// `inputs.kmsKeyId` of the default version, if it differs from that of the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_kms_key_id: Option<String>,
}

/// A key that a document has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditedKey {
    /// The key as the document names it.
    pub kms_key_id: String,
    /// Its ARN, if it could be described.
    pub arn: Option<String>,
    /// The account that it belongs to, if that is known.
    pub account: Option<String>,
    /// Whether it can encrypt sessions; `None` if that could not be found out.
    pub is_fit: Option<bool>,
    /// Why it cannot, or why that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Somebody who needs a key and cannot use it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LockedOut {
    /// The ARN of the role or user.
    pub principal: String,
    /// As what it needs the key.
    pub side: CallerKind,
}

/// One check's answer that is no simple pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditFinding {
    /// The check.
    pub check: Check,
    /// Its answer.
    pub verdict: Verdict,
    /// What it is about: a key's ARN, a document, a principal.
    pub subject: String,
    /// What was seen, one line.
    pub evidence: String,
    /// What to do, if something is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// As what the subject needs the key, if it is a principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<CallerKind>,
    /// Whether the subject is exempt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exempt: bool,
}

impl AuditLine {
    /// The line of an account and Region that could not be looked at.
    #[must_use]
    pub fn unreadable(place: AuditedPlace, audited_at: String, unreadable: Unreadable) -> Self {
        Self {
            place,
            audited_at,
            state: AuditState::Unreadable,
            unreadable: Some(unreadable),
            document: None,
            owner: None,
            wanted: None,
            drifted: false,
            keys: Vec::new(),
            locked_out: Vec::new(),
            network: None,
            problems: Vec::new(),
            unknown: Vec::new(),
            findings: Vec::new(),
            findings_left_out: 0,
        }
    }
}

impl From<Finding> for AuditFinding {
    fn from(finding: Finding) -> Self {
        let Finding { check, verdict, subject, evidence, remedy, side, exempt, .. } = finding;
        Self { check, verdict, subject, evidence, remedy, side, exempt }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
