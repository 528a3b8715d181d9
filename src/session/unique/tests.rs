use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::session::Edit;

const KEYS: [&str; 2] =
    ["arn:aws:kms:eu-west-1:111122223333:key/1-1", "arn:aws:kms:eu-west-1:111122223333:key/2-2"];

fn json(text: &str) -> Content {
    Content::new(text.to_owned(), DocumentFormat::Json)
}

fn yaml(text: &str) -> Content {
    Content::new(text.to_owned(), DocumentFormat::Yaml)
}

/// JSON whose description has every form.
fn json_texts() -> Vec<String> {
    let with = |description: &str| {
        ["", "\n", "\r\n", " \t\n\n"].map(|end| {
            format!("{{\n  \"schemaVersion\": \"1.0\"{description},\n  \"inputs\": {{\"kmsKeyId\": \"\"}}\n}}{end}")
        })
    };
    let described = [
        "",
        ", \"description\": null",
        ", \"description\" : \"\"",
        ",\n  \"description\": \"Ours \\u00e9 \\\"x\\\" \\\\\"",
    ];
    let mut texts: Vec<_> = described.into_iter().flat_map(with).collect();
    texts.push("{\"description\":\"Ours\",\"schemaVersion\":\"1.0\"}".to_owned());
    texts.push("{\"schemaVersion\":\"1.0\",\"inputs\":{},\"description\":null}".to_owned());
    texts
}

/// YAML whose description has every form. The second value says whether a mark can stand in the description.
fn yaml_texts() -> Vec<(String, bool)> {
    let described = [
        ("", true),
        ("description:\n", true),
        ("description: ''\n", true),
        ("description: \"\"\n", true),
        ("description: Ours\n", true),
        ("description: Ours # but not yours\n", true),
        ("description: 'It''s ours'\n", true),
        ("description: \"Ours \\\"x\\\" \\\\\"  # c\n", true),
        ("'description': \"Ours\"\n", true),
        ("description: Ours\n  and yours\n", true),
        ("description: 'Ours\n  and yours'\n", true),
        ("description: \"Ours\n\n  and yours\"\n", true),
        ("description: |\n  Ours\n", false),
        ("description: |-\n  Ours\n", false),
        ("description: >\n  Ours\n  and yours\n", false),
        ("description: ~\n", false),
        ("description: 7\n", false),
        ("description: [Ours]\n", false),
        ("description: &a Ours\nother: *a\n", false),
    ];
    let inputs = [
        "inputs:\n  kmsKeyId: ''\n",
        "inputs:\n  kmsKeyId: ''",
        "inputs:\n  kmsKeyId: ''\r\n",
        "inputs:\n  kmsKeyId: ''\n# the end\n",
        "inputs:\n  kmsKeyId: ''\n  shellProfile:\n    linux: |\n      export A=1\n",
        "inputs:\n  kmsKeyId: ''\n  shellProfile:\n    linux: |+\n      export A=1\n\n",
        "inputs:\n  kmsKeyId: ''\n  shellProfile:\n    linux: |-\n      export A=1",
        "inputs:\n  kmsKeyId: ''\n...\n",
    ];
    let begins = ["", "---\n", "# ours\n", "\u{feff}"];
    let mut texts = Vec::new();
    for (description, can_be_marked) in described {
        for inputs in inputs {
            for begin in begins {
                texts.push((format!("{begin}schemaVersion: '1.0'\n{description}{inputs}"), can_be_marked));
                texts.push((format!("{begin}{description}schemaVersion: '1.0'\n{inputs}"), can_be_marked));
            }
        }
    }
    for flow in [
        "{schemaVersion: '1.0', inputs: {kmsKeyId: ''}}\n",
        "{description: Ours, schemaVersion: '1.0', inputs: {kmsKeyId: ''}}",
        "{schemaVersion: '1.0', description: 'Ours', inputs: {kmsKeyId: ''}}",
        "{\"schemaVersion\": \"1.0\", \"description\": \"\", \"inputs\": {\"kmsKeyId\": \"\"}}",
    ] {
        texts.push((flow.to_owned(), true));
    }
    texts
}

fn description(content: &Content) -> Option<Value> {
    content.description().expect("it can be read")
}

#[test]
fn padding_is_unique_for_each_version_changes_no_meaning_and_goes_away() {
    let yaml_texts = yaml_texts().into_iter().map(|(text, _)| yaml(&text));
    for content in json_texts().iter().map(|text| json(text)).chain(yaml_texts) {
        let Some(first) = padded(&content, 7) else {
            assert!(content.format() == DocumentFormat::Yaml, "{}", content.text());
            continue;
        };
        let second = padded(&content, 8).unwrap();
        assert!(first != second && first != content);
        assert!(first.has_meaning_of(&content), "{}", content.text());
        assert_eq!(unmarked(&first, 8).text(), content.text());
        assert_eq!(unmarked(&first, 7), first, "that of the version to come stays");
        assert_eq!(unmarked(&content, 8), content);
    }
}

#[test]
fn only_a_text_that_ends_in_a_scalar_takes_no_comment() {
    let refused: Vec<_> =
        yaml_texts().into_iter().filter(|(text, _)| padded(&yaml(text), 1).is_none()).collect();
    for (text, _) in &refused {
        assert!(text.contains("|-") || text.contains("|+") || text.ends_with("...\n"), "{text:?}");
    }
    assert!(refused.len() * 2 < yaml_texts().len(), "{}", refused.len());
}

#[test]
fn every_number_has_padding_of_its_own() {
    let base = json("{\"schemaVersion\":\"1.0\"}\n\n");
    let mut seen = std::collections::HashSet::new();
    for version in 1..2000 {
        let padded = padded(&base, version).unwrap();
        assert_eq!(unmarked(&padded, 0), base);
        assert!(seen.insert(padded.text().to_owned()), "version {version}");
    }
}

#[test]
fn a_mark_stands_in_the_description_and_nothing_of_it_is_left() {
    let jsons = json_texts().into_iter().map(|text| (json(&text), true));
    let yamls = yaml_texts().into_iter().map(|(text, can_be_marked)| (yaml(&text), can_be_marked));
    for (content, can_be_marked) in jsons.chain(yamls) {
        let text = content.text();
        let Some(first) = marked(&content, 7) else {
            assert!(!can_be_marked, "{text:?}");
            continue;
        };
        assert!(can_be_marked, "{text:?}");
        let Some(Value::String(described)) = description(&first) else { panic!("{text:?}") };
        assert!(described.contains("session-kms version 7"), "{described:?}");
        assert_eq!(unmarked(&first, 8).text(), text);
        assert_ne!(marked(&content, 8).unwrap(), first);
    }
}

#[test]
fn a_mark_ends_the_description_and_brackets_are_used_where_they_can_stand() {
    for (content, expected) in [
        (json(r#"{"description":"Ours"}"#), "Ours [session-kms version 7]"),
        (yaml("description: Ours\n"), "Ours [session-kms version 7]"),
        (yaml("{description: Ours}\n"), "Ours (session-kms version 7)"),
        (json(r#"{"a":1}"#), "[session-kms version 7]"),
        (json(r#"{"description":""}"#), " [session-kms version 7]"),
        (json(r#"{"description":null}"#), "[session-kms version 7, null]"),
    ] {
        assert_eq!(description(&marked(&content, 7).unwrap()), Some(expected.into()));
    }
}

#[test]
fn marks_of_earlier_releases_go_too_and_what_only_looks_like_a_mark_stays() {
    for (before, after) in [
        (r#"{"description":"Ours [session-kms version 4]"}"#, r#"{"description":"Ours"}"#),
        (r#"{"description":" [session-kms version 4]"}"#, r#"{"description":""}"#),
    ] {
        assert_eq!(unmarked(&json(before), 9).text(), after);
    }
    let yaml_before = "description: \"Ours [session-kms version 4]\"\nschemaVersion: '1.0'\n";
    assert_eq!(unmarked(&yaml(yaml_before), 9).text(), "description: \"Ours\"\nschemaVersion: '1.0'\n");
    for text in [
        r#"{"description":"Ours [session-kms version x]"}"#,
        r#"{"description":"Ours [session-kms version ]"}"#,
        r#"{"description":"Ours [session-kms version 4] "}"#,
        r#"{"description":"[session-kms version 4, nil]"}"#,
        r#"{"description":7}"#,
    ] {
        assert_eq!(unmarked(&json(text), 9).text(), text);
    }
    for text in [
        "a: 1\n# session-kms version x\n",
        "a: 1\n# session-kms version 4\n# more\n",
        "a: 1 # session-kms version 4\n",
    ] {
        assert_eq!(unmarked(&yaml(text), 9).text(), text);
    }
    let inside = "a: |\n  # session-kms version 4\n";
    assert_eq!(unmarked(&yaml(inside), 9).text(), inside, "that is no comment");
}

#[test]
fn a_text_that_cannot_be_read_stays() {
    for content in [json("no json"), yaml("a: [")] {
        assert_eq!((padded(&content, 1), marked(&content, 1)), (None, None));
        assert_eq!(unmarked(&content, 1), content);
    }
}

fn with_key(content: &Content, key: &str) -> Option<Content> {
    match content.with_kms_key_id(key) {
        Ok(Edit::Done(content)) => Some(content),
        Ok(Edit::AskForJson) | Err(_) => None,
    }
}

proptest! {
    /// Whatever made the versions between unique, the text is in the end as it was, apart from the key.
    #[test]
    fn after_any_changes_only_the_key_differs(
        at in 0_usize..4096,
        is_json in any::<bool>(),
        changes in prop::collection::vec((0_usize..2, 0_u8..3), 1..6),
    ) {
        let content = if is_json {
            let texts = json_texts();
            json(&texts[at % texts.len()])
        } else {
            let texts = yaml_texts();
            yaml(&texts[at % texts.len()].0)
        };
        if let Some(first) = with_key(&content, KEYS[0]) {
            let mut now = first.clone();
            for (version, (key, form)) in (2_u64..).zip(changes) {
                let plain = unmarked(&with_key(&now, KEYS[key]).unwrap(), version);
                let unique = match form {
                    0 => None,
                    1 => padded(&plain, version),
                    _ => marked(&plain, version),
                };
                now = unique.unwrap_or(plain);
                prop_assert_eq!(now.kms_key_id().unwrap(), KEYS[key]);
            }
            let last = unmarked(&with_key(&now, KEYS[0]).unwrap(), 99);
            prop_assert_eq!(last.text(), first.text());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}|[\\[\\]{}:,\"' \\n|&*#a-z-]{0,60}") {
        for content in [json(&text), yaml(&text), yaml(&format!("description: {text}\n"))] {
            for unique in [padded(&content, 3), marked(&content, 3)].into_iter().flatten() {
                prop_assert_eq!(unmarked(&unique, 4), unmarked(&content, 4));
            }
        }
    }
}
