//! Parameter Store: the function or somebody else has changed a record of the function. A parameter below the path of a
//! record, such as `/session-kms/DOCUMENT/key-arn`, is no record.

use serde_json::Value;

use super::event_bridge::EventBridgeEnvelope;
use super::{Event, FunctionIdentity, ignored};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::session::document_of_record;

pub(super) const DETAIL_TYPE: &str = "Parameter Store Change";

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
}
