//! Security Hub: a finding came in, or somebody chose a custom action on findings.

use serde_json::Value;

use super::event_bridge::EventBridgeEnvelope;
use super::named_document::NamedDocument;
use super::{Event, FunctionIdentity, ignored, log_safe};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::key::KeyArn;
use crate::session::DocumentName;

pub(super) const CUSTOM_ACTION: &str = "Security Hub Findings - Custom Action";
pub(super) const IMPORTED: &str = "Security Hub Findings - Imported";

pub(super) fn read(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Event {
    let findings = envelope.detail.get("findings").and_then(Value::as_array);
    let findings: Vec<_> = findings.into_iter().flatten().collect();
    let (what, scope) = if envelope.detail_type == CUSTOM_ACTION {
        let action = log_safe::log_safe_text(envelope.detail.get("actionName"));
        let what = action.map_or_else(|| "custom action".to_owned(), |name| format!("custom action {name}"));
        (what, scope_of_custom_action(&findings, function))
    } else {
        // AWS documents one finding for each event, so the first one gives the title.
        let title = findings.first().and_then(|finding| log_safe::log_safe_text(finding.get("Title")));
        let what = title.map_or_else(|| "finding".to_owned(), |title| format!("finding: {title}"));
        (what, scope_of_imported(&findings, function))
    };
    match scope {
        Ok(scope) => Event::ChangeEvent(ChangeEvent {
            source: ChangeSource::SecurityHub,
            what,
            scope,
            actor: None,
            at: envelope.time(),
            detail: None,
        }),
        Err(why) => ignored(format_args!("{what} {why}")),
    }
}

/// A person has chosen the action, so the findings' state does not count.
fn scope_of_custom_action(
    findings: &[&Value],
    function: FunctionIdentity<'_>,
) -> Result<Scope, &'static str> {
    let documents: Vec<_> = findings.iter().flat_map(|finding| documents(finding)).collect();
    let total = documents.len();
    match local_documents(documents, function) {
        documents if documents.is_empty() && total > 0 => {
            Err("is about documents of another account or Region")
        }
        documents => Ok(scope_of_documents(documents)),
    }
}

/// Only open findings count, on documents, on keys or on the account as a whole.
fn scope_of_imported(findings: &[&Value], function: FunctionIdentity<'_>) -> Result<Scope, &'static str> {
    let open: Vec<_> = findings.iter().copied().filter(|finding| is_open(finding)).collect();
    if open.is_empty() {
        return Err("is passed, settled or archived");
    }
    let documents = local_documents(open.iter().flat_map(|finding| documents(finding)).collect(), function);
    if !documents.is_empty() {
        return Ok(scope_of_documents(documents));
    }
    let mut keys =
        open.iter().flat_map(|finding| resource_ids(finding)).filter_map(|id| KeyArn::parse(id).ok());
    match (keys.next(), keys.next()) {
        (None, _) => {}
        (Some(key), None) => return Ok(Scope::Key(key)),
        (Some(_), Some(_)) => return Ok(Scope::Everything),
    }
    if open.iter().any(|finding| is_failed_check_of_account(finding, function)) {
        return Ok(Scope::Everything);
    }
    Err("is about neither a document, nor a key, nor the account of this function")
}

/// A single document by its name; everything otherwise.
fn scope_of_documents(documents: Vec<DocumentName>) -> Scope {
    let mut documents = documents.into_iter();
    match (documents.next(), documents.next()) {
        (Some(document), None) => Scope::Document(document),
        _ => Scope::Everything,
    }
}

/// The documents of this account and Region, each once.
fn local_documents(documents: Vec<NamedDocument<'_>>, function: FunctionIdentity<'_>) -> Vec<DocumentName> {
    let mut names = Vec::new();
    for document in documents.into_iter().filter(|document| !document.is_elsewhere(function)) {
        if !names.contains(&document.name) {
            names.push(document.name);
        }
    }
    names
}

/// The documents among a finding's resources. Findings name resources by their ARNs.
fn documents(finding: &Value) -> Vec<NamedDocument<'_>> {
    resource_ids(finding).filter_map(NamedDocument::of_arn).collect()
}

fn resource_ids(finding: &Value) -> impl Iterator<Item = &str> {
    let resources = finding.get("Resources").and_then(Value::as_array);
    resources.into_iter().flatten().filter_map(|resource| resource.get("Id")?.as_str())
}

fn is_open(finding: &Value) -> bool {
    let word = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    word("/RecordState") != "ARCHIVED"
        && word("/Compliance/Status") != "PASSED"
        && !["RESOLVED", "SUPPRESSED"].contains(&word("/Workflow/Status"))
}

/// Whether a finding is a failed check of the function's account, `AWS::::Account:123456789012`.
fn is_failed_check_of_account(finding: &Value, function: FunctionIdentity<'_>) -> bool {
    let failed = finding.pointer("/Compliance/Status").and_then(Value::as_str) == Some("FAILED");
    let elsewhere = |account: &str| function.location.is_some_and(|location| location.account != account);
    failed
        && resource_ids(finding)
            .filter_map(|id| id.strip_prefix("AWS::::Account:"))
            .any(|account| !elsewhere(account))
}

#[cfg(test)]
mod tests;
