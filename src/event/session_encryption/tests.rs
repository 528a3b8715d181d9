use serde_json::json;

use super::*;
use crate::event::tests::{parsed, sample};

/// A sample of CloudFormation's requests, as the resource gets it: without what only the protocol needs.
fn request(text: &str) -> SessionEncryptionRequest {
    let mut request = parsed(text);
    for properties in ["ResourceProperties", "OldResourceProperties"] {
        if let Some(properties) = request.get_mut(properties).and_then(Value::as_object_mut) {
            properties.retain(|name, _| name != "ServiceToken" && name != "ServiceTimeout");
        }
    }
    serde_json::from_value(request).unwrap()
}

#[test]
fn each_request_type_is_read_with_what_it_needs() {
    let create = request(sample!("custom-resource-create"));
    assert_eq!(create.document, Ok(DocumentName::default()));
    let EncryptionChange::Establish { wanted, previous: None } = create.change else { panic!("{create:?}") };
    assert!(wanted.intent.is_ok() && wanted.intent_of_known_properties.is_none());

    let update = request(sample!("custom-resource-update"));
    assert_eq!(update.owner, create.owner);
    let EncryptionChange::Establish { previous: Some(previous), .. } = update.change else {
        panic!("{update:?}")
    };
    assert_eq!(previous.document, Some(DocumentName::default()));
    assert!(!previous.physical_resource_id.is_empty());

    let delete = request(sample!("custom-resource-delete"));
    let EncryptionChange::Release { physical_resource_id, .. } = delete.change else { panic!("{delete:?}") };
    assert_eq!(physical_resource_id, previous.physical_resource_id);
}

fn properties(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn read(value: &Value) -> Result<Intent, String> {
    read_intent(&properties(value), UnknownProperties::Refuse).map_err(|problems| problems.to_string())
}

#[test]
fn defaults_are_the_documented_ones() {
    let intent = read(&json!({"KmsKeyId": "alias/session"})).unwrap();
    assert_eq!(intent.document, DocumentName::default());
    assert_eq!(intent.encryption, Encryption::with_key(KeyRef::parse("alias/session").unwrap()));
    assert_eq!((intent.on_delete, intent.on_conflict), (OnDelete::Restore, OnConflict::Fail));
}

#[test]
fn a_delete_reads_its_word_as_a_create_does() {
    for (word, expected) in [
        (json!("Retain"), Some(OnDelete::Retain)),
        (json!("retain"), Some(OnDelete::Retain)),
        (json!("Keep"), None),
        (json!({}), None),
    ] {
        let properties = json!({"OnDelete": word});
        assert_eq!(on_delete(properties.as_object().unwrap()), expected, "{properties}");
    }
}

#[test]
fn each_value_is_read() {
    let intent = read(&json!({
        "Encryption": "Disabled", "DocumentName": "Other", "OnDelete": "Retain", "OnConflict": "TakeOver",
        "Revision": "7", "KmsKeyId": ""
    }))
    .unwrap();
    assert_eq!(intent.encryption, Encryption::Disabled);
    assert_eq!(intent.document.as_str(), "Other");
    assert_eq!((intent.on_delete, intent.on_conflict), (OnDelete::Retain, OnConflict::TakeOver));
}

#[test]
fn on_key_trouble_the_owner_wants_an_alert_a_standby_key_or_no_encryption() {
    let on_key_trouble = |value: Value| match read(&value).unwrap().encryption {
        Encryption::Enabled { on_key_trouble, .. } => on_key_trouble,
        Encryption::Disabled => panic!("a key is named"),
    };
    let standby = OnKeyTrouble::Standby(KeyRef::parse("alias/second").unwrap());
    assert_eq!(on_key_trouble(json!({"KmsKeyId": "alias/x", "OnKeyTrouble": "Alert"})), OnKeyTrouble::Alert);
    assert_eq!(on_key_trouble(json!({"KmsKeyId": "alias/x", "OnKeyTrouble": "Clear"})), OnKeyTrouble::Clear);
    assert_eq!(
        on_key_trouble(
            json!({"KmsKeyId": "alias/x", "OnKeyTrouble": "Standby", "StandbyKmsKeyId": "alias/second"})
        ),
        standby
    );
    assert_eq!(on_key_trouble(json!({"KmsKeyId": "alias/x", "StandbyKmsKeyId": ""})), OnKeyTrouble::Alert);
}

#[test]
fn without_encryption_key_trouble_has_no_effect() {
    for word in ["Alert", "Standby", "Clear"] {
        let intent = read(&json!({"Encryption": "Disabled", "OnKeyTrouble": word})).unwrap();
        assert_eq!(intent.encryption, Encryption::Disabled, "{word}");
    }
}

#[test]
fn context_is_an_object_or_its_text() {
    let text = r#"{"aws:SourceVpce": ["vpce-1"], "aws:SourceVpc": null}"#;
    for context in [json!(text), serde_json::from_str(text).unwrap()] {
        let known = read(&json!({"KmsKeyId": "alias/x", "Context": context})).unwrap().safeguards.context;
        let known: Vec<_> = known.iter().map(ToString::to_string).collect();
        assert_eq!(known, ["aws:SourceVpce is vpce-1", "aws:SourceVpc is absent"]);
    }
    for none in [json!(""), json!({}), json!("{}"), Value::Null] {
        let intent = read(&json!({"KmsKeyId": "alias/x", "Context": none})).unwrap();
        assert!(intent.safeguards.context.is_empty(), "{none}");
    }
}

#[test]
fn each_mistake_is_named_with_its_field_its_value_and_what_is_allowed() {
    for (value, words) in [
        (json!({}), vec!["KmsKeyId", "missing"]),
        (json!({"Encryption": "Disabled", "KmsKeyId": "alias/x"}), vec!["KmsKeyId", "alias/x", "Disabled"]),
        (json!({"Encryption": "active", "KmsKeyId": "alias/x"}), vec!["Encryption", "active", "`Disabled`"]),
        (json!({"KmsKeyId": "session"}), vec!["KmsKeyId", "`session`", "key ARN"]),
        (json!({"KmsKeyId": "alias/aws/ssm"}), vec!["KmsKeyId", "AWS managed"]),
        (json!({"KmsKeyId": "alias/x", "DocumentName": "a/b"}), vec!["DocumentName", "`a/b`", "letters"]),
        (json!({"KmsKeyId": "alias/x", "OnDelete": "Keep"}), vec!["OnDelete", "Keep", "`Retain`"]),
        (json!({"KmsKeyId": "alias/x", "Context": "vpce-1"}), vec!["Context", "no JSON object"]),
        (json!({"KmsKeyId": "alias/x", "Context": ["a"]}), vec!["Context", "object or text"]),
        (
            json!({"KmsKeyId": "alias/x", "Context": {"Vpce": "x"}}),
            vec!["Context", "`Vpce`", "aws:SourceVpce"],
        ),
        (
            json!({"KmsKeyId": "alias/x", "Context": {"aws:SourceVpce": "a", "AWS:sourcevpce": "b"}}),
            vec!["Context", "`aws:SourceVpce`", "`AWS:sourcevpce`", "twice"],
        ),
        (
            json!({"KmsKeyId": "alias/x", "Context": {"aws:SecureTransport": "false"}}),
            vec!["Context", "`aws:SecureTransport`", "`true`"],
        ),
        (json!({"KmsKeyId": "alias/x", "OnConflict": ["Fail"]}), vec!["OnConflict", "`TakeOver`"]),
        (
            json!({"KmsKeyId": "alias/x", "OnKeyTrouble": "wait"}),
            vec!["OnKeyTrouble", "`wait`", "`Alert`, `Standby`, `Clear`"],
        ),
        (
            json!({"KmsKeyId": "alias/x", "OnKeyTrouble": "Standby"}),
            vec!["StandbyKmsKeyId", "missing", "OnKeyTrouble is `Standby`"],
        ),
        (
            json!({"KmsKeyId": "alias/x", "OnKeyTrouble": "Clear", "StandbyKmsKeyId": "alias/y"}),
            vec!["StandbyKmsKeyId", "`alias/y`", "unless OnKeyTrouble is `Standby`"],
        ),
        (
            json!({"KmsKeyId": "alias/x", "StandbyKmsKeyId": "alias/y"}),
            vec!["StandbyKmsKeyId", "`alias/y`", "unless OnKeyTrouble is `Standby`"],
        ),
        (
            json!({"KmsKeyId": "alias/x", "OnKeyTrouble": "Standby", "StandbyKmsKeyId": "alias/x"}),
            vec!["StandbyKmsKeyId", "`alias/x`", "as KmsKeyId", "another key"],
        ),
        (
            json!({"KmsKeyId": "alias/x", "OnKeyTrouble": "Standby", "StandbyKmsKeyId": "second"}),
            vec!["StandbyKmsKeyId", "`second`", "key ARN"],
        ),
        (
            json!({"Encryption": "Disabled", "OnKeyTrouble": "Standby", "StandbyKmsKeyId": "alias/y"}),
            vec!["StandbyKmsKeyId", "`alias/y`", "Encryption is `Disabled`"],
        ),
        (json!({"KmsKeyId": "alias/x", "Ondelete": "Clear"}), vec!["Ondelete", "`OnDelete`"]),
    ] {
        let message = read(&value).unwrap_err();
        for word in words {
            assert!(message.contains(word), "{value}: {message} does not hold {word}");
        }
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let message = read(&json!({"OnDelete": "x", "OnConflict": "y", "Nonsense": "1"})).unwrap_err();
    for word in ["KmsKeyId", "OnDelete", "OnConflict", "Nonsense"] {
        assert!(message.contains(word), "{message} does not hold {word}");
    }
}

#[test]
fn unknown_properties_can_be_ignored() {
    let properties = properties(&json!({"KmsKeyId": "alias/x", "Later": "1"}));
    assert!(read_intent(&properties, UnknownProperties::Refuse).is_err());
    assert!(read_intent(&properties, UnknownProperties::Ignore).is_ok());
}

#[test]
fn an_id_names_its_document_and_a_made_up_id_names_none() {
    let location =
        Location { partition: "aws".into(), region: "eu-west-1".into(), account: "111122223333".into() };
    let document = DocumentName::parse("My.Document_1").unwrap();
    let id = id_of_document(&location, &document);
    assert_eq!(id, "session-kms:111122223333:eu-west-1:My.Document_1");
    assert_eq!(document_of_id(&location, &id), Some(document));
    for id in
        ["stack-Key-ABCDEF", "session-kms:222222222222:eu-west-1:Doc", "session-kms:111122223333:eu-west-1:"]
    {
        assert_eq!(document_of_id(&location, id), None, "{id}");
    }
}
