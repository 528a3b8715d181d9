//! What a document says, or is to say, about encryption: off, or on with a key.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::KeyArn;

/// Encryption off, or on with a key. Stored as the text of `kmsKeyId`, which is empty for off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
pub enum Target {
    /// Sessions are not encrypted with a key.
    #[default]
    Off,
    /// Sessions are encrypted with this key, verbatim. What session-kms writes is always a key ARN.
    Key(String),
}

impl Target {
    /// The text of `kmsKeyId`.
    #[must_use]
    pub fn as_kms_key_id(&self) -> &str {
        match self {
            Self::Off => "",
            Self::Key(key) => key,
        }
    }

    /// The key, verbatim.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Off => None,
            Self::Key(key) => Some(key),
        }
    }

    /// Whether it is this key.
    #[must_use]
    pub fn is_key(&self, key: &str) -> bool {
        self.key() == Some(key)
    }
}

impl From<String> for Target {
    fn from(kms_key_id: String) -> Self {
        if kms_key_id.is_empty() { Self::Off } else { Self::Key(kms_key_id) }
    }
}

impl From<&str> for Target {
    fn from(kms_key_id: &str) -> Self {
        Self::from(kms_key_id.to_owned())
    }
}

impl From<Option<&KeyArn>> for Target {
    fn from(key: Option<&KeyArn>) -> Self {
        key.map_or(Self::Off, |key| Self::Key(key.to_string()))
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        match target {
            Target::Off => Self::new(),
            Target::Key(key) => key,
        }
    }
}

/// The text of `kmsKeyId`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_kms_key_id())
    }
}
