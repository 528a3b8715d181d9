use super::*;

/// The value, without its places.
fn value(text: &str) -> Result<String, String> {
    read(text).map(|node| node.canonical()).map_err(|problem| problem.to_string())
}

#[test]
fn json_is_read_as_serde_json_reads_it() {
    for text in [
        "{}",
        "[]",
        " \t\r\n[ 1 , -2.5e3, true, false, null ] ",
        r#"{"a":{"b":["c","\u00e9\n\"\\\/","😀"]},"":0}"#,
        r#""\ud83d\ude00""#,
        "111122223333",
    ] {
        let expected = serde_json::from_str::<serde_json::Value>(text).unwrap().to_string();
        assert_eq!(value(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "line 1, column 1: the text ends where a value should be"),
        ("{\n  \"a\": 1,\n}", "line 3, column 1: the name of a member, in double quotes, should be here"),
        ("[1 2]", "line 1, column 4: a comma or `]` should be here"),
        ("{\"a\" 1}", "line 1, column 6: a colon should be here"),
        ("[\n\"a", "line 2, column 1: a text has no closing quote"),
        ("\"\\x\"", "line 1, column 1: the text has a line end, a control character or a wrong escape"),
        ("{\"a\": 1,\n \"a\": 2}", "line 2, column 2: `a` is named twice in one object"),
        ("nul", "line 1, column 1: a JSON value should be here"),
        ("01", "line 1, column 1: a JSON value should be here"),
        ("{} x", "line 1, column 4: there is more text behind the end of the JSON value"),
    ] {
        assert_eq!(value(text).unwrap_err(), expected, "{text}");
    }
    let deep = "[".repeat(MAX_DEPTH + 2);
    assert!(value(&deep).unwrap_err().contains("nested more than 64 deep"));
}

#[test]
fn each_value_knows_its_lines_and_its_column() {
    let node = read("{\n  \"é\": [1,\n    {\"b\": 2\n    }\n  ]}").unwrap();
    let list = node.get("é").unwrap();
    assert_eq!(list.place, SourcePlace { line: 2, column: 8, end_line: 5 });
    assert_eq!(list.items().unwrap()[1].place, SourcePlace { line: 3, column: 5, end_line: 4 });
    assert_eq!(node.place, SourcePlace { line: 1, column: 1, end_line: 5 });
}
