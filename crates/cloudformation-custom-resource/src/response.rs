//! The answer to CloudFormation, and how it is made to fit.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::ids::{Ids, PhysicalResourceId};

/// The longest body that CloudFormation takes, in bytes.
pub const LONGEST_BODY: usize = 4096;

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    ids: Ids,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Success(Success),
    Failed(PhysicalResourceId, String),
}

/// Work that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Success {
    /// The resource's id. On Update another one than before means replacement; on Delete it is not used.
    pub physical_resource_id: PhysicalResourceId,
    /// The attributes. They are not sent on Delete, where no template can read them.
    pub data: BTreeMap<String, Attribute>,
    /// Something worth saying all the same.
    pub reason: Option<String>,
    /// Whether CloudFormation masks the attributes.
    pub no_echo: bool,
}

/// Work that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was tried, on what, what went wrong, and what to do. It is shown to whoever deploys, and logged.
    pub reason: String,
}

/// An attribute of the resource, for `Fn::GetAtt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A value that templates work with: sent whole or not at all.
    Exact(String),
    /// A text for people, which may be shortened to make the answer fit.
    FreeText(String),
}

impl Attribute {
    fn text(&self) -> &str {
        let (Self::Exact(text) | Self::FreeText(text)) = self;
        text
    }
}

/// What CloudFormation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The work is done.
    Success,
    /// It is not, and the reason says why.
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
        let outcome = Outcome::Success(success);
        Self { ids, outcome }
    }

    /// The work failed. CloudFormation requires a reason, so an empty one is replaced.
    pub fn failed(ids: Ids, id: PhysicalResourceId, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        if reason.trim().is_empty() {
            "failed without a reason".clone_into(&mut reason);
        }
        let outcome = Outcome::Failed(id, reason);
        Self { ids, outcome }
    }

    /// SUCCESS or FAILED.
    pub fn status(&self) -> Status {
        match self.outcome {
            Outcome::Success(_) => Status::Success,
            Outcome::Failed(..) => Status::Failed,
        }
    }

    /// The reason given, if any.
    pub fn reason(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Success(success) => success.reason.as_deref(),
            Outcome::Failed(_, reason) => Some(reason),
        }
    }

    /// The body as it is sent.
    pub fn body(&self) -> String {
        let (id, success) = match &self.outcome {
            Outcome::Success(success) => (&success.physical_resource_id, Some(success)),
            Outcome::Failed(id, _) => (id, None),
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

    /// The same answer in at most [`LONGEST_BODY`] bytes.
    ///
    /// The reason is shortened first and ends in `hint`, which says where the whole of it stands; then the free texts, in
    /// the order of their names. An exact attribute is neither cut nor left out, since templates would go on with a wrong
    /// value: where the exact ones alone are too long, the answer becomes FAILED and says so.
    #[must_use]
    pub fn fitted(mut self, hint: &str) -> Self {
        let mut over = self.body().len().saturating_sub(LONGEST_BODY);
        match &mut self.outcome {
            Outcome::Failed(_, reason) => shorten(reason, &mut over, hint),
            Outcome::Success(success) => {
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
                    return Self::failed(self.ids, id, reason).fitted(hint);
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

/// Takes up to `over` bytes, counted escaped, from the end of a text, and puts `…` and the hint there.
fn shorten(text: &mut String, over: &mut usize, hint: &str) {
    if *over == 0 {
        return;
    }
    let before = escaped_len(text);
    let room = before.saturating_sub(*over);
    let with_hint = format!("… {hint}");
    let ending = [with_hint.trim_end(), "…", ""]
        .into_iter()
        .find(|ending| escaped_len(ending) <= room)
        .unwrap_or_default();
    let mut left = room - escaped_len(ending);
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

/// Bytes that a character takes in a JSON string.
fn escaped_char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
