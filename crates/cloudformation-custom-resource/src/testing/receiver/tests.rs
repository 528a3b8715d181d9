use serde_json::{Value, json};

use super::*;
use crate::test_support::ids;

const ENDPOINT: &str = "http://127.0.0.1:1";

/// A PUT to a URL, as it must be.
fn put(url: &str, changes: &Value) -> HttpRequest {
    let ids = ids();
    let mut body = json!({
        "Status": "SUCCESS", "PhysicalResourceId": "p", "StackId": ids.stack_id,
        "RequestId": ids.request_id, "LogicalResourceId": ids.logical_resource_id,
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let body = body.to_string().into_bytes();
    HttpRequest {
        method: "PUT".to_owned(),
        target: url.trim_start_matches(ENDPOINT).to_owned(),
        headers: vec![
            ("content-type".to_owned(), String::new()),
            ("content-length".to_owned(), body.len().to_string()),
        ],
        body,
    }
}

fn status(reaction: &Reaction) -> Option<u16> {
    match reaction {
        Reaction::Respond { status, .. } => Some(*status),
        Reaction::Hold | Reaction::Cut => None,
    }
}

#[test]
fn s3_refuses_whatever_the_url_is_not_signed_for() {
    let mut receiver = ResponseReceiver::default();
    let url = receiver.expect(ENDPOINT, &ids(), None);
    let expired = receiver.expect(ENDPOINT, &ids(), Some("Expires=1&Signature=s"));
    let changed = |change: fn(&mut HttpRequest)| {
        let mut request = put(&url, &json!({}));
        change(&mut request);
        request
    };
    for (request, expected) in [
        (changed(|request| request.method = "POST".to_owned()), 403),
        (changed(|request| request.target = request.target.replace("%3A", ":")), 403),
        (changed(|request| request.target = request.target.replace("%3A", "%253A")), 403),
        (changed(|request| request.headers[0].1 = "application/json".to_owned()), 403),
        (changed(|request| request.headers[1].1 = "7".to_owned()), 400),
        (changed(|request| drop(request.headers.remove(1))), 411),
        (changed(|request| request.headers[0] = ("transfer-encoding".to_owned(), "chunked".to_owned())), 501),
        (put(&expired, &json!({})), 403),
    ] {
        let violations = receiver.violations().len();
        assert_eq!(status(&receiver.receive(&request)), Some(expected), "{request:?}");
        assert_eq!(receiver.violations().len(), violations + 1, "{request:?}");
    }
    assert_eq!(status(&receiver.receive(&put(&url, &json!({})))), Some(200));
    assert_eq!(receiver.responses(&url).len(), 1);
}

#[test]
fn cloudformation_refuses_what_s3_does_not_read() {
    for (changes, expected) in [
        (json!({"Status": "OK"}), "`Status`"),
        (json!({"Status": "FAILED"}), "`Reason`"),
        (json!({"PhysicalResourceId": ""}), "`PhysicalResourceId`"),
        (json!({"StackId": "other"}), "`StackId`"),
        (json!({"Extra": 1}), "`Extra`"),
        (json!({"Data": {"Long": "x".repeat(4096)}}), "4096 are allowed"),
    ] {
        let mut receiver = ResponseReceiver::default();
        let url = receiver.expect(ENDPOINT, &ids(), None);
        assert_eq!(status(&receiver.receive(&put(&url, &changes))), Some(200));
        assert!(receiver.responses(&url).is_empty());
        assert!(receiver.violations()[0].contains(expected), "{:?}", receiver.violations());
    }
}

#[test]
fn one_response_is_accepted_for_each_delivery() {
    let mut receiver = ResponseReceiver::default();
    let url = receiver.expect(ENDPOINT, &ids(), None);
    let request = put(&url, &json!({}));
    receiver.put_faults(&url, &[PutFault::CutAfter]);
    assert_eq!(receiver.receive(&request), Reaction::Cut);
    assert_eq!(status(&receiver.receive(&request)), Some(200), "repeated, as nobody has acknowledged it");
    assert_eq!((receiver.responses(&url).len(), receiver.violations().len()), (1, 0));
    receiver.receive(&request);
    assert_eq!((receiver.responses(&url).len(), receiver.violations().len()), (1, 1));
    receiver.redelivered(&url);
    receiver.receive(&request);
    assert_eq!((receiver.responses(&url).len(), receiver.violations().len()), (2, 1));
}

#[test]
fn a_held_response_waits_until_it_is_released() {
    let mut receiver = ResponseReceiver::default();
    let url = receiver.expect(ENDPOINT, &ids(), None);
    let request = put(&url, &json!({}));
    receiver.put_faults(&url, &[PutFault::Status(503), PutFault::Held]);
    assert_eq!(status(&receiver.receive(&request)), Some(503));
    assert_eq!(receiver.receive(&request), Reaction::Hold);
    assert!(!receiver.is_released(&request.target));
    receiver.release(&url);
    assert!(receiver.is_released(&request.target));
    assert_eq!((receiver.responses(&url).len(), receiver.puts(&url)), (1, 2));
}
