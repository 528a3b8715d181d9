//! Parameter Store: the function or somebody else has changed a record of the function. What Parameter Store itself says of
//! a change does not name who made it; CloudTrail's record of a deletion does.
//!
//! Parameters below the path of a record, such as `/session-kms/DOCUMENT/key-arn`, are no records.

use serde_json::Value;

use super::cloud_trail::CallRecord;
use super::event_bridge::EventBridgeEnvelope;
use super::{Event, FunctionIdentity, ignored};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::session::document_of_record;

pub(super) const DETAIL_TYPE: &str = "Parameter Store Change";
/// The calls that delete parameters, as CloudTrail names them.
pub(super) const DELETIONS: [&str; 2] = ["DeleteParameter", "DeleteParameters"];

pub(super) fn read(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Event {
    let text = |name| envelope.detail.get(name).and_then(Value::as_str).unwrap_or_default();
    let (operation, parameter) = (text("operation"), text("name"));
    let Some(document) = document_of_record(parameter) else {
        return ignored(format_args!("parameter `{parameter}` is no record of this function"));
    };
    if envelope.is_elsewhere(function) {
        return ignored(format_args!("the record of {document} is of another account or Region"));
    }
    if !["Create", "Update", "Delete"].contains(&operation) {
        return ignored(format_args!("`{operation}` leaves the record of {document} as it was"));
    }
    Event::ChangeEvent(ChangeEvent {
        source: ChangeSource::RecordChange,
        what: format!("{operation} of the record"),
        scope: Scope::Document(document),
        actor: None,
        at: envelope.time(),
        detail: None,
    })
}

/// Reads a call of [`DELETIONS`] that succeeded, in the function's account and Region, by somebody else.
pub(super) fn read_deletion(call: &str, record: &CallRecord<'_>) -> Event {
    let several = record.value("/requestParameters/names").and_then(Value::as_array);
    let names = several.into_iter().flatten().filter_map(Value::as_str);
    let mut documents: Vec<_> =
        names.chain(record.text("/requestParameters/name")).filter_map(document_of_record).collect();
    documents.dedup();
    let mut documents = documents.into_iter();
    let scope = match (documents.next(), documents.next()) {
        (None, _) => return ignored(format_args!("{call} deletes no record of this function")),
        (Some(document), None) => Scope::Document(document),
        (Some(_), Some(_)) => Scope::Everything,
    };
    Event::ChangeEvent(ChangeEvent {
        source: ChangeSource::RecordChange,
        what: format!("{call} of the record"),
        scope,
        actor: record.actor(),
        at: record.at(),
        detail: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::tests::{change, function, ignored, parsed, sample};
    use crate::session::DocumentName;

    #[test]
    fn a_changed_record_is_about_its_document() {
        let expected = ChangeEvent {
            source: ChangeSource::RecordChange,
            what: "Update of the record".to_owned(),
            scope: Scope::Document(DocumentName::default()),
            actor: None,
            at: Some("2026-03-04T08:20:15Z".to_owned()),
            detail: None,
        };
        assert_eq!(change(sample!("record-change")), expected);
    }

    #[test]
    fn creation_and_deletion_count_but_labels_do_not() {
        let mut event = parsed(sample!("record-change"));
        for operation in ["Create", "Delete"] {
            event["detail"]["operation"] = operation.into();
            let Event::ChangeEvent(change) = crate::event::read(&event, function()) else {
                panic!("{operation}")
            };
            assert_eq!(change.what, format!("{operation} of the record"));
        }
        for operation in [json!("LabelParameterVersion"), json!(null)] {
            event["detail"]["operation"] = operation;
            assert!(ignored(&event).contains("as it was"));
        }
    }

    #[test]
    fn other_parameters_accounts_and_regions_are_ignored() {
        for name in ["/session-kms", "/session-kms/", "/session-kms/a/b", "/other/Document", ""] {
            let mut event = parsed(sample!("record-change"));
            event["detail"]["name"] = name.into();
            assert!(ignored(&event).contains("no record of this function"), "{name}");
        }
        let mut event = parsed(sample!("record-change"));
        event["region"] = "us-east-1".into();
        assert!(ignored(&event).contains("another account or Region"));
    }

    /// A call on parameters, in the shape of the sample of a call on a document.
    fn deletion(call: &str, parameters: &Value) -> Value {
        let mut event = parsed(sample!("document-delete-call"));
        event["detail"]["eventName"] = call.into();
        event["detail"]["requestParameters"] = parameters.clone();
        event
    }

    #[test]
    fn a_record_that_somebody_deletes_is_about_its_document_and_names_who_did_it() {
        let (record, other) = ("/session-kms/SSM-SessionManagerRunShell", "/session-kms/Team");
        let one = Scope::Document(DocumentName::default());
        for (call, parameters, scope) in [
            ("DeleteParameter", json!({"name": record}), &one),
            ("DeleteParameters", json!({"names": [record]}), &one),
            ("DeleteParameters", json!({"names": ["/other", record, "/session-kms/Team/key-arn"]}), &one),
            ("DeleteParameters", json!({"names": [record, other]}), &Scope::Everything),
        ] {
            let change = change(&deletion(call, &parameters).to_string());
            assert_eq!((change.source, &change.scope), (ChangeSource::RecordChange, scope), "{parameters}");
            assert_eq!(change.what, format!("{call} of the record"));
            assert_eq!(change.actor.unwrap().principal, "arn:aws:iam::123456789012:user/Alice");
        }
    }

    #[test]
    fn other_deletions_of_parameters_are_ignored() {
        let record = "/session-kms/SSM-SessionManagerRunShell";
        for parameters in [
            json!({"name": "/session-kms/SSM-SessionManagerRunShell/key-arn"}),
            json!({"name": "/other"}),
            json!({"names": ["/session-kms", "/session-kms/a/b", 7]}),
            json!({"names": record}),
            json!(null),
        ] {
            for call in DELETIONS {
                let why = ignored(&deletion(call, &parameters));
                assert_eq!(why, format!("{call} deletes no record of this function"), "{parameters}");
            }
        }
        let mut event = deletion("DeleteParameter", &json!({"name": record}));
        event["detail"]["errorCode"] = "ParameterNotFound".into();
        assert_eq!(ignored(&event), "DeleteParameter failed with ParameterNotFound, so nothing has changed");
        let mut event = deletion("DeleteParameter", &json!({"name": record}));
        event["region"] = "us-east-1".into();
        assert_eq!(ignored(&event), "DeleteParameter was made in another account or Region");
        let mut event = parsed(sample!("document-update-call-by-function"));
        event["detail"]["eventName"] = "DeleteParameter".into();
        event["detail"]["requestParameters"] = json!({"name": record});
        assert_eq!(ignored(&event), "DeleteParameter is a call of this function's own");
    }
}
