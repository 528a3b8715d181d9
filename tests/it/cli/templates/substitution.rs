//! The verdict on a template with unknown parameters is the verdict that every value of them has, or it is unknown.

use std::fmt::Write as _;

use fastrand::Rng;
use serde_json::Value;
use session_kms::cli::Exit;

use super::super::{data, piped};

const USER: &str = "arn:aws:iam::111122223333:role/App";
const NODE: &str = "arn:aws:iam::222222222222:role/team/Node";
const ANN: &str = "arn:aws:iam::111122223333:user/Ann";

/// A parameter that may stand in a template, and values that it may have.
struct Parameter {
    name: &'static str,
    values: &'static [&'static str],
}

const EFFECT: Parameter = Parameter { name: "Effect", values: &["Allow", "Deny"] };
const PRINCIPAL: Parameter = Parameter {
    name: "Principal",
    values: &[
        "*",
        "111122223333",
        "arn:aws:iam::222222222222:root",
        USER,
        NODE,
        "arn:aws:iam::111122223333:role/No",
    ],
};
const NAME: Parameter = Parameter { name: "Name", values: &["App", "team/Node", "No", "*"] };
const ACTION: Parameter = Parameter {
    name: "Action",
    values: &["kms:*", "kms:Decrypt", "KMS:generatedatakey", "kms:List*", "*", "s3:GetObject"],
};
const PART: Parameter = Parameter { name: "Part", values: &["Decrypt", "*", "GenerateDataKey*", "None"] };
const RESOURCE: Parameter = Parameter {
    name: "Resource",
    values: &[
        "*",
        "arn:aws:kms:*:111122223333:key/*",
        "arn:aws:s3:::b",
        "arn:aws:kms:eu-west-1:222222222222:key/1-2",
    ],
};
const VALUE: Parameter = Parameter {
    name: "Value",
    values: &[
        "o-1",
        "true",
        "false",
        "111122223333",
        USER,
        "arn:aws:iam::*:role/*",
        "*",
        "kms:*",
        "10.0.0.0/8",
        "10",
    ],
};
const STAGE: Parameter = Parameter { name: "Stage", values: &["prod", "dev"] };
const ALL: [Parameter; 8] = [EFFECT, PRINCIPAL, NAME, ACTION, PART, RESOURCE, VALUE, STAGE];

const OPERATORS: [&str; 16] = [
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLikeIfExists",
    "StringEqualsIfExists",
    "ArnLike",
    "ArnNotEquals",
    "Bool",
    "Null",
    "NotIpAddress",
    "NumericLessThan",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringLike",
    "ForAllValues:StringNotLike",
    "ForAnyValue:StringNotEquals",
    "StringEqual",
];
const KEYS: [&str; 9] = [
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalAccount",
    "kms:ViaService",
    "aws:SecureTransport",
    "aws:SourceIp",
    "kms:EncryptionContextKeys",
    "aws:ResourceAccount",
    "aws:RequestedRegion",
];

/// One of some texts.
fn one<'a>(rng: &mut Rng, texts: &[&'a str]) -> &'a str {
    texts[rng.usize(..texts.len())]
}

/// A list of one to three values.
fn list(rng: &mut Rng, values: &[&str]) -> String {
    let count = rng.usize(1..=3);
    let items: Vec<_> = (0..count).map(|_| one(rng, values)).collect();
    if items.len() == 1 && rng.bool() { items[0].to_owned() } else { format!("[{}]", items.join(", ")) }
}

/// A statement with unknown parts.
fn statement(rng: &mut Rng) -> String {
    let effect = one(rng, &["Allow", "Allow", "Deny", "!Ref Effect"]);
    let principals = [
        "'*'",
        "'111122223333'",
        USER,
        NODE,
        ANN,
        "!Ref Principal",
        "!Sub 'arn:aws:iam::111122223333:role/${Name}'",
        "!Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root'",
        "!If [Prod, '222222222222', !Ref AWS::NoValue]",
    ];
    let principal = match rng.u8(..4) {
        0 => "'*'".to_owned(),
        _ => format!("{{AWS: {}}}", list(rng, &principals)),
    };
    let not = |rng: &mut Rng| if rng.u8(..5) == 0 { "Not" } else { "" };
    let actions = [
        "'kms:*'",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kms:ListKeys",
        "!Ref Action",
        "!Sub 'kms:${Part}'",
    ];
    let resources = ["'*'", "'*'", "!Ref Resource", "arn:aws:kms:eu-west-1:111122223333:key/1-2"];
    let mut text = format!(
        "{{Effect: {effect}, {}Principal: {principal}, {}Action: {}, {}Resource: {}",
        not(rng),
        not(rng),
        list(rng, &actions),
        not(rng),
        list(rng, &resources)
    );
    if rng.bool() {
        let values = [
            "o-1",
            "'true'",
            USER,
            "'*'",
            "!Ref Value",
            "!Ref Value",
            "!Sub 'arn:aws:iam::${Value}'",
            "'${aws:PrincipalAccount}'",
        ];
        let mut conditions = String::new();
        let first = rng.usize(..OPERATORS.len());
        for at in 0..rng.usize(1..=2) {
            let operator = OPERATORS[(first + at) % OPERATORS.len()];
            let values = list(rng, &values);
            let _ = write!(conditions, "'{operator}': {{'{}': {values}}}, ", one(rng, &KEYS));
        }
        let _ = write!(text, ", Condition: {{{conditions}}}");
    }
    text + "}"
}

/// A template whose parameters have no defaults.
fn template(rng: &mut Rng) -> String {
    let mut text = "Parameters:\n".to_owned();
    for parameter in ALL {
        let _ = writeln!(text, "  {}: {{Type: String}}", parameter.name);
    }
    text.push_str(
        "Conditions: {Prod: !Equals [!Ref Stage, prod]}\nResources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      \
         KeyPolicy:\n        Version: '2012-10-17'\n        Statement:\n",
    );
    for _ in 0..rng.usize(1..=3) {
        let statement = statement(rng);
        let _ = match rng.u8(..6) {
            0 => writeln!(text, "        - !If [Prod, {statement}, !Ref AWS::NoValue]"),
            _ => writeln!(text, "        - {statement}"),
        };
    }
    text
}

/// The verdicts of a check: on each finding about a principal or an account, and on each principal. The error is what is
/// wrong with the template then.
async fn verdicts(template: &str, options: &[String]) -> Result<Vec<(String, String)>, String> {
    let own = format!("{USER}={}", data("uses-key.json"));
    let fixed = [
        "check",
        "--template",
        "-",
        "--user",
        USER,
        "--node",
        NODE,
        "--user",
        ANN,
        "--account",
        "111122223333",
        "--identity-policy",
        &own,
        "--format",
        "json",
    ];
    let all: Vec<&str> = fixed.into_iter().chain(options.iter().map(String::as_str)).collect();
    let ran = piped(&all, template).await;
    if ran.exit == Exit::BadInput {
        return Err(ran.err);
    }
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding.get("side").is_some());
    let findings = findings.map(|finding| {
        (
            format!("{} {} {}", finding["check"], finding["subject"], finding["side"]),
            text(&finding["verdict"]),
        )
    });
    let access = report["access"].as_array().unwrap().iter();
    let access = access.map(|access| (format!("access {}", access["principal"]), text(&access["verdict"])));
    Ok(findings.chain(access).collect())
}

/// What is known of the key: nothing but the partition and the Region, the account too, or the whole ARN.
fn known_key(rng: &mut Rng) -> Vec<String> {
    let words: &[&str] = match rng.u8(..3) {
        0 => &["--region", "eu-west-1"],
        1 => &["--region", "eu-west-1", "--account-id", "111122223333"],
        _ => &["--key", "arn:aws:kms:eu-west-1:111122223333:key/1-2"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A key that an unknown one can be.
fn possible_key(rng: &mut Rng, known: &[String]) -> Vec<String> {
    let account = match known.len() {
        2 if known[0] == "--region" => one(rng, &["111122223333", "222222222222", "333333333333"]),
        _ => "111122223333",
    };
    vec!["--key".to_owned(), format!("arn:aws:kms:eu-west-1:{account}:key/1-2")]
}

#[tokio::test]
async fn no_value_of_a_parameter_contradicts_what_is_certain() {
    let mut certain = 0;
    let mut unknown = 0;
    for seed in 0..100 {
        let mut rng = Rng::with_seed(seed);
        let template = template(&mut rng);
        let known = known_key(&mut rng);
        let between = verdicts(&template, &known)
            .await
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{template}"));
        unknown += between.iter().filter(|(_, verdict)| verdict == "unknown").count();
        if between.iter().all(|(_, verdict)| verdict == "unknown") {
            continue;
        }
        for _ in 0..8 {
            let mut options = possible_key(&mut rng, &known);
            for parameter in ALL {
                let value = one(&mut rng, parameter.values);
                options.extend(["--parameter".to_owned(), format!("{}={value}", parameter.name)]);
            }
            let Ok(substituted) = verdicts(&template, &options).await else { continue };
            assert_eq!(between.len(), substituted.len());
            for ((row, between), (same, substituted)) in between.iter().zip(&substituted) {
                assert_eq!(row, same);
                if between != "unknown" {
                    certain += 1;
                    assert_eq!(
                        between, substituted,
                        "seed {seed}: {row}\n{known:?}\n{options:?}\n{template}"
                    );
                }
            }
        }
    }
    assert!(certain > 1000 && unknown > 300, "{certain} certain, {unknown} unknown");
}
