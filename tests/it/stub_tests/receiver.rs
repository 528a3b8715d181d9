//! The receiver of answers, called with plain HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::stub::{Ids, PutFault, Stub};

fn ids() -> Ids {
    Ids {
        stack_id: "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/1".to_owned(),
        request_id: "r-1".to_owned(),
        logical_resource_id: "Encryption".to_owned(),
    }
}

/// A valid answer with these members replaced. `null` removes a member.
fn body(changes: &Value) -> String {
    let mut body = json!({
        "Status": "SUCCESS", "PhysicalResourceId": "p", "StackId": ids().stack_id, "RequestId": "r-1",
        "LogicalResourceId": "Encryption", "NoEcho": false, "Data": {"KeyArn": "k"},
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body.to_string()
}

/// Sends a request exactly as given. Returns the status, or none if the connection was cut.
fn send(method: &str, url: &str, content_type: &str, body: &str) -> Option<u16> {
    let (host, target) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(host).ok()?;
    let length = body.len();
    write!(stream, "{method} /{target} HTTP/1.1\r\nhost: {host}\r\n{content_type}content-length: {length}\r\nconnection: close\r\n\r\n{body}").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

pub fn put(url: &str, body: &str) -> Option<u16> {
    send("PUT", url, "content-type:\r\n", body)
}

#[tokio::test]
async fn a_valid_answer_is_accepted() {
    let stub = Stub::start().await;
    let url = stub.response_url(&ids());
    assert_eq!(put(&url, &body(&json!({}))), Some(200));
    let answer = stub.answer(&url).await;
    assert!(answer.success && !answer.no_echo && answer.reason.is_empty());
    assert_eq!((answer.physical_resource_id.as_str(), &answer.data["KeyArn"]), ("p", &json!("k")));
    let url = stub.response_url(&ids());
    assert_eq!(send("PUT", &url, "", &body(&json!({"Status": "FAILED", "Reason": "no"}))), Some(200));
    assert_eq!(stub.answer(&url).await.reason, "no");
    assert_eq!(stub.violations(), [""; 0]);
}

#[tokio::test]
async fn what_cloudformation_refuses_is_a_violation() {
    for (changes, expected) in [
        (json!({"Status": "OK"}), "`Status`"),
        (json!({"Status": "FAILED"}), "`Reason`"),
        (json!({"Status": "FAILED", "Reason": ""}), "`Reason`"),
        (json!({"PhysicalResourceId": null}), "`PhysicalResourceId`"),
        (json!({"PhysicalResourceId": "x".repeat(1025)}), "`PhysicalResourceId`"),
        (json!({"StackId": "other"}), "`StackId`"),
        (json!({"RequestId": null}), "`RequestId`"),
        (json!({"LogicalResourceId": 1}), "`LogicalResourceId`"),
        (json!({"Extra": 1}), "`Extra`"),
        (json!({"Data": []}), "`Data`"),
        (json!({"NoEcho": "true"}), "`NoEcho`"),
        (json!({"Data": {"Long": "x".repeat(4096)}}), "4096 are allowed"),
    ] {
        let stub = Stub::start().await;
        let url = stub.response_url(&ids());
        assert_eq!(put(&url, &body(&changes)), Some(200), "S3 does not read it");
        assert!(stub.answers(&url).is_empty());
        assert!(stub.violations()[0].contains(expected), "{:?}", stub.violations());
    }
    let stub = Stub::start().await;
    assert_eq!(put(&stub.response_url(&ids()), "{"), Some(200));
    assert_eq!(stub.violations().len(), 1);
}

#[tokio::test]
async fn what_breaks_the_signature_is_refused() {
    let stub = Stub::start().await;
    let url = stub.response_url(&ids());
    let (good, put_, none) = (body(&json!({})), "PUT", "");
    let decoded = url.replace("%3A", ":");
    let encoded = url.replace("%3A", "%253A");
    let expired = stub.response_url_with(&ids(), "Expires=1&Signature=s");
    for (method, url, content_type) in [
        ("POST", url.as_str(), none),
        (put_, url.as_str(), "content-type: application/json\r\n"),
        (put_, decoded.as_str(), none),
        (put_, encoded.as_str(), none),
        (put_, url.split_once('?').unwrap().0, none),
        (put_, expired.as_str(), none),
    ] {
        let violations = stub.violations().len();
        assert_eq!(send(method, url, content_type, &good), Some(403), "{method} {url} {content_type}");
        assert_eq!(stub.violations().len(), violations + 1);
    }
    assert_eq!(stub.puts(&url), 2, "the POST and the typed PUT came to this URL");
    assert_eq!(put(&url, &good), Some(200));
}

#[tokio::test]
async fn one_answer_a_delivery() {
    let stub = Stub::start().await;
    let url = stub.response_url(&ids());
    let (one, two) = (body(&json!({})), body(&json!({"PhysicalResourceId": "q"})));
    assert_eq!((put(&url, &one), put(&url, &one)), (Some(200), Some(200)));
    assert_eq!((stub.answers(&url).len(), stub.violations().len()), (1, 1));
    stub.redelivered(&url);
    put(&url, &two);
    assert_eq!((stub.answers(&url).len(), stub.violations().len()), (2, 1));
}

#[tokio::test]
async fn puts_fail_in_the_order_asked_for() {
    let stub = Stub::start().await;
    let url = stub.response_url(&ids());
    stub.put_faults(&url, &[PutFault::Status(500), PutFault::Status(403), PutFault::CutBefore]);
    let answer = body(&json!({}));
    assert_eq!([put(&url, &answer), put(&url, &answer), put(&url, &answer)], [Some(500), Some(403), None]);
    assert!(stub.answers(&url).is_empty());
    stub.put_faults(&url, &[PutFault::CutAfter]);
    assert_eq!(put(&url, &answer), None);
    assert_eq!(stub.answers(&url).len(), 1);
    assert_eq!(put(&url, &answer), Some(200), "repeated, for nobody had acknowledged it");
    assert_eq!((stub.answers(&url).len(), stub.puts(&url)), (1, 5));
    assert_eq!(stub.violations(), [""; 0]);
}

#[tokio::test]
async fn a_slow_put_is_held_until_released() {
    let stub = Stub::start().await;
    let url = stub.response_url(&ids());
    stub.put_faults(&url, &[PutFault::Held]);
    let sender = std::thread::spawn({
        let url = url.clone();
        move || put(&url, &body(&json!({})))
    });
    stub.answer(&url).await;
    assert!(!sender.is_finished());
    stub.release(&url);
    assert_eq!(sender.join().unwrap(), Some(200));
}

#[tokio::test]
async fn what_is_no_aws_call_is_a_violation() {
    let stub = Stub::start().await;
    assert_eq!(send("GET", &format!("{}/", stub.endpoint()), "", ""), Some(400));
    assert_eq!(stub.violations().len(), 1);
}
