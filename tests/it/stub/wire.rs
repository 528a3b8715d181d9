//! How calls and answers look on the wire. A protocol is a [`Wire`]: AWS JSON 1.1 is here, and the query protocol of
//! IAM, STS and EC2 is in `query.rs`.

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::{Call, Caller, Outcome, Refusal};
use super::services::{self, Service};
use super::world::World;

/// An HTTP request, read whole.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub method: String,
    /// Path and query, byte for byte as they arrived.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Incoming {
    /// The header's value; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// The operation and the input of a request.
pub type Understood = Result<(String, Value), Refusal>;

/// A protocol: it reads a request's operation and input, and writes an outcome as an answer.
#[derive(Clone, Copy)]
pub struct Wire {
    pub read: fn(&Service, &Incoming) -> Understood,
    /// Takes the operation's name, which the query protocol repeats in its answer, and the request id.
    pub write: fn(&Service, &str, &str, &Outcome) -> Reply,
}

/// AWS JSON 1.1, as SSM, KMS and AWS Config speak it.
pub const AWS_JSON: Wire = Wire { read: read_json, write: write_json };

/// Reads an AWS call. The credential scope names the service, the Region and, by the access key, the caller.
///
/// The signature is not checked. Its header must be present, because an unsigned call shows a client that is set up
/// wrongly.
pub fn understand(world: &World, incoming: &Incoming) -> Result<(Call, &'static Service), Refusal> {
    let unsigned = || Refusal::client("MissingAuthenticationTokenException", "Missing Authentication Token");
    let authorization = incoming.header("authorization").ok_or_else(unsigned)?;
    let scope = authorization.split_once("Credential=").ok_or_else(unsigned)?.1;
    let scope: Vec<&str> = scope.split([',', ' ']).next().unwrap_or_default().split('/').collect();
    let [access_key, _date, region, service, "aws4_request"] = scope[..] else {
        return Err(Refusal::client(
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements",
        ));
    };
    let service = services::service(service).ok_or_else(|| {
        Refusal::client("UnknownOperationException", format!("No service `{service}` here"))
    })?;
    if let Some(token) = world.iam.issued.get(access_key)
        && incoming.header("x-amz-security-token") != Some(token)
    {
        return Err(service.unknown_token());
    }
    let (operation, body) = (service.wire.read)(service, incoming)?;
    let call = Call {
        service: service.name,
        operation,
        body,
        caller: caller(world, access_key),
        region: region.to_owned(),
    };
    Ok((call, service))
}

/// A 12-digit access key is the root of that account; others are registered, or the world's default caller.
fn caller(world: &World, access_key: &str) -> Caller {
    if access_key.len() == 12 && access_key.bytes().all(|byte| byte.is_ascii_digit()) {
        let arn = format!("arn:{}:iam::{access_key}:root", world.partition);
        return Caller { account: access_key.to_owned(), arn };
    }
    world.callers.get(access_key).cloned().unwrap_or_else(|| world.caller())
}

fn read_json(service: &Service, incoming: &Incoming) -> Understood {
    let unknown = || {
        Refusal::client(
            "UnknownOperationException",
            "The requested operation is not recognized by the service",
        )
    };
    if incoming.method != "POST"
        || incoming.target != "/"
        || incoming.header("content-type") != Some("application/x-amz-json-1.1")
    {
        return Err(unknown());
    }
    let target = incoming.header("x-amz-target").ok_or_else(unknown)?;
    let operation =
        target.strip_prefix(service.target).and_then(|rest| rest.strip_prefix('.')).ok_or_else(unknown)?;
    match serde_json::from_slice(&incoming.body) {
        Ok(body @ Value::Object(_)) => Ok((operation.to_owned(), body)),
        Ok(_) | Err(_) => {
            Err(Refusal::client("SerializationException", "The request's body is no JSON object"))
        }
    }
}

fn write_json(service: &Service, _operation: &str, request_id: &str, outcome: &Outcome) -> Reply {
    let (status, body) = match outcome {
        Ok(value) => (200, value.clone()),
        Err(refusal) => {
            (refusal.status, json!({"__type": refusal.code, service.message_member: refusal.message}))
        }
    };
    Reply {
        status,
        headers: vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amzn-requestid", request_id.to_owned()),
        ],
        body: body.to_string(),
    }
}
