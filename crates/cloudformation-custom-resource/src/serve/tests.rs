use std::cell::Cell;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::receiver::{Play, Receiver, TARGET, courier};
use crate::response::Attribute;

const LAMBDA_ID: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// What the resource does when asked.
#[derive(Clone)]
enum Act {
    Succeed(Success),
    Fail(&'static str),
    Panic,
    /// Writes its step and never ends. Time jumps to the next timer, until the work is dropped.
    Hang(Option<&'static str>),
}

struct Thing {
    act: Act,
    calls: Cell<u32>,
    id_of_create: Result<&'static str, &'static str>,
}

impl CustomResource for Thing {
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
    Success {
        physical_resource_id: PhysicalResourceId::new(id).unwrap(),
        data: BTreeMap::from([("Shade".into(), Attribute::Exact("dark".into()))]),
        reason: None,
        no_echo: false,
    }
}

fn provider(act: Act, receiver: &Receiver) -> Provider<Thing, fn() -> SystemTime> {
    let thing = Thing { act, calls: Cell::new(0), id_of_create: Ok("thing-of-create") };
    let endpoints = vec![Origin::parse(&receiver.origin).unwrap()];
    Provider::new(thing, courier(), endpoints, now)
}

fn invocation() -> Invocation<'static> {
    Invocation { request_id: LAMBDA_ID, deadline: now() + Duration::from_secs(120) }
}

/// Serves one request with nothing in the way, and gives the answer.
async fn answer(act: Act, request_type: &str) -> Value {
    let receiver = Receiver::start(&[]).await;
    let event = receiver.event(request_type);
    let served = provider(act, &receiver).serve(&event, invocation()).await.unwrap();
    let answer = receiver.answer();
    let Served::Answered(status) = served else { panic!("{served:?}") };
    assert_eq!(answer["Status"], status.to_string());
    answer
}

#[tokio::test]
async fn work_that_is_done_is_answered_with_its_id_and_data() {
    for request_type in ["Create", "Update"] {
        let answer = answer(Act::Succeed(success("thing-2")), request_type).await;
        assert_eq!(answer["Status"], "SUCCESS");
        assert_eq!(answer["PhysicalResourceId"], "thing-2");
        assert_eq!(answer["Data"], json!({"Shade": "dark"}));
        assert_eq!(answer.get("NoEcho"), None);
    }
}

#[tokio::test]
async fn a_delete_echoes_its_id_and_sends_no_data() {
    let answer = answer(Act::Succeed(success("another")), "Delete").await;
    assert_eq!(answer["PhysicalResourceId"], "thing-of-before");
    assert_eq!(answer.get("Data"), None);
}

#[tokio::test]
async fn trap_4_failures_echo_the_events_id_and_a_create_gives_the_one_known_before() {
    for act in [Act::Fail("no"), Act::Panic, Act::Hang(None)] {
        for (request_type, id) in
            [("Create", "thing-of-create"), ("Update", "thing-of-before"), ("Delete", "thing-of-before")]
        {
            let answer = answer(act.clone(), request_type).await;
            assert_eq!(answer["Status"], "FAILED");
            assert_eq!(answer["PhysicalResourceId"], id);
        }
    }
}

#[tokio::test]
async fn a_create_whose_id_cannot_be_told_fails_without_work() {
    for (id, reason) in [
        (Err("`Name` is required"), "`Name` is required"),
        (Ok("panic"), &*format!("internal error, see the function's log for request {LAMBDA_ID}")),
    ] {
        let receiver = Receiver::start(&[]).await;
        let mut provider = provider(Act::Succeed(success("x")), &receiver);
        provider.resource.id_of_create = id;
        let served = provider.serve(&receiver.event("Create"), invocation()).await;
        assert_eq!(served, Ok(Served::Answered(Status::Failed)));
        assert_eq!(provider.resource.calls.get(), 0);
        assert_eq!(receiver.answer()["Reason"], reason);
        assert_eq!(receiver.answer()["PhysicalResourceId"], "Thing");
    }
}

#[tokio::test]
async fn trap_5_a_request_that_does_not_parse_is_answered() {
    for (request_type, field, value, reason) in [
        ("Read", "Colour", json!(1), "`RequestType` of the request is `Read`, not Create, Update or Delete"),
        ("Create", "ResourceProperties", json!([]), "`ResourceProperties` of the request is not an object"),
        ("Delete", "PhysicalResourceId", json!(null), "`PhysicalResourceId` of the request is not text"),
    ] {
        let receiver = Receiver::start(&[]).await;
        let mut event = receiver.event(request_type);
        event[field] = value;
        let provider = provider(Act::Panic, &receiver);
        let served = provider.serve(&event, invocation()).await;
        assert_eq!(served, Ok(Served::Answered(Status::Failed)));
        assert_eq!(provider.resource.calls.get(), 0);
        assert_eq!(receiver.answer()["Reason"], reason);
    }
}

#[tokio::test]
async fn trap_5_a_request_without_anybody_to_answer_is_an_error() {
    let receiver = Receiver::start(&[]).await;
    let error = provider(Act::Panic, &receiver).serve(&json!({"RequestType": "Create"}), invocation()).await;
    assert_eq!(error, Err(Unserved::Unanswerable(Unanswerable::NoResponseUrl)));
}

#[tokio::test]
async fn trap_6_a_panic_is_answered_and_its_message_kept_back() {
    let answer = answer(Act::Panic, "Create").await;
    let reason = format!("internal error, see the function's log for request {LAMBDA_ID}");
    assert_eq!(answer["Reason"], reason);
}

#[tokio::test]
async fn trap_7_work_that_takes_too_long_is_dropped_and_answered() {
    for (step, told) in [(Some("waiting for the version"), "waiting for the version"), (None, "starting")] {
        let answer = answer(Act::Hang(step), "Update").await;
        let reason = format!(
            "stopped after 110 s, as the time-out of the Lambda function is near; what it was doing: {told}"
        );
        assert_eq!(answer["Reason"], reason);
    }
}

#[tokio::test]
async fn trap_8_an_answer_that_was_taken_is_never_an_error_to_lambda() {
    for act in [Act::Succeed(success("x")), Act::Fail("no"), Act::Panic, Act::Hang(None)] {
        answer(act, "Create").await;
    }
}

#[tokio::test]
async fn trap_8_an_answer_that_was_not_taken_is_an_error_to_lambda() {
    let receiver = Receiver::start(&[Play::Status(403)]).await;
    let provider = provider(Act::Succeed(success("x")), &receiver);
    let served = provider.serve(&receiver.event("Create"), invocation()).await;
    let refused = Undelivered::Refused { status: 403, attempts: 1 };
    assert_eq!(served, Err(Unserved::Undelivered(refused)));
    assert_eq!(receiver.attempts(), 1);
}

#[tokio::test]
async fn trap_9_a_passing_error_of_the_receiver_does_not_repeat_the_work() {
    let receiver = Receiver::start(&[Play::Status(500), Play::Cut]).await;
    let provider = provider(Act::Succeed(success("x")), &receiver);
    let served = provider.serve(&receiver.event("Create"), invocation()).await;
    assert_eq!(served, Ok(Served::Answered(Status::Success)));
    assert_eq!((receiver.attempts(), provider.resource.calls.get()), (3, 1));
    receiver.answer();
}

#[tokio::test]
async fn trap_10_a_long_reason_is_sent_as_far_as_it_fits() {
    let reason: &'static str = "\"ü\n".repeat(3000).leak();
    let answer = answer(Act::Fail(reason), "Create").await;
    let sent = answer["Reason"].as_str().unwrap();
    assert!(sent.starts_with("\"ü\n"));
    assert!(sent.ends_with(&format!("… whole text in the function's log, request {LAMBDA_ID}")));
}

#[tokio::test]
async fn trap_16_nothing_at_all_is_done_once_the_url_has_expired() {
    let receiver = Receiver::start(&[]).await;
    let mut event = receiver.event("Delete");
    event["ResponseURL"] = format!("{}/k?Expires=1799999999", receiver.origin).into();
    let provider = provider(Act::Panic, &receiver);
    assert_eq!(provider.serve(&event, invocation()).await, Ok(Served::Expired));
    assert_eq!((receiver.attempts(), provider.resource.calls.get()), (0, 0));
}

#[tokio::test]
async fn a_url_to_elsewhere_gets_neither_work_nor_answer() {
    let (receiver, elsewhere) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let provider = provider(Act::Panic, &receiver);
    let served = provider.serve(&elsewhere.event("Create"), invocation()).await;
    assert_eq!(served, Err(Unserved::ForeignHost(elsewhere.origin.clone())));
    assert_eq!((elsewhere.attempts(), provider.resource.calls.get()), (0, 0));
}

#[tokio::test]
async fn trap_19_nothing_logged_and_no_error_shows_the_url() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut errors = String::new();
    for script in [vec![], vec![Play::Status(500), Play::Cut], vec![Play::Status(403)]] {
        for act in [Act::Succeed(success("x")), Act::Fail("no such colour"), Act::Panic, Act::Hang(None)] {
            let receiver = Receiver::start(&script).await;
            let served = provider(act, &receiver).serve(&receiver.event("Create"), invocation()).await;
            errors.push_str(&format!("{served:?}"));
        }
    }
    let (receiver, elsewhere) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let served = provider(Act::Panic, &receiver).serve(&elsewhere.event("Create"), invocation()).await;
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
        TARGET.split(['/', '?', '&', '=']).filter(|part| part.len() > 7).chain(["s3cr", "Signature"]);
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
