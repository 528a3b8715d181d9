use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::*;
use crate::receiver::{Play, Receiver, courier};

const BODY: &str = r#"{"Status":"SUCCESS","PhysicalResourceId":"thing","StackId":"arn:aws:cloudformation:eu-central-1:111122223333:stack/s/5b6cc040","RequestId":"8f4c1b8e-2d8f-4f2e-9c38-0b0a4d7a2b11","LogicalResourceId":"Thing"}"#;
const HOUR: Duration = Duration::from_secs(3600);

/// A connector whose network does what the script says, and then takes everything.
#[derive(Debug, Clone)]
struct Script(Arc<Mutex<VecDeque<Step>>>);

#[derive(Debug, Clone, Copy)]
enum Step {
    Status(u16),
    Cut,
    Silence,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        assert_eq!((request.method(), request.body().bytes()), ("PUT", Some(BODY.as_bytes())));
        let status = match self.0.lock().unwrap().pop_front() {
            None => 200,
            Some(Step::Status(status)) => status,
            Some(Step::Cut) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::io("cut".into())));
            }
            Some(Step::Silence) => return HttpConnectorFuture::new(std::future::pending()),
        };
        let status = status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::empty())))
    }
}

/// Puts through a script, in a time that only passes where nothing else is to do.
async fn put(steps: &[Step], within: Duration) -> Result<Delivered, Undelivered> {
    let script = Script(Arc::new(Mutex::new(steps.iter().copied().collect())));
    let url = ResponseUrl::parse("https://b.s3.amazonaws.com/key?s3cr3t").unwrap();
    Courier::new(script, Pace::default()).put(&url, BODY, within).await
}

#[tokio::test(start_paused = true)]
async fn trap_9_what_may_pass_is_tried_again() {
    for (steps, attempts) in [
        (vec![], 1),
        (vec![Step::Cut], 2),
        (vec![Step::Silence], 2),
        (vec![Step::Status(429), Step::Status(500), Step::Status(503), Step::Cut, Step::Silence], 6),
    ] {
        assert_eq!(put(&steps, HOUR).await, Ok(Delivered { status: 200, attempts }), "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn trap_9_a_refusal_is_neither_taken_for_success_nor_tried_again() {
    for status in [403, 400, 404, 409, 412, 301, 307, 304] {
        let refused = Undelivered::Refused { status, attempts: 1 };
        assert_eq!(put(&[Step::Status(status)], HOUR).await, Err(refused));
    }
    let later = put(&[Step::Status(503), Step::Status(403)], HOUR).await;
    assert_eq!(later, Err(Undelivered::Refused { status: 403, attempts: 2 }));
}

#[tokio::test(start_paused = true)]
async fn trap_9_attempts_end_with_the_time() {
    let begin = Instant::now();
    let within = Duration::from_secs(60);
    for (step, trouble) in [
        (Step::Status(500), Trouble::Status(500)),
        (Step::Silence, Trouble::TimedOut),
        (Step::Cut, Trouble::Network("cut".into())),
    ] {
        match put(&[step; 1000], within).await {
            Err(Undelivered::OutOfTime { attempts: 8..40, last }) => assert_eq!(last, trouble),
            other => panic!("{step:?}: {other:?}"),
        }
    }
    assert!(begin.elapsed() <= 3 * within);
}

#[tokio::test(start_paused = true)]
async fn one_silent_attempt_does_not_take_longer_than_there_is_time() {
    let begin = Instant::now();
    let result = put(&[Step::Silence], Duration::from_millis(700)).await;
    assert_eq!(result, Err(Undelivered::OutOfTime { attempts: 1, last: Trouble::TimedOut }));
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[test]
fn pauses_vary_between_half_and_all_of_their_length() {
    let pause = Duration::from_millis(200);
    let pauses: Vec<_> = (0..100).map(|_| jittered(pause)).collect();
    assert!(pauses.iter().all(|p| (pause / 2..=pause).contains(p)), "{pauses:?}");
    assert!(pauses.iter().any(|p| *p != pauses[0]), "{pauses:?}");
}

#[tokio::test]
async fn the_request_on_the_wire_is_the_one_that_was_signed() {
    for (script, attempts) in [(vec![], 1), (vec![Play::Status(500), Play::Cut, Play::Status(429)], 4)] {
        let receiver = Receiver::start(&script).await;
        let url = ResponseUrl::parse(&receiver.url()).unwrap();
        let delivered = courier().put(&url, BODY, HOUR).await;
        assert_eq!(delivered, Ok(Delivered { status: 200, attempts }));
        assert_eq!(receiver.answer(), serde_json::from_str::<Value>(BODY).unwrap());
    }
}

#[tokio::test]
async fn an_attempt_without_an_answer_is_given_up_and_tried_again() {
    let receiver = Receiver::start(&[Play::Silence]).await;
    let url = ResponseUrl::parse(&receiver.url()).unwrap();
    let pace = Pace { attempt: Duration::from_millis(300), ..Pace::default() };
    let courier = Courier { pace, ..courier() };
    let delivered = courier.put(&url, BODY, HOUR).await.unwrap();
    assert_eq!(delivered.status, 200);
    receiver.answer();
}

#[tokio::test]
async fn trap_19_no_error_holds_the_url() {
    // Nobody listens where a listener was.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = ResponseUrl::parse(&format!("http://{free}/p4th?s3cr3t")).unwrap();
    let error = courier().put(&url, BODY, Duration::from_millis(100)).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("refused"), "{shown}");
    assert!(!shown.contains("p4th") && !shown.contains("s3cr3t"), "{shown}");
}

#[tokio::test]
async fn an_https_url_is_spoken_to_in_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = ResponseUrl::parse(&format!("https://{address}/k")).unwrap();
    let (courier, first_byte) = (courier(), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap()
    });
    tokio::select! {
        byte = first_byte => assert_eq!(byte, 22, "not a TLS handshake"),
        result = courier.put(&url, BODY, HOUR) => panic!("{result:?}"),
    }
}
