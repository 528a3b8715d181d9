//! The function run by hand, as `cargo lambda watch` runs it: the ARN by which it is invoked names no account. AWS says
//! whose the credentials are.

use serde_json::{Value, json};
use session_kms::function::FunctionError;

use crate::audit_run::seed_samples;
use crate::bad_input::arena::Arena;
use crate::bad_input::samples::{before, samples};
use crate::fixture::{Fixture, PATIENCE, handle, handle_as};
use crate::kills::process::Process;
use crate::stub::{ACCOUNT, Fault, When};

/// What `cargo lambda watch` gives for an ARN.
const ARN: &str = "function-arn";
const FORWARDED: &str = include_str!("../../events/key-disable-call-forwarded.json");
const SCHEDULE: &str = include_str!("../../events/schedule.json");
const RULE: &str = include_str!("../../events/config-rule-scheduled.json");

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn run_by_hand(fixture: &Fixture, event: &Value) -> Result<Value, FunctionError> {
    handle_as(&fixture.function(None), ARN, event, "by-hand", PATIENCE).await
}

/// Every sample ends as it does in Lambda.
#[tokio::test]
async fn every_sample_event_is_handled_without_an_account_in_the_arn() {
    let mut arena = Arena::new().await;
    for (name, mut event) in samples() {
        for arn in [ARN, "arn:aws:lambda:eu-west-1::function:session-kms"] {
            arn.clone_into(&mut arena.function_arn);
            arena.reset(before(&name));
            arena.address(&mut event);
            let Some(outcome) = arena.run(&name, event.to_string().as_bytes()).await else { continue };
            let is_refused = outcome.result.is_err() || outcome.answers.iter().any(|answer| !answer.success);
            let is_expected = name == "key-access-create" || name == "key-access-update";
            assert_eq!(is_refused, is_expected, "{name}: {outcome:?}");
            assert_eq!(arena.stub.calls_of("GetCallerIdentity").len(), 1, "{name}");
        }
    }
    arena.finish();
}

#[tokio::test]
async fn an_arn_with_an_account_asks_nobody() {
    let fixture = Fixture::with_settings().await;
    let report = handle(&fixture.function(None), &parsed(SCHEDULE), PATIENCE).await.unwrap();
    assert_eq!(report["account"], ACCOUNT);
    assert_eq!(fixture.stub.calls_of("GetCallerIdentity").len(), 0);
}

/// A forwarded event names the account that it comes from.
#[tokio::test]
async fn the_credentials_are_surer_than_the_event() {
    let fixture = Fixture::with_settings().await;
    let event = parsed(FORWARDED);
    assert_ne!(event["account"], ACCOUNT);
    assert_eq!(run_by_hand(&fixture, &event).await.unwrap()["account"], ACCOUNT);
}

#[tokio::test]
async fn if_aws_does_not_say_whose_the_credentials_are_the_event_does() {
    for (event, account) in [(SCHEDULE, Some(ACCOUNT)), (FORWARDED, Some("222222222222")), (RULE, None)] {
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::operation("sts", "GetCallerIdentity"), Fault::InternalError);
        let event = parsed(event);
        fixture.stub.world(|world| world.asks_rule(event["resultToken"].as_str().unwrap_or_default()));
        let report = run_by_hand(&fixture, &event).await.unwrap();
        assert_eq!(report["account"].as_str(), account, "{report}");
    }
    let fixture = Fixture::with_settings().await;
    fixture.stub.fault(When::operation("sts", "GetCallerIdentity"), Fault::InternalError);
    let call = json!({"action": "reconcile", "kmsKeyId": fixture.k1});
    let error = run_by_hand(&fixture, &call).await.unwrap_err();
    assert_eq!(error.kind(), "NoAccount");
    let words = "the function's ARN names no account, and AWS does not say whose the credentials are: \
                 sts:GetCallerIdentity on the credentials";
    assert!(error.to_string().starts_with(words), "{error}");
}

/// The binary itself, with a log that can be queried.
#[tokio::test]
async fn the_binary_handles_events_without_an_account_in_the_arn() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(seed_samples);
    let mut process = Process::start_as(&fixture.stub, ARN).await;
    for (name, event) in samples() {
        let is_of_stack = event.get("ResponseURL").is_some() || event.to_string().contains("ResponseURL");
        if is_of_stack || name.starts_with("config-rule") {
            continue;
        }
        fixture.stub.forget_calls();
        if let Err(error) = process.handle(&event).await {
            assert!(error.contains("KMS finds no key"), "{name}: {error}");
        }
        assert_eq!(fixture.stub.calls_of("GetCallerIdentity").len(), 1, "{name}");
    }
    let lines: Vec<Value> =
        process.output().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reports: Vec<_> = lines.iter().filter_map(|line| line.get("report")).collect();
    assert!(!reports.is_empty() && reports.iter().all(|report| report["account"] == ACCOUNT), "{reports:?}");
}
