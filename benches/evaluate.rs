//! How many cases a second `evaluate` answers, with one worker and with two. In one input the policies repeat, as they do
//! with many callers and few keys. In the other one each policy is new, so that the cache is of no use.
//!
//! The setups are measured in turn, so that other load of the machine slows all of them alike: the ratios count, not the
//! rates. A word after `--` selects the setups whose names contain it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it does not expect, and prints"
)]

use std::fmt::Write as _;
use std::io::BufReader;
use std::time::Instant;

use serde_json::{Value, json};
use session_kms::cli::evaluate;

const ACCOUNT: &str = "111122223333";
/// Enough cases that a round takes some tenths of a second.
const CASES: usize = 30_000;
const ROUNDS: usize = 9;
/// The bytes that the command reads at once.
const INPUT_BUFFER: usize = 1 << 18;

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A case of about 1.4 KB with all layers that can decide. There are four keys, sixty lists of identity policies and three
/// thousand roles.
fn case(number: usize) -> Value {
    let (key, team, role) = (number % 4, number / 4 % 60, number % 3000);
    let full = policy(&json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    let grants = json!([{
        "GrantId": "0c237476b39f8bc44e45212e08498fbe",
        "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:role/Backup"), "Operations": ["Decrypt"],
    }]);
    let session = json!([policy(&json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}))]);
    let mut case = json!({
        "id": number,
        "keyArn": format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-12345678{key:04}"),
        "keyPolicy": policy(&json!([
            {
                "Sid": "Account", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
                "Action": "kms:*", "Resource": "*",
            },
            {
                "Sid": format!("Store{key}"), "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:role/Store{key}")},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
                "Condition": {"StringEquals": {"kms:EncryptionContext:aws:ssm:TargetId": "i-0123456789abcdef0"}},
            },
        ])),
        "principal": format!("arn:aws:iam::{ACCOUNT}:role/App{role}"),
        "action": "kms:Decrypt",
        "context": {"aws:SourceIp": "10.1.2.3", "aws:SecureTransport": "true"},
        "otherContext": "absent",
        "identityPolicies": [policy(&json!({
            "Effect": "Allow", "Action": ["kms:Decrypt", "s3:GetObject"],
            "Resource": ["*", format!("arn:aws:s3:::team-{team}/*")],
        }))],
        "permissionsBoundary": policy(&json!({"Effect": "Allow", "Action": ["kms:*", "s3:*"], "Resource": "*"})),
        "serviceControlPolicies": [[full.clone()], [full]],
        "resourceControlPolicies": [[policy(&json!({
            "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}},
        }))]],
        "grants": if number % 2 == 1 { grants } else { Value::Null },
        "sessionPolicies": if key == 3 { session } else { Value::Null },
    });
    // As in most inputs, members without a value are left out.
    if let Value::Object(members) = &mut case {
        members.retain(|_, value| !value.is_null());
    }
    case
}

/// Makes every policy and every grant a text of its own that decides the same and has nearly the same length.
fn make_different(value: &mut Value, number: usize) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| make_different(value, number)),
        Value::Object(members) => {
            if members.contains_key("Effect") {
                members.insert("Sid".to_owned(), format!("S{number}").into());
            }
            if members.contains_key("GrantId") {
                members.insert("GrantId".to_owned(), format!("{number:032x}").into());
            }
            members.values_mut().for_each(|value| make_different(value, number));
        }
        _ => {}
    }
}

fn lines(count: usize, different: bool) -> String {
    (0..count).fold(String::new(), |mut lines, number| {
        let mut case = case(number);
        if different {
            make_different(&mut case, number);
        }
        writeln!(lines, "{case}").unwrap();
        lines
    })
}

/// Answers the cases and returns how many a second were answered.
fn rate(lines: &str, workers: usize) -> f64 {
    let start = Instant::now();
    let input = BufReader::with_capacity(INPUT_BUFFER, lines.as_bytes());
    let summary = evaluate::run(input, std::io::sink(), workers).unwrap();
    assert_eq!(summary.failed, 0);
    f64::from(u32::try_from(summary.answered).unwrap()) / start.elapsed().as_secs_f64()
}

fn main() {
    let trial = std::env::args().any(|argument| argument == "--test");
    let (count, rounds) = if trial { (100, 1) } else { (CASES, ROUNDS) };
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let repeating = lines(count, false);
    let different = lines(count, true);
    let mut setups = vec![
        ("policies repeat, 1 worker", &repeating, 1),
        ("policies repeat, 2 workers", &repeating, 2),
        ("all different, 1 worker", &different, 1),
        ("all different, 2 workers", &different, 2),
    ];
    setups.retain(|(name, _, _)| name.contains(&filter));
    let mut rates = vec![Vec::new(); setups.len()];
    for _ in 0..rounds {
        for (rates, (_, lines, workers)) in rates.iter_mut().zip(&setups) {
            rates.push(rate(lines, *workers));
        }
    }
    for ((name, lines, _), rates) in setups.iter().zip(&mut rates) {
        rates.sort_by(f64::total_cmp);
        let bytes = lines.len() / count;
        println!("evaluate, {name:<27} {:>10.0} cases a second, of {bytes} bytes each", median(rates));
    }
    if let [repeat_1, repeat_2, different_1, different_2] = rates.as_slice() {
        let ratio = |one: &[f64], other: &[f64]| median(one) / median(other);
        println!("repeating to different        {:>10.2} times", ratio(repeat_1, different_1));
        println!("two workers to one, repeating {:>10.2} times", ratio(repeat_2, repeat_1));
        println!("two workers to one, different {:>10.2} times", ratio(different_2, different_1));
    }
}

/// The median of sorted rates.
fn median(rates: &[f64]) -> f64 {
    rates.get(rates.len() / 2).copied().unwrap()
}
