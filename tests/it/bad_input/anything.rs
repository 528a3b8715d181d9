//! Any bytes and any JSON, of what events are made of.

use std::panic::AssertUnwindSafe;

use fastrand::Rng;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Map, Value};

use super::arena::{Arena, Before};
use super::samples::samples;
use crate::effort;

/// Names that the function looks for.
const NAMES: [&str; 34] = [
    "RequestType",
    "ResponseURL",
    "StackId",
    "RequestId",
    "LogicalResourceId",
    "PhysicalResourceId",
    "ResourceType",
    "ResourceProperties",
    "OldResourceProperties",
    "ServiceTimeout",
    "KmsKeyId",
    "Records",
    "EventSource",
    "Sns",
    "Message",
    "source",
    "detail-type",
    "detail",
    "account",
    "region",
    "action",
    "kmsKeyId",
    "documentName",
    "encryption",
    "invokingEvent",
    "ruleParameters",
    "resultToken",
    "requestParameters",
    "name",
    "eventName",
    "findings",
    "userIdentity",
    "resources",
    "policy",
];
/// Texts that the function looks for.
const TEXTS: [&str; 26] = [
    "Create",
    "Update",
    "Delete",
    "Custom::SessionEncryption",
    "Custom::SessionKey",
    "Custom::SessionKeyAccess",
    "aws:sns",
    "aws.ssm",
    "aws.kms",
    "aws.events",
    "aws.config",
    "aws.securityhub",
    "AWS API Call via CloudTrail",
    "AWS Service Event via CloudTrail",
    "Scheduled Event",
    "Parameter Store Change",
    "Findings Imported V2",
    "Security Hub Findings - Imported",
    "status",
    "check",
    "plan",
    "reconcile",
    "SSM-SessionManagerRunShell",
    "UpdateDocument",
    "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "{}",
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn any_bytes_are_survived() {
    let runtime = AssertUnwindSafe(runtime());
    let arena = AssertUnwindSafe(runtime.block_on(Arena::new()));
    bolero::check!().with_iterations(effort::amount(500, 20_000)).for_each(|bytes: &[u8]| {
        arena.reset(Before::AsWanted);
        let case = format!("the bytes {}", bytes.escape_ascii());
        runtime.block_on(arena.run(&case, bytes));
    });
    let cases = arena.finish();
    effort::report("bad-input-bytes", &format!("{cases} texts of any bytes, 0 break a rule"));
}

/// Pieces that JSON and events are made of.
const PIECES: [&str; 18] = [
    "", "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "-1e999", "1e400", "\\u0000", "\\ud800", "\u{e9}",
    "é", "\u{202e}", "\\\"",
];

#[tokio::test]
async fn samples_with_changed_bytes_are_survived() {
    let arena = Arena::new().await;
    let mut random = Rng::with_seed(5);
    for (name, mut event) in samples() {
        arena.address(&mut event);
        let text = event.to_string().into_bytes();
        for number in 0..effort::amount(12, 400) {
            let mut bytes = text.clone();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..=bytes.len());
                let end = (at + random.usize(..6)).min(bytes.len());
                bytes.splice(at..end, PIECES[random.usize(..PIECES.len())].bytes());
            }
            // Many such texts are JSON no more, so cut some at a place where the rest is given back.
            if random.u8(..4) == 0 {
                let at = random.usize(..bytes.len());
                bytes.truncate(at);
                bytes.extend_from_slice(b"\"}}}}");
            }
            arena.reset(if number % 6 == 0 { Before::AsWanted } else { Before::Nothing });
            arena.run(&format!("{name} with changed bytes, number {number}"), &bytes).await;
        }
    }
    let cases = arena.finish();
    effort::report("bad-input-changed-bytes", &format!("{cases} samples with changed bytes, 0 break a rule"));
}

/// JSON with the names and texts that the function looks for, at places where it does not expect them.
fn any_event() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let name =
        prop_oneof![4 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => vec((name.clone(), inner.clone()), 0..8).prop_map(|all| Value::Object(Map::from_iter(all))),
            1 => inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

#[test]
fn any_json_is_survived() {
    let runtime = runtime();
    let arena = runtime.block_on(Arena::new());
    let endpoint = arena.stub.endpoint();
    let config = Config {
        cases: effort::amount(600, 30_000),
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = (any_event(), any::<bool>(), any::<[bool; 3]>());
    let ran = TestRunner::new(config).run(&strategy, |(mut event, is_request, has_id)| {
        if let (true, Value::Object(members)) = (is_request, &mut event) {
            members.insert("ResponseURL".to_owned(), format!("{endpoint}/cfn-response/x").into());
            for (name, has) in ["StackId", "RequestId", "LogicalResourceId"].into_iter().zip(has_id) {
                if has {
                    members.insert(name.to_owned(), name.into());
                }
            }
        }
        arena.reset(Before::AsWanted);
        let text = event.to_string();
        runtime.block_on(arena.run(&text, text.as_bytes()));
        arena.take_broken().pop().map_or(Ok(()), |what| Err(TestCaseError::fail(what)))
    });
    ran.unwrap();
    let cases = arena.finish();
    effort::report("bad-input-json", &format!("{cases} values of any JSON, 0 break a rule"));
}

/// JSON nested as deeply as a text of some kilobytes can be, in the event itself and in each text of an event that is
/// read as JSON.
#[tokio::test]
async fn deep_nesting_is_survived_wherever_json_is_read() {
    let arena = Arena::new().await;
    let depths: &[usize] =
        effort::amount(&[100, 124, 128, 100_000], &[50, 100, 120, 124, 126, 127, 128, 129, 1000, 300_000]);
    for &depth in depths {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for (place, event) in nested_events(&nested) {
                arena.reset(Before::Unowned);
                let mut text = event;
                if let Ok(mut value) = serde_json::from_str::<Value>(&text) {
                    arena.address(&mut value);
                    text = value.to_string();
                }
                arena.run(&format!("{depth} times `{open}` in {place}"), text.as_bytes()).await;
            }
        }
    }
    let cases = arena.finish();
    effort::report("bad-input-nesting", &format!("{cases} events with deep nesting, 0 break a rule"));
}

fn nested_events(nested: &str) -> Vec<(&'static str, String)> {
    let quoted = Value::from(nested).to_string();
    let sample = |name: &str| {
        let of_name = |(one, _): &(String, Value)| one == name;
        samples().into_iter().find(of_name).unwrap().1
    };
    let create = |property: &str, value: &str| {
        let mut event = sample("custom-resource-create");
        event["ResourceProperties"][property] = "@".into();
        event.to_string().replace("\"@\"", value)
    };
    let with = |name: &str, member: &str| {
        let mut event = sample(name);
        *event.pointer_mut(member).unwrap() = "@".into();
        event.to_string().replace("\"@\"", &quoted)
    };
    vec![
        ("the event", nested.to_owned()),
        (
            "a message of a topic",
            format!(r#"{{"Records":[{{"EventSource":"aws:sns","Sns":{{"Message":{quoted}}}}}]}}"#),
        ),
        ("KeyPolicy, an object", create("KeyPolicy", nested)),
        ("KeyPolicy, a text", create("KeyPolicy", &quoted)),
        ("Context, an object", create("Context", nested)),
        ("Context, a text", create("Context", &quoted)),
        ("Users", create("Users", nested)),
        ("a property that nobody knows", create("Unknown", nested)),
        ("invokingEvent", with("config-rule-change", "/invokingEvent")),
        ("ruleParameters", with("config-rule-change", "/ruleParameters")),
        ("the policy of PutKeyPolicy", with("key-put-policy-call", "/detail/requestParameters/policy")),
        ("the detail of EventBridge Scheduler", with("scheduler", "/detail")),
    ]
}
