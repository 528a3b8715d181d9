//! What was done to a document is told by one of the deliveries, whatever cut the first of them off.

use serde_json::Value;

use super::stage::{Delivery, Stage};

/// What no delivery of a remediation has told. The first delivery may have ended in an error, so that Lambda delivered
/// the event again; the last one is the schedule's.
pub fn untold(stage: &Stage, baseline: &Delivery, deliveries: &[&Delivery]) -> Vec<String> {
    let reports: Vec<_> = deliveries
        .iter()
        .filter_map(|delivery| delivery.report())
        .filter(|report| report["command"] == "event")
        .collect();
    let mut problems = Vec::new();
    let told = |is: &dyn Fn(&Value) -> bool| reports.iter().any(|report| is(report));
    let drifted = baseline.report().is_some_and(has_drift);
    if deliveries.iter().any(|delivery| delivery.wrote()) {
        if !told(&|report| report["changed"] == true && (!drifted || has_drift(report))) {
            problems.push("no delivery says that the document was changed, and what had drifted".to_owned());
        }
        if !stage.start_has_document()
            && !told(&|report| report["alerts"].to_string().contains("created again"))
        {
            problems.push("no delivery says that the document is created again".to_owned());
        }
        problems.extend(uncounted(deliveries, "DriftRepaired"));
    }
    if drifted {
        problems.extend(uncounted(deliveries, "DriftFound"));
    }
    if baseline.is_alert() && !told(&|report| report["alert"] == true) {
        problems.push("no delivery alerts".to_owned());
    }
    problems
}

fn has_drift(report: &Value) -> bool {
    let mut documents = report["documents"].as_array().into_iter().flatten();
    documents.any(|document| document["drift"].as_array().is_some_and(|drift| !drift.is_empty()))
}

/// A metric that no delivery has counted.
fn uncounted(deliveries: &[&Delivery], metric: &str) -> Option<String> {
    let lines = deliveries.iter().flat_map(|delivery| &delivery.metrics);
    let sum: u64 = lines.filter_map(|line| line[metric].as_u64()).sum();
    (sum == 0).then(|| format!("no delivery counts {metric}"))
}
