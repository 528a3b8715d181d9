use proptest::prelude::*;

use super::*;

const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn json(text: &str) -> Content {
    Content::new(text.to_owned(), DocumentFormat::Json)
}

fn yaml(text: &str) -> Content {
    Content::new(text.to_owned(), DocumentFormat::Yaml)
}

fn set(content: &Content, key: &str) -> Content {
    match content.with_kms_key_id(key).unwrap() {
        Edit::Done(content) => content,
        Edit::AskForJson => panic!("it cannot be edited in place"),
    }
}

#[test]
fn the_console_s_document_has_every_field() {
    let content = Content::of_console(ARN);
    assert_eq!(content.kms_key_id().unwrap(), ARN);
    for field in [
        "s3BucketName",
        "s3KeyPrefix",
        "s3EncryptionEnabled",
        "cloudWatchLogGroupName",
        "cloudWatchEncryptionEnabled",
        "cloudWatchStreamingEnabled",
        "kmsKeyId",
        "runAsEnabled",
        "runAsDefaultUser",
        "idleSessionTimeout",
        "maxSessionDuration",
        "shellProfile",
    ] {
        assert!(content.text().contains(&format!("\"{field}\"")), "{field}");
    }
}

#[test]
fn only_the_value_of_the_key_changes_in_the_text() {
    let before = "{\n  \"schemaVersion\": \"1.0\",\t\"sessionType\":\"Standard_Stream\",\n \"inputs\" : { \"x\": 1.50, \
                  \"kmsKeyId\" :null , \"big\": 12345678901234567890123, \"runAsEnabled\": \"true\" } }\n";
    let after = set(&json(before), ARN);
    assert_eq!(after.text(), before.replace("null", &format!("\"{ARN}\"")));
    assert_eq!(set(&after, "").text(), before.replace("null", "\"\""));
}

#[test]
fn a_missing_key_is_added_after_the_last_setting_in_the_author_s_layout() {
    let before = "{\n  \"schemaVersion\": \"1.0\",\n  \"inputs\": {\n    \"a\": [1, {}]\n  }\n}";
    let after = format!(
        "{{\n  \"schemaVersion\": \"1.0\",\n  \"inputs\": {{\n    \"a\": [1, {{}}],\n    \"kmsKeyId\": \"{ARN}\"\n  }}\n}}"
    );
    assert_eq!(set(&json(before), ARN).text(), after);
}

#[test]
fn missing_inputs_are_added() {
    for text in [
        r#"{"schemaVersion":"1.0"}"#,
        r#"{"schemaVersion":"1.0","inputs":null}"#,
        r#"{"schemaVersion":"1.0","inputs":{}}"#,
    ] {
        assert_eq!(set(&json(text), ARN).kms_key_id().unwrap(), ARN, "{text}");
    }
}

#[test]
fn content_of_another_kind_is_refused() {
    let refused = |text: &str| json(text).with_kms_key_id(ARN).unwrap_err();
    assert_eq!(refused("no json"), ContentError::Unreadable(DocumentFormat::Json));
    assert_eq!(refused("[]"), ContentError::NotAnObject("its content"));
    assert_eq!(refused("{}"), ContentError::SchemaVersion("missing".into()));
    assert_eq!(refused(r#"{"schemaVersion":"2.2"}"#), ContentError::SchemaVersion("\"2.2\"".into()));
    assert_eq!(
        refused(r#"{"schemaVersion":"1.0","sessionType":"InteractiveCommands"}"#),
        ContentError::SessionType("\"InteractiveCommands\"".into())
    );
    assert_eq!(refused(r#"{"schemaVersion":"1.0","inputs":[]}"#), ContentError::NotAnObject("`inputs`"));
    assert_eq!(
        refused(r#"{"schemaVersion":"1.0","inputs":{"kmsKeyId":"{{ key }}"}}"#),
        ContentError::Template("{{ key }}".into())
    );
    assert_eq!(
        refused(r#"{"schemaVersion":"1.0","inputs":{"kmsKeyId":7}}"#),
        ContentError::KeyNotText("a number")
    );
}

#[test]
fn a_setting_that_is_named_twice_is_the_reason() {
    let twice = |name: &str| Err(ContentError::NamedTwice(name.to_owned()));
    for (content, name) in [
        (json(r#"{"schemaVersion":"1.0","inputs":{"kmsKeyId":"a","kmsKeyId":"b"}}"#), "kmsKeyId"),
        (json(r#"{"schemaVersion":"1.0","inputs":{"a":1,"b":2,"a":1}}"#), "a"),
        (json(r#"{"schemaVersion":"1.0","inputs":{},"inputs":{}}"#), "inputs"),
        (yaml("schemaVersion: '1.0'\ninputs:\n  kmsKeyId: a\n  kmsKeyId: b\n"), "kmsKeyId"),
        (yaml("schemaVersion: '1.0'\nschemaVersion: '1.0'\n"), "schemaVersion"),
        (yaml("schemaVersion: '1.0'\ninputs:\n  shellProfile: {linux: a, linux: b}\n"), "linux"),
    ] {
        assert_eq!(content.kms_key_id(), twice(name), "{}", content.text());
        assert_eq!(content.with_kms_key_id(ARN), twice(name).map(|_: String| Edit::AskForJson));
    }
    assert_eq!(ContentError::NamedTwice("kmsKeyId".to_owned()).to_string(), "`kmsKeyId` is named twice");
    // What stands deeper in JSON is passed on as it is.
    let deep = r#"{"schemaVersion":"1.0","inputs":{"shellProfile":{"linux":"a","linux":"b"}}}"#;
    assert!(set(&json(deep), ARN).text().contains(r#"{"linux":"a","linux":"b"}"#));
}

#[test]
fn yaml_keeps_comments_and_layout() {
    let before = "# ours\nschemaVersion: '1.0' # fixed\nsessionType: Standard_Stream\ninputs:\n  # do not touch: ü\n  \
                  s3BucketName: logs\n  kmsKeyId: ''  # set by the platform team\n  shellProfile:\n    linux: |\n      \
                  export A=1\n      cd\n";
    let after = set(&yaml(before), ARN);
    assert_eq!(after.text(), before.replace("kmsKeyId: ''", &format!("kmsKeyId: \"{ARN}\"")));
    assert_eq!(set(&after, "").kms_key_id().unwrap(), "");
}

#[test]
fn yaml_without_the_key_gets_it() {
    for (before, after) in [
        (
            "schemaVersion: 1.0\ninputs:\n  a: 1\n  b: 2",
            format!("schemaVersion: 1.0\ninputs:\n  kmsKeyId: \"{ARN}\"\n  a: 1\n  b: 2"),
        ),
        (
            "schemaVersion: '1.0'\ninputs: {a: 1}\n",
            format!("schemaVersion: '1.0'\ninputs: {{kmsKeyId: \"{ARN}\", a: 1}}\n"),
        ),
        (
            "schemaVersion: '1.0'\ninputs: {}\n",
            format!("schemaVersion: '1.0'\ninputs: {{kmsKeyId: \"{ARN}\"}}\n"),
        ),
        (
            "schemaVersion: '1.0'\ninputs:\n  kmsKeyId:\n  a: 1\n",
            format!("schemaVersion: '1.0'\ninputs:\n  kmsKeyId: \"{ARN}\"\n  a: 1\n"),
        ),
    ] {
        assert_eq!(set(&yaml(before), ARN).text(), after);
    }
}

#[test]
fn yaml_that_cannot_be_edited_in_place_needs_json() {
    for text in [
        "schemaVersion: '1.0'\n",
        "schemaVersion: '1.0'\ninputs:\n",
        "schemaVersion: '1.0'\ninputs:\n  kmsKeyId: |\n    x\n",
    ] {
        assert_eq!(yaml(text).with_kms_key_id(ARN).unwrap(), Edit::AskForJson, "{text}");
    }
}

#[test]
fn yaml_with_anchors_is_read_and_needs_json() {
    let key = "kmsKeyId: alias/old\n";
    for text in [
        format!("schemaVersion: '1.0'\ninputs: &a\n  {key}"),
        format!("schemaVersion: '1.0'\nother: &a\n  {key}inputs: *a\n"),
        format!("schemaVersion: &v '1.0'\nother: *v\ninputs:\n  {key}"),
        "schemaVersion: '1.0'\nother: &k alias/old\ninputs:\n  kmsKeyId: *k\n".to_owned(),
    ] {
        assert_eq!(yaml(&text).kms_key_id(), Ok("alias/old".to_owned()), "{text}");
        assert_eq!(yaml(&text).with_kms_key_id(ARN), Ok(Edit::AskForJson), "{text}");
    }
}

#[test]
fn yaml_that_programs_read_differently_is_refused_with_the_reason() {
    for (text, why) in [
        ("schemaVersion: '1.0'\na: &a {kmsKeyId: x}\ninputs:\n  <<: *a\n", "merge key"),
        ("schemaVersion: '1.0'\ninputs:\n  kmsKeyId: !!binary YQ==\n", "tag"),
        ("schemaVersion: !custom '1.0'\n", "tag"),
        ("schemaVersion: '1.0'\ninputs: *nothing\n", "cannot be read as YAML"),
    ] {
        let error = yaml(text).kms_key_id().unwrap_err();
        assert!(error.to_string().contains(why), "{text}: {error}");
        assert_eq!(yaml(text).with_kms_key_id(ARN), Err(error));
    }
}

#[test]
fn aliases_that_stand_for_too_much_are_refused_soon() {
    let mut text = "schemaVersion: '1.0'\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(yaml(&text).kms_key_id(), Err(ContentError::TooLarge));
    let mut deep = "schemaVersion: '1.0'\na0: &a0 [x]\n".to_owned();
    for level in 1..2000 {
        deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert_eq!(yaml(&deep).kms_key_id(), Err(ContentError::TooLarge));
}

#[test]
fn yaml_with_a_byte_order_mark_is_edited_in_place() {
    for text in
        ["\u{feff}inputs: {}\nschemaVersion: '1.0'\n", "\u{feff}schemaVersion: '1.0'\ninputs:\n  a: 1\n"]
    {
        let edited = set(&yaml(text), ARN);
        assert!(edited.text().starts_with('\u{feff}'), "{:?}", edited.text());
        assert_eq!(edited.kms_key_id().unwrap(), ARN);
    }
}

#[test]
fn debug_hides_the_text() {
    let shown = format!("{:?}", json(r#"{"shellProfile":"export TOKEN=secret"}"#));
    assert!(!shown.contains("secret"), "{shown}");
}

/// Any JSON value, a few levels deep.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Number(n.into())),
        any::<f32>().prop_map(|n| serde_json::json!(n)),
        "\\PC{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("\\PC{0,8}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A preferences document with any extra content, its members in any order.
pub(crate) fn any_document() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        Just(Some("".into())),
        Just(Some("alias/old".into()))
    ];
    let inputs = prop::collection::vec(("[a-zA-Z]{1,8}|\\PC{1,5}", any_value()), 0..6);
    let root = prop::collection::vec(("[a-z]{1,8}|\\PC{1,5}", any_value()), 0..4);
    (key, inputs, root, any::<bool>(), 0_usize..5).prop_map(|(key, inputs, root, typed, at)| {
        let named = |names: &[&str], members: Vec<(String, Value)>| -> Vec<(String, Value)> {
            members.into_iter().filter(|(name, _)| !names.contains(&name.as_str())).collect()
        };
        let mut inputs = named(&["kmsKeyId"], inputs);
        if let Some(key) = key {
            inputs.insert(at.min(inputs.len()), ("kmsKeyId".into(), key));
        }
        let mut root = named(&["inputs", "schemaVersion", "sessionType"], root);
        root.insert(at.min(root.len()), ("inputs".into(), Value::Object(inputs.into_iter().collect())));
        root.insert(0, ("schemaVersion".into(), "1.0".into()));
        if typed {
            root.push(("sessionType".into(), "Standard_Stream".into()));
        }
        Value::Object(root.into_iter().collect())
    })
}

/// A document without `inputs.kmsKeyId`, as text, so that order and number formats count.
fn without_key(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    value["inputs"].as_object_mut().unwrap().shift_remove("kmsKeyId");
    value.to_string()
}

proptest! {
    #[test]
    fn set_change_clear_leaves_everything_else(document in any_document(), pretty in any::<bool>()) {
        let text = if pretty { format!("{document:#}") } else { document.to_string() };
        let original = json(&text);
        let changed = set(&set(&original, ARN), "alias/other");
        let cleared = set(&changed, "");
        prop_assert_eq!(changed.kms_key_id().unwrap(), "alias/other");
        prop_assert_eq!(cleared.kms_key_id().unwrap(), "");
        prop_assert_eq!(without_key(cleared.text()), without_key(original.text()));
    }

    #[test]
    fn yaml_set_change_clear_leaves_everything_else(document in any_document()) {
        // JSON is YAML as well, in flow style.
        let original = yaml(&document.to_string());
        if let Ok(Edit::Done(changed)) = original.with_kms_key_id(ARN) {
            let cleared = set(&changed, "");
            prop_assert!(cleared.differs_only_in_key(&original));
            prop_assert_eq!(changed.kms_key_id().unwrap(), ARN);
        }
    }

    #[test]
    fn no_text_makes_the_editor_panic(text in "\\PC{0,60}|[\\[\\]{}:,\"' \\n|&*a-z-]{0,60}") {
        let _ = json(&text).with_kms_key_id(ARN);
        let _ = yaml(&text).with_kms_key_id(ARN);
    }
}
