use proptest::prelude::*;
use serde_json::json;

use super::*;

const WORDS: [(&str, u8); 3] = [("Restore", 1), ("Clear", 2), ("Retain", 3)];

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is not an object"),
    }
}

/// The value read, or the message of the problem.
fn read<T>(value: Value, with: impl FnOnce(&mut Properties<'_>) -> T) -> Result<T, String> {
    let values = Map::from_iter([("Field".to_owned(), value)]);
    let mut properties = Properties::new(&values);
    let read = with(&mut properties);
    properties.finish(UnknownProperties::Refuse).map(|_| read).map_err(|problems| problems.to_string())
}

#[test]
fn trap_18_a_flag_is_true_or_false_in_any_case_and_nothing_else() {
    for (value, flag) in [
        (json!("true"), true),
        (json!("True"), true),
        (json!("TRUE"), true),
        (json!(true), true),
        (json!("false"), false),
        (json!("FaLsE"), false),
        (json!(false), false),
    ] {
        assert_eq!(read(value, |p| p.flag("Field")), Ok(Some(flag)));
    }
    for (value, shown) in [
        (json!("yes"), "`yes`"),
        (json!(""), "``"),
        (json!(" true"), "` true`"),
        (json!(1), "`1`"),
        (json!("0"), "`0`"),
        (json!([true]), "a list"),
        (json!({}), "an object"),
    ] {
        let message = format!("`Field` must be true or false, and is {shown}");
        assert_eq!(read(value, |p| p.flag("Field")), Err(message));
    }
    assert_eq!(read(json!(null), |p| p.flag("Field")), Ok(None));
}

#[test]
fn a_word_is_taken_in_any_case_and_the_message_lists_the_words() {
    for clear in ["Clear", "clear", "CLEAR"] {
        assert_eq!(read(json!(clear), |p| p.word("Field", &WORDS)), Ok(Some(2)));
    }
    for wrong in ["Clear ", "Cle", "Keep", ""] {
        let message = format!("`Field` must be one of `Restore`, `Clear`, `Retain`, and is `{wrong}`");
        assert_eq!(read(json!(wrong), |p| p.word("Field", &WORDS)), Err(message));
    }
}

#[test]
fn scalars_read_like_their_text() {
    assert_eq!(read(json!("x"), |p| p.text("Field")), Ok(Some("x".into())));
    assert_eq!(read(json!(14), |p| p.text("Field")), Ok(Some("14".into())));
    assert_eq!(read(json!(false), |p| p.text("Field")), Ok(Some("false".into())));
    let message = "`Field` must be text, and is a list";
    assert_eq!(read(json!(["x"]), |p| p.text("Field")), Err(message.into()));
}

#[test]
fn an_empty_text_counts_as_absent() {
    assert_eq!(read(json!(""), |p| p.text("Field")), Ok(None));
    assert_eq!(read(json!(""), |p| p.object_or_text("Field")), Ok(None));
    assert_eq!(read(json!(""), |p| p.texts("Field")), Ok(Some(vec![])));
    assert_eq!(read(json!(["", "a"]), |p| p.texts("Field")), Ok(Some(vec!["a".into()])));
    assert_eq!(read(json!(""), |p| p.required_text("Field")), Err("`Field` is required".into()));
    assert_eq!(
        read(json!([]), |p| p.required_text("Field")),
        Err("`Field` must be text, and is a list".into())
    );
    assert_eq!(read(json!("a"), |p| p.required_text("Field")), Ok("a".into()));
}

#[test]
fn texts_come_as_a_list_or_single_and_commas_stay() {
    assert_eq!(read(json!("a,b"), |p| p.texts("Field")), Ok(Some(vec!["a,b".into()])));
    assert_eq!(
        read(json!(["b", "a", 1]), |p| p.texts("Field")),
        Ok(Some(vec!["b".into(), "a".into(), "1".into()]))
    );
    let message = |shown| Err(format!("`Field` must be a list of texts, and is {shown}"));
    assert_eq!(read(json!({"a": "b"}), |p| p.texts("Field")), message("an object"));
    assert_eq!(read(json!(["a", ["b"]]), |p| p.texts("Field")), message("a list"));
}

#[test]
fn an_object_or_its_text_is_returned_as_given() {
    let object = map(json!({"z": 1, "a": {}}));
    assert_eq!(
        read(json!({"z": 1, "a": {}}), |p| p.object_or_text("Field")),
        Ok(Some(ObjectOrText::Object(object)))
    );
    assert_eq!(read(json!("{}"), |p| p.object_or_text("Field")), Ok(Some(ObjectOrText::Text("{}".into()))));
    let message = "`Field` must be an object or text, and is `7`";
    assert_eq!(read(json!(7), |p| p.object_or_text("Field")), Err(message.into()));
}

#[test]
fn all_problems_are_reported_at_once() {
    let values = map(json!({"Encryption": "On", "Days": "x", "OnDelte": "Clear", "Other": 1}));
    let mut properties = Properties::new(&values);
    assert_eq!(properties.required_text("KmsKeyId"), "");
    assert_eq!(properties.flag("Encryption"), None);
    assert_eq!(properties.flag("Days"), None);
    assert_eq!(properties.word("OnDelete", &WORDS), None);
    properties.reject("KmsKeyId", "is refused here");
    let problems = properties.finish(UnknownProperties::Refuse).unwrap_err();
    assert_eq!(problems.iter().count(), 6);
    assert_eq!(
        problems.to_string(),
        "`KmsKeyId` is required; `Encryption` must be true or false, and is `On`; \
         `Days` must be true or false, and is `x`; `KmsKeyId` is refused here; \
         `OnDelte` is not a property, did you mean `OnDelete`?; `Other` is not a property"
    );
}

#[test]
fn unknown_properties_are_ignored_and_listed_on_request() {
    let values = map(json!({"Old": {"a": 1}, "Known": "x", "Older": ""}));
    let mut properties = Properties::new(&values);
    assert_eq!(properties.text("Known").as_deref(), Some("x"));
    assert_eq!(properties.finish(UnknownProperties::Ignore), Ok(vec!["Old".into(), "Older".into()]));
}

#[test]
fn the_most_similar_name_is_suggested_if_it_is_similar_enough() {
    for (name, nearest) in [
        ("kmsKeyId", Some("KmsKeyId")),
        ("KmsKeyID", Some("KmsKeyId")),
        ("KeyId", Some("KmsKeyId")),
        ("Node", Some("Nodes")),
        ("Ondelete", Some("OnDelete")),
        ("OnConflict", None),
        ("Exempt", None),
        ("", None),
    ] {
        let values = map(json!({name: "x"}));
        let mut properties = Properties::new(&values);
        for known in ["KmsKeyId", "OnDelete", "Nodes"] {
            assert_eq!(properties.text(known), None);
        }
        let problems = properties.finish(UnknownProperties::Refuse).unwrap_err();
        let expected = match nearest {
            Some(nearest) => format!("`{name}` is not a property, did you mean `{nearest}`?"),
            None => format!("`{name}` is not a property"),
        };
        assert_eq!(problems.to_string(), expected);
    }
}

#[test]
fn the_value_of_a_hidden_property_is_never_repeated() {
    let values = map(json!({"ExternalId": ["hush"], "Flag": "hush"}));
    let mut properties = Properties::new(&values).hiding(&["ExternalId", "Flag"]);
    assert_eq!(properties.text("ExternalId"), None);
    assert_eq!(properties.flag("Flag"), None);
    let problems = properties.finish(UnknownProperties::Refuse).unwrap_err();
    assert_eq!(problems.to_string(), "`ExternalId` must be text; `Flag` must be true or false");
    assert!(!format!("{problems:?}").contains("hush"));
}

#[test]
fn names_in_camel_case_are_read_suggested_and_reported_in_camel_case() {
    let values =
        map(json!({"kmsKeyId": "x", "days": 14, "flag": false, "secret": ["hush"], "onDelte": "Clear"}));
    let mut properties = Properties::camel_case(&values).hiding(&["Secret"]);
    assert_eq!(properties.text("KmsKeyId").as_deref(), Some("x"));
    assert_eq!(properties.text("Days").as_deref(), Some("14"));
    assert_eq!(properties.flag("Flag"), Some(false));
    assert_eq!(properties.text("Secret"), None);
    assert_eq!(properties.word("OnDelete", &WORDS), None);
    assert_eq!(properties.required_text("DocumentName"), "");
    properties.reject("KmsKeyId", format!("is given with {}", properties.spelt("OnConflict")));
    let problems = properties.finish(UnknownProperties::Refuse).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "`secret` must be text; `documentName` is required; `kmsKeyId` is given with onConflict; \
         `onDelte` is not a property, did you mean `onDelete`?"
    );
}

#[test]
fn each_spelling_knows_only_itself() {
    let pascal = map(json!({"KmsKeyId": "x"}));
    let mut properties = Properties::camel_case(&pascal);
    assert_eq!(properties.text("KmsKeyId"), None);
    let problems = properties.finish(UnknownProperties::Refuse).unwrap_err();
    assert_eq!(problems.to_string(), "`KmsKeyId` is not a property, did you mean `kmsKeyId`?");

    let camel = map(json!({"kmsKeyId": "x"}));
    let mut properties = Properties::new(&camel);
    assert_eq!(properties.text("KmsKeyId"), None);
    let problems = properties.finish(UnknownProperties::Refuse).unwrap_err();
    assert_eq!(problems.to_string(), "`kmsKeyId` is not a property, did you mean `KmsKeyId`?");
}

#[test]
fn all_others_can_be_refused_with_a_reason_and_are_reported_once() {
    let values = map(json!({"Known": "x", "Other": 1, "Two\nlines": 2}));
    let mut properties = Properties::new(&values);
    assert_eq!(properties.text("Known").as_deref(), Some("x"));
    properties.reject_others("is not taken here");
    let problems = properties.finish(UnknownProperties::Refuse).unwrap_err();
    assert_eq!(problems.to_string(), "`Other` is not taken here; `Two\\nlines` is not taken here");
}

proptest! {
    #[test]
    fn messages_stay_short_and_on_one_line(name in ".{0,200}", value in ".{0,200}") {
        let values = map(json!({name: "x", "Flag": value}));
        let mut properties = Properties::new(&values);
        let flag = properties.flag("Flag");
        if let Err(problems) = properties.finish(UnknownProperties::Refuse) {
            let message = problems.to_string();
            prop_assert!(!message.contains('\n') && message.chars().count() < 2000);
        } else {
            prop_assert!(flag.is_some());
        }
    }
}
