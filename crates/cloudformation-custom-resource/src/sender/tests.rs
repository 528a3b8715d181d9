use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::*;
use crate::test_support::{Exchange, quick_sender};
use crate::testing::PutFault;

const BODY: &str = r#"{"Status":"SUCCESS","PhysicalResourceId":"thing","StackId":"arn:aws:cloudformation:eu-central-1:111122223333:stack/s/5b6cc040","RequestId":"8f4c1b8e-2d8f-4f2e-9c38-0b0a4d7a2b11","LogicalResourceId":"Thing"}"#;
const HOUR: Duration = Duration::from_secs(3600);

/// A connector whose network follows a script, and then accepts everything.
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

/// Puts through a script. Time passes only while nothing else is to do.
async fn put(steps: &[Step], within: Duration) -> Result<Delivered, DeliveryError> {
    let script = Script(Arc::new(Mutex::new(steps.iter().copied().collect())));
    let url = ResponseUrl::parse("https://b.s3.amazonaws.com/key?s3cr3t").unwrap();
    ResponseSender::new(script, RetryPolicy::default()).put(&url, BODY, within).await
}

#[tokio::test(start_paused = true)]
async fn trap_9_temporary_errors_are_retried() {
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
async fn trap_9_a_refusal_is_neither_a_success_nor_retried() {
    for status in [403, 400, 404, 409, 412, 301, 307, 304] {
        let refused = DeliveryError::Refused { status, attempts: 1 };
        assert_eq!(put(&[Step::Status(status)], HOUR).await, Err(refused));
    }
    let later = put(&[Step::Status(503), Step::Status(403)], HOUR).await;
    assert_eq!(later, Err(DeliveryError::Refused { status: 403, attempts: 2 }));
}

#[tokio::test(start_paused = true)]
async fn trap_9_attempts_end_with_the_time() {
    let begin = Instant::now();
    let within = Duration::from_secs(60);
    for (step, error) in [
        (Step::Status(500), AttemptError::Status(500)),
        (Step::Silence, AttemptError::TimedOut),
        (Step::Cut, AttemptError::Network("cut".into())),
    ] {
        match put(&[step; 1000], within).await {
            Err(DeliveryError::OutOfTime { attempts: 8..40, last }) => assert_eq!(last, error),
            other => panic!("{step:?}: {other:?}"),
        }
    }
    assert!(begin.elapsed() <= 3 * within);
}

#[tokio::test(start_paused = true)]
async fn one_silent_attempt_does_not_outlast_the_time() {
    let begin = Instant::now();
    let result = put(&[Step::Silence], Duration::from_millis(700)).await;
    assert_eq!(result, Err(DeliveryError::OutOfTime { attempts: 1, last: AttemptError::TimedOut }));
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn the_request_on_the_wire_is_the_one_that_was_signed() {
    let faults = [PutFault::Status(500), PutFault::CutBefore, PutFault::Status(429)];
    for (faults, attempts) in [(&faults[..0], 1), (&faults[..], 4)] {
        let exchange = Exchange::start(faults).await;
        let url = ResponseUrl::parse(&exchange.url).unwrap();
        let delivered = quick_sender().put(&url, BODY, HOUR).await;
        assert_eq!(delivered, Ok(Delivered { status: 200, attempts }));
        assert_eq!(exchange.response(), serde_json::from_str::<Value>(BODY).unwrap());
    }
}

#[tokio::test]
async fn an_attempt_without_an_answer_is_given_up_and_retried() {
    let exchange = Exchange::start(&[PutFault::Held]).await;
    let url = ResponseUrl::parse(&exchange.url).unwrap();
    let policy = RetryPolicy { attempt_timeout: Duration::from_millis(300), ..RetryPolicy::default() };
    let sender = ResponseSender { policy, ..quick_sender() };
    let delivered = sender.put(&url, BODY, HOUR).await.unwrap();
    assert_eq!(delivered, Delivered { status: 200, attempts: 2 });
    exchange.response();
}

#[tokio::test]
async fn trap_19_no_error_holds_the_url() {
    // The listener is closed again, so nobody listens on its port.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = ResponseUrl::parse(&format!("http://{free}/p4th?s3cr3t")).unwrap();
    let error = quick_sender().put(&url, BODY, Duration::from_millis(100)).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("refused"), "{shown}");
    assert!(!shown.contains("p4th") && !shown.contains("s3cr3t"), "{shown}");
}

#[tokio::test]
async fn an_https_url_is_spoken_to_in_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = ResponseUrl::parse(&format!("https://{address}/k")).unwrap();
    let (sender, first_byte) = (quick_sender(), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap()
    });
    tokio::select! {
        byte = first_byte => assert_eq!(byte, 22, "not a TLS handshake"),
        result = sender.put(&url, BODY, HOUR) => panic!("{result:?}"),
    }
}
