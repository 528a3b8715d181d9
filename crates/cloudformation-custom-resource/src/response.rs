//! The response to CloudFormation, and how it is shortened to the size that CloudFormation accepts.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::ids::{Ids, PhysicalResourceId};

/// The longest body that CloudFormation accepts, in bytes.
pub const LONGEST_BODY: usize = 4096;

/// The response to one request.
///
/// A [`Provider`](crate::Provider) makes and sends it. If the work is longer than an invocation, make it yourself,
/// when the work is done, and send it with [`ResponseSender::put`](crate::ResponseSender::put):
///
/// ```
/// use cloudformation_custom_resource::{Envelope, LONGEST_BODY, Response};
/// use serde_json::json;
///
/// let envelope = Envelope::read(&json!({
///     "RequestType": "Create",
///     "ResponseURL": "https://bucket.s3.amazonaws.com/key?Expires=32503680000&Signature=secret",
///     "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/5b6cc040",
///     "RequestId": "8f4c1b8e-2d8f-4f2e-9c38-0b0a4d7a2b11",
///     "LogicalResourceId": "Thing",
///     "ResourceType": "Custom::Thing",
///     "ResourceProperties": {},
/// }))
/// .unwrap();
/// let reason = "the third of three steps failed ".repeat(500);
/// let response = Response::failed(envelope.ids, envelope.physical_resource_id, reason);
/// let body = response.shortened_to_fit("see the log of the state machine").body();
/// assert!(body.len() <= LONGEST_BODY && body.contains("see the log"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    ids: Ids,
    result: ResponseResult,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ResponseResult {
    Success(Success),
    Failed(PhysicalResourceId, String),
}

/// Work that is done.
///
/// ```
/// use cloudformation_custom_resource::{PhysicalResourceId, Success};
///
/// let id = PhysicalResourceId::new("database-user:app").unwrap();
/// let mut success = Success::new(id).with_attribute("Password", "correct horse");
/// success.no_echo = true;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Success {
    /// The resource's id. On Update, another id than before means replacement. On Delete it is not used.
    pub physical_resource_id: PhysicalResourceId,
    /// The attributes. They are not sent on Delete, as no template can read them then.
    pub data: BTreeMap<String, Attribute>,
    /// A text for the stack's events.
    pub reason: Option<String>,
    /// Whether CloudFormation masks the attributes.
    pub no_echo: bool,
}

impl Success {
    /// A success without attributes and without a reason.
    pub fn new(physical_resource_id: PhysicalResourceId) -> Self {
        Self { physical_resource_id, data: BTreeMap::new(), reason: None, no_echo: false }
    }

    /// Adds an attribute that is sent whole or not at all.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: &str) -> Self {
        self.data.insert(name.to_owned(), Attribute::Exact(value.to_owned()));
        self
    }

    /// Adds an attribute for people, which may be shortened to make the response fit.
    #[must_use]
    pub fn with_free_text(mut self, name: &str, text: &str) -> Self {
        self.data.insert(name.to_owned(), Attribute::FreeText(text.to_owned()));
        self
    }
}

/// Work that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was tried, on what, what went wrong, and what to do. Whoever deploys sees it, and it is logged.
    pub reason: String,
}

/// An attribute of the resource, for `Fn::GetAtt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A value that templates use. It is sent whole or not at all.
    Exact(String),
    /// A text for people, which may be shortened to make the response fit.
    FreeText(String),
}

impl Attribute {
    fn text(&self) -> &str {
        let (Self::Exact(text) | Self::FreeText(text)) = self;
        text
    }
}

/// Whether a request succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The work is done.
    Success,
    /// The work failed, and the reason says why.
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
        })
    }
}

impl Response {
    /// The work is done.
    pub fn success(ids: Ids, success: Success) -> Self {
        let result = ResponseResult::Success(success);
        Self { ids, result }
    }

    /// The work failed. CloudFormation requires a reason, so an empty one is replaced.
    pub fn failed(ids: Ids, id: PhysicalResourceId, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        if reason.trim().is_empty() {
            "failed without a reason".clone_into(&mut reason);
        }
        let result = ResponseResult::Failed(id, reason);
        Self { ids, result }
    }

    /// SUCCESS or FAILED.
    pub fn status(&self) -> Status {
        match self.result {
            ResponseResult::Success(_) => Status::Success,
            ResponseResult::Failed(..) => Status::Failed,
        }
    }

    /// The reason, if there is one.
    pub fn reason(&self) -> Option<&str> {
        match &self.result {
            ResponseResult::Success(success) => success.reason.as_deref(),
            ResponseResult::Failed(_, reason) => Some(reason),
        }
    }

    /// The body as it is sent: JSON.
    pub fn body(&self) -> String {
        let (id, success) = match &self.result {
            ResponseResult::Success(success) => (&success.physical_resource_id, Some(success)),
            ResponseResult::Failed(id, _) => (id, None),
        };
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("Status", self.status().to_string().into());
        if let Some(reason) = self.reason().filter(|reason| !reason.is_empty()) {
            put("Reason", reason.into());
        }
        put("PhysicalResourceId", id.as_str().into());
        put("StackId", self.ids.stack_id.as_str().into());
        put("RequestId", self.ids.request_id.as_str().into());
        put("LogicalResourceId", self.ids.logical_resource_id.as_str().into());
        if success.is_some_and(|success| success.no_echo) {
            put("NoEcho", true.into());
        }
        if let Some(data) = success.map(|success| &success.data).filter(|data| !data.is_empty()) {
            let text = |(name, value): (&String, &Attribute)| (name.clone(), value.text().into());
            put("Data", Value::Object(data.iter().map(text).collect()));
        }
        Value::Object(body).to_string()
    }

    /// The same response in at most [`LONGEST_BODY`] bytes.
    ///
    /// The reason is shortened first and ends in `hint`, which says where the whole reason can be found. Then the
    /// free texts are shortened, in the order of their names. An exact attribute is neither cut nor left out, as
    /// templates would go on with a wrong value. If the exact attributes alone are too long, the response becomes
    /// FAILED and says so.
    #[must_use]
    pub fn shortened_to_fit(mut self, hint: &str) -> Self {
        let mut over = self.body().len().saturating_sub(LONGEST_BODY);
        match &mut self.result {
            ResponseResult::Failed(_, reason) => shorten(reason, &mut over, hint),
            ResponseResult::Success(success) => {
                if let Some(reason) = &mut success.reason {
                    shorten(reason, &mut over, hint);
                }
                for attribute in success.data.values_mut() {
                    if let Attribute::FreeText(text) = attribute {
                        shorten(text, &mut over, "");
                    }
                }
                if over > 0 {
                    let id = success.physical_resource_id.clone();
                    let reason = too_long(&success.data);
                    return Self::failed(self.ids, id, reason).shortened_to_fit(hint);
                }
            }
        }
        self
    }
}

/// Why a finished piece of work is answered with FAILED.
fn too_long(data: &BTreeMap<String, Attribute>) -> String {
    let exact = |(name, value): (&String, &Attribute)| match value {
        Attribute::Exact(text) => Some(format!("`{name}` {} bytes", text.len())),
        Attribute::FreeText(_) => None,
    };
    let sizes: Vec<_> = data.iter().filter_map(exact).collect();
    let sizes = sizes.join(", ");
    format!("done, but the attributes do not fit in an answer of {LONGEST_BODY} bytes: {sizes}")
}

/// Removes up to `over` bytes, counted escaped, from the end of a text, and appends `…` and the hint.
fn shorten(text: &mut String, over: &mut usize, hint: &str) {
    if *over == 0 {
        return;
    }
    let before = escaped_len(text);
    let longest = before.saturating_sub(*over);
    let with_hint = format!("… {hint}");
    let ending = [with_hint.trim_end(), "…", ""]
        .into_iter()
        .find(|ending| escaped_len(ending) <= longest)
        .unwrap_or_default();
    let mut left = longest - escaped_len(ending);
    let fits = |c: &char| match left.checked_sub(escaped_char_len(*c)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    *text = text.chars().take_while(fits).collect::<String>() + ending;
    *over = over.saturating_sub(before - escaped_len(text));
}

fn escaped_len(text: &str) -> usize {
    text.chars().map(escaped_char_len).sum()
}

/// The number of bytes of a character in a JSON string.
fn escaped_char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
