//! The quick reader against the strict one: for every line the two answers are the same bytes, whether the policies are
//! new or were read before.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value};

use super::super::case::{answer, answer_strictly};
use super::super::line::Line;
use super::*;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The cases of the corpora, a line each.
fn corpus() -> Vec<String> {
    let mut lines = Vec::new();
    for file in files("crates/kms-key-policy/tests/corpus") {
        let group: Map<String, Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for case in group["cases"].as_array().unwrap() {
            let mut input = group["defaults"].as_object().unwrap().clone();
            input.extend(case["input"].as_object().unwrap().clone());
            input.retain(|_, value| !value.is_null());
            lines.push(Value::from(input).to_string());
        }
    }
    for file in files("tests/it/policy/__fuzz__/policy__fuzz__answer_lines/corpus") {
        lines.extend(std::fs::read_to_string(file).unwrap().lines().map(str::to_owned));
    }
    assert!(lines.len() > 300);
    lines
}

/// Answers a line and compares the answer with the strict one. Returns whether the line could be read.
fn check(line: &str, caches: &mut Caches) -> bool {
    let (mut quick, mut strict) = (Vec::new(), Vec::new());
    let line = line.trim_ascii();
    let answered = answer(Line::Whole(line.as_bytes()), caches, &mut quick);
    assert_eq!(answered, answer_strictly(line, &mut strict), "{line}");
    assert_eq!(String::from_utf8(quick).unwrap(), String::from_utf8(strict).unwrap(), "{line}");
    answered
}

#[test]
fn every_case_of_the_corpora_gets_the_strict_answer() {
    let mut caches = Caches::new();
    let mut answered = 0;
    for line in corpus() {
        for _ in 0..4 {
            let good = check(&line, &mut caches);
            // The quick reader reads every case of the corpora that can be answered: none of them is unusual.
            assert_eq!(
                read(&line, &mut caches).is_some_and(|(case, _)| super::super::case::request(&case).is_ok()),
                good,
                "{line}"
            );
            answered += usize::from(good);
        }
    }
    assert!(answered > 1000, "{answered}");
}

const CASE: &str = r#""keyArn":"arn:aws:kms:eu-west-1:111111111111:key/k","keyPolicy":{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}},"principal":"arn:aws:iam::111111111111:role/App","action":"kms:Decrypt""#;
const ALLOW: &str = r#"{"Statement":{"Sid":"a-b","Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Members that a case may have, some of them malformed; `ALLOW` stands for a policy.
const MEMBERS: &[&str] = &[
    r#""id":1"#,
    r#""id":null"#,
    r#""id":{"a":[1,"}"]}"#,
    r#""id":"\ud83d\ude00 é""#,
    r#""id":"\ud83d""#,
    r#""id":01"#,
    r#""id":nul"#,
    r#""id":"#,
    r#""action":"kms:Decrypt""#,
    r#""action":null"#,
    r#""keyPolicy":ALLOW"#,
    r#""\u0069d":1"#,
    r#""i\"d":1"#,
    r#""iD":1"#,
    r#""grants":null"#,
    r#""grants":[]"#,
    r#""grants":{"Grants":[],"Truncated":true}"#,
    r#""grants":"[]""#,
    r#""grants":[{}]"#,
    r#""grants":1"#,
    r#""identityPolicies":null"#,
    r#""identityPolicies":[]"#,
    r#""identityPolicies": [ ALLOW , ALLOW ] "#,
    r#""identityPolicies":[ALLOW,]"#,
    r#""identityPolicies":[ALLOW ALLOW]"#,
    r#""identityPolicies":[ALLOW}"#,
    r#""identityPolicies":ALLOW"#,
    r#""identityPolicies":[null]"#,
    r#""identityPolicies":["{\"Statement\":[]}"]"#,
    r#""identityPolicies":["{\"Statement\":[]}\ud800"]"#,
    r#""identityPolicies":"[]""#,
    r#""permissionsBoundary":ALLOW"#,
    r#""permissionsBoundary":null"#,
    r#""permissionsBoundary":nullALLOW"#,
    r#""permissionsBoundary":[]"#,
    r#""permissionsBoundary":"" "#,
    r#""sessionPolicies":[ALLOW]"#,
    r#""sessionPolicies":[[ALLOW]]"#,
    r#""serviceControlPolicies":[]"#,
    r#""serviceControlPolicies":[[],[ALLOW,ALLOW]]"#,
    r#""serviceControlPolicies":[ALLOW]"#,
    r#""serviceControlPolicies":[null]"#,
    r#""serviceControlPolicies":[[ALLOW]"#,
    r#""serviceControlPolicies":[[ALLOW},[]]"#,
    r#""resourceControlPolicies":[[{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}]]"#,
    r#""resourceControlPolicies":[[ALLOW]]"#,
    r#""context":{"aws:x":["a",1,true],"aws:y":"\u0000"}"#,
    r#""context":{"aws:x":"a","AWS:X":"b"}"#,
    r#""context":{"aws:x":{}}"#,
    r#""context":{}"#,
    r#""context":{ "aws:x" : "a" , "aws:y" : "é" }"#,
    r#""context":{"aws:x":"a",}"#,
    r#""context":{"aws:x":"a"]"#,
    r#""context":{"aws:\u0078":"a"}"#,
    r#""context":{"aws:x":""b"}"#,
    r#""context":{"aws:x":"}"#,
    "\"context\":{\"aws:\u{1}\":\"a\"}",
    "\"context\":{\"aws:x\":\"\u{1}\"}",
    r#""context":null"#,
    r#""context":[]"#,
    r#""absent":["aws:z"]"#,
    r#""absent":null"#,
    r#""otherContext":"absent""#,
    r#""otherContext":"none""#,
    r#""otherContext":null"#,
    "",
    "1",
    "\"\u{1}\":1",
    "\t\"id\"\t:\r1\t",
];

#[test]
fn every_two_members_get_the_strict_answer() {
    let mut caches = Caches::new();
    for one in MEMBERS {
        for other in MEMBERS {
            for line in [
                format!("{{{one},{CASE},{other}}}"),
                format!("{{ {CASE} , {one}}}"),
                format!("{{{one},{other}}}"),
                format!("{{{CASE},{one}}}{{{other}"),
                format!("{{{CASE},{one}{other}"),
            ] {
                check(&line.replace("ALLOW", ALLOW), &mut caches);
            }
        }
    }
}

#[test]
fn a_context_has_no_more_values_than_the_strict_reader_accepts() {
    let case = |count: usize| {
        let values: Vec<String> = (0..count).map(|n| format!("\"k{n}\":\"v\"")).collect();
        format!("{{{CASE},\"context\":{{{}}}}}", values.join(","))
    };
    let mut caches = Caches::new();
    assert!(check(&case(MOST_VALUES), &mut caches));
    assert!(!check(&case(MOST_VALUES + 1), &mut caches));
}

/// Changes to a text: a place, how many bytes are replaced there, and the piece of JSON that replaces them.
fn changes() -> impl Strategy<Value = Vec<(Index, usize, &'static str)>> {
    let pieces = prop::sample::select(vec![
        "", "", "{", "}", "[", "]", ":", ",", "\"", "\\", " ", "null", "true", "-1e9", "\"*\"", "\\u0000",
        "\\ud800", "é", "\u{1}", "{}", "[]", "\"\"",
    ]);
    prop::collection::vec((any::<Index>(), 0..4usize, pieces), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_line_gets_the_strict_answer(which in any::<Index>(), changes in changes()) {
        thread_local! {
            static LINES: (Vec<String>, std::cell::RefCell<Caches>) = (corpus(), Caches::new().into());
        }
        LINES.with(|(lines, caches)| {
            let caches = &mut caches.borrow_mut();
            let line = which.get(lines);
            let mut damaged = line.clone().into_bytes();
            for (at, length, piece) in changes {
                let at = at.index(damaged.len() + 1);
                let end = (at + length).min(damaged.len());
                damaged.splice(at..end, piece.bytes());
            }
            let damaged = String::from_utf8_lossy(&damaged).replace('\n', " ");
            for line in [line, &damaged, line, &damaged, line, &damaged] {
                check(line, caches);
            }
        });
    }
}
