//! The report as one JSON object. Parts that do not belong to the operation are left out.

use serde_json::{Map, Value, json};

use super::{KeyAssessment, Matrix, Report};
use crate::preflight::Verdict;

/// The report as a value.
pub(super) fn value(report: &Report) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    let header = &report.header;
    put("command", header.command.clone().into());
    for (name, value) in [("account", &header.account), ("document", &header.document), ("key", &header.key)]
    {
        if let Some(value) = value {
            put(name, value.clone().into());
        }
    }
    if let Some(origin) = &header.origin {
        put("generatedAt", origin.generated_at.clone().into());
        put("version", origin.version.clone().into());
        if let Some(caller) = &origin.caller {
            put("caller", caller.clone().into());
        }
        put("commandLine", origin.command_line.clone().into());
    }
    if !header.regions.is_empty() {
        put("regions", header.regions.clone().into());
    }
    let headline = report.headline();
    put("fails", report.fails().into());
    put("summary", headline.text.into());
    if let Some(key_assessment) = &report.key_assessment {
        for (name, value) in of_key_assessment(key_assessment) {
            put(&name, value);
        }
    }
    if let Some(change) = &report.change {
        let mut value = serde_json::to_value(change).unwrap_or_default();
        if let Value::Object(change_value) = &mut value {
            let lines: Vec<_> = change.diff().into_iter().map(|(_, line)| line).collect();
            change_value.insert("differs".to_owned(), (!change.is_empty()).into());
            change_value.insert("diff".to_owned(), lines.join("\n").into());
        }
        put("change", value);
    }
    if !report.status.is_empty() {
        put("status", serde_json::to_value(&report.status).unwrap_or_default());
    }
    if !report.keys.is_empty() {
        put("keys", serde_json::to_value(&report.keys).unwrap_or_default());
    }
    #[cfg(feature = "cli")]
    if let Some(key_callers) = &report.key_callers {
        put("keyCallers", serde_json::to_value(key_callers).unwrap_or_default());
    }
    if !report.notes.is_empty() {
        put("notes", report.notes.clone().into());
    }
    Value::Object(object)
}

fn of_key_assessment(key_assessment: &KeyAssessment) -> Map<String, Value> {
    let matrix = Matrix::of(key_assessment);
    let count = |verdict| matrix.count(verdict);
    let blocking: Vec<_> = key_assessment.blocking().collect();
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("mode", serde_json::to_value(key_assessment.mode).unwrap_or_default());
    put("blocks", (!blocking.is_empty()).into());
    put("blocking", serde_json::to_value(blocking).unwrap_or_default());
    put(
        "principals",
        json!({
            "pass": count(Verdict::Pass) + count(Verdict::Warning),
            "fail": count(Verdict::Fail),
            "unknown": count(Verdict::Unknown),
        }),
    );
    if let Ok(Value::Object(assessment)) = serde_json::to_value(&key_assessment.assessment) {
        object.extend(assessment);
    }
    if let Some(policy) = &key_assessment.key_policy {
        object.insert("keyPolicy".to_owned(), policy.clone());
    }
    object
}
