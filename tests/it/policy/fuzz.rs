//! Fuzz targets: bytes never panic, and the matcher keeps to its definition.
//!
//! `cargo test` replays the corpus in `__fuzz__` and tries some thousand inputs more; `cargo bolero test
//! policy::fuzz::parse` (or `match_pattern`, `answer_lines`) goes on for as long as wanted, with a fuzzing engine.

use std::path::Path;

use kms_key_policy::{
    Action, Context, Decision, Grants, KeyArn, Layers, OtherKeys, Policy, PolicyKind, Principal, Request,
    decide,
};
use proptest::prelude::*;
use proptest::sample::Index;
use session_kms::cli::evaluate;

const KINDS: [PolicyKind; 6] = [
    PolicyKind::Key,
    PolicyKind::Identity,
    PolicyKind::Boundary,
    PolicyKind::Session,
    PolicyKind::ServiceControl,
    PolicyKind::ResourceControl,
];

fn request(context: Context) -> Request {
    let key = KeyArn::parse("arn:aws:kms:eu-west-1:111111111111:key/1234abcd").unwrap();
    let principal = Principal::parse("arn:aws:sts::111111111111:assumed-role/App/one").unwrap();
    Request::new(principal, Action::parse("kms:Decrypt").unwrap(), key, context)
}

/// Reads bytes as each kind of policy, and decides with what can be read.
fn parse_and_decide(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Grants::parse(&text);
    for kind in KINDS {
        let Ok(policy) = Policy::parse(kind, &text) else { continue };
        assert!(policy.warnings().iter().all(|warning| !warning.to_string().is_empty()));
        if kind == PolicyKind::Key {
            let grants = Grants::none();
            for others in [OtherKeys::Unknown, OtherKeys::Absent] {
                let layers = Layers { identity_policies: Some(&[]), ..Layers::of_key(&policy, &grants) };
                let answer = decide(&request(Context::new(others)), &layers);
                assert_eq!(answer.decision == Decision::Depends, !answer.depends_on.is_empty());
            }
        }
    }
}

/// A text of printable ASCII: half of it wildcards and repeated letters, which match most.
fn narrow(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 8] = b"*?aab*cA";
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 8)])).collect()
}

/// Splits bytes into a pattern and a value, and compares the evaluator with the definition of wildcards.
fn match_one(bytes: &[u8]) {
    let (at, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let (pattern, value) = rest.split_at(usize::from(*at).min(rest.len()));
    let (pattern, value) = (narrow(pattern), narrow(value).replace(['*', '?'], "b"));
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringLike": {"aws:x": pattern}},
    }});
    let policy = Policy::parse(PolicyKind::Key, &policy.to_string()).unwrap();
    let grants = Grants::none();
    let layers = Layers { identity_policies: Some(&[]), ..Layers::of_key(&policy, &grants) };
    let answer = decide(&request(Context::new(OtherKeys::Absent).value("aws:x", value.clone())), &layers);
    assert_eq!(answer.decision == Decision::Allowed, by_definition(&pattern, &value), "{pattern} {value}");
}

/// Whether a pattern matches, by the table of all prefixes: slow and obvious.
fn by_definition(pattern: &str, value: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    let mut row = vec![false; value.len() + 1];
    row[0] = true;
    for symbol in pattern.chars() {
        let before = row.clone();
        for at in 0..row.len() {
            row[at] = match symbol {
                '*' => before[at] || (at > 0 && row[at - 1]),
                '?' => at > 0 && before[at - 1],
                c => at > 0 && before[at - 1] && value[at - 1] == c,
            };
        }
    }
    row[value.len()]
}

fn answer_one(bytes: &[u8]) {
    let mut output = Vec::new();
    evaluate::run(bytes, &mut output, 1).unwrap();
    for line in std::str::from_utf8(&output).unwrap().lines() {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(answer.get("decision").is_some() != answer.get("error").is_some(), "{line}");
    }
}

#[test]
fn parse() {
    bolero::check!().with_iterations(3000).for_each(|bytes: &[u8]| parse_and_decide(bytes));
}

#[test]
fn match_pattern() {
    bolero::check!().with_iterations(5000).for_each(|bytes: &[u8]| match_one(bytes));
}

#[test]
fn answer_lines() {
    bolero::check!().with_iterations(1000).for_each(|bytes: &[u8]| answer_one(bytes));
}

/// The corpus of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/policy/__fuzz__");
    let folder = corpora.join(format!("policy__fuzz__{target}")).join("corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Changes to a text: at a place, so many bytes are replaced by a piece of what policies are made of.
fn changes() -> impl Strategy<Value = Vec<(Index, usize, String)>> {
    let pieces = prop::sample::select(vec![
        "",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "*",
        "?",
        "${",
        "}",
        "null",
        "true",
        "-1e9",
        "\"Deny\"",
        "\"*\"",
        "\"NotAction\"",
        "\"ForAllValues:StringLike\"",
        "\"aws:x\"",
        "\\u0000",
        "\\ud800",
        "\u{e9}",
        "é",
        "\u{1F512}",
    ]);
    prop::collection::vec((any::<Index>(), 0..6usize, pieces.prop_map(str::to_owned)), 1..8)
}

fn change(mut bytes: Vec<u8>, changes: &[(Index, usize, String)]) -> Vec<u8> {
    for (at, length, piece) in changes {
        let at = at.index(bytes.len() + 1);
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, piece.bytes());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_policies_never_panic(which in any::<Index>(), changes in changes()) {
        parse_and_decide(&change(which.get(&corpus("parse")).clone(), &changes));
    }

    #[test]
    fn damaged_lines_never_panic(which in any::<Index>(), changes in changes()) {
        answer_one(&change(which.get(&corpus("answer_lines")).clone(), &changes));
    }
}

#[test]
fn the_greatest_policies_are_read() {
    let whole = |statement: &str| {
        let count = (32_768 - 16) / (statement.len() + 1);
        format!("{{\"Statement\":[{}]}}", vec![statement; count].join(","))
    };
    for statement in [
        r#"{"Effect":"Deny","Principal":"*","Action":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringLike":{"a":"*a*a*a*a*a*a*b"}}}"#,
    ] {
        parse_and_decide(whole(statement).as_bytes());
    }
    let keys: String = (0..2300).map(|n| format!(r#""{n:x}":"*a*","#)).collect();
    let many_keys = [
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringLike":{"#,
        &keys,
        r#""z":"z"}}}}"#,
    ];
    let many_keys = many_keys.concat();
    assert!(Policy::parse(PolicyKind::Key, &many_keys).is_ok());
    parse_and_decide(many_keys.as_bytes());
    // Long lists of texts and of patterns for one unknown key.
    for values in [
        (0..2000).map(|n| format!(r#""v{n}""#)).collect::<Vec<_>>(),
        (0..1500).map(|n| format!(r#""*v{n}*""#)).collect(),
    ] {
        let values = values.join(",");
        let long = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{{"StringLike":{{"a":[{values}]}}}}}}}}"#
        );
        assert!(Policy::parse(PolicyKind::Key, &long).is_ok());
        parse_and_decide(long.as_bytes());
    }
    parse_and_decide("[".repeat(32_000).as_bytes());
    parse_and_decide(format!("{{\"Statement\":{}", "[".repeat(32_000)).as_bytes());
}
