use std::cell::Cell;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::test_support::{Exchange, quick_sender};
use crate::testing::PutFault;

const LAMBDA_ID: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// What the resource does.
#[derive(Clone)]
enum Act {
    Succeed(Success),
    Fail(&'static str),
    Panic,
    /// Sets its step and never ends. Time jumps to the next timer, until the work is dropped.
    Hang(Option<&'static str>),
}

struct Thing {
    act: Act,
    calls: Cell<u32>,
    id_of_create: Result<&'static str, &'static str>,
}

impl CustomResource for Thing {
    type Request = Request;

    fn physical_id_of_create(&self, request: &Request) -> Result<PhysicalResourceId, Failure> {
        assert_eq!(request.properties["Colour"], "red");
        match self.id_of_create {
            Ok("panic") => panic!("s3cr3t"),
            Ok(id) => Ok(PhysicalResourceId::new(id).unwrap()),
            Err(reason) => Err(Failure { reason: reason.into() }),
        }
    }

    async fn handle(
        &self,
        _: &Request,
        deadline: &Deadline,
        progress: &Progress,
    ) -> Result<Success, Failure> {
        self.calls.set(self.calls.get() + 1);
        assert!(deadline.left_to_work(now()) > Duration::ZERO);
        match self.act.clone() {
            Act::Succeed(success) => Ok(success),
            Act::Fail(reason) => Err(Failure { reason: reason.into() }),
            Act::Panic => panic!("s3cr3t"),
            Act::Hang(step) => {
                if let Some(step) = step {
                    progress.set("reading");
                    progress.set(step);
                }
                struct Resume;
                impl Drop for Resume {
                    fn drop(&mut self) {
                        tokio::time::resume();
                    }
                }
                tokio::time::pause();
                let _resume = Resume;
                std::future::pending().await
            }
        }
    }
}

fn success(id: &str) -> Success {
    Success::new(PhysicalResourceId::new(id).unwrap()).with_attribute("Shade", "dark")
}

fn provider(act: Act, exchange: &Exchange) -> Provider<Thing, fn() -> SystemTime> {
    let thing = Thing { act, calls: Cell::new(0), id_of_create: Ok("thing-of-create") };
    Provider::new(thing, quick_sender(), vec![exchange.origin()], now)
}

fn invocation() -> Invocation<'static> {
    Invocation { request_id: LAMBDA_ID, deadline: now() + Duration::from_secs(120) }
}

/// Serves one request without faults and returns the response.
async fn response(act: Act, request_type: &str) -> Value {
    let exchange = Exchange::start(&[]).await;
    let event = exchange.request(request_type);
    let served = provider(act, &exchange).serve(Envelope::read(&event), invocation()).await.unwrap();
    let response = exchange.response();
    let ServeOutcome::Responded(status) = served else { panic!("{served:?}") };
    assert_eq!(response["Status"], status.to_string());
    response
}

#[tokio::test]
async fn finished_work_is_answered_with_its_id_and_data() {
    for request_type in ["Create", "Update"] {
        let response = response(Act::Succeed(success("thing-2")), request_type).await;
        assert_eq!(response["Status"], "SUCCESS");
        assert_eq!(response["PhysicalResourceId"], "thing-2");
        assert_eq!(response["Data"], json!({"Shade": "dark"}));
        assert_eq!(response.get("NoEcho"), None);
    }
}

#[tokio::test]
async fn a_delete_echoes_its_id_and_sends_no_data() {
    let response = response(Act::Succeed(success("another")), "Delete").await;
    assert_eq!(response["PhysicalResourceId"], "thing-of-before");
    assert_eq!(response.get("Data"), None);
}

#[tokio::test]
async fn trap_4_a_failure_echoes_the_id_of_the_request_and_a_create_the_one_known_before() {
    for act in [Act::Fail("no"), Act::Panic, Act::Hang(None)] {
        for (request_type, id) in
            [("Create", "thing-of-create"), ("Update", "thing-of-before"), ("Delete", "thing-of-before")]
        {
            let response = response(act.clone(), request_type).await;
            assert_eq!(response["Status"], "FAILED");
            assert_eq!(response["PhysicalResourceId"], id);
        }
    }
}

#[tokio::test]
async fn a_create_without_a_known_id_fails_without_work() {
    for (id, reason) in [
        (Err("`Name` is required"), "`Name` is required"),
        (Ok("panic"), &*format!("internal error, see the function's log for request {LAMBDA_ID}")),
    ] {
        let exchange = Exchange::start(&[]).await;
        let mut provider = provider(Act::Succeed(success("x")), &exchange);
        provider.resource.id_of_create = id;
        let served = provider.serve(Envelope::read(&exchange.request("Create")), invocation()).await;
        assert_eq!(served, Ok(ServeOutcome::Responded(Status::Failed)));
        assert_eq!(provider.resource.calls.get(), 0);
        assert_eq!(exchange.response()["Reason"], reason);
        assert_eq!(exchange.response()["PhysicalResourceId"], "Thing");
    }
}

#[tokio::test]
async fn trap_5_a_request_that_cannot_be_parsed_is_answered() {
    for (request_type, field, value, reason) in [
        ("Read", "Colour", json!(1), "`RequestType` of the request is `Read`, not Create, Update or Delete"),
        ("Create", "ResourceProperties", json!([]), "`ResourceProperties` of the request is not an object"),
        ("Delete", "PhysicalResourceId", json!(null), "`PhysicalResourceId` of the request is not text"),
    ] {
        let exchange = Exchange::start(&[]).await;
        let mut event = exchange.request(request_type);
        event[field] = value;
        let provider = provider(Act::Panic, &exchange);
        let served = provider.serve(Envelope::read(&event), invocation()).await;
        assert_eq!(served, Ok(ServeOutcome::Responded(Status::Failed)));
        assert_eq!(provider.resource.calls.get(), 0);
        assert_eq!(exchange.response()["Reason"], reason);
    }
}

#[tokio::test]
async fn trap_5_a_request_without_a_response_url_is_an_error() {
    let exchange = Exchange::start(&[]).await;
    let error = provider(Act::Panic, &exchange)
        .serve(Envelope::read(&json!({"RequestType": "Create"})), invocation())
        .await;
    assert_eq!(error, Err(ServeError::Unanswerable(Unanswerable::NoResponseUrl)));
}

/// A resource with a type of its own for requests.
struct Typed;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TypedRequest {
    #[serde(rename = "ResponseURL")]
    response_url: String,
    resource_properties: Colour,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Colour {
    colour: String,
}

impl CustomResource for Typed {
    type Request = TypedRequest;

    fn physical_id_of_create(&self, request: &TypedRequest) -> Result<PhysicalResourceId, Failure> {
        Ok(PhysicalResourceId::new(&request.resource_properties.colour).unwrap())
    }

    async fn handle(&self, request: &TypedRequest, _: &Deadline, _: &Progress) -> Result<Success, Failure> {
        Ok(success("typed").with_attribute("ResponseUrl", &request.response_url))
    }
}

#[tokio::test]
async fn a_type_of_ones_own_gets_the_request_without_what_only_the_protocol_needs() {
    let exchange = Exchange::start(&[]).await;
    let provider = Provider::new(Typed, quick_sender(), vec![exchange.origin()], now);
    let served = provider.serve(Envelope::read(&exchange.request("Create")), invocation()).await;
    assert_eq!(served, Ok(ServeOutcome::Responded(Status::Success)));
    let response = exchange.response();
    assert_eq!(response["Data"]["ResponseUrl"], format!("{}/…", exchange.endpoint()));
}

#[tokio::test]
async fn trap_5_a_request_that_a_type_of_ones_own_cannot_hold_is_answered() {
    let exchange = Exchange::start(&[]).await;
    let mut event = exchange.request("Create");
    event["ResourceProperties"] = json!({"Color": "red"});
    let provider = Provider::new(Typed, quick_sender(), vec![exchange.origin()], now);
    let served = provider.serve(Envelope::read(&event), invocation()).await;
    assert_eq!(served, Ok(ServeOutcome::Responded(Status::Failed)));
    assert_eq!(
        exchange.response()["Reason"],
        "the request cannot be read: unknown field `Color`, expected `Colour`"
    );
}

#[tokio::test]
async fn trap_6_a_panic_is_answered_without_its_message() {
    let response = response(Act::Panic, "Create").await;
    let reason = format!("internal error, see the function's log for request {LAMBDA_ID}");
    assert_eq!(response["Reason"], reason);
}

#[tokio::test]
async fn trap_7_work_that_takes_too_long_is_dropped_and_answered() {
    for (step, shown) in [(Some("waiting for the version"), "waiting for the version"), (None, "starting")] {
        let response = response(Act::Hang(step), "Update").await;
        let reason = format!(
            "stopped after 110 s, as the time-out of the Lambda function is near; what it was doing: {shown}"
        );
        assert_eq!(response["Reason"], reason);
    }
}

#[tokio::test]
async fn trap_8_a_response_that_was_accepted_is_never_an_error_to_lambda() {
    for act in [Act::Succeed(success("x")), Act::Fail("no"), Act::Panic, Act::Hang(None)] {
        response(act, "Create").await;
    }
}

#[tokio::test]
async fn trap_8_a_response_that_was_not_accepted_is_an_error_to_lambda() {
    let exchange = Exchange::start(&[PutFault::Status(403)]).await;
    let provider = provider(Act::Succeed(success("x")), &exchange);
    let served = provider.serve(Envelope::read(&exchange.request("Create")), invocation()).await;
    let refused = DeliveryError::Refused { status: 403, attempts: 1 };
    assert_eq!(served, Err(ServeError::Undelivered(refused)));
    assert_eq!(exchange.attempts(), 1);
}

#[tokio::test]
async fn trap_9_a_temporary_error_of_the_receiver_does_not_repeat_the_work() {
    let exchange = Exchange::start(&[PutFault::Status(500), PutFault::CutBefore]).await;
    let provider = provider(Act::Succeed(success("x")), &exchange);
    let served = provider.serve(Envelope::read(&exchange.request("Create")), invocation()).await;
    assert_eq!(served, Ok(ServeOutcome::Responded(Status::Success)));
    assert_eq!((exchange.attempts(), provider.resource.calls.get()), (3, 1));
    exchange.response();
}

#[tokio::test]
async fn trap_10_a_long_reason_is_sent_as_far_as_it_fits() {
    let reason: &'static str = "\"ü\n".repeat(3000).leak();
    let response = response(Act::Fail(reason), "Create").await;
    let sent = response["Reason"].as_str().unwrap();
    assert!(sent.starts_with("\"ü\n"));
    assert!(sent.ends_with(&format!("… whole text in the function's log, request {LAMBDA_ID}")));
}

#[tokio::test]
async fn trap_16_nothing_is_done_after_the_url_has_expired() {
    let exchange = Exchange::start(&[]).await;
    let mut event = exchange.request("Delete");
    event["ResponseURL"] = format!("{}/k?Expires=1799999999", exchange.endpoint()).into();
    let provider = provider(Act::Panic, &exchange);
    assert_eq!(provider.serve(Envelope::read(&event), invocation()).await, Ok(ServeOutcome::Expired));
    assert_eq!((exchange.attempts(), provider.resource.calls.get()), (0, 0));
}

#[tokio::test]
async fn a_foreign_url_gets_neither_work_nor_response() {
    let (exchange, elsewhere) = (Exchange::start(&[]).await, Exchange::start(&[]).await);
    let provider = provider(Act::Panic, &exchange);
    let served = provider.serve(Envelope::read(&elsewhere.request("Create")), invocation()).await;
    assert_eq!(served, Err(ServeError::ForeignHost(elsewhere.endpoint().to_owned())));
    assert_eq!((elsewhere.attempts(), provider.resource.calls.get()), (0, 0));
}

#[tokio::test]
async fn trap_19_no_log_line_and_no_error_shows_the_url() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (mut errors, mut target) = (String::new(), String::new());
    for script in [vec![], vec![PutFault::Status(500), PutFault::CutBefore], vec![PutFault::Status(403)]] {
        for act in [Act::Succeed(success("x")), Act::Fail("no such colour"), Act::Panic, Act::Hang(None)] {
            let exchange = Exchange::start(&script).await;
            target = exchange.url.trim_start_matches(exchange.endpoint()).to_owned();
            let served = provider(act, &exchange)
                .serve(Envelope::read(&exchange.request("Create")), invocation())
                .await;
            errors.push_str(&format!("{served:?}"));
        }
    }
    let (exchange, elsewhere) = (Exchange::start(&[]).await, Exchange::start(&[]).await);
    let served = provider(Act::Panic, &exchange)
        .serve(Envelope::read(&elsewhere.request("Create")), invocation())
        .await;
    errors.push_str(&format!("{served:?} {}", served.clone().unwrap_err()));

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for line in [
        "request received",
        "no such colour",
        "answered",
        "trying again",
        "answer not delivered",
        "URL refused",
    ] {
        assert!(logged.contains(line), "{line} missing in {logged}");
    }
    let secrets =
        target.split(['/', '?', '&', '=']).filter(|part| part.len() > 7).chain(["s3cr", "Signature"]);
    for secret in secrets {
        assert!(!logged.contains(secret), "{secret} in {logged}");
        assert!(!errors.contains(secret), "{secret} in {errors}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
