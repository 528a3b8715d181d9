use serde_json::json;

use super::*;
use crate::access::{KnownContext, PrincipalArn};
use crate::event::tests::{change, function, key, parsed, sample};
use crate::intent::{Encryption, OnConflict, OnDelete, OnKeyTrouble, PreflightMode, Safeguards};
use crate::key::KeyRef;

fn read_call(event: &Value) -> Result<DirectCall, String> {
    match crate::event::read(event, function()) {
        Event::DirectCall { call, .. } => call.map_err(|problems| problems.to_string()),
        other => panic!("{other:?}"),
    }
}

fn intent(encryption: Encryption) -> Intent {
    Intent {
        document: DocumentName::default(),
        encryption,
        on_delete: OnDelete::Restore,
        on_conflict: OnConflict::Fail,
        create_document: false,
        safeguards: Safeguards { discover_users: true, discover_nodes: true, ..Safeguards::default() },
    }
}

fn key_ref(text: &str) -> KeyRef {
    KeyRef::parse(text).unwrap()
}

#[test]
fn status_names_its_document_or_means_that_of_the_preferences() {
    let status = |name: &str| Ok(DirectCall::Status { document: DocumentName::parse(name).unwrap() });
    assert_eq!(read_call(&parsed(sample!("direct-status"))), status(DocumentName::PREFERENCES));
    let release =
        DirectCall::Release { document: DocumentName::default(), on_delete: Some(OnDelete::Restore) };
    assert_eq!(read_call(&parsed(sample!("direct-release"))), Ok(release));
    assert_eq!(read_call(&json!({"action": "status"})), status(DocumentName::PREFERENCES));
    assert_eq!(read_call(&json!({"action": "status", "documentName": "Other"})), status("Other"));
}

#[test]
fn check_takes_a_key_and_the_safeguards() {
    let arn = |text| PrincipalArn::parse(text).unwrap();
    let mut expected = intent(Encryption::with_key(KeyRef::Arn(key())));
    expected.safeguards.mode = PreflightMode::Strict;
    expected.safeguards.users = vec![arn("arn:aws:iam::123456789012:role/Operator")];
    expected.safeguards.nodes = vec![arn("arn:aws:iam::123456789012:role/App")];
    expected.safeguards.discover_users = false;
    expected.safeguards.context = KnownContext::from_text(
        r#"{
            "aws:SourceVpce": "vpce-0123456789abcdef0",
            "aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", "o-a1b2c3d4e5/r-ab12/ou-ab12-22222222/"],
            "aws:SourceVpc": null
        }"#,
    )
    .unwrap();
    assert_eq!(read_call(&parsed(sample!("direct-check"))), Ok(DirectCall::Check(Box::new(expected))));
}

#[test]
fn plan_takes_all_that_the_custom_resource_takes() {
    let expected = intent(Encryption::Enabled {
        key: key_ref("alias/session-manager"),
        on_key_trouble: OnKeyTrouble::Standby(key_ref("alias/session-manager-standby")),
    });
    assert_eq!(read_call(&parsed(sample!("direct-plan"))), Ok(DirectCall::Plan(Box::new(expected))));

    let mut expected = intent(Encryption::Disabled);
    (expected.on_delete, expected.on_conflict) = (OnDelete::Retain, OnConflict::TakeOver);
    let event = json!({
        "action": "plan", "encryption": "Disabled", "onDelete": "Retain", "onConflict": "TakeOver",
        "onKeyTrouble": "Clear", "revision": 7, "discoverUsers": true, "exempt": null
    });
    assert_eq!(read_call(&event), Ok(DirectCall::Plan(Box::new(expected))));
}

#[test]
fn reconcile_without_a_key_follows_the_records() {
    let expected = |scope| ChangeEvent {
        source: ChangeSource::DirectCall,
        what: "reconcile".to_owned(),
        scope,
        actor: None,
        at: None,
        detail: None,
    };
    assert_eq!(change(sample!("direct-reconcile")), expected(Scope::Document(DocumentName::default())));
    assert_eq!(change(r#"{"action": "reconcile"}"#), expected(Scope::Everything));
}

#[test]
fn reconcile_with_a_key_or_with_none_wanted_establishes_it() {
    let event = json!({"action": "reconcile", "kmsKeyId": "alias/x"});
    let expected = intent(Encryption::with_key(key_ref("alias/x")));
    assert_eq!(read_call(&event), Ok(DirectCall::Reconcile(Box::new(expected))));
    let event = json!({"action": "reconcile", "encryption": "Disabled"});
    assert_eq!(read_call(&event), Ok(DirectCall::Reconcile(Box::new(intent(Encryption::Disabled)))));
}

#[test]
fn each_mistake_is_named_as_it_is_spelt_in_the_call() {
    for (event, words) in [
        (json!({"action": "repair"}), vec!["`action`", "`repair`", "`status`, `check`, `plan`, `reconcile`"]),
        (json!({"action": "State"}), vec!["`action`", "`State`"]),
        (json!({"action": null}), vec!["`action`", "null", "`reconcile`"]),
        (json!({"action": {}}), vec!["`action`", "an object"]),
        (
            json!({"action": "status", "kmsKeyId": "alias/x"}),
            vec!["`kmsKeyId` is not taken by action `status`", "`documentName`"],
        ),
        (json!({"action": "status", "documentName": "a/b"}), vec!["`documentName`", "`a/b`"]),
        (json!({"action": "check"}), vec!["`kmsKeyId` is missing", "encryption is `Disabled`"]),
        (json!({"action": "check", "encryption": "Disabled"}), vec!["`encryption` is `Disabled`", "`check`"]),
        (json!({"action": "plan", "kmsKeyID": "alias/x"}), vec!["`kmsKeyID`", "did you mean `kmsKeyId`"]),
        (
            json!({"action": "plan", "KmsKeyId": "alias/x"}),
            vec!["`kmsKeyId` is missing", "did you mean `kmsKeyId`"],
        ),
        (
            json!({"action": "plan", "kmsKeyId": "alias/x", "discoverUsers": "yes"}),
            vec!["`discoverUsers`", "`yes`", "true or false"],
        ),
        (
            json!({"action": "plan", "kmsKeyId": "alias/x", "onKeyTrouble": "Standby"}),
            vec!["`standbyKmsKeyId` is missing", "onKeyTrouble is `Standby`"],
        ),
        (
            json!({"action": "plan", "kmsKeyId": "alias/x", "keyPolicyReaderExternalId": "x"}),
            vec!["`keyPolicyReaderExternalId`", "without keyPolicyReaderRoleArn"],
        ),
        (
            json!({"action": "reconcile", "users": ["arn:aws:iam::123456789012:role/Operator"]}),
            vec!["`users` is not taken by action `reconcile` without `kmsKeyId`"],
        ),
        (json!({"action": "reconcile", "kmsKeyId": ""}), vec!["`kmsKeyId` is missing"]),
        (json!({"action": "reconcile", "documentName": 7}), vec!["`documentName`", "`7`"]),
    ] {
        let message = read_call(&event).unwrap_err();
        for word in words {
            assert!(message.contains(word), "{event}: {message} does not hold {word}");
        }
    }
}

#[test]
fn a_wrong_action_does_not_blame_the_properties() {
    let message = read_call(&json!({"action": "repair", "kmsKeyId": "alias/x"})).unwrap_err();
    assert!(!message.contains("kmsKeyId"), "{message}");
}
