//! The name of a preferences document.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::quote::quoted;

/// A document name: 3 to 128 letters, digits, `_`, `-`, `.` (SSM API reference, CreateDocument).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct DocumentName(String);

/// Why a text is not a document name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a document name: 3 to 128 letters, digits, `_`, `-` and `.`")]
pub struct DocumentNameError(String);

impl DocumentName {
    /// The document that Session Manager reads its preferences from.
    pub const PREFERENCES: &str = "SSM-SessionManagerRunShell";

    /// Reads a name.
    ///
    /// # Errors
    /// The text is not the name of a document that can be updated, such as an ARN or a path.
    pub fn parse(text: &str) -> Result<Self, DocumentNameError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if (3..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(DocumentNameError(quoted(text)))
        }
    }

    /// Whether it is the document that Session Manager reads its preferences from.
    #[must_use]
    pub fn is_preferences(&self) -> bool {
        self.0 == Self::PREFERENCES
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for DocumentName {
    fn default() -> Self {
        Self(Self::PREFERENCES.to_owned())
    }
}

impl fmt::Display for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DocumentName {
    type Error = DocumentNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<DocumentName> for String {
    fn from(name: DocumentName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_aws_would_refuse_are_refused() {
        assert!(DocumentName::parse(DocumentName::PREFERENCES).is_ok());
        let long = "x".repeat(129);
        for text in ["", "ab", "a/b", "a b", "arn:aws:ssm:eu-west-1:1:document/x", "Ünïcode", long.as_str()]
        {
            assert!(DocumentName::parse(text).is_err(), "{text}");
        }
    }
}
