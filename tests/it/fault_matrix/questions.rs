//! What a question finds while AWS has a fault: nothing that is unknown passes, and nothing that could not be read fails.

use std::collections::BTreeSet;

use serde_json::Value;

use super::faults::Kind;
use super::flow::FlowEvent;
use super::stage::{Delivery, Stage};

/// Answers that are better, or worse, than the facts allow.
pub fn false_answers(stage: &Stage, baseline: &Delivery, delivery: &Delivery, kind: Kind) -> Vec<String> {
    match (stage.flow.event, baseline.report(), delivery.report()) {
        (FlowEvent::Rule(_), Some(known), Some(report)) => false_compliance(known, report),
        (FlowEvent::Call(_), Some(known), Some(report)) => false_findings(known, report, kind),
        _ => Vec::new(),
    }
}

/// AWS Config is told that a document complies only if it does.
fn false_compliance(known: &Value, report: &Value) -> Vec<String> {
    let is_false = report["compliance"] == "COMPLIANT" && known["compliance"] != "COMPLIANT";
    if is_false { vec!["it does not comply".to_owned()] } else { Vec::new() }
}

fn false_findings(known: &Value, report: &Value, kind: Kind) -> Vec<String> {
    let mut problems = Vec::new();
    let more = |verdict: &str| {
        let known = findings(known, verdict);
        findings(report, verdict).into_iter().find(|finding| !known.contains(finding))
    };
    if let Some(finding) = more("pass") {
        problems.push(format!("this passes only because of the fault: {finding}"));
    }
    // A refusal is an answer: a dry run that is denied says that the key's policy refuses the call.
    let is_answer = matches!(kind, Kind::DeniedOnce | Kind::Denied | Kind::NotFoundOnce | Kind::ConflictOnce);
    if let (Some(finding), false) = (more("fail"), is_answer) {
        problems.push(format!("this fails only because of the fault: {finding}"));
    }
    if report["fails"] == false && known["fails"] == true && kind.is_absorbed() {
        problems.push("the report does not fail".to_owned());
    }
    problems
}

/// The checks and subjects with this verdict.
fn findings(report: &Value, verdict: &str) -> BTreeSet<String> {
    let findings = report["findings"].as_array().into_iter().flatten();
    let of_verdict = findings.filter(|finding| finding["verdict"] == verdict);
    of_verdict
        .map(|finding| format!("{} {} {}", finding["check"], finding["subject"], finding["side"]))
        .collect()
}
