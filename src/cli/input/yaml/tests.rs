use super::*;

fn value(text: &str) -> Result<String, String> {
    read(text).map(|node| node.canonical()).map_err(|problem| problem.to_string())
}

#[test]
fn scalars_have_the_value_that_all_versions_of_yaml_agree_on() {
    for (text, expected) in [
        ("a", "\"a\""),
        ("'1'", "\"1\""),
        ("2012-10-17", "\"2012-10-17\""),
        ("2026-01-01T00:00:00Z", "\"2026-01-01T00:00:00Z\""),
        ("111122223333", "111122223333"),
        ("-1", "-1"),
        ("0", "0"),
        ("true", "true"),
        ("~", "null"),
        ("10.0.0.1", "\"10.0.0.1\""),
        ("10.0.0.0/8", "\"10.0.0.0/8\""),
        ("arn:aws:iam::111122223333:root", "\"arn:aws:iam::111122223333:root\""),
        ("kms:*", "\"kms:*\""),
        ("*x", "line 1, column 1: "),
        ("|\n  a\n  b\n", "\"a\\nb\\n\""),
        ("! 1", "line 1, column 1: "),
    ] {
        match value(text) {
            Ok(found) => assert_eq!(found, expected, "{text}"),
            Err(problem) => assert!(problem.starts_with(expected), "{text}: {problem}"),
        }
    }
    for text in [
        "yes",
        "No",
        "on",
        "012345678901",
        "0123",
        "0x1F",
        "0o17",
        "1_000",
        "12:30",
        "1.5",
        "1e3",
        ".inf",
        "+1",
    ] {
        assert_eq!(value(text).unwrap(), format!("{{\"ambiguous\":\"{text}\"}}"), "{text}");
    }
}

#[test]
fn short_forms_of_functions_become_long_ones() {
    for (text, expected) in [
        ("!Ref A", r#"{"Ref":"A"}"#),
        ("!GetAtt A.Arn", r#"{"Fn::GetAtt":"A.Arn"}"#),
        ("!Sub [a, {b: !Ref C}]", r#"{"Fn::Sub":["a",{"b":{"Ref":"C"}}]}"#),
        ("!Not [!Condition A]", r#"{"Fn::Not":[{"Condition":"A"}]}"#),
        ("!If\n- A\n- !Ref B\n- x", r#"{"Fn::If":["A",{"Ref":"B"},"x"]}"#),
        ("!Sub 5", r#"{"Fn::Sub":"5"}"#),
        ("!!str 5", "\"5\""),
        ("!!int '5'", "5"),
    ] {
        assert_eq!(value(text).unwrap(), expected, "{text}");
    }
    assert!(value("!!binary aGk=").unwrap_err().contains("does not know the tag"));
}

#[test]
fn aliases_and_merge_keys_are_resolved_and_own_members_win() {
    let text = "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc:\n  <<: [{x: 4}, *a]\nd: *a\n";
    let expected = r#"{"a":{"x":1,"y":2},"b":{"y":3,"x":1},"c":{"x":4,"y":2},"d":{"x":1,"y":2}}"#;
    assert_eq!(value(text).unwrap(), expected);
    assert!(value("a: {<<: 1}").unwrap_err().contains("merges a mapping"));
    assert!(value("a: &a [*a]").is_err());
    let bomb: String = (1..40).map(|n| format!("k{n}: &k{n} [*k{}, *k{}]\n", n - 1, n - 1)).collect();
    assert!(value(&format!("k0: &k0 [x]\n{bomb}")).unwrap_err().contains("too many values"));
}

#[test]
fn what_is_not_one_yaml_document_is_refused_with_its_place() {
    for (text, expected) in [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: `a` is named twice"),
        ("a: [1", "line "),
        ("a: 1\n---\nb: 2", "line "),
        ("", "line "),
        ("? [a]\n: b", "line 1, column 3: the name of a member"),
    ] {
        let problem = value(text).unwrap_err();
        assert!(problem.starts_with(expected), "{text:?}: {problem}");
    }
}

#[test]
fn each_value_knows_its_lines() {
    let text = "Statement:\n  - Sid: A\n    Action:\n      - kms:*\n  # a comment\n  - {Sid: B,\n     Action: x}\n\n  - Sid: |\n      text\n      more\n\nLast: 1\n";
    let node = read(text).unwrap();
    let places: Vec<_> =
        node.get("Statement").unwrap().items().unwrap().iter().map(|item| item.place).collect();
    let lines: Vec<_> = places.iter().map(|place| (place.line, place.column, place.end_line)).collect();
    assert_eq!(lines, [(2, 5, 4), (6, 5, 7), (9, 5, 11)]);
}
