//! Fuzz targets: no bytes make the reader panic, and the matcher agrees with the definition of wildcards.
//!
//! `cargo test` replays the inputs in `__fuzz__` and tries some thousand more. `cargo bolero test fuzz::parse` (or
//! `fuzz::match_pattern`) goes on for as long as wanted, with a fuzzing engine. The names of the folders in `__fuzz__`
//! are the names of the targets, with their module.

mod damage;

use std::path::Path;

use kms_key_policy::{
    Action, Context, Decision, Grants, KeyArn, Layers, OtherKeys, Policy, PolicyKind, Principal, Request,
    decide,
};
use proptest::prelude::*;
use proptest::sample::Index;

use damage::Tried;

use super::wildcard_definition::matches_by_definition;

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

/// Reads bytes as each kind of policy, and decides with the policies that can be read.
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

/// A text of printable ASCII. Half of its characters are wildcards and repeated letters, which match most often.
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
    assert_eq!(
        answer.decision == Decision::Allowed,
        matches_by_definition(&pattern, &value),
        "{pattern} {value}"
    );
}

#[test]
fn parse() {
    let tried = Tried::default();
    bolero::check!().with_iterations(3000).for_each(|bytes: &[u8]| {
        tried.add(bytes);
        parse_and_decide(bytes);
    });
    tried.assert_all(&corpus("fuzz__parse"));
}

#[test]
fn match_pattern() {
    let tried = Tried::default();
    bolero::check!().with_iterations(5000).for_each(|bytes: &[u8]| {
        tried.add(bytes);
        match_one(bytes);
    });
    tried.assert_all(&corpus("fuzz__match_pattern"));
}

/// The inputs of a fuzz target that `cargo test` replays.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    damage::inputs(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/__fuzz__").join(target).join("corpus"),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_policies_never_panic(which in any::<Index>(), changes in damage::changes()) {
        parse_and_decide(&damage::apply(which.get(&corpus("fuzz__parse")).clone(), &changes));
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
