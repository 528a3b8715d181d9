//! The report as JSON: one object, parts that do not belong to the command left out.

use serde_json::{Map, Value, json};

use super::{Judged, Matrix, Report};
use crate::preflight::Verdict;

/// The report as a value.
pub(super) fn value(report: &Report) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    let asked = &report.asked;
    put("command", asked.command.clone().into());
    for (name, value) in [("account", &asked.account), ("document", &asked.document), ("key", &asked.key)] {
        if let Some(value) = value {
            put(name, value.clone().into());
        }
    }
    if !asked.regions.is_empty() {
        put("regions", asked.regions.clone().into());
    }
    let headline = report.headline();
    put("fails", report.fails().into());
    put("summary", headline.text.into());
    if let Some(judged) = &report.judged {
        for (name, value) in of_judged(judged) {
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
    if !report.notes.is_empty() {
        put("notes", report.notes.clone().into());
    }
    Value::Object(object)
}

fn of_judged(judged: &Judged) -> Map<String, Value> {
    let matrix = Matrix::of(judged);
    let count = |verdict| matrix.count(verdict);
    let blocking: Vec<_> = judged.blocking().collect();
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("mode", serde_json::to_value(judged.mode).unwrap_or_default());
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
    if let Ok(Value::Object(assessment)) = serde_json::to_value(&judged.assessment) {
        object.extend(assessment);
    }
    if let Some(policy) = &judged.key_policy {
        object.insert("keyPolicy".to_owned(), policy.clone());
    }
    object
}
