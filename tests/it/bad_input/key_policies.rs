//! Key policies that AWS would refuse: as a property, as KMS returns them, and in the event of a PutKeyPolicy.
//!
//! None of them admits the user of the request, so *Strict* must refuse the key whatever the function makes of the
//! policy, and nothing may say that the user can use it.

use serde_json::{Value, json};

use super::arena::{Arena, Before, KEY_ID};
use super::samples::samples;
use crate::effort;

const USER: &str = "arn:aws:iam::123456789012:role/Operator";

/// A policy with one statement, in which a member is replaced.
fn with(member: &str, value: Value) -> String {
    let mut policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/Administrator"},
        "Action": "kms:*", "Resource": "*",
    }]});
    match member {
        "Version" | "Statement" | "Id" => policy[member] = value,
        other => policy["Statement"][0][other] = value,
    }
    policy.to_string()
}

/// The policies by name.
fn policies() -> Vec<(String, String)> {
    let nested = |depth: usize| (0..depth).fold(json!("x"), |inner, _| json!([inner]));
    let statements = |count: usize| {
        let statement =
            json!({"Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"});
        Value::Array(vec![statement; count])
    };
    let named = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let mut all = vec![
        named("no JSON", "{"),
        named("a number", "7"),
        named("a text", "\"policy\""),
        named("null", "null"),
        named("a list", "[]"),
        named("an empty object", "{}"),
        named("text behind it", &(with("Id", json!("x")) + "x")),
        named("a member twice", r#"{"Version":"2012-10-17","Version":"2008-10-17","Statement":[]}"#),
        named("a NUL", "{\"Version\":\"2012-10-17\0\"}"),
        named("a byte-order mark", &format!("\u{feff}{}", with("Id", json!("x")))),
        named("half a surrogate", r#"{"Version":"2012-10-17","Id":"\ud800","Statement":[]}"#),
        named("a megabyte of brackets", &"[".repeat(1 << 20)),
        named("a megabyte of spaces", &" ".repeat(1 << 20)),
        named("a megabyte of text", &with("Sid", json!("x".repeat(1 << 20)))),
        named("33 KB", &with("Id", json!("x".repeat(33_000)))),
        named("5000 statements", &with("Statement", statements(5000))),
        named("100 levels", &with("Condition", nested(100))),
        named("126 levels", &with("Action", nested(126))),
        named("one million principals", &with("Principal", json!({"AWS": vec!["*x"; 100_000]}))),
    ];
    for (member, values) in [
        (
            "Version",
            vec![json!("2025-01-01"), json!("2012-10-18"), json!(2012), json!(null), json!({}), json!("")],
        ),
        ("Id", vec![json!(7), json!([]), json!({})]),
        (
            "Statement",
            vec![json!(null), json!("x"), json!(7), json!([[]]), json!(["x"]), json!({}), json!([{}])],
        ),
        ("Effect", vec![json!("allow"), json!("Permit"), json!(true), json!(null), json!(["Allow"])]),
        (
            "Principal",
            vec![
                json!(null),
                json!("x"),
                json!([]),
                json!({}),
                json!({"AWS": ""}),
                json!({"AWS": "12345678901"}),
                json!({"AWS": "\u{ff11}23456789012"}),
                json!({"AWS": "arn:aws:iam::123456789012:role/*"}),
                json!({"AWS": "arn:aws:iam::123456789012:r\u{43e}le/Operator"}),
                json!({"AWS": "arn:aws:iam::123456789012:role/Operator\n"}),
                json!({"AWS": "arn:aws:iam::123456789012:role/ Operator"}),
                json!({"AWS": "arn:aws-cn:iam::123456789012:role/Operator"}),
                json!({"AWS": "AROAEXAMPLEEXAMPLEEXA"}),
                json!({"AWS": {"AWS": USER}}),
                json!({"AWS": [[USER]]}),
                json!({"aws": USER}),
                json!({"Nobody": USER}),
                json!({"Service": USER}),
                json!({"Federated": USER}),
                json!({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}),
            ],
        ),
        ("NotPrincipal", vec![json!("*"), json!({"AWS": USER}), json!(null)]),
        (
            "Action",
            vec![json!(null), json!(7), json!([]), json!({}), json!("kms"), json!("kms:"), json!("s3:*")],
        ),
        ("NotAction", vec![json!("kms:Decrypt"), json!(null)]),
        ("Resource", vec![json!(null), json!(7), json!([]), json!({}), json!("arn:aws:s3:::bucket")]),
        (
            "Condition",
            vec![
                json!([]),
                json!("x"),
                json!({"StringEqual": {"aws:PrincipalArn": USER}}),
                json!({"StringEquals": USER}),
                json!({"StringEquals": {"aws:PrincipalArn": {}}}),
                json!({"ForAllValues:ForAnyValue:StringEquals": {"aws:PrincipalArn": USER}}),
                json!({"IpAddress": {"aws:SourceIp": "300.0.0.0/99"}}),
                json!({"DateLessThan": {"aws:CurrentTime": "yesterday"}}),
                json!({"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "NaN"}}),
                json!({"Bool": {"aws:SecureTransport": "maybe"}}),
            ],
        ),
        ("Unknown", vec![json!("x")]),
    ] {
        for value in values {
            all.push((format!("{member} is {value:.80}"), with(member, value)));
        }
    }
    all
}

fn create(policy: Option<&str>) -> Value {
    let mut event = samples().into_iter().find(|(name, _)| name == "custom-resource-create").unwrap().1;
    let properties = &mut event["ResourceProperties"];
    properties["Users"] = json!([USER]);
    properties["Preflight"] = "Strict".into();
    properties["DiscoverUsers"] = "false".into();
    properties["DiscoverNodes"] = "false".into();
    if let Some(policy) = policy {
        properties["KeyPolicy"] = policy.into();
    }
    event
}

#[tokio::test]
async fn a_policy_that_aws_would_refuse_admits_nobody() {
    let arena = Arena::new().await;
    for (number, (name, policy)) in policies().into_iter().enumerate() {
        for (way, mode) in ["Strict", "Enforce", "Warn"].into_iter().enumerate() {
            for (index, place) in ["the property", "what KMS returns", "an object"].into_iter().enumerate() {
                // In a bounded run each policy goes one of the nine ways, every second as KMS returns it in Strict.
                let chosen = [1, number % 9][number % 2] == way * 3 + index;
                if !chosen && !effort::is_complete() {
                    continue;
                }
                arena.reset(Before::Unowned);
                let mut event = create((place != "what KMS returns").then_some(&policy));
                event["ResourceProperties"]["Preflight"] = mode.into();
                if place == "what KMS returns" {
                    arena.stub.world(|world| {
                        world.keys.list.iter_mut().for_each(|key| policy.clone_into(&mut key.policy));
                    });
                }
                if place == "an object" {
                    let Ok(object @ Value::Object(_)) = serde_json::from_str(&policy) else { continue };
                    event["ResourceProperties"]["KeyPolicy"] = object;
                }
                arena.address(&mut event);
                let case = format!("{name:.100}, as {place}, {mode}");
                let Some(outcome) = arena.run(&case, event.to_string().as_bytes()).await else { continue };
                let answer = &outcome.answers[0];
                if mode == "Strict" && answer.success {
                    arena.broken(&case, &format!("Strict accepts it: {}", answer.body));
                }
                let findings = answer.data.get("Findings").and_then(Value::as_str).unwrap_or_default();
                if answer.success && !["fail", "unknown"].iter().any(|word| findings.contains(word)) {
                    arena.broken(&case, &format!("nothing is said against it: {}", answer.body));
                }
                if !answer.success && answer.reason.len() > 4000 {
                    arena.broken(&case, &format!("a long reason: {:.300}", answer.reason));
                }
            }
        }
    }
    let cases = arena.finish();
    effort::report(
        "bad-input-key-policies",
        &format!("{cases} requests with key policies that AWS would refuse"),
    );
}

#[tokio::test]
async fn an_event_with_a_policy_that_aws_would_refuse_is_survived() {
    let arena = Arena::new().await;
    for (name, policy) in policies().into_iter().step_by(effort::amount(5, 1)) {
        let mut event = samples().into_iter().find(|(name, _)| name == "key-put-policy-call").unwrap().1;
        *event.pointer_mut("/detail/requestParameters/policy").unwrap() = policy.as_str().into();
        arena.reset(Before::AsWanted);
        arena.stub.world(|world| {
            let key = world.keys.list.iter_mut().find(|key| key.id == KEY_ID).unwrap();
            policy.clone_into(&mut key.policy);
        });
        let case = format!("{name:.100}, in PutKeyPolicy");
        let Some(outcome) = arena.run(&case, event.to_string().as_bytes()).await else { continue };
        if !outcome.written.is_empty() {
            arena.broken(&case, &format!("{:?}", outcome.written));
        }
    }
    arena.finish();
}
