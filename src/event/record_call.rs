//! CloudTrail: somebody deleted a record of the function.
//!
//! The events of Parameter Store do not say who made a change, and the function itself deletes the record of a document
//! that it releases. The record of the call says it.

use serde_json::Value;

use super::cloud_trail::CallRecord;
use super::event_bridge::EventBridgeEnvelope;
use super::{Event, FunctionIdentity, ignored};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::session::document_of_record;

/// Reads a call that deletes parameters; `None` if the call is another.
pub(super) fn read(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Option<Event> {
    let record = CallRecord::of(envelope);
    let call = record.name().filter(|call| ["DeleteParameter", "DeleteParameters"].contains(call))?;
    if let Some(why) = record.why_without_effect(call, function) {
        return Some(ignored(format_args!("{why}")));
    }
    let one = record.text("/requestParameters/name");
    let several = record.value("/requestParameters/names").and_then(Value::as_array);
    let names = one.into_iter().chain(several.into_iter().flatten().filter_map(Value::as_str));
    let documents: Vec<_> = names.filter_map(document_of_record).collect();
    let scope = match <[_; 1]>::try_from(documents) {
        Ok([document]) => Scope::Document(document),
        Err(documents) if documents.is_empty() => {
            return Some(ignored(format_args!("{call} is about no record of this function")));
        }
        Err(_) => Scope::Everything,
    };
    Some(Event::ChangeEvent(ChangeEvent {
        source: ChangeSource::RecordChange,
        what: format!("{call} of the record"),
        scope,
        actor: record.actor(),
        at: record.at(),
        detail: None,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::tests::{change, function, ignored, parsed, sample};
    use crate::session::DocumentName;

    fn scope(event: &Value) -> Scope {
        match crate::event::read(event, function()) {
            Event::ChangeEvent(change) => change.scope,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_deleted_record_is_about_its_document_and_names_who_deleted_it() {
        let change = change(sample!("record-delete-call"));
        assert_eq!(
            (change.source, change.what.as_str()),
            (ChangeSource::RecordChange, "DeleteParameter of the record")
        );
        assert_eq!(change.scope, Scope::Document(DocumentName::default()));
        assert_eq!(change.actor.unwrap().principal, "arn:aws:iam::123456789012:user/Alice");
        assert_eq!(change.at.as_deref(), Some("2026-03-02T10:47:52Z"));
    }

    #[test]
    fn several_parameters_can_be_deleted_at_once() {
        let mut event = parsed(sample!("record-delete-call"));
        event["detail"]["eventName"] = "DeleteParameters".into();
        let one = json!({"names": ["/other", "/session-kms/Team-Shell", "/session-kms/Team-Shell/key-arn"]});
        event["detail"]["requestParameters"] = one;
        assert_eq!(scope(&event), Scope::Document(DocumentName::parse("Team-Shell").unwrap()));
        event["detail"]["requestParameters"] = json!({"names": ["/session-kms/One", "/session-kms/Two"]});
        assert_eq!(scope(&event), Scope::Everything);
    }

    #[test]
    fn what_deletes_no_record_of_this_function_is_ignored() {
        let own = function().role_arn.unwrap();
        for (pointer, value, why) in [
            ("/detail/requestParameters/name", json!("/session-kms/Doc/key-arn"), "no record"),
            ("/detail/requestParameters", json!(null), "no record"),
            ("/detail/errorCode", json!("AccessDenied"), "failed with AccessDenied"),
            (
                "/detail/userIdentity",
                json!({"sessionContext": {"sessionIssuer": {"arn": own}}}),
                "of this function's own",
            ),
            ("/region", json!("us-east-1"), "another account or Region"),
        ] {
            let mut event = parsed(sample!("record-delete-call"));
            event["detail"]["errorCode"] = json!(null);
            *event.pointer_mut(pointer).unwrap() = value;
            assert!(ignored(&event).contains(why), "{why}: {}", ignored(&event));
        }
    }
}
