//! For tests: a receiver of answers that is as strict as CloudFormation, and plays its moods.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::deliver::{Courier, Pace, connector};

/// The secret part of the response URL, encoded so that encoding it again or decoding it would show.
pub(super) const TARGET: &str =
    "/bucket/arn%3Aaws%3A%7CThing%20?Expires=32503680000&Signature=s3cr%2Bt%3D%3D&x=a+b";

/// How a connection is treated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Play {
    /// The answer is read, checked, and answered with this status.
    Status(u16),
    /// The answer is read, and the connection cut.
    Cut,
    /// The answer is read, and nothing comes back.
    Silence,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Play>,
    attempts: usize,
    taken: Vec<Value>,
    complaints: Vec<String>,
}

/// Plays its script, one line a connection; after it, it takes one good answer.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) origin: String,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(super) async fn start(script: &[Play]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state = State { script: script.iter().copied().collect(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Self { origin, state }
    }

    pub(super) fn url(&self) -> String {
        format!("{}{TARGET}", self.origin)
    }

    /// A request as CloudFormation sends it, with the answer to this receiver.
    pub(super) fn event(&self, request_type: &str) -> Value {
        let mut event = json!({
            "RequestType": request_type,
            "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:thing",
            "ResponseURL": self.url(),
            "StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/s/5b6cc040",
            "RequestId": "8f4c1b8e-2d8f-4f2e-9c38-0b0a4d7a2b11",
            "LogicalResourceId": "Thing",
            "ResourceType": "Custom::Thing",
            "ResourceProperties": {"ServiceToken": "arn:aws:lambda:…", "Colour": "red"},
        });
        if request_type != "Create" {
            event["PhysicalResourceId"] = "thing-of-before".into();
        }
        if request_type == "Update" {
            event["OldResourceProperties"] = json!({"ServiceToken": "arn:aws:lambda:…", "Colour": "blue"});
        }
        event
    }

    /// The one answer that was taken. Fails the test where there is another number of them, or one was not in order.
    pub(super) fn answer(&self) -> Value {
        let state = self.state.lock().unwrap();
        assert!(state.complaints.is_empty(), "{:?}", state.complaints);
        let [answer] = state.taken.as_slice() else {
            panic!("not one answer: {:?}", state.taken);
        };
        answer.clone()
    }

    pub(super) fn attempts(&self) -> usize {
        self.state.lock().unwrap().attempts
    }
}

async fn converse(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let request = read_request(&mut stream).await;
    let status = {
        let mut state = state.lock().unwrap();
        state.attempts += 1;
        match (state.script.pop_front(), check(&request)) {
            (Some(Play::Cut), _) => None,
            (Some(Play::Silence), _) => Some(0),
            (Some(Play::Status(status)), Ok(_)) => Some(status),
            (None, Ok(answer)) => {
                state.taken.push(answer);
                Some(200)
            }
            (_, Err(complaint)) => {
                state.complaints.push(complaint);
                Some(400)
            }
        }
    };
    match status {
        None => {}
        Some(0) => std::future::pending().await,
        Some(status) => {
            let reply = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    }
}

/// Head and body of an HTTP/1.1 request.
async fn read_request(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= header(head, "content-length").and_then(|n| n.parse().ok()).unwrap_or(0)
        {
            return (head.to_owned(), body.to_owned());
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "cut short: {text}");
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim())
}

/// What CloudFormation, and S3 before it, would not take.
fn check((head, body): &(String, String)) -> Result<Value, String> {
    let must = |good: bool, what: &str| {
        if good { Ok(()) } else { Err(format!("{what}: {head}\n{body}")) }
    };
    let first = head.lines().next().unwrap_or_default();
    must(first == format!("PUT {TARGET} HTTP/1.1"), "request line")?;
    must(header(head, "content-type") == Some(""), "content type not empty")?;
    must(header(head, "content-length") == Some(&body.len().to_string()), "content length")?;
    must(header(head, "transfer-encoding").is_none(), "transfer encoding")?;
    must(body.len() <= 4096, "too long")?;
    let answer: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let text = |field: &str| answer[field].as_str().unwrap_or_default();
    match text("Status") {
        "SUCCESS" => {}
        "FAILED" => must(!text("Reason").is_empty(), "no reason")?,
        _ => must(false, "status")?,
    }
    must((1..=1024).contains(&text("PhysicalResourceId").len()), "physical id")?;
    must(text("StackId") == "arn:aws:cloudformation:eu-central-1:111122223333:stack/s/5b6cc040", "stack id")?;
    must(text("RequestId") == "8f4c1b8e-2d8f-4f2e-9c38-0b0a4d7a2b11", "request id")?;
    must(text("LogicalResourceId") == "Thing", "logical id")?;
    Ok(answer)
}

/// A courier over the network that hardly pauses, and looks for no proxy.
pub(super) fn courier() -> Courier {
    let pace = Pace { first_pause: Duration::from_millis(1), ..Pace::default() };
    Courier::new(connector(ProxyConfig::disabled()), pace)
}
