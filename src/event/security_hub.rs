//! Security Hub: a finding came in, or somebody chose a custom action on findings.

use serde_json::Value;

use super::event_bridge::Envelope;
use super::named_document::NamedDocument;
use super::{Arrival, Own, plain};
use crate::key::KeyArn;
use crate::notice::{About, Notice, Source};
use crate::session::DocumentName;

pub(super) const CUSTOM_ACTION: &str = "Security Hub Findings - Custom Action";
pub(super) const IMPORTED: &str = "Security Hub Findings - Imported";

pub(super) fn read(envelope: &Envelope<'_>, own: Own<'_>) -> Arrival {
    let findings = envelope.detail.get("findings").and_then(Value::as_array);
    let findings: Vec<_> = findings.into_iter().flatten().collect();
    let (what, about) = if envelope.detail_type == CUSTOM_ACTION {
        let action = plain::text(envelope.detail.get("actionName"));
        let what = action.map_or_else(|| "custom action".to_owned(), |name| format!("custom action {name}"));
        (what, of_custom_action(&findings, own))
    } else {
        // One finding an event, says the documentation; the first names them all.
        let title = findings.first().and_then(|finding| plain::text(finding.get("Title")));
        let what = title.map_or_else(|| "finding".to_owned(), |title| format!("finding: {title}"));
        (what, of_imported(&findings, own))
    };
    match about {
        Ok(about) => Arrival::Notice(Notice {
            source: Source::SecurityHub,
            what,
            about,
            by: None,
            at: envelope.time(),
            news: None,
        }),
        Err(why) => Arrival::Ignored(plain::line(format_args!("{what} {why}"))),
    }
}

/// Somebody asks for it, whatever the findings' state.
fn of_custom_action(findings: &[&Value], own: Own<'_>) -> Result<About, &'static str> {
    let documents: Vec<_> = findings.iter().flat_map(|finding| documents(finding)).collect();
    let anywhere = documents.len();
    match here(documents, own) {
        documents if documents.is_empty() && anywhere > 0 => {
            Err("is about documents of another account or Region")
        }
        documents => Ok(about(documents)),
    }
}

/// Only open findings that say something of documents, of keys, or of the account as a whole.
fn of_imported(findings: &[&Value], own: Own<'_>) -> Result<About, &'static str> {
    let open: Vec<_> = findings.iter().copied().filter(|finding| is_open(finding)).collect();
    if open.is_empty() {
        return Err("is passed, settled or archived");
    }
    let documents = here(open.iter().flat_map(|finding| documents(finding)).collect(), own);
    if !documents.is_empty() {
        return Ok(about(documents));
    }
    let mut keys =
        open.iter().flat_map(|finding| resource_ids(finding)).filter_map(|id| KeyArn::parse(id).ok());
    match (keys.next(), keys.next()) {
        (None, _) => {}
        (Some(key), None) => return Ok(About::Key(key)),
        (Some(_), Some(_)) => return Ok(About::Everything),
    }
    if open.iter().any(|finding| is_of_account(finding, own)) {
        return Ok(About::Everything);
    }
    Err("is about neither a document, nor a key, nor the account of this function")
}

/// One document by its name; anything else by looking everywhere.
fn about(documents: Vec<DocumentName>) -> About {
    let mut documents = documents.into_iter();
    match (documents.next(), documents.next()) {
        (Some(document), None) => About::Document(document),
        _ => About::Everything,
    }
}

/// The documents of this account and Region, each once.
fn here(documents: Vec<NamedDocument<'_>>, own: Own<'_>) -> Vec<DocumentName> {
    let mut names = Vec::new();
    for document in documents.into_iter().filter(|document| !document.is_elsewhere(own)) {
        if !names.contains(&document.name) {
            names.push(document.name);
        }
    }
    names
}

/// The documents among a finding's resources, named by their ARNs.
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
fn is_of_account(finding: &Value, own: Own<'_>) -> bool {
    let failed = finding.pointer("/Compliance/Status").and_then(Value::as_str) == Some("FAILED");
    let elsewhere = |account: &str| own.place.is_some_and(|place| place.account != account);
    failed
        && resource_ids(finding)
            .filter_map(|id| id.strip_prefix("AWS::::Account:"))
            .any(|account| !elsewhere(account))
}

#[cfg(test)]
mod tests;
