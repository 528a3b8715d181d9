//! Faults at each call of a Create: the function gives one true answer in time, and the next event completes the work.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::fixture::{
    Fixture, Logs, NAME, PATIENCE, RECORD, SECRET, SET_TO_K1, assert_nothing_secret, enabled, resource,
};
use crate::stub::{Fault, ReceivedResponse, Refusal, Request, When};

#[tokio::test]
async fn a_call_that_is_denied_fails_the_create() {
    let fixture = Fixture::with_settings().await;
    assert!(fixture.send(&create(&fixture)).await.success);
    let calls: BTreeSet<_> =
        fixture.stub.calls().into_iter().map(|call| (call.service, call.operation)).collect();
    assert!(calls.len() > 5, "{calls:?}");
    for (service, operation) in calls {
        let logs = Logs::captured();
        let fixture = Fixture::with_settings().await;
        let when = When::operation(service, operation.clone().leak());
        fixture.stub.fault(when, Fault::AccessDenied { action: "some:Action" });
        let create = create(&fixture);
        let answer = fixture.send(&create).await;
        let remedy = format!("allow {service}:{operation}");
        assert!(!answer.success && answer.reason.contains(&remedy), "{operation}: {}", answer.reason);
        assert_next_event_completes(&fixture, &create, &answer, 0).await;
        assert_nothing_secret(&logs.text());
    }
}

#[tokio::test]
async fn a_call_that_is_denied_once_leaves_nothing_half_done() {
    each_call(|| Fault::AccessDenied { action: "some:Action" }, Expect::Either).await;
}

#[tokio::test]
async fn a_call_that_is_throttled_once_is_made_again() {
    each_call(|| Fault::Throttle, Expect::Success).await;
}

#[tokio::test]
async fn a_call_that_fails_inside_aws_once_is_made_again() {
    each_call(|| Fault::InternalError, Expect::Success).await;
}

#[tokio::test]
async fn a_service_that_is_unavailable_once_is_called_again() {
    each_call(|| Fault::Unavailable, Expect::Success).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_before_the_call_is_made_again() {
    each_call(|| Fault::CutBefore, Expect::Success).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_after_the_call_is_no_failure() {
    each_call(|| Fault::CutAfter, Expect::Success).await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_reported_or_the_call_is_made_again() {
    each_call(|| Fault::Garbage, Expect::Either).await;
}

#[tokio::test]
async fn a_concurrent_update_is_waited_for() {
    for operation in ["PutParameter", "UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::operation("ssm", operation).first(2), Fault::TooManyUpdates);
        let answer = fixture.send(&create(&fixture)).await;
        assert!(answer.success, "{}", answer.reason);
        assert_eq!(fixture.state(), SET_TO_K1);
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_call_that_hangs_is_given_up_in_time_and_the_answer_says_where() {
    for n in 1..=calls_of_a_create().await {
        let logs = Logs::captured();
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::any().nth(n), Fault::Hang);
        let create = create(&fixture);
        let answer = fixture.send_hanging(&fixture.function(None), &create, n, PATIENCE).await;
        assert!(!answer.success, "call {n} hung");
        let why = "the time-out of the Lambda function is near; what it was doing: ";
        assert!(answer.reason.contains(why), "{}", answer.reason);
        assert_next_event_completes(&fixture, &create, &answer, n).await;
        assert_nothing_secret(&logs.text());
    }
}

#[tokio::test]
async fn a_call_that_hangs_once_is_made_again() {
    for n in 1..=calls_of_a_create().await {
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::any().nth(n), Fault::Hang);
        let function = fixture.function(Some(Duration::from_secs(8)));
        let create = create(&fixture);
        let answer = fixture.send_hanging(&function, &create, n, Duration::from_secs(9)).await;
        assert!(answer.success, "call {n}: {}", answer.reason);
        assert_next_event_completes(&fixture, &create, &answer, n).await;
    }
}

#[tokio::test]
async fn what_aws_says_about_the_content_is_not_repeated() {
    let complaint = format!("unexpected token at `export TOKEN={SECRET}`");
    for code in ["InvalidDocumentContent", "ValidationException", "SerializationException"] {
        let logs = Logs::captured();
        let fixture = Fixture::with_settings().await;
        let refusal = Fault::Refuse(Refusal::client(code, complaint.as_str()));
        fixture.stub.fault(When::operation("ssm", "UpdateDocument"), refusal);
        let answer = fixture.send(&create(&fixture)).await;
        assert!(!answer.success && answer.reason.contains(code), "{}", answer.reason);
        assert_nothing_secret(&answer.body);
        assert_nothing_secret(&logs.text());
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_reported_and_nothing_is_written() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| world.put_parameter(RECORD, &format!("{{\"owner\": \"{SECRET}\"}}")));
    let answer = fixture.send(&create(&fixture)).await;
    assert!(!answer.success && answer.reason.contains(RECORD), "{}", answer.reason);
    assert_nothing_secret(&answer.body);
    assert_eq!(fixture.stub.writes().len(), 0);
    fixture.assert_no_violations();
}

/// What one fault leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Success,
    Either,
}

/// Injects the fault once, at each call of a Create in turn.
async fn each_call(fault: impl Fn() -> Fault, expect: Expect) {
    for n in 1..=calls_of_a_create().await {
        let logs = Logs::captured();
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::any().nth(n), fault());
        let create = create(&fixture);
        let answer = fixture.send(&create).await;
        match expect {
            Expect::Success => {
                assert!(answer.success, "call {n}: {}", answer.reason);
                assert_eq!(answer.data["Changed"], "true", "call {n}");
            }
            Expect::Either => {}
        }
        assert_next_event_completes(&fixture, &create, &answer, n).await;
        assert_nothing_secret(&logs.text());
    }
}

/// Checks that the answer was true, and that the same event once more leads to the wanted state.
async fn assert_next_event_completes(
    fixture: &Fixture,
    create: &Request,
    answer: &ReceivedResponse,
    n: usize,
) {
    assert_nothing_secret(&answer.body);
    let state = fixture.state();
    if answer.success {
        assert_eq!(state, SET_TO_K1, "call {n}");
    } else {
        let [latest, default] = ["latest k1", "default k1"].map(|words| state.contains(words));
        assert!(latest || state.contains("latest alias/old"), "call {n}: {state}");
        assert!(default || state.contains("default alias/old"), "call {n}: {state}");
        assert!(!latest || state.ends_with("demo wants k1, before alias/old"), "call {n}: {state}");
    }
    fixture.assert_settings_kept();
    fixture.stub.clear_faults();
    fixture.stub.redelivered(&create.url);
    let again = fixture.send(create).await;
    assert!(again.success, "call {n}: {}", again.reason);
    assert_eq!(fixture.state(), SET_TO_K1, "call {n}");
    fixture.assert_settings_kept();
    let versions = fixture.stub.world(|world| world.document(NAME).unwrap().versions.len());
    assert_eq!(versions, 2, "call {n}: one new version is enough");
    fixture.assert_no_violations();
}

async fn calls_of_a_create() -> usize {
    let fixture = Fixture::with_settings().await;
    let answer = fixture.send(&create(&fixture)).await;
    assert!(answer.success, "{}", answer.reason);
    let calls = fixture.stub.calls().len();
    assert!(calls > 5, "{calls} calls");
    calls
}

fn create(fixture: &Fixture) -> Request {
    resource("demo").create(&fixture.stub, &enabled(&fixture.k1))
}
