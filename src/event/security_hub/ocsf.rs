//! Findings in the Open Cybersecurity Schema Framework (OCSF), of Security Hub. The classes of findings share the fields
//! that are read here; `compliance` is part of compliance findings (class 2003) only.
//!
//! AWS documents events whose detail has one finding in the list `findings`. A detail that is the finding itself is
//! read as well.

use serde_json::Value;

use super::{SecurityFinding, text};
use crate::event::log_safe;

/// The findings of an event.
pub(super) fn findings(detail: &Value) -> Vec<SecurityFinding<'_>> {
    match detail.get("findings") {
        Some(Value::Array(findings)) => findings.iter().map(finding).collect(),
        Some(one @ Value::Object(_)) => vec![finding(one)],
        _ if ["finding_info", "class_uid", "resources"].iter().any(|name| detail.get(name).is_some()) => {
            vec![finding(detail)]
        }
        _ => Vec::new(),
    }
}

fn finding(finding: &Value) -> SecurityFinding<'_> {
    let check = check(finding);
    let title = ["/finding_info/title", "/finding_info/uid"];
    let resources = match finding.get("resources") {
        Some(Value::Array(resources)) => resources.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    SecurityFinding {
        title: title.iter().find_map(|pointer| log_safe::log_safe_text(finding.pointer(pointer))),
        is_open: !is_settled(finding) && check != ComplianceResult::Passed,
        is_failed_check: check == ComplianceResult::Failed,
        account: text(finding, "/cloud/account/uid"),
        region: text(finding, "/cloud/region"),
        resources: resources.iter().filter_map(|resource| text(resource, "/uid")).collect(),
    }
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ComplianceResult {
    Passed,
    Failed,
    /// A warning, no result, or a finding that is no check.
    Other,
}

/// The result by its word or, if there is no word that is known, by its number.
fn check(finding: &Value) -> ComplianceResult {
    let word = word(finding, "/compliance/status");
    match (word.as_str(), number(finding, "/compliance/status_id")) {
        ("pass" | "passed", _) => ComplianceResult::Passed,
        ("fail" | "failed", _) => ComplianceResult::Failed,
        ("warning" | "unknown", _) => ComplianceResult::Other,
        (_, Some(1)) => ComplianceResult::Passed,
        (_, Some(3)) => ComplianceResult::Failed,
        _ => ComplianceResult::Other,
    }
}

/// Whether somebody or something has settled the finding: by its word or, if there is no word that is known, by its
/// number. An unknown state may be open.
fn is_settled(finding: &Value) -> bool {
    let word = word(finding, "/status");
    match (word.as_str(), number(finding, "/status_id")) {
        ("suppressed" | "resolved" | "archived" | "deleted" | "closed", _) => true,
        ("new" | "in progress" | "in_progress" | "notified", _) => false,
        // Suppressed, resolved, archived, deleted.
        (_, Some(3..=6)) => true,
        _ => false,
    }
}

/// A word in lower case; an empty text if there is none.
fn word(finding: &Value, pointer: &str) -> String {
    text(finding, pointer).unwrap_or_default().trim().to_ascii_lowercase()
}

/// A whole number, which may stand as a text.
fn number(finding: &Value, pointer: &str) -> Option<u64> {
    match finding.pointer(pointer)? {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }
}
