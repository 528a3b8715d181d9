//! Keys that somebody changes meanwhile: DescribeKey and GetKeyPolicy return the new state.

use serde_json::{Value, json};
use session_kms::ports::{KeyAccess as _, Keys as _};

use super::{OTHER, aws, key};
use crate::stub::{Location, REGION, Stub};

/// Makes somebody else's call on a key: `ok`, or AWS's error code.
fn call(stub: &Stub, operation: &str, arn: &str, more: &Value) -> String {
    let mut body = json!({"KeyId": arn});
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more.clone());
    }
    match stub.world(|world| world.ask("kms", operation, body)) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => refusal.code,
    }
}

/// The key's state, with the date of deletion if it has one; `gone` if there is no key.
async fn state(stub: &Stub, arn: &str) -> String {
    match aws(stub).describe(arn).await.unwrap() {
        None => "gone".to_owned(),
        Some(key) => match key.deletion_date {
            None => key.state,
            Some(date) => format!("{} on {date}", key.state),
        },
    }
}

#[tokio::test]
async fn a_key_goes_through_its_states() {
    let stub = Stub::start().await;
    let arn = stub.world(|world| {
        let arn = world.add_key("own");
        world.add_alias("alias/own", &arn);
        arn
    });
    let (none, invalid) = (json!({}), "KMSInvalidStateException");
    for (operation, more, expected, then) in [
        ("CancelKeyDeletion", &none, invalid, "Enabled"),
        ("DisableKey", &none, "ok", "Disabled"),
        ("EnableKey", &none, "ok", "Enabled"),
        ("ScheduleKeyDeletion", &json!({"PendingWindowInDays": 6}), "ValidationException", "Enabled"),
        ("ScheduleKeyDeletion", &json!({"PendingWindowInDays": 7}), "ok", "PendingDeletion on 2026-01-08"),
        ("EnableKey", &none, invalid, "PendingDeletion"),
        ("DisableKey", &none, invalid, "PendingDeletion"),
        ("ScheduleKeyDeletion", &none, invalid, "PendingDeletion"),
        ("CancelKeyDeletion", &none, "ok", "Disabled"),
        ("ScheduleKeyDeletion", &none, "ok", "PendingDeletion on 2026-01-31"),
    ] {
        assert_eq!(call(&stub, operation, &arn, more), expected, "{operation} {more}");
        let now = state(&stub, "alias/own").await;
        assert!(now.starts_with(then), "{operation} {more}: {now}");
    }
    stub.world(|world| world.delete_key(&arn));
    for name in [arn.as_str(), "own", "alias/own"] {
        assert_eq!(state(&stub, name).await, "gone", "{name}");
    }
}

#[tokio::test]
async fn a_new_policy_is_read_back() {
    let stub = Stub::start().await;
    let (own, foreign) = stub
        .world(|world| (world.add_key("own"), world.add_key_at(&Location::new(OTHER, REGION), "foreign")));
    let policy = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    let long = format!("{{\"Statement\":[]{}}}", " ".repeat(32_768));
    for (arn, policy, expected) in [
        (&own, policy.as_str(), "ok"),
        (&own, "{", "MalformedPolicyDocumentException"),
        (&own, "{}", "MalformedPolicyDocumentException"),
        (&own, long.as_str(), "LimitExceededException"),
        (&foreign, policy.as_str(), "AccessDeniedException"),
    ] {
        assert_eq!(call(&stub, "PutKeyPolicy", arn, &json!({"Policy": policy})), expected);
    }
    assert_eq!(aws(&stub).key_policy(&key(&own), None).await.unwrap(), policy);
}
