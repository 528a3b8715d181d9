//! The evaluator against iam-simulate. Both must decide generated cases alike, unless a known difference explains why
//! they do not.
//!
//! `tests/oracle/differences.json` is the table of known differences. Each row has the source that says who is right,
//! and a case in which the two differ.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use serde_json::{Value, json};
use session_kms::cli::evaluate;

use super::oracle;
use crate::schemas;

const CASES: usize = 10_000;
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OWN: [&str; 4] = [
    "arn:aws:iam::111111111111:role/App",
    "arn:aws:iam::111111111111:role/team/Ops",
    "arn:aws:sts::111111111111:assumed-role/App/one",
    "arn:aws:iam::111111111111:user/ann",
];
const FOREIGN: [&str; 3] = [
    "arn:aws:iam::222222222222:role/App",
    "arn:aws:sts::222222222222:assumed-role/App/one",
    "arn:aws:iam::222222222222:user/ann",
];

/// A row of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    name: String,
    why: String,
    source: String,
    input: Value,
    ours: String,
    theirs: String,
}

fn differences() -> Vec<Difference> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/differences.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Whether a generated case may show the known difference of this name.
fn may_show(name: &str, input: &Value) -> bool {
    let policy = input["keyPolicy"].to_string();
    let all = input.to_string();
    let principal = input["principal"].as_str().unwrap();
    let foreign = !principal.contains(":111111111111:");
    match name {
        "no Resource" => {
            let statements = input["keyPolicy"]["Statement"].as_array().unwrap();
            statements.iter().any(|s| s.get("Resource").is_none() && s.get("NotResource").is_none())
        }
        "actions across accounts" => foreign && input["action"] == "kms:PutKeyPolicy",
        "root user" => principal.ends_with(":root"),
        "NotPrincipal" => policy.contains("NotPrincipal"),
        "version 2008" => !policy.contains("2012-10-17") && all.contains("${"),
        "plain operator on a list" => all.contains(r#""StringEquals":{"kms:EncryptionContextKeys""#),
        "lone star as an ARN" => {
            let listed = [r#""aws:PrincipalArn":"*""#, r#""aws:PrincipalArn":["*""#, r#"","*"]"#];
            all.contains(r#""aws:PrincipalArn":"#) && listed.iter().any(|text| all.contains(text))
        }
        "unknown operator" => all.contains("StringMatches"),
        "ForAnyValue IfExists" => all.contains("ForAnyValue:StringEqualsIfExists"),
        "escaped star ignoring case" => all.contains("IgnoreCase") && all.contains("${*}"),
        "no value under inverted operators" => all.contains(r#""StringNot"#) && all.contains("${"),
        "session and session policy" => {
            principal.contains(":assumed-role/") && input.get("sessionPolicies").is_some()
        }
        // Generated cases do not show the other differences.
        _ => false,
    }
}

fn condition() -> impl Strategy<Value = Value> {
    let text = |operators: &[&'static str], keys: &[&'static str], values: &[&'static str]| {
        let values = vec(select(values.to_vec()), 1..3);
        (select(operators.to_vec()), select(keys.to_vec()), values).prop_map(|(o, k, v)| {
            let values = if v.len() == 1 { json!(v[0]) } else { json!(v) };
            json!({ o: { k: values } })
        })
    };
    let strings = [
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringEqualsIfExists",
        "StringNotLikeIfExists",
    ];
    let string_keys =
        ["aws:PrincipalTag/x", "aws:principaltag/X", "aws:PrincipalOrgID", "aws:SourceVpce", "aws:username"];
    let string_values = [
        "red",
        "RED",
        "r*",
        "?ed",
        "*",
        "blue",
        "${aws:SourceVpce}",
        "r${*}",
        "${aws:PrincipalTag/y, 'red'}",
        "ann",
    ];
    let sets = [
        "ForAllValues:StringEquals",
        "ForAllValues:StringLike",
        "ForAnyValue:StringEquals",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotEquals",
        "ForAnyValue:StringNotEquals",
        "StringEquals",
        "ForAnyValue:StringEqualsIfExists",
    ];
    let arns = ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "ArnLikeIfExists"];
    let arn_values = [
        "arn:aws:iam::111111111111:role/App",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::222222222222:*",
        "arn:*:*:*:*:user/a?n",
        "*",
    ];
    let numbers = [
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEqualsIfExists",
    ];
    let dates =
        ["DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThanEquals", "DateLessThanIfExists"];
    let dates_listed = ["2020-01-01T00:00:00Z", "2024-06-30T12:00:00Z"];
    prop_oneof![
        4 => text(&strings, &string_keys, &string_values),
        2 => text(&sets, &["kms:EncryptionContextKeys"], &["a", "b", "c*"]),
        2 => text(&arns, &["aws:PrincipalArn"], &arn_values),
        1 => text(&numbers, &["aws:MultiFactorAuthAge"], &["5", "300", "12.5"]),
        1 => text(&dates, &["aws:CurrentTime"], &dates_listed),
        1 => text(&["Bool", "BoolIfExists"], &["aws:SecureTransport", "aws:MultiFactorAuthPresent"], &["true", "false"]),
        1 => text(&["IpAddress", "NotIpAddress", "IpAddressIfExists"], &["aws:SourceIp"], &["10.0.0.0/8", "10.1.2.3", "192.168.0.0/16"]),
        1 => text(&["Null"], &["aws:SourceVpce", "aws:PrincipalOrgID", "kms:EncryptionContextKeys"], &["true", "false"]),
        1 => text(&["StringMatches"], &["aws:PrincipalOrgID"], &["red"]),
    ]
}

fn statement(principals: bool) -> impl Strategy<Value = Value> {
    let mut everybody = OWN.to_vec();
    everybody.extend(FOREIGN);
    everybody.extend([
        "arn:aws:iam::111111111111:root",
        "222222222222",
        "*",
        "arn:aws:iam::111111111111:role/team/App",
    ]);
    let principal = vec(select(everybody), 1..3);
    let action = select(vec![
        json!("kms:*"),
        json!("*"),
        json!("kms:Decrypt"),
        json!("KMS:de*"),
        json!(["kms:Encrypt", "kms:Decrypt"]),
        json!("kms:Encr?pt"),
        json!("s3:*"),
    ]);
    let resource = select(vec![
        Some("*"),
        Some("*"),
        Some(KEY),
        Some("arn:aws:kms:*:111111111111:key/*"),
        Some("arn:aws:kms:eu-west-?:*:key/1*"),
        Some("arn:aws:kms:*:*:alias/*"),
        None,
    ]);
    let elements = (
        prop::bool::weighted(0.75),
        principal,
        prop::bool::weighted(0.04),
        action,
        prop::bool::weighted(0.1),
    );
    let rest = (resource, prop::bool::weighted(0.1), vec(condition(), 0..2));
    (elements, rest).prop_map(
        move |((allow, who, not, action, not_action), (resource, not_resource, conditions))| {
            let mut statement = json!({ "Effect": if allow { "Allow" } else { "Deny" } });
            if principals {
                statement[if not { "NotPrincipal" } else { "Principal" }] = json!({ "AWS": who });
            }
            statement[if not_action { "NotAction" } else { "Action" }] = action;
            let resource = resource.or(if principals { None } else { Some("*") });
            if let Some(resource) = resource {
                statement[if not_resource { "NotResource" } else { "Resource" }] = json!(resource);
            }
            let conditions: BTreeMap<String, Value> =
                conditions.iter().flat_map(|condition| condition.as_object().unwrap().clone()).collect();
            if !conditions.is_empty() {
                statement["Condition"] = json!(conditions);
            }
            statement
        },
    )
}

fn policy(principals: bool, most: usize) -> impl Strategy<Value = Value> {
    (prop::bool::weighted(0.9), vec(statement(principals), 1..=most)).prop_map(|(new, statements)| {
        let version = if new { "2012-10-17" } else { "2008-10-17" };
        json!({ "Version": version, "Statement": statements })
    })
}

/// A policy that mostly allows everything, so that the other policies decide.
fn ceiling() -> impl Strategy<Value = Value> {
    let full = json!({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]});
    prop_oneof![2 => Just(full), 1 => policy(false, 2)]
}

/// The context with the derived keys, which iam-simulate does not derive.
fn context(principal: &str) -> impl Strategy<Value = Value> + use<> {
    let mut derived = json!({ "aws:PrincipalArn": principal, "aws:SecureTransport": "true" });
    if let Some((account, role)) = principal.split_once(":assumed-role/") {
        let role = role.split('/').next().unwrap();
        derived["aws:PrincipalArn"] = json!(format!("{}:role/{role}", account.replace(":sts:", ":iam:")));
    }
    if let Some((_, user)) = principal.split_once(":user/") {
        derived["aws:username"] = json!(user);
    }
    let maybe = |key: &'static str, values: &[&'static str]| {
        prop::option::weighted(0.6, select(values.to_vec()))
            .prop_map(move |value| (key, value.map(|v| json!(v))))
    };
    let keys = prop::option::weighted(0.6, vec(select(vec!["a", "b", "cd"]), 1..3))
        .prop_map(|list| ("kms:EncryptionContextKeys", list.map(|l| json!(l))));
    let parts = (
        maybe("aws:PrincipalTag/x", &["red", "RED", "r*", ""]),
        maybe("aws:PrincipalOrgID", &["red", "blue"]),
        maybe("aws:SourceVpce", &["red", "ann"]),
        maybe("aws:MultiFactorAuthAge", &["5", "300.0", "12.50", "299"]),
        maybe("aws:CurrentTime", &["2020-01-01T00:00:00Z", "2023-05-05T05:05:05Z"]),
        maybe("aws:SourceIp", &["10.1.2.3", "192.168.7.7", "8.8.8.8"]),
        maybe("aws:MultiFactorAuthPresent", &["true", "false"]),
        keys,
    );
    parts.prop_map(move |(a, b, c, d, e, f, g, h)| {
        let mut context = derived.clone();
        for (key, value) in [a, b, c, d, e, f, g, h] {
            if let Some(value) = value {
                context[key] = value;
            }
        }
        context
    })
}

fn case() -> impl Strategy<Value = Value> {
    let callers = [&OWN[..], &OWN[..], &FOREIGN[..], &["arn:aws:iam::111111111111:root"][..]].concat();
    let actions = vec!["kms:Decrypt", "kms:Decrypt", "kms:Encrypt", "kms:PutKeyPolicy"];
    let deny = || {
        prop::option::weighted(
            0.15,
            statement(false).prop_map(|mut statement| {
                statement["Effect"] = json!("Deny");
                if statement.get("Resource").is_none() && statement.get("NotResource").is_none() {
                    statement["Resource"] = json!("*");
                }
                statement
            }),
        )
    };
    select(callers)
        .prop_flat_map(move |principal| {
            let own = (
                vec(policy(false, 3), 0..3),
                prop::option::weighted(0.2, ceiling()),
                prop::option::weighted(0.2, ceiling()),
                prop::option::weighted(0.2, vec(vec(ceiling(), 1..3), 1..3)),
            );
            (Just(principal), select(actions.clone()), policy(true, 4), own, deny(), context(principal))
        })
        .prop_map(|(principal, action, key_policy, (identity, boundary, session, scps), rcp, context)| {
            let mut case = json!({
                "keyArn": KEY, "principal": principal, "action": action, "keyPolicy": key_policy,
                "identityPolicies": identity, "context": context, "otherContext": "absent",
            });
            if let Some(boundary) = boundary.filter(|_| !principal.ends_with(":root")) {
                case["permissionsBoundary"] = boundary;
            }
            if let Some(session) = session.filter(|_| principal.contains(":assumed-role/")) {
                case["sessionPolicies"] = json!([session]);
            }
            if let Some(scps) = scps {
                case["serviceControlPolicies"] = json!(scps);
            }
            if let Some(mut statement) = rcp.filter(|s| s.get("NotAction").is_none() && s["Action"] != "*") {
                statement["Principal"] = json!("*");
                case["resourceControlPolicies"] =
                    json!([[{ "Version": "2012-10-17", "Statement": [statement] }]]);
            }
            case
        })
}

fn generated() -> Vec<Value> {
    let mut runner = TestRunner::deterministic();
    (0..CASES).map(|_| case().new_tree(&mut runner).unwrap().current()).collect()
}

/// The decisions of the evaluator in the words of iam-simulate, or `Depends`.
fn ours(cases: &[Value]) -> Vec<String> {
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let mut output = Vec::new();
    evaluate::run(lines.as_bytes(), &mut output, 2).unwrap();
    let word = |line: &str| {
        let answer: Value = serde_json::from_str(line).unwrap();
        schemas::assert_valid("evaluate-answer", &answer);
        assert!(answer.get("error").is_none(), "{line}");
        let word = match (answer["decision"].as_str(), answer["explicit"].as_bool()) {
            (Some("allowed"), _) => "Allowed",
            (Some("denied"), Some(true)) => "ExplicitlyDenied",
            (Some("denied"), _) => "ImplicitlyDenied",
            _ => "Depends",
        };
        word.to_owned()
    };
    std::str::from_utf8(&output).unwrap().lines().map(word).collect()
}

fn theirs(folder: &Path, cases: &[Value]) -> Vec<String> {
    let answers = oracle::ask(folder, &[], cases);
    answers.iter().map(|a| a["result"].as_str().map_or_else(|| a.to_string(), str::to_owned)).collect()
}

#[test]
fn generated_cases_come_out_as_in_iam_simulate_or_differ_for_a_known_reason() {
    let folder = oracle::install();
    let known = differences();
    let cases = generated();
    let mut unexplained = Vec::new();
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for ((case, ours), theirs) in cases.iter().zip(ours(&cases)).zip(theirs(&folder, &cases)) {
        if ours == theirs {
            *alike.entry(ours).or_default() += 1;
        } else if !known.iter().any(|difference| may_show(&difference.name, case)) {
            unexplained.push(format!("ours {ours}, theirs {theirs}: {case}"));
        }
    }
    assert!(
        unexplained.is_empty(),
        "{} of {CASES} differ without a known reason:\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
    let enough = alike.values().all(|count| *count > CASES / 50) && alike.len() == 3;
    assert!(enough, "of {CASES} cases too few of each kind are alike: {alike:?}");
}

#[test]
fn every_known_difference_exists() {
    let folder = oracle::install();
    let known = differences();
    let cases: Vec<Value> = known.iter().map(|difference| difference.input.clone()).collect();
    let answers = ours(&cases).into_iter().zip(theirs(&folder, &cases));
    for (difference, (ours, theirs)) in known.iter().zip(answers) {
        assert!(!difference.why.is_empty() && !difference.source.is_empty());
        assert_eq!((&ours, &theirs), (&difference.ours, &difference.theirs), "{}", difference.name);
        assert_ne!(ours, theirs, "{}", difference.name);
    }
}

#[test]
fn two_tests_can_install_the_oracle_at_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/oracle-at-once");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    let case = &differences()[0].input;
    let ask = || {
        oracle::install_into(&folder);
        theirs(&folder, std::slice::from_ref(case))
    };
    std::thread::scope(|scope| {
        let both = [scope.spawn(ask), scope.spawn(ask)];
        let [left, right] = both.map(|asked| asked.join().unwrap());
        assert_eq!(left, right);
    });
    std::fs::remove_dir_all(&folder).unwrap();
}
