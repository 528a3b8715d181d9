//! What must be true of each delivery, whatever fails. Each function returns what is not.

use serde_json::{Value, json};

use super::faults::CallId;
use super::stage::{Delivery, EXTERNAL_ID, RESULT_TOKEN, Stage};
use crate::fixture::{NAME, SECRET, but_for_key, key_in, settings};

/// What writes the document.
const DOCUMENT_WRITES: [&str; 3] = ["CreateDocument", "UpdateDocument", "UpdateDocumentDefaultVersion"];

impl Delivery {
    /// The report, if the function returned one.
    pub fn report(&self) -> Option<&Value> {
        self.handled.as_ref()?.as_ref().ok()
    }

    /// Whether the function returned a report that asks somebody to act.
    pub fn is_alert(&self) -> bool {
        self.report().is_some_and(|report| report["alert"] == true)
    }

    /// Whether the report is one of a remediation.
    pub fn is_remediation(&self) -> bool {
        self.report().is_some_and(|report| report["command"] == "event")
    }

    /// Whether the document was written.
    pub fn wrote(&self) -> bool {
        self.calls.iter().any(|call| call.executed && DOCUMENT_WRITES.contains(&call.operation.as_str()))
    }

    /// The outcome in short.
    pub fn outcome(&self) -> String {
        let handled = match &self.handled {
            None => "Lambda ended the function".to_owned(),
            Some(Ok(Value::Null)) => String::new(),
            Some(Ok(report)) => in_short(report),
            Some(Err(error)) => format!("error: {error}"),
        };
        let responses = self.responses.iter().map(|response| match response.success {
            true => format!("SUCCESS {}", Value::from(response.data.clone())),
            false => format!("FAILED: {}", response.reason),
        });
        format!("{handled}{} [{}]", responses.collect::<Vec<_>>().join(" and "), self.state)
    }

    /// Everything that leaves the function.
    fn told(&self) -> String {
        let responses: String = self.responses.iter().map(|response| response.body.as_str()).collect();
        let metrics: String = self.metrics.iter().map(Value::to_string).collect();
        format!("{:?} {responses} {metrics} {}", self.handled, self.logs)
    }
}

/// A report without what says nothing of its outcome.
fn in_short(report: &Value) -> String {
    if report["command"] != "event" {
        return report.to_string().chars().take(600).collect();
    }
    let documents = report["documents"].as_array().into_iter().flatten();
    let documents: Vec<_> =
        documents.map(|document| json!([document["result"], document["drift"], document["notes"]])).collect();
    json!({"alerts": report["alerts"], "changed": report["changed"], "documents": documents}).to_string()
}

/// What a delivery breaks, whether there was a fault or not.
pub fn broken_by_delivery(stage: &Stage, delivery: &Delivery, which: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let is_request = stage.event.request.is_some() && which != "schedule";
    if delivery.handled.is_none() {
        problems.push("no answer before the deadline".to_owned());
    }
    if is_request {
        problems.extend(broken_by_response(stage, delivery, which));
    } else if let Some(report) = delivery.report().filter(|report| report["command"] == "event") {
        problems.extend(broken_by_report(stage, delivery, report));
    } else if let Some(report) = delivery.report().filter(|_| stage.event.payload.get("tf").is_some()) {
        // Terraform takes every answer for success.
        if report["fails"] != false || !stage.flow.wanted.contains(&delivery.state.as_str()) {
            problems.push("the success that Terraform sees is not true".to_owned());
        }
    }
    if delivery.handled.is_some() && delivery.metrics.len() != 1 {
        problems.push(format!("{} lines of metrics", delivery.metrics.len()));
    }
    let mut problems: Vec<_> = problems.into_iter().map(|problem| format!("{which}: {problem}")).collect();
    problems.extend(broken_world(stage, delivery, which));
    problems
}

/// What must be true at every moment, also if the process was killed.
pub fn broken_world(stage: &Stage, delivery: &Delivery, which: &str) -> Vec<String> {
    let mut problems = Vec::new();
    problems.extend(unproven_keys(stage));
    problems.extend(lost_settings(stage));
    problems.extend(secrets(delivery));
    problems.extend(stage.violations().into_iter().map(|violation| format!("AWS would refuse: {violation}")));
    let written = delivery.calls.iter().find(|call| call.writes && call.service == "ssm");
    if let Some(call) = written.filter(|_| stage.flow.only_asks() && which != "schedule") {
        problems.push(format!("a question wrote by {}", call.operation));
    }
    problems.into_iter().map(|problem| format!("{which}: {problem}")).collect()
}

/// One response to a delivery, and SUCCESS only if the document is as wanted.
fn broken_by_response(stage: &Stage, delivery: &Delivery, which: &str) -> Option<String> {
    let [response] = delivery.responses.as_slice() else {
        return Some(format!("{} responses", delivery.responses.len()));
    };
    if matches!(delivery.handled, Some(Err(_))) {
        return Some("an error although the response was delivered".to_owned());
    }
    if !response.success
        && is_half_changed(&delivery.state)
        && !is_half_changed(stage.start_state())
        && !response.reason.contains("half changed")
    {
        return Some("the reason does not say that the document is half changed".to_owned());
    }
    let wanted = if which == "first" { stage.flow.wanted } else { return None };
    let is_true = !response.success || wanted.contains(&delivery.state.as_str());
    (!is_true).then(|| "SUCCESS is not true".to_owned())
}

/// Whether a document's latest version and its default version have different keys.
fn is_half_changed(state: &str) -> bool {
    state.split(" | ").any(|document| {
        let versions = document.split(';').next().and_then(|versions| versions.split_once(", default "));
        versions.is_some_and(|(latest, default)| latest.trim_start_matches("latest ") != default)
    })
}

/// There is no third outcome: the document is as wanted, or the report is an alert. The metrics agree with the report.
fn broken_by_report(stage: &Stage, delivery: &Delivery, report: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let ends = [stage.flow.wanted, stage.flow.undone].concat();
    if report["alert"] != true && !ends.contains(&delivery.state.as_str()) {
        problems.push("neither as wanted nor an alert".to_owned());
    }
    let documents = report["documents"].as_array().map(Vec::as_slice).unwrap_or_default();
    let count = |is: &dyn Fn(&Value) -> bool| documents.iter().filter(|document| is(document)).count();
    let expected = [
        ("DriftFound", count(&|document| document["drift"] != json!([]))),
        ("DriftRepaired", count(&|document| document["changed"] == true)),
        ("RepairRefused", count(&|document| document["result"] == "refused")),
        ("Alerts", report["alerts"].as_array().map_or(0, Vec::len)),
    ];
    for line in &delivery.metrics {
        for (name, expected) in expected {
            if line[name] != expected {
                problems.push(format!("{name} is {}, and the report says {expected}", line[name]));
            }
        }
    }
    problems
}

/// Only keys of the states that the flow knows are in the document: asked for and proven, or there before.
fn unproven_keys(stage: &Stage) -> Option<String> {
    let known = [stage.flow.wanted, stage.flow.undone, &[stage.start_state()]].concat().join(" ");
    let known: Vec<_> = known.split([' ', ',', ';']).collect();
    let keys = stage.contents().into_iter().map(|(_, content)| stage.short(&key_in(&content)));
    // The versions from before the event are no fault of the function.
    let unproven: Vec<_> =
        keys.filter(|key| !known.contains(&key.as_str()) && !stage.start_keys().contains(key)).collect();
    (!unproven.is_empty()).then(|| format!("the document carried {unproven:?}"))
}

/// No version lacks another setting.
fn lost_settings(stage: &Stage) -> Option<String> {
    if !stage.start_has_document() {
        return None;
    }
    let wanted = but_for_key(&settings(""));
    let contents = stage.contents();
    let lost = contents.iter().find(|(name, content)| name == NAME && but_for_key(content) != wanted);
    lost.map(|(_, content)| format!("a setting was lost: {content}"))
}

/// Nothing secret leaves the function.
fn secrets(delivery: &Delivery) -> Vec<String> {
    let told = delivery.told();
    let secrets = [
        SECRET,
        EXTERNAL_ID,
        RESULT_TOKEN,
        "Signature",
        "a%2Bb%2Fc",
        "x-amz-security-token",
        "cfn-response",
        "AWSAccessKeyId",
    ];
    let found = secrets.iter().filter(|secret| told.contains(**secret));
    found.map(|secret| format!("the secret `{secret}` was told")).collect()
}

/// The run ended as it does without a fault.
pub fn not_ended_alike(delivery: &Delivery, baseline: &Delivery) -> Option<String> {
    let ended = |delivery: &Delivery| match (&delivery.handled, delivery.responses.first()) {
        (_, Some(response)) => Some(response.success),
        (Some(handled), None) => Some(handled.is_ok()),
        (None, None) => None,
    };
    (ended(delivery) != ended(baseline)).then(|| "it did not end as without a fault".to_owned())
}

/// If the run did not end as it does without a fault, it says which call has hung.
pub fn unnamed_call(delivery: &Delivery, baseline: &Delivery, call: &CallId) -> Option<String> {
    let name = format!("{}:{}", call.service, call.operation);
    let is_named = delivery.outcome().contains(&name);
    let alerts = |delivery: &Delivery| delivery.report().map(|report| report["alerts"].clone());
    let is_as_undisturbed =
        not_ended_alike(delivery, baseline).is_none() && alerts(delivery) == alerts(baseline);
    (!is_named && !is_as_undisturbed).then(|| format!("`{name}` is not named"))
}

/// The state is one of these.
pub fn not_as_wanted(delivery: &Delivery, wanted: &[&str]) -> Option<String> {
    let is_as_wanted = wanted.contains(&delivery.state.as_str());
    (!is_as_wanted).then(|| format!("not as wanted: {}", delivery.state))
}

/// The schedule has nothing left to do.
pub fn not_quiet(schedule: &Delivery) -> Option<String> {
    let changed = schedule.report().is_none_or(|report| report["changed"] != false);
    (schedule.wrote() || changed).then(|| "the schedule found something to do".to_owned())
}
