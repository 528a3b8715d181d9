//! The reader against serde_json: both accept the same texts, and read the same values.

use proptest::prelude::*;

use super::*;

/// Reads any value with the reader, as serde_json would.
fn read(reader: &mut JsonReader<'_>, path: &JsonPath<'_>) -> ParseResult<serde_json::Value> {
    match reader.peek() {
        JsonKind::Object => {
            let mut members = serde_json::Map::new();
            reader.object(path, "an object", |reader, name| {
                let value = read(reader, &path.member(&name))?;
                members.insert(name.into_owned(), value);
                Ok(())
            })?;
            Ok(members.into())
        }
        JsonKind::Array => {
            let mut list = Vec::new();
            reader.one_or_many(path, |reader, path| {
                list.push(read(reader, path)?);
                Ok(())
            })?;
            Ok(list.into())
        }
        JsonKind::Null => reader.skip(path).map(|()| serde_json::Value::Null),
        JsonKind::Bool => reader.scalar(path).map(|word| (word == "true").into()),
        JsonKind::Number => Ok(serde_json::from_str(&reader.scalar(path)?).unwrap_or_default()),
        JsonKind::String | JsonKind::Other => reader.text(path).map(|text| text.into_owned().into()),
    }
}

fn whole(text: &str) -> ParseResult<serde_json::Value> {
    let mut reader = JsonReader::new(text);
    let value = read(&mut reader, &JsonPath::Root)?;
    reader.end()?;
    Ok(value)
}

#[test]
fn json_is_read_with_its_values() {
    for text in [
        r#"{"a":[1,-2.5e3,true,false,"x\n\"\\\/\b\f\r\tA\u00e9\ud83d\ude00"],"":{}, "b" : [ ] }"#,
        " [\t\"é😀\"\r\n] ",
        "0",
        "-0.5E+1",
        r#""""#,
    ] {
        assert_eq!(whole(text).unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap(), "{text}");
    }
}

#[test]
fn text_that_is_no_json_is_refused_with_its_position() {
    for text in [
        "",
        "{",
        "[",
        "{]",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"a\nb\"",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "nul",
        "[1 2]",
        "1 2",
        "'a'",
    ] {
        let error = whole(text).unwrap_err();
        assert!(matches!(error.problem, ParseProblem::Json { .. }), "{text}: {error}");
    }
    let error = whole(r#"{"a":[{"b c":tru}]}"#).unwrap_err();
    assert_eq!(error.path, r#"$.a[0]["b c"]"#);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reader_and_serde_json_take_the_same_texts(text in r#"[\[\]{}:,"a1\\u0e.\-tn ]{0,12}"#) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        prop_assert_eq!(whole(&text).is_ok(), theirs.is_ok(), "{}", text);
    }

    #[test]
    fn the_compact_length_is_that_of_the_text_without_white_space(names in prop::collection::vec(r#"[ "\\\n\ta,:{]{0,5}"#, 0..6)) {
        let value = serde_json::json!({ "a b": names, "c": [{}, [], {"d ": 1}] });
        prop_assert_eq!(compact_length(&format!("\r\n\t{value:#} ")), value.to_string().len());
    }
}
