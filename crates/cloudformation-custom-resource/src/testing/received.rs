//! What CloudFormation accepts as the response to a custom-resource request.

use serde_json::{Map, Value};

use crate::ids::Ids;

/// The longest body that CloudFormation accepts, in bytes. It is stated here once more, so that a mistake of the
/// sender cannot become a rule of the receiver.
const LONGEST_BODY: usize = 4096;
/// The longest physical id that CloudFormation accepts, in bytes.
const LONGEST_ID: usize = 1024;

/// A valid response.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedResponse {
    /// Whether the status is SUCCESS.
    pub success: bool,
    /// The reason; empty if there is none, which only SUCCESS allows.
    pub reason: String,
    /// The physical id.
    pub physical_resource_id: String,
    /// Whether CloudFormation masks the attributes.
    pub no_echo: bool,
    /// The attributes.
    pub data: Map<String, Value>,
    /// The body as it was received.
    pub body: String,
}

impl ReceivedResponse {
    /// Reads a response to the request with these ids.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(ids: &Ids, body: &[u8]) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        if body.len() > LONGEST_BODY {
            wrong.push(format!("the body has {} bytes, {LONGEST_BODY} are allowed", body.len()));
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            wrong.push("the body is no JSON object".to_owned());
            return Err(wrong);
        };
        let known = [
            "Status",
            "Reason",
            "PhysicalResourceId",
            "StackId",
            "RequestId",
            "LogicalResourceId",
            "NoEcho",
            "Data",
        ];
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            wrong.push(format!("`{name}` is no member of an answer"));
        }
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let echoed = [
            ("StackId", &ids.stack_id),
            ("RequestId", &ids.request_id),
            ("LogicalResourceId", &ids.logical_resource_id),
        ];
        for (name, sent) in echoed {
            if text(name) != Some(sent) {
                wrong.push(format!("`{name}` is not what was sent"));
            }
        }
        let success = match text("Status") {
            Some("SUCCESS") => true,
            Some("FAILED") => false,
            _ => {
                wrong.push("`Status` is neither SUCCESS nor FAILED".to_owned());
                false
            }
        };
        match fields.get("Reason") {
            Some(Value::String(reason)) if success || !reason.is_empty() => {}
            None if success => {}
            _ => wrong.push("`Reason` is missing, empty or no string".to_owned()),
        }
        match text("PhysicalResourceId") {
            Some(id) if !id.is_empty() && id.len() <= LONGEST_ID => {}
            _ => wrong.push("`PhysicalResourceId` is missing, empty or longer than 1024 bytes".to_owned()),
        }
        if !matches!(fields.get("NoEcho"), None | Some(Value::Bool(_))) {
            wrong.push("`NoEcho` is no boolean".to_owned());
        }
        if !matches!(fields.get("Data"), None | Some(Value::Object(_))) {
            wrong.push("`Data` is no object".to_owned());
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            success,
            reason: text("Reason").unwrap_or_default().to_owned(),
            physical_resource_id: text("PhysicalResourceId").unwrap_or_default().to_owned(),
            no_echo: fields.get("NoEcho") == Some(&Value::Bool(true)),
            data: fields.get("Data").and_then(Value::as_object).cloned().unwrap_or_default(),
            body: String::from_utf8_lossy(body).into_owned(),
        })
    }
}
