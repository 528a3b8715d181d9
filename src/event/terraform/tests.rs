use serde_json::json;

use super::*;
use crate::event::Event;
use crate::event::tests::{function, parsed, sample};
use crate::intent::{Encryption, OnConflict, PreflightMode};
use crate::key::KeyRef;

/// The call, and its properties.
fn read_event(event: &Value) -> (Map<String, Value>, Result<DirectCall, String>) {
    match crate::event::read(event, function()) {
        Event::DirectCall { properties, call, is_question: false } => {
            (properties, call.map_err(|problems| problems.to_string()))
        }
        other => panic!("{other:?}"),
    }
}

fn read_call(event: &Value) -> TerraformCall {
    match read_event(event).1 {
        Ok(DirectCall::Terraform(call)) => call,
        other => panic!("{other:?}"),
    }
}

fn call(action: &str, input: &Value, previous: &Value) -> Value {
    let mut event = input.clone();
    event["action"] = "reconcile".into();
    event["tf"] = json!({"action": action, "prev_input": previous});
    event
}

fn previous_of(event: &Value) -> Option<PreviousDocument> {
    match read_call(event) {
        TerraformCall::Establish { previous, .. } => previous,
        release @ TerraformCall::Release { .. } => panic!("{release:?}"),
    }
}

fn released(event: &Value) -> (Option<String>, Option<OnDelete>) {
    match read_call(event) {
        TerraformCall::Release { document, on_delete } => {
            (document.map(|document| document.to_string()), on_delete)
        }
        establish @ TerraformCall::Establish { .. } => panic!("{establish:?}"),
    }
}

#[test]
fn a_create_wants_what_a_call_without_terraform_wants() {
    let event = parsed(sample!("direct-terraform-create"));
    let TerraformCall::Establish { intent, previous } = read_call(&event) else { panic!("no create") };
    assert_eq!(intent.encryption, Encryption::with_key(KeyRef::parse("alias/session-manager").unwrap()));
    assert_eq!(intent.on_conflict, OnConflict::Fail);
    assert_eq!(intent.safeguards.mode, PreflightMode::Enforce);
    assert_eq!(previous, None);

    let (of_terraform, _) = read_event(&event);
    let mut plain = event;
    plain.as_object_mut().unwrap().remove("tf");
    let (properties, call) = read_event(&plain);
    assert_eq!(of_terraform, properties, "`tf` is none of the properties whose digest the record holds");
    assert_eq!(call, Ok(DirectCall::Reconcile(intent)));
}

#[test]
fn an_update_leaves_the_document_of_the_input_before() {
    let event = parsed(sample!("direct-terraform-update"));
    let left = PreviousDocument {
        document: DocumentName::parse("Team-Old").unwrap(),
        on_delete: Some(OnDelete::Clear),
    };
    assert_eq!(previous_of(&event), Some(left));

    let input = json!({"kmsKeyId": "alias/a", "documentName": "Team-New"});
    let default = PreviousDocument { document: DocumentName::default(), on_delete: None };
    for (previous, expected) in [
        (json!({"kmsKeyId": "alias/b", "documentName": "Team-New"}), None),
        (json!({"kmsKeyId": "alias/b"}), Some(default.clone())),
        (json!({"unknown": 1, "onDelete": "Whatever"}), Some(default)),
        (json!({"documentName": "a/b"}), None),
        (json!({"documentName": ["Team-Old"]}), None),
        (Value::Null, None),
        (json!("Team-Old"), None),
    ] {
        assert_eq!(previous_of(&call("update", &input, &previous)), expected, "{previous}");
    }
    let create = call("create", &input, &json!({"documentName": "Team-Old"}));
    assert_eq!(previous_of(&create), None, "nothing was there before a create");
}

#[test]
fn a_delete_needs_nothing_but_the_document() {
    let event = parsed(sample!("direct-terraform-delete"));
    assert_eq!(released(&event), (Some("SSM-SessionManagerRunShell".to_owned()), Some(OnDelete::Restore)));
    let default = || Some("SSM-SessionManagerRunShell".to_owned());
    for (input, expected) in [
        (json!({}), (default(), None)),
        (json!({"kmsKeyId": 1, "Preflight": [], "unknown": {}}), (default(), None)),
        (
            json!({"documentName": "Team", "onDelete": "clear"}),
            (Some("Team".to_owned()), Some(OnDelete::Clear)),
        ),
        (json!({"documentName": "Team", "onDelete": "Burn"}), (Some("Team".to_owned()), None)),
        (json!({"documentName": "a/b"}), (None, None)),
        (json!({"documentName": ["Team"], "onDelete": "Retain"}), (None, Some(OnDelete::Retain))),
    ] {
        assert_eq!(released(&call("delete", &input, &Value::Null)), expected, "{input}");
    }
}

#[test]
fn each_mistake_is_named() {
    for (event, words) in [
        (call("create", &json!({}), &Value::Null), vec!["`kmsKeyId` is missing"]),
        (call("update", &json!({"kmsKeyID": "alias/a"}), &Value::Null), vec!["did you mean `kmsKeyId`"]),
        (call("destroy", &json!({"kmsKeyId": "alias/a"}), &Value::Null), vec!["`tf`", "`action`"]),
        (json!({"action": "reconcile", "kmsKeyId": "alias/a", "tf": "create"}), vec!["`tf`", "object"]),
        (json!({"action": "reconcile", "kmsKeyId": "alias/a", "tf": null}), vec!["`tf`", "object"]),
        (json!({"action": "reconcile", "kmsKeyId": "alias/a", "tf": {}}), vec!["`tf`", "`action`"]),
        (json!({"action": "release", "tf": {"action": "create"}}), vec!["`tf`", "`release`"]),
        (json!({"action": "audit", "tf": {"action": "create"}}), vec!["`tf` is not a property"]),
    ] {
        let message = read_event(&event).1.unwrap_err();
        for word in words {
            assert!(message.contains(word), "{event}: {message} does not hold {word}");
        }
    }
}
