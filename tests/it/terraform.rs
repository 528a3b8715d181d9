//! Calls that Terraform makes for a resource with the CRUD lifecycle: what it is told, and what it is not asked twice.
//! The fault matrix has their flows.

use std::cell::RefCell;

use serde_json::{Value, json};
use session_kms::function::Function;

use crate::fixture::{Fixture, NAME, PATIENCE, handle, key_in};

thread_local! {
    /// The lines of metrics that functions of this thread have written.
    static METRICS: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// The longest text of an error that Terraform is to show, in bytes.
const LONGEST: usize = 6000;

fn input(key: &str) -> Value {
    json!({"action": "reconcile", "kmsKeyId": key, "onDelete": "Restore"})
}

fn call(action: &str, mut input: Value, previous: &Value) -> Value {
    input["tf"] = json!({"action": action, "prev_input": previous});
    input
}

fn function(fixture: &Fixture) -> Function<session_kms::aws::Aws> {
    METRICS.take();
    let mut function = fixture.function(None);
    function.write_metrics = |line| METRICS.with_borrow_mut(|lines| lines.push(line.clone()));
    function
}

async fn answered(fixture: &Fixture, payload: &Value) -> Value {
    handle(&function(fixture), payload, PATIENCE).await.unwrap()
}

/// Whether the last event counts as one that the function has handled.
fn guarded() -> Value {
    METRICS.take().last().unwrap()["Guarded"].clone()
}

#[tokio::test]
async fn a_refusal_is_an_error_that_says_what_to_do_and_stays_short() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| {
        for number in 0..60 {
            let user = world.add_user(&format!("somebody-with-a-long-name-{number}"));
            world.add_session(&format!("s-{number}"), &user, 4_000_000_000.0);
        }
    });
    let wanted = call("create", input(&fixture.k1), &Value::Null);
    let error = handle(&function(&fixture), &wanted, PATIENCE).await.unwrap_err();
    assert_eq!(error.kind(), "Refused");
    let text = error.to_string();
    assert!(text.len() <= LONGEST, "{} bytes: {text}", text.len());
    for part in
        ["somebody-with-a-long-name-0", "kms:GenerateDataKey", "; to see it all: session-kms check --key"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(guarded(), 0);
    let key = fixture.stub.world(|world| key_in(world.document(NAME).unwrap().latest_content()));
    assert_eq!(key, "alias/old", "nothing was changed");
}

#[tokio::test]
async fn the_answer_has_the_attributes_of_the_custom_resource_and_does_not_grow() {
    let fixture = Fixture::with_settings().await;
    let answer = answered(&fixture, &call("create", input(&fixture.k1), &Value::Null)).await;
    assert_eq!(guarded(), 1, "the alarm on silence knows that the function works");
    assert_eq!(
        (&answer["keyArn"], &answer["documentName"], &answer["documentVersion"]),
        (&fixture.k1.as_str().into(), &NAME.into(), &2.into())
    );
    assert_eq!((&answer["previousKmsKeyId"], &answer["changed"]), (&"alias/old".into(), &true.into()));
    assert!(answer.to_string().len() < LONGEST);
}

#[tokio::test]
async fn what_was_wanted_before_does_not_make_a_request_another_one() {
    let fixture = Fixture::with_settings().await;
    let wanted = input(&fixture.k1);
    answered(&fixture, &call("create", wanted.clone(), &Value::Null)).await;
    fixture.stub.forget_calls();
    let answer = answered(&fixture, &call("update", wanted, &input(&fixture.k2))).await;
    assert_eq!(answer["changed"], false);
    let writes: Vec<_> = fixture.stub.calls().into_iter().filter(|call| call.writes).collect();
    assert!(writes.is_empty(), "{writes:?}");
}
