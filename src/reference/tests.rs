//! The schemas of inputs agree with the readers: what a reader takes is valid, and what a schema requires is required.

use jsonschema::Validator;
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
fn values(kind: &PropertyKind) -> Vec<Value> {
    let of_kind: Vec<Value> = match kind {
        PropertyKind::Text => vec![
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
            words.iter().flat_map(|word| [word.clone(), word.to_uppercase()]).map(Value::from).collect()
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
            vec![json!({}), json!("{}"), json!({"aws:SourceVpc": "vpc-1"}), json!({"Statement": []})]
        }
    };
    let of_none = [json!(null), json!(""), json!({"a": 1}), json!([[1]]), json!("nonsense"), json!(1.5)];
    of_kind.into_iter().chain(of_none).collect()
}

/// The least that a reader takes.
fn complete(reader: &Reader) -> Map<String, Value> {
    let values = json!({
        "account": "111122223333", "region": "eu-west-1", "accounts": "organization", "roleName": "audit",
        "output": if reader.title == "auditPairs" { "s3://bucket/list.json" } else { "s3://bucket/folder/" },
        "results": "s3://bucket/results/", "kmsKeyId": KEY, "KmsKeyId": KEY, "ConsumerAccounts": "111122223333",
        "tf": {"action": if reader.form == CallForm::Terraform { "Update" } else { "DELETE" }, "prev_input": {"a": 1}},
        "action": reader.title.to_uppercase(),
    });
    let names = reader.properties.iter().map(|property| property.name.as_str());
    names.filter_map(|name| Some((name.to_owned(), values.get(name)?.clone()))).collect()
}

/// The complete properties, and these with each value of each property.
fn variants(reader: &Reader) -> Vec<Map<String, Value>> {
    let complete = complete(reader);
    let properties =
        reader.properties.iter().filter(|property| !["action", "tf"].contains(&property.name.as_str()));
    let changed = properties.flat_map(|property| {
        let with = |value| {
            let mut changed = complete.clone();
            changed.insert(property.name.clone(), value);
            changed
        };
        values(&property.kind).into_iter().map(with).collect::<Vec<_>>()
    });
    std::iter::once(complete.clone()).chain(changed).collect()
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
    let (of_key, of_access, of_call) =
        (validator("session-key"), validator("session-key-access"), validator("direct-call"));
    let key = Reader::session_key();
    let access = Reader::session_key_access();
    let resources = [
        (
            &key,
            &of_key,
            (|properties| SessionKeyQuestion::read(properties).is_ok()) as fn(&Map<String, Value>) -> bool,
        ),
        (&access, &of_access, |properties| KeyAccessQuestion::read(properties).is_ok()),
    ];
    for (reader, validator, is_taken) in resources {
        let taken: Vec<_> = variants(reader).into_iter().filter(is_taken).collect();
        assert!(taken.len() > 10, "{} takes {taken:?}", reader.title);
        for properties in taken {
            let properties = Value::Object(properties);
            assert!(validator.is_valid(&properties), "{} takes {properties}", reader.title);
        }
    }
    for reader in Reader::direct_calls() {
        let calls = variants(&reader).into_iter().map(Value::Object);
        let taken: Vec<_> = calls.filter(is_taken).collect();
        assert!(taken.len() > 2, "{} takes {taken:?}", reader.title);
        for call in taken {
            assert!(of_call.is_valid(&call), "the reader takes {call}");
        }
    }
}

#[test]
fn what_a_schema_requires_the_reader_requires() {
    let of_call = validator("direct-call");
    for reader in Reader::direct_calls() {
        let call = Value::Object(complete(&reader));
        assert!(is_taken(&call) && of_call.is_valid(&call), "{call}");
        // Without the action it is no call, and without `tf` a call of another form.
        let names =
            call.as_object().unwrap().keys().filter(|name| !["action", "tf"].contains(&name.as_str()));
        for name in names {
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
        (json!({"action": "reconcile", "kmsKeyId": KEY, "tf": {"action": "create"}}), true),
        (json!({"action": "reconcile", "tf": {"action": "create"}}), false),
        (json!({"action": "reconcile", "tf": {"action": "delete"}, "anything": 1}), true),
        (json!({"action": "reconcile", "kmsKeyId": KEY, "tf": {"action": "mend"}}), false),
        (json!({"action": "reconcile", "kmsKeyId": KEY, "tf": "create"}), false),
        (json!({"action": "mend"}), false),
    ] {
        assert_eq!(is_taken(&call), expected, "the reader on {call}");
        assert_eq!(of_call.is_valid(&call), expected, "the schema on {call}");
    }
}

#[test]
fn reconcile_is_described_in_each_of_its_forms() {
    let calls = descriptions::direct_calls();
    let of_reconcile = calls.iter().filter(|call| call.action == "reconcile").map(|call| call.form);
    let forms = [CallForm::Plain, CallForm::WithIntent, CallForm::Terraform, CallForm::TerraformDestroy];
    assert!(of_reconcile.eq(forms));
    let others = calls.iter().filter(|call| call.action != "reconcile");
    assert_eq!(others.filter(|call| call.form == CallForm::Plain).count(), 7);
    assert_eq!(calls.len(), 11);
}
