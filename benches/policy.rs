//! Measures how fast policies are parsed and decided on, beside iam-simulate in the same run.
//!
//! `small` has four statements, among them one for the account's root user, and conditions. `large` fills the 32 KB that
//! a key policy may have. The figures of iam-simulate come from a separate node process.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it does not expect, and prints"
)]

#[path = "../tests/it/policy/oracle.rs"]
mod oracle;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use kms_key_policy::{
    Action, Context, Decision, Grants, KeyArn, Layers, MAX_KEY_POLICY_BYTES, OtherKeys, Policy, PolicyKind,
    Principal, Request, decide, verdict,
};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SMALL_CALLER: &str = "arn:aws:iam::111122223333:role/App";
const LARGE_CALLER: &str = "arn:aws:sts::111122223333:assumed-role/App77/session";
const SMALL: &str = include_str!("small.json");
const IDENTITY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}"#;

fn large() -> String {
    let mut text = String::from(r#"{"Version":"2012-10-17","Statement":["#);
    for n in 0.. {
        let statement = format!(
            r#"{{"Sid":"S{n}","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:role/App{n}"}},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}},"#
        );
        if text.len() + statement.len() + 1 > MAX_KEY_POLICY_BYTES {
            break;
        }
        let _ = write!(text, "{statement}");
    }
    text.pop();
    text.push_str("]}");
    text
}

fn request(principal: &str) -> Request {
    let context = Context::new(OtherKeys::Absent)
        .value("aws:SourceIp", "10.1.2.3")
        .value("aws:SecureTransport", "true")
        .value("kms:EncryptionContext:aws:ssm:TargetId", "i-0123456789abcdef0")
        .values("kms:EncryptionContextKeys", ["aws:ssm:SessionId", "aws:ssm:TargetId"]);
    let principal = Principal::parse(principal).unwrap();
    Request::new(principal, Action::parse("kms:Decrypt").unwrap(), KeyArn::parse(KEY).unwrap(), context)
}

fn parse(text: &str) -> Policy {
    Policy::parse(PolicyKind::Key, text).unwrap()
}

/// The grants and policies besides the key policy.
struct Inputs {
    grants: Grants,
    identity: [Policy; 1],
}

impl Inputs {
    fn layers<'p>(&'p self, policy: &'p Policy) -> Layers<'p> {
        Layers { identity_policies: Some(&self.identity), ..Layers::of_key(policy, &self.grants) }
    }
}

/// Calls `run` with the name and the routine of each benchmark.
fn benchmarks(mut run: impl FnMut(&str, &mut dyn FnMut())) {
    let with =
        Inputs { grants: Grants::none(), identity: [Policy::parse(PolicyKind::Identity, IDENTITY).unwrap()] };
    let policies =
        [("small", SMALL.to_owned(), request(SMALL_CALLER)), ("large", large(), request(LARGE_CALLER))];
    for (name, text, request) in &policies {
        let policy = parse(text);
        assert_eq!(decide(request, &with.layers(&policy)).decision, Decision::Allowed);
        run(&format!("{name}/parse"), &mut || drop(black_box(parse(black_box(text)))));
        run(&format!("{name}/verdict"), &mut || {
            black_box(verdict(black_box(request), &with.layers(black_box(&policy))));
        });
        run(&format!("{name}/decide"), &mut || {
            black_box(decide(black_box(request), &with.layers(black_box(&policy))));
        });
        run(&format!("{name}/parse and decide"), &mut || {
            let policy = parse(black_box(text));
            black_box(decide(black_box(request), &with.layers(&policy)));
        });
    }
}

/// How many times a second a routine runs.
fn rate(routine: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    let mut times = 0u32;
    while start.elapsed() < Duration::from_secs(1) {
        for _ in 0..100 {
            routine();
        }
        times += 100;
    }
    f64::from(times) / start.elapsed().as_secs_f64()
}

/// Prints the rate of each benchmark, beside that of iam-simulate for the same policy and request.
fn compare() {
    let folder = oracle::install();
    let case = |policy: &str, principal: &str| {
        let json = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        serde_json::json!({
            "keyArn": KEY, "principal": principal, "action": "kms:Decrypt", "keyPolicy": json(policy),
            "identityPolicies": [json(IDENTITY)],
            "context": {"aws:SourceIp": "10.1.2.3", "aws:PrincipalArn": principal},
        })
    };
    let theirs: Vec<(&str, f64)> =
        [("small", SMALL.to_owned(), SMALL_CALLER), ("large", large(), LARGE_CALLER)]
            .into_iter()
            .map(|(name, text, caller)| {
                let answers = oracle::ask(&folder, &["bench"], &[case(&text, caller)]);
                (name, answers.first().and_then(|a| a["perSecond"].as_f64()).unwrap())
            })
            .collect();
    for (name, rate) in &theirs {
        println!("{name:<24} {rate:>12.0} a second  iam-simulate 0.1.173, parse and decide");
    }
    benchmarks(|name, routine| {
        let rate = rate(routine);
        let their =
            theirs.iter().find(|(policy, _)| name.starts_with(policy)).map_or(f64::NAN, |(_, rate)| *rate);
        println!("{name:<24} {rate:>12.0} a second  {:>8.0} times iam-simulate", rate / their);
    });
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    benchmarks(|name, routine| {
        criterion.bench_function(name, |bencher| bencher.iter(&mut *routine));
    });
    criterion.final_summary();
    // A run of some of the benchmarks, or the trial run of `cargo test`, compares nothing.
    let whole = !std::env::args().skip(1).any(|argument| argument == "--test" || !argument.starts_with('-'));
    if whole {
        compare();
    }
}
