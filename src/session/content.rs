//! The text of a preferences document, and the one edit that is made to it.

use std::fmt;
use std::ops::Range;

use serde_json::Value;
use thiserror::Error;

use super::{json, yaml};

/// The format that a document is stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentFormat {
    /// JSON, as the console writes it.
    Json,
    /// YAML.
    Yaml,
}

/// The content of one version. Its `Debug` hides the text, which may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    text: String,
    format: DocumentFormat,
}

/// What setting `inputs.kmsKeyId` makes of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The edited content.
    Done(Content),
    /// YAML that cannot be edited in place (anchors, block scalars, `inputs` left out): ask AWS for the
    /// content as JSON and edit that.
    AskForJson,
}

/// Why a content is not rewritten.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ContentError {
    /// Not JSON, or not YAML.
    #[error("its content cannot be read as {0}")]
    Unreadable(DocumentFormat),
    /// Not an object, or one that names a setting twice.
    #[error("{0} is not an object with distinct keys")]
    NotAnObject(&'static str),
    /// Another schema version.
    #[error("its schemaVersion is {0}, not \"1.0\"")]
    SchemaVersion(String),
    /// Not a document of preferences for shell sessions.
    #[error("its sessionType is {0}, not \"Standard_Stream\"")]
    SessionType(String),
    /// `kmsKeyId` is `{{ parameter }}`: whoever starts a session chooses the key.
    #[error("its kmsKeyId is a template, `{0}`, so that whoever starts a session chooses the key")]
    Template(String),
    /// `kmsKeyId` is neither a text nor null.
    #[error("its kmsKeyId is {0}, not a text")]
    KeyNotText(&'static str),
}

impl Content {
    /// The content with this text, as AWS returned it.
    #[must_use]
    pub fn new(text: String, format: DocumentFormat) -> Self {
        Self { text, format }
    }

    /// The document as the console first saves it, with this key: every field, empty where unset.
    #[must_use]
    pub fn of_console(kms_key_id: &str) -> Self {
        let value = serde_json::json!({
            "schemaVersion": "1.0",
            "description": "Document to hold regional settings for Session Manager",
            "sessionType": "Standard_Stream",
            "inputs": {
                "s3BucketName": "",
                "s3KeyPrefix": "",
                "s3EncryptionEnabled": true,
                "cloudWatchLogGroupName": "",
                "cloudWatchEncryptionEnabled": true,
                "cloudWatchStreamingEnabled": true,
                "idleSessionTimeout": "20",
                "maxSessionDuration": "",
                "kmsKeyId": kms_key_id,
                "runAsEnabled": false,
                "runAsDefaultUser": "",
                "shellProfile": { "windows": "", "linux": "" }
            }
        });
        Self { text: format!("{value:#}"), format: DocumentFormat::Json }
    }

    /// The text, to be sent to AWS and nowhere else.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The format of the text.
    #[must_use]
    pub fn format(&self) -> DocumentFormat {
        self.format
    }

    /// The key that sessions use: `inputs.kmsKeyId`, empty where it is absent, null or empty.
    ///
    /// # Errors
    /// Where the content is not one that this software rewrites.
    pub fn kms_key_id(&self) -> Result<String, ContentError> {
        let root = self.read()?;
        let Value::Object(root) = root else { return Err(ContentError::NotAnObject("its content")) };
        check_word(root.get("schemaVersion"), &["1.0"], true, ContentError::SchemaVersion)?;
        check_word(root.get("sessionType"), &["Standard_Stream"], false, ContentError::SessionType)?;
        let key = match root.get("inputs") {
            None | Some(Value::Null) => None,
            Some(Value::Object(inputs)) => inputs.get("kmsKeyId"),
            Some(_) => return Err(ContentError::NotAnObject("`inputs`")),
        };
        match key {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) if text.contains("{{") => Err(ContentError::Template(text.clone())),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Bool(_)) => Err(ContentError::KeyNotText("a boolean")),
            Some(Value::Number(_)) => Err(ContentError::KeyNotText("a number")),
            Some(Value::Array(_)) => Err(ContentError::KeyNotText("a list")),
            Some(Value::Object(_)) => Err(ContentError::KeyNotText("an object")),
        }
    }

    /// The content with `inputs.kmsKeyId` set to a key ARN, or to the empty text, and nothing else changed.
    ///
    /// # Errors
    /// Where the content is not one that this software rewrites.
    pub fn with_kms_key_id(&self, kms_key_id: &str) -> Result<Edit, ContentError> {
        let was = self.kms_key_id()?;
        let edited = match self.format {
            DocumentFormat::Json => self.set_in_json(kms_key_id),
            DocumentFormat::Yaml => yaml::set(&self.text, &["inputs", "kmsKeyId"], kms_key_id),
        };
        let Some(text) = edited else {
            return match self.format {
                DocumentFormat::Json => Err(ContentError::NotAnObject("its content or `inputs`")),
                DocumentFormat::Yaml => Ok(Edit::AskForJson),
            };
        };
        let edited = self.with_text(text);
        // INVARIANT: an edit that reads back as anything but the value asked for is never sent.
        match edited.kms_key_id() {
            Ok(now) if now == kms_key_id && edited.differs_only_in_key(self) => Ok(Edit::Done(edited)),
            _ if was == kms_key_id => Ok(Edit::Done(self.clone())),
            _ => match self.format {
                DocumentFormat::Json => Err(ContentError::Unreadable(DocumentFormat::Json)),
                DocumentFormat::Yaml => Ok(Edit::AskForJson),
            },
        }
    }

    pub(super) fn with_text(&self, text: String) -> Self {
        Self { text, format: self.format }
    }

    pub(super) fn description(&self) -> Option<Value> {
        self.read().ok()?.get("description").cloned()
    }

    pub(super) fn with_description(&self, description: &str) -> Option<Self> {
        match self.format {
            DocumentFormat::Json => {
                let root = json::Object::read(&self.text, self.whole())?;
                self.put(&root, "description", &quoted(description)).map(|text| self.with_text(text))
            }
            DocumentFormat::Yaml => {
                yaml::set(&self.text, &["description"], description).map(|text| self.with_text(text))
            }
        }
    }

    fn read(&self) -> Result<Value, ContentError> {
        match self.format {
            DocumentFormat::Json => {
                serde_json::from_str(&self.text).map_err(|_| ContentError::Unreadable(DocumentFormat::Json))
            }
            DocumentFormat::Yaml => {
                yaml::read(&self.text).ok_or(ContentError::Unreadable(DocumentFormat::Yaml))
            }
        }
    }

    fn set_in_json(&self, kms_key_id: &str) -> Option<String> {
        let value = quoted(kms_key_id);
        let root = json::Object::read(&self.text, self.whole())?;
        let inputs = root.span("inputs").filter(|span| self.text.get(span.clone()) != Some("null"));
        match inputs {
            Some(span) => {
                let inputs = json::Object::read(&self.text, span)?;
                self.put(&inputs, "kmsKeyId", &value)
            }
            None => self.put(&root, "inputs", &format!("{{\"kmsKeyId\": {value}}}")),
        }
    }

    /// The text with one member of an object replaced, or added behind the last.
    fn put(&self, object: &json::Object, name: &str, value: &str) -> Option<String> {
        match object.span(name) {
            Some(span) => spliced(&self.text, span, value),
            None => {
                let (at, member) = object.insertion(name, value);
                spliced(&self.text, at..at, &member)
            }
        }
    }

    fn whole(&self) -> Range<usize> {
        0..self.text.len()
    }

    fn differs_only_in_key(&self, other: &Self) -> bool {
        let blank = |content: &Self| {
            let mut root = content.read().ok()?;
            let root_object = root.as_object_mut()?;
            let inputs = root_object.entry("inputs").or_insert(Value::Null);
            if inputs.is_null() {
                *inputs = Value::Object(serde_json::Map::new());
            }
            inputs.as_object_mut()?.shift_remove("kmsKeyId");
            Some(root)
        };
        blank(self).is_some_and(|mine| blank(other) == Some(mine))
    }
}

/// A text with a span of it replaced.
pub(super) fn spliced(text: &str, span: Range<usize>, with: &str) -> Option<String> {
    Some([text.get(..span.start)?, with, text.get(span.end..)?].concat())
}

/// A JSON string, which is also a YAML one.
pub(super) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn check_word(
    value: Option<&Value>,
    allowed: &[&str],
    required: bool,
    error: fn(String) -> ContentError,
) -> Result<(), ContentError> {
    match value {
        None if required => Err(error("missing".to_owned())),
        None => Ok(()),
        Some(Value::String(text)) if allowed.contains(&text.as_str()) => Ok(()),
        // `schemaVersion: 1.0` stands unquoted in YAML sources.
        Some(Value::Number(number)) if allowed.contains(&number.to_string().as_str()) => Ok(()),
        Some(Value::String(text)) => Err(error(quoted(&text.chars().take(40).collect::<String>()))),
        Some(_) => Err(error("not a text".to_owned())),
    }
}

impl fmt::Display for DocumentFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes of {})", self.text.len(), self.format)
    }
}

#[cfg(test)]
#[path = "content/tests.rs"]
mod tests;
