//! The query protocol: the request is a form and the answer is XML. IAM and STS write lists as `Name.member.1`, EC2 as
//! `Name.1`.
//!
//! A form becomes the same JSON that the other services take, with text in all of its leaves. An answer is JSON with
//! the members' names of the service's XML.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::call::{Call, Outcome, Refusal};
use super::services::Service;
use super::wire::{Incoming, Reply, Understood, Wire};

/// The protocol of IAM and STS.
pub const QUERY: Wire = Wire { read: read_query, write: write_query };

/// The protocol of EC2.
pub const EC2_QUERY: Wire = Wire { read: read_ec2, write: write_ec2 };

/// A whole number, which the protocol sends as text.
pub fn number(call: &Call, member: &str) -> Result<Option<usize>, Refusal> {
    match call.text(member)?.map(str::parse) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(Refusal::wrong_type(member)),
    }
}

/// A list of texts; absent is empty.
pub fn texts<'a>(body: &'a Value, member: &str) -> Result<Vec<&'a str>, Refusal> {
    let all = list(body, member)?;
    all.iter().map(|item| item.as_str().ok_or_else(|| Refusal::wrong_type(member))).collect()
}

/// A list; absent is empty, and so is the empty text that the protocol has for an empty list.
pub fn list<'a>(body: &'a Value, member: &str) -> Result<&'a [Value], Refusal> {
    match body.get(member) {
        None => Ok(&[]),
        Some(Value::String(text)) if text.is_empty() => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(Refusal::wrong_type(member)),
    }
}

fn read_query(service: &Service, incoming: &Incoming) -> Understood {
    read(service, incoming, Some("member"))
}

fn read_ec2(service: &Service, incoming: &Incoming) -> Understood {
    read(service, incoming, None)
}

fn read(service: &Service, incoming: &Incoming, list_level: Option<&str>) -> Understood {
    let unknown = |why: &str| Refusal::client("InvalidAction", format!("Could not find operation: {why}"));
    if incoming.method != "POST"
        || incoming.target != "/"
        || incoming.header("content-type") != Some("application/x-www-form-urlencoded")
    {
        return Err(unknown("not a form sent to /"));
    }
    let mut form = Map::new();
    for (name, value) in form_urlencoded::parse(&incoming.body) {
        let path: Vec<&str> = name.split('.').collect();
        if !insert(&mut form, &path, &value) {
            return Err(Refusal::client("MalformedQueryString", format!("`{name}` is there twice")));
        }
    }
    let Some(Value::String(operation)) = form.remove("Action") else {
        return Err(unknown("no Action"));
    };
    if form.remove("Version") != Some(service.target.into()) {
        return Err(unknown("another Version"));
    }
    let body = lists(Value::Object(form), list_level);
    let body = body.ok_or_else(|| Refusal::client("MalformedQueryString", "a list has gaps"))?;
    Ok((operation, body))
}

/// Puts a value at its path. Returns false if the path already has a value.
fn insert(form: &mut Map<String, Value>, path: &[&str], value: &str) -> bool {
    match path {
        [] => false,
        [last] => form.insert((*last).to_owned(), value.into()).is_none(),
        [first, rest @ ..] => {
            let inner = form.entry(*first).or_insert_with(|| Value::Object(Map::new()));
            inner.as_object_mut().is_some_and(|inner| insert(inner, rest, value))
        }
    }
}

/// Makes lists of the objects that are numbered from 1, under the level that this protocol has for them. Returns
/// none if the numbers have gaps.
fn lists(value: Value, level: Option<&str>) -> Option<Value> {
    let Value::Object(mut members) = value else { return Some(value) };
    let numbered = match level {
        Some(level) if members.len() == 1 && members.contains_key(level) => {
            let Some(Value::Object(items)) = members.remove(level) else { return None };
            Some(items)
        }
        None if members.contains_key("1") => Some(std::mem::take(&mut members)),
        _ => None,
    };
    match numbered {
        Some(mut items) => {
            let count = items.len();
            let item = |number: usize| items.remove(&number.to_string()).and_then(|item| lists(item, level));
            (1..=count).map(item).collect::<Option<_>>().map(Value::Array)
        }
        None => {
            let inner = members.into_iter().map(|(name, value)| Some((name, lists(value, level)?)));
            inner.collect::<Option<_>>().map(Value::Object)
        }
    }
}

fn write_query(service: &Service, operation: &str, request_id: &str, outcome: &Outcome) -> Reply {
    match outcome {
        Ok(result) => {
            let xmlns = format!("https://{}.amazonaws.com/doc/{}/", service.name, service.target);
            let mut body = format!(r#"<{operation}Response xmlns="{xmlns}">"#);
            element(&mut body, &format!("{operation}Result"), result, "member");
            body += &format!(
                "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
            );
            reply(200, request_id, body)
        }
        Err(refusal) => {
            let blame = if refusal.status < 500 { "Sender" } else { "Receiver" };
            let error = format!(
                "<ErrorResponse><Error><Type>{blame}</Type><Code>{}</Code><Message>{}</Message></Error>\
                <RequestId>{request_id}</RequestId></ErrorResponse>",
                escaped(&refusal.code),
                escaped(&refusal.message)
            );
            reply(refusal.status, request_id, error)
        }
    }
}

fn write_ec2(service: &Service, operation: &str, request_id: &str, outcome: &Outcome) -> Reply {
    match outcome {
        Ok(result) => {
            let xmlns = format!("http://ec2.amazonaws.com/doc/{}/", service.target);
            let mut body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{operation}Response xmlns=\"{xmlns}\">\n    \
                <requestId>{request_id}</requestId>\n"
            );
            for (name, value) in result.as_object().into_iter().flatten() {
                element(&mut body, name, value, "item");
            }
            body += &format!("</{operation}Response>");
            reply(200, request_id, body)
        }
        Err(refusal) => {
            let error = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code>\
                <Message>{}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>",
                escaped(&refusal.code),
                escaped(&refusal.message)
            );
            reply(refusal.status, request_id, error)
        }
    }
}

fn reply(status: u16, request_id: &str, body: String) -> Reply {
    let headers = vec![
        ("content-type", "text/xml;charset=UTF-8".to_owned()),
        ("x-amzn-requestid", request_id.to_owned()),
    ];
    Reply { status, headers, body }
}

fn element(xml: &mut String, name: &str, value: &Value, item: &str) {
    *xml += &format!("<{name}>");
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| element(xml, name, value, item)),
        // A map's entries have a name of their own.
        Value::Array(items) if name == "EvalDecisionDetails" => {
            items.iter().for_each(|value| element(xml, "entry", value, item));
        }
        Value::Array(items) => items.iter().for_each(|value| element(xml, item, value, item)),
        Value::String(text) => *xml += &escaped(text),
        other => *xml += &other.to_string(),
    }
    *xml += &format!("</{name}>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
