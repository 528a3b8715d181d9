//! The schemas of inputs agree with the readers: what a reader takes is valid, and what a schema requires is required.

use std::cell::Cell;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::inputs::Reader;
use crate::event::descriptions::CallForm;
use crate::event::question::Question as _;
use crate::event::{Event, FunctionIdentity, descriptions};
use crate::intent::{KeyAccessQuestion, SessionKeyQuestion};
use cloudformation_custom_resource::PropertyKind;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/2234abcd-12ab-34cd-56ef-1234567890ab";
const ROLE: &str = "arn:aws:iam::111122223333:role/Ops";

fn validator(name: &str) -> Validator {
    let schemas = super::schemas();
    let (_, schema) = schemas.iter().find(|(of, _)| *of == name).unwrap();
    jsonschema::draft202012::new(schema).unwrap()
}

/// Values that some reader takes, and some that none takes.
fn value(kind: &PropertyKind) -> BoxedStrategy<Option<Value>> {
    let right: Vec<Value> = match kind {
        PropertyKind::Text => vec![
            json!(KEY),
            json!(OTHER_KEY),
            json!(ROLE),
            json!("Team-Sessions"),
            json!("eu-west-1"),
            json!("s3://bucket/folder/"),
            json!("s3://bucket/list.json"),
            json!(111_122_223_333_u64),
        ],
        PropertyKind::Flag => vec![json!(true), json!("FALSE"), json!("true")],
        PropertyKind::Word(words) => {
            let words = words.iter().flat_map(|word| [word.clone(), word.to_uppercase()]);
            words.map(Value::from).collect()
        }
        PropertyKind::Texts => vec![
            json!([]),
            json!([ROLE]),
            json!(ROLE),
            json!([""]),
            json!([KEY]),
            json!("111122223333"),
            json!([111_122_223_333_u64]),
            json!("organization"),
        ],
        PropertyKind::ObjectOrText => {
            vec![json!({}), json!("{}"), json!({"aws:SourceVpc": "vpc-1"}), json!("")]
        }
    };
    let wrong = vec![json!(null), json!(""), json!({"a": 1}), json!([[1]]), json!("nonsense"), json!(1.5)];
    prop_oneof![
        6 => Just(None),
        5 => select(right).prop_map(Some),
        1 => select(wrong).prop_map(Some),
    ]
    .boxed()
}

/// Some of the properties of a reader, the keys more often than not.
fn properties(reader: &Reader) -> BoxedStrategy<Map<String, Value>> {
    let each: Vec<_> = reader
        .properties
        .iter()
        .map(|property| {
            let name = property.name.clone();
            value(&property.kind).prop_map(move |value| value.map(|value| (name.clone(), value)))
        })
        .collect();
    let keys = select(vec![json!({}), json!({"KmsKeyId": KEY}), json!({"Encryption": "disabled"})]);
    let has_intent = reader.has_intent();
    let is_camel = reader.properties.iter().any(|property| property.name == "action");
    (each, keys)
        .prop_map(move |(each, keys)| {
            let mut properties: Map<String, Value> = each.into_iter().flatten().collect();
            let keys = keys.as_object().filter(|_| has_intent && !is_camel);
            properties.extend(keys.cloned().unwrap_or_default());
            properties
        })
        .boxed()
}

/// Whether the reader of a direct call takes it.
fn is_taken(call: &Value) -> bool {
    match crate::event::read(call, FunctionIdentity::default()) {
        Event::DirectCall { call, .. } => call.is_ok(),
        Event::ChangeEvent(_) => true,
        _ => false,
    }
}

#[test]
fn what_a_reader_takes_is_valid() {
    let (of_key, of_access) = (validator("session-key"), validator("session-key-access"));
    proptest!(ProptestConfig::with_cases(600), |(
        key in properties(&Reader::session_key()),
        access in properties(&Reader::session_key_access()),
    )| {
        if SessionKeyQuestion::read(&key).is_ok() {
            prop_assert!(of_key.is_valid(&Value::Object(key.clone())), "{key:?}");
        }
        if KeyAccessQuestion::read(&access).is_ok() {
            prop_assert!(of_access.is_valid(&Value::Object(access.clone())), "{access:?}");
        }
    });
    let of_call = validator("direct-call");
    for reader in Reader::direct_calls() {
        let taken = Cell::new(0);
        proptest!(ProptestConfig::with_cases(150), |(fields in properties(&reader))| {
            let mut call = Value::Object(fields);
            call["action"] = reader.title.to_uppercase().into();
            if is_taken(&call) {
                taken.set(taken.get() + 1);
                prop_assert!(of_call.is_valid(&call), "{call}");
            }
        });
        assert!(
            taken.get() > 0 || reader.title.starts_with("audit"),
            "no call of {} was taken",
            reader.title
        );
    }
}

#[test]
fn what_a_schema_requires_the_reader_requires() {
    let complete = json!({
        "action": "", "account": "111122223333", "region": "eu-west-1", "accounts": "organization",
        "roleName": "audit", "output": "s3://bucket/folder/", "results": "s3://bucket/results/", "kmsKeyId": KEY,
    });
    let of_call = validator("direct-call");
    for reader in Reader::direct_calls() {
        let names = reader.properties.iter().map(|property| property.name.as_str());
        let mut call: Value =
            names.filter_map(|name| Some((name.to_owned(), complete.get(name)?.clone()))).collect();
        call["action"] = reader.title.clone().into();
        if reader.title == "auditPairs" {
            call["output"] = "s3://bucket/list.json".into();
        }
        assert!(is_taken(&call) && of_call.is_valid(&call), "{call}");
        for name in call.as_object().unwrap().keys().filter(|name| *name != "action") {
            let mut without = call.clone();
            without.as_object_mut().unwrap().shift_remove(name);
            assert_eq!(of_call.is_valid(&without), is_taken(&without), "{without}");
        }
    }
}

#[test]
fn the_keys_depend_on_each_other_as_the_reader_says() {
    let of_call = validator("direct-call");
    for (call, expected) in [
        (json!({"action": "plan", "kmsKeyId": KEY}), true),
        (json!({"action": "plan"}), false),
        (json!({"action": "plan", "encryption": "Disabled"}), true),
        (json!({"action": "plan", "encryption": "DISABLED", "kmsKeyId": ""}), true),
        (json!({"action": "plan", "encryption": "Disabled", "kmsKeyId": KEY}), false),
        (json!({"action": "plan", "kmsKeyId": KEY, "onKeyTrouble": "standby"}), false),
        (
            json!({"action": "plan", "kmsKeyId": KEY, "onKeyTrouble": "standby", "standbyKmsKeyId": OTHER_KEY}),
            true,
        ),
        (json!({"action": "plan", "kmsKeyId": KEY, "standbyKmsKeyId": OTHER_KEY}), false),
        (json!({"action": "plan", "encryption": "Disabled", "onKeyTrouble": "Standby"}), true),
        (json!({"action": "plan", "kmsKeyId": KEY, "preflight": "LAX"}), false),
        (json!({"action": "plan", "kmsKeyId": KEY, "kmskeyid": KEY}), false),
        (json!({"action": "reconcile"}), true),
        (json!({"action": "Reconcile", "documentName": "Team-Sessions"}), true),
        (json!({"action": "reconcile", "onDelete": "Clear"}), false),
        (json!({"action": "mend"}), false),
    ] {
        assert_eq!(is_taken(&call), expected, "the reader on {call}");
        assert_eq!(of_call.is_valid(&call), expected, "the schema on {call}");
    }
}

#[test]
fn reconcile_is_described_by_the_record_and_with_an_intent() {
    let calls = descriptions::direct_calls();
    let of_reconcile: Vec<_> = calls.iter().filter(|call| call.action == "reconcile").collect();
    assert_eq!(of_reconcile.iter().map(|call| call.has_intent).collect::<Vec<_>>(), [false, true]);
    let others = calls.iter().filter(|call| call.action != "reconcile").count();
    assert_eq!(others, 7);
    let is_call = |call: &Value| {
        matches!(
            crate::event::read(call, FunctionIdentity::default()),
            Event::DirectCall { call: Ok(DirectCall::Reconcile(_)), .. }
        )
    };
    assert!(is_call(&json!({"action": "reconcile", "kmsKeyId": KEY})));
}
