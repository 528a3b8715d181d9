//! Findings in the AWS Security SecurityFinding Format, of Security Hub CSPM.

use serde_json::Value;

use super::{SecurityFinding, text};
use crate::event::log_safe;

/// The findings of an event.
pub(super) fn findings(detail: &Value) -> Vec<SecurityFinding<'_>> {
    let findings = detail.get("findings").and_then(Value::as_array);
    findings.into_iter().flatten().map(finding).collect()
}

fn finding(finding: &Value) -> SecurityFinding<'_> {
    let word = |pointer: &str| text(finding, pointer).unwrap_or_default();
    let compliance = word("/Compliance/Status");
    let resources = finding.get("Resources").and_then(Value::as_array);
    SecurityFinding {
        title: log_safe::log_safe_text(finding.get("Title")),
        is_open: word("/RecordState") != "ARCHIVED"
            && compliance != "PASSED"
            && !["RESOLVED", "SUPPRESSED"].contains(&word("/Workflow/Status")),
        is_failed_check: compliance == "FAILED",
        account: text(finding, "/AwsAccountId"),
        region: text(finding, "/Region"),
        resources: resources
            .into_iter()
            .flatten()
            .filter_map(|resource| resource.get("Id")?.as_str())
            .collect(),
    }
}
