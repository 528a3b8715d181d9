//! Security Hub: a finding came in, or somebody chose a custom action on findings.
//!
//! Security Hub CSPM writes findings in the AWS Security SecurityFinding Format, and Security Hub in the Open Cybersecurity Schema
//! Framework. An account may use both, and then gets the same finding in both.

mod asff;
mod ocsf;

use serde_json::Value;

use super::event_bridge::{EventBridgeEnvelope, is_elsewhere};
use super::named_document::NamedDocument;
use super::{Event, FunctionIdentity, ignored, log_safe};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::key::KeyArn;
use crate::session::DocumentName;

pub(super) const CUSTOM_ACTION: &str = "Security Hub Findings - Custom Action";
pub(super) const IMPORTED: &str = "Security Hub Findings - Imported";
pub(super) const IMPORTED_OCSF: &str = "Findings Imported V2";

/// A finding, in whichever format it came. Everything may be missing.
#[derive(Debug)]
struct SecurityFinding<'a> {
    /// Its title, safe for the log.
    title: Option<String>,
    /// Whether it may still ask for something: it is neither passed, nor settled, nor archived.
    is_open: bool,
    /// Whether it is a check that failed.
    is_failed_check: bool,
    /// The account and the Region that it is about.
    account: Option<&'a str>,
    region: Option<&'a str>,
    /// The ARNs and other ids of its resources.
    resources: Vec<&'a str>,
}

pub(super) fn read(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Event {
    let findings = match envelope.detail_type {
        IMPORTED_OCSF => ocsf::findings(&envelope.detail),
        _ => asff::findings(&envelope.detail),
    };
    let (what, scope) = if envelope.detail_type == CUSTOM_ACTION {
        let action = log_safe::log_safe_text(envelope.detail.get("actionName"));
        let what = action.map_or_else(|| "custom action".to_owned(), |name| format!("custom action {name}"));
        (what, scope_of_custom_action(&findings, function))
    } else {
        // AWS documents one finding for each event, so the first one gives the title.
        let title = findings.first().and_then(|finding| finding.title.as_deref());
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
    findings: &[SecurityFinding<'_>],
    function: FunctionIdentity<'_>,
) -> Result<Scope, &'static str> {
    let documents: Vec<_> = findings.iter().flat_map(SecurityFinding::documents).collect();
    let total = documents.len();
    match local_documents(documents, function) {
        documents if documents.is_empty() && total > 0 => {
            Err("is about documents of another account or Region")
        }
        documents => Ok(scope_of_documents(documents)),
    }
}

/// Only open findings count, on documents, on keys or on the account as a whole.
fn scope_of_imported(
    findings: &[SecurityFinding<'_>],
    function: FunctionIdentity<'_>,
) -> Result<Scope, &'static str> {
    if findings.is_empty() {
        return Err("has no content");
    }
    let open: Vec<_> = findings.iter().filter(|finding| finding.is_open).collect();
    if open.is_empty() {
        return Err("is passed, settled or archived");
    }
    let documents = open.iter().flat_map(|finding| finding.documents()).collect();
    let documents = local_documents(documents, function);
    if !documents.is_empty() {
        return Ok(scope_of_documents(documents));
    }
    let mut keys = open.iter().flat_map(|finding| &finding.resources).filter_map(|id| KeyArn::parse(id).ok());
    match (keys.next(), keys.next()) {
        (None, _) => {}
        (Some(key), None) => return Ok(Scope::Key(key)),
        (Some(_), Some(_)) => return Ok(Scope::Everything),
    }
    if open.iter().any(|finding| finding.is_failed_check_of_account(function)) {
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

impl<'a> SecurityFinding<'a> {
    /// The documents among its resources. Findings name resources by their ARNs.
    fn documents(&self) -> impl Iterator<Item = NamedDocument<'a>> {
        self.resources.iter().filter_map(|id| NamedDocument::of_arn(id))
    }

    /// Whether it is a failed check of the function's account as a whole, in the function's Region.
    fn is_failed_check_of_account(&self, function: FunctionIdentity<'_>) -> bool {
        let elsewhere =
            |account| function.location.is_some_and(|location| is_elsewhere(location, account, self.region));
        let accounts = self.resources.iter().filter_map(|id| self.account_of(id));
        self.is_failed_check && accounts.into_iter().any(|account| !elsewhere(account))
    }

    /// The account that a resource is, as `AWS::::Account:123456789012` or as its number; `None` if it is none. The
    /// number may be missing.
    fn account_of(&self, id: &'a str) -> Option<Option<&'a str>> {
        let is_number = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = match id.strip_prefix("AWS::::Account") {
            Some(rest) => rest.strip_prefix(':').unwrap_or(rest),
            None if is_number(id) => id,
            None => return None,
        };
        Some(Some(number).filter(|number| !number.is_empty()).or(self.account))
    }
}

/// A text by its JSON pointer. An empty text counts as absent.
fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
