//! CloudTrail: somebody made a call that changes a document.

use super::cloud_trail::CallRecord;
use super::event_bridge::EventBridgeEnvelope;
use super::named_document::NamedDocument;
use super::{Event, FunctionIdentity, ignored};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};

/// The calls that create, change or delete a document or a version of it.
const CALLS: [&str; 4] =
    ["CreateDocument", "UpdateDocument", "UpdateDocumentDefaultVersion", "DeleteDocument"];

pub(super) fn read(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Event {
    let record = CallRecord::of(envelope);
    let Some(call) = record.name() else {
        return ignored(format_args!("the record names no call"));
    };
    if !CALLS.contains(&call) {
        return ignored(format_args!("{call} changes no document"));
    }
    if let Some(why) = record.why_without_effect(call, function) {
        return ignored(format_args!("{why}"));
    }
    let named = record
        .text("/requestParameters/name")
        .or_else(|| record.text("/responseElements/documentDescription/name"));
    let scope = match named.map(|named| (named, NamedDocument::read(named))) {
        // Some records lack the parameters.
        None => Scope::Everything,
        Some((_, Some(document))) if document.is_elsewhere(function) => {
            return ignored(format_args!("{call} is about a document of another account or Region"));
        }
        Some((_, Some(document))) => Scope::Document(document.name),
        Some((named, None)) => {
            return ignored(format_args!("{call} is about `{named}`, which is no document of an account"));
        }
    };
    Event::ChangeEvent(ChangeEvent {
        source: ChangeSource::DocumentCall,
        what: call.to_owned(),
        scope,
        actor: record.actor(),
        at: record.at(),
        detail: None,
    })
}

#[cfg(test)]
mod tests;
