//! The text of a preferences document, and the edit of its key.

use std::fmt;
use std::ops::Range;

use serde_json::Value;
use thiserror::Error;

use super::json::{self, ObjectError};
use super::yaml::{self, YamlError};

/// The format of a document's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentFormat {
    /// JSON, as the console writes it.
    Json,
    /// YAML.
    Yaml,
}

/// The content of one version of a document. Its `Debug` hides the text, which may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    text: String,
    format: DocumentFormat,
}

/// The result of setting `inputs.kmsKeyId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The edited content.
    Done(Content),
    /// The YAML text cannot be edited in place (anchors, block scalars, `inputs` left out). AWS can return the content
    /// as JSON, which can.
    AskForJson,
}

/// Why a content is not edited.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ContentError {
    /// It is not in the format of the document.
    #[error("its content cannot be read as {0}")]
    Unreadable(DocumentFormat),
    /// It is not an object.
    #[error("{0} is not an object")]
    NotAnObject(&'static str),
    /// It names a setting twice, and programs differ in which of the two counts.
    #[error("`{0}` is named twice")]
    NamedTwice(String),
    /// It is YAML that not every program reads alike.
    #[error("it has {0}, which programs read differently; write out what that stands for")]
    Ambiguous(&'static str),
    /// The aliases of a YAML text stand for more than a document holds.
    #[error("its YAML aliases stand for more than the 64 KB that a document holds")]
    TooLarge,
    /// It has another schema version.
    #[error("its schemaVersion is {0}, not \"1.0\"")]
    SchemaVersion(String),
    /// It does not hold preferences of shell sessions.
    #[error("its sessionType is {0}, not \"Standard_Stream\"")]
    SessionType(String),
    /// `kmsKeyId` is `{{ parameter }}`, so that whoever starts a session chooses the key.
    #[error("its kmsKeyId is a template, `{0}`, so that whoever starts a session chooses the key")]
    Template(String),
    /// `kmsKeyId` is neither text nor null.
    #[error("its kmsKeyId is {0}, not a text")]
    KeyNotText(&'static str),
}

impl Content {
    /// A content with this text, as AWS returned it.
    #[must_use]
    pub fn new(text: String, format: DocumentFormat) -> Self {
        Self { text, format }
    }

    /// The content that the console saves first, with this key: it has every field, and those that are not set are
    /// empty.
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

    /// The text. It goes to AWS and nowhere else.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The format of the text.
    #[must_use]
    pub fn format(&self) -> DocumentFormat {
        self.format
    }

    /// The key that sessions use, `inputs.kmsKeyId`; empty if it is absent, null or empty.
    ///
    /// # Errors
    /// The content is not one that session-kms edits.
    pub fn kms_key_id(&self) -> Result<String, ContentError> {
        let root = self.read()?;
        let Value::Object(root) = root else { return Err(ContentError::NotAnObject("its content")) };
        match root.get("schemaVersion") {
            None => return Err(ContentError::SchemaVersion("missing".to_owned())),
            Some(version) => check_word(version, "1.0", ContentError::SchemaVersion)?,
        }
        if let Some(session_type) = root.get("sessionType") {
            check_word(session_type, "Standard_Stream", ContentError::SessionType)?;
        }
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

    /// The content with `inputs.kmsKeyId` set to this key ARN, or to the empty text. Nothing else changes.
    ///
    /// # Errors
    /// The content is not one that session-kms edits.
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
        // INVARIANT: an edited text is returned only if it reads back as this key, with nothing else changed.
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

    /// Whether both texts have the same values.
    pub(super) fn has_meaning_of(&self, other: &Self) -> bool {
        self.read().is_ok_and(|value| other.read() == Ok(value))
    }

    /// The value of the text.
    pub(super) fn read(&self) -> Result<Value, ContentError> {
        match self.format {
            DocumentFormat::Json => {
                let value: Value = serde_json::from_str(self.text.get(self.whole()).unwrap_or_default())
                    .map_err(|_| ContentError::Unreadable(DocumentFormat::Json))?;
                self.check_names()?;
                Ok(value)
            }
            DocumentFormat::Yaml => yaml::read(&self.text).map_err(|error| match error {
                YamlError::Malformed => ContentError::Unreadable(DocumentFormat::Yaml),
                YamlError::NamedTwice(name) => ContentError::NamedTwice(name),
                YamlError::MergeKey => ContentError::Ambiguous("a YAML merge key, `<<`"),
                YamlError::Tag => ContentError::Ambiguous("a YAML tag"),
                YamlError::TooLarge => ContentError::TooLarge,
            }),
        }
    }

    /// Fails if the JSON text or its `inputs` name a setting twice. What is deeper is nobody's to change here.
    fn check_names(&self) -> Result<(), ContentError> {
        let read = |span| match json::Object::read(&self.text, span) {
            Ok(object) => Ok(Some(object)),
            Err(ObjectError::NamedTwice(name)) => Err(ContentError::NamedTwice(name)),
            Err(ObjectError::NotAnObject) => Ok(None),
        };
        match read(self.whole())?.and_then(|root| root.span("inputs")) {
            Some(inputs) => read(inputs).map(drop),
            None => Ok(()),
        }
    }

    fn set_in_json(&self, kms_key_id: &str) -> Option<String> {
        let value = quoted(kms_key_id);
        let root = json::Object::read(&self.text, self.whole()).ok()?;
        let inputs = root.span("inputs").filter(|span| self.text.get(span.clone()) != Some("null"));
        match inputs {
            Some(span) => {
                let inputs = json::Object::read(&self.text, span).ok()?;
                self.put(&inputs, "kmsKeyId", &value)
            }
            None => self.put(&root, "inputs", &format!("{{\"kmsKeyId\": {value}}}")),
        }
    }

    /// The text with one member of an object replaced, or added after the last member.
    pub(super) fn put(&self, object: &json::Object, name: &str, value: &str) -> Option<String> {
        match object.span(name) {
            Some(span) => spliced(&self.text, span, value),
            None => {
                let (at, member) = object.insertion(name, value);
                spliced(&self.text, at..at, &member)
            }
        }
    }

    fn whole(&self) -> Range<usize> {
        json::whole(&self.text)
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

/// A text with one span replaced.
pub(super) fn spliced(text: &str, span: Range<usize>, with: &str) -> Option<String> {
    Some([text.get(..span.start)?, with, text.get(span.end..)?].concat())
}

/// A JSON string, which is a YAML string too.
pub(super) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn check_word(value: &Value, expected: &str, error: fn(String) -> ContentError) -> Result<(), ContentError> {
    match value {
        Value::String(text) if text == expected => Ok(()),
        // YAML sources may hold `schemaVersion: 1.0` without quotes.
        Value::Number(number) if number.to_string() == expected => Ok(()),
        Value::String(text) => Err(error(quoted(&text.chars().take(40).collect::<String>()))),
        _ => Err(error("not a text".to_owned())),
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
