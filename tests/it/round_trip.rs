//! Any document is as before, except for its key, after the key was set, changed, and cleared or deleted.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixture::{Fixture, NAME, and, but_for_key, disabled, enabled, key_in};
use crate::stub::{Document, DuplicateReading, Format};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_document_comes_back_as_it_was(
        document in any_document(),
        pretty in any::<bool>(),
        reading in prop_oneof![Just(DuplicateReading::LatestOnly), Just(DuplicateReading::AnyVersionBytes)],
        on_delete in prop_oneof![Just("Restore"), Just("Clear")],
        cleared in any::<bool>(),
    ) {
        let content = if pretty { format!("{document:#}\n") } else { document.to_string() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let back = runtime.block_on(set_change_and_delete(&content, reading, on_delete, cleared));
        prop_assert_eq!(without_key(&back), without_key(&content));
        let key = if on_delete == "Restore" { key_in(&content) } else { String::new() };
        prop_assert_eq!(key_in(&back), key);
    }
}

/// Sets the key, changes it, perhaps clears it, and deletes the resource. Returns the content that is left.
async fn set_change_and_delete(
    content: &str,
    reading: DuplicateReading,
    on_delete: &str,
    cleared: bool,
) -> String {
    let fixture = Fixture::with_document(Document::session(Format::Json, content)).await;
    fixture.stub.world(|world| world.documents.duplicates = reading);
    let run = async |payload| fixture.run(payload).await;
    let with = |properties| and(properties, "OnDelete", on_delete);
    let mut stack = fixture.deployed("demo", &with(enabled(&fixture.k1))).await;
    assert!(fixture.state().starts_with("latest k1, default k1"));
    assert_eq!(stack.update(&with(enabled(&fixture.k2)), &run).await.reason(), "");
    assert!(fixture.state().starts_with("latest k2, default k2"));
    if cleared {
        assert_eq!(stack.update(&with(disabled()), &run).await.reason(), "");
        assert!(fixture.state().starts_with("latest none, default none"));
    }
    assert_eq!(stack.delete(&run).await.reason(), "");
    fixture.assert_no_violations();
    fixture.stub.world(|world| {
        let document = world.document(NAME).unwrap();
        assert_eq!(document.latest_content(), document.default_content());
        document.latest_content().to_owned()
    })
}

/// The content without its key. If `inputs` is missing, it is added, as setting a key adds it.
fn without_key(content: &str) -> String {
    let mut value: Value = serde_json::from_str(content).unwrap();
    if value.get("inputs").is_none() {
        value["inputs"] = json!({});
    }
    but_for_key(&value.to_string())
}

/// A document that SSM accepts, with any further settings and members in any order.
fn any_document() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        Just(Some("".into())),
        Just(Some("alias/old".into()))
    ];
    let members = || prop::collection::vec(("[a-zA-Z]{1,8}|\\PC{1,5}", any_value()), 0..5);
    (prop::option::weighted(0.9, (key, members())), members(), 0_usize..4).prop_map(|(inputs, root, at)| {
        let reserved = ["schemaVersion", "sessionType", "description", "inputs", "kmsKeyId"];
        let own = |members: Vec<(String, Value)>| -> Vec<_> {
            members.into_iter().filter(|(name, _)| !reserved.contains(&name.as_str())).collect()
        };
        let mut root = own(root);
        if let Some((key, inputs)) = inputs {
            let mut inputs = own(inputs);
            if let Some(key) = key {
                inputs.insert(at.min(inputs.len()), ("kmsKeyId".to_owned(), key));
            }
            let inputs = Value::Object(inputs.into_iter().collect());
            root.insert(at.min(root.len()), ("inputs".to_owned(), inputs));
        }
        for (name, value) in [("sessionType", "Standard_Stream"), ("schemaVersion", "1.0")] {
            root.insert(at.min(root.len()), (name.to_owned(), value.into()));
        }
        Value::Object(root.into_iter().collect::<Map<_, _>>())
    })
}

/// Any JSON value, a few levels deep.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("\\PC{0,8}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
