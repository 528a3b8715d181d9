//! The two calls that a session makes to KMS, and who makes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CallerKind {
    /// Somebody who starts sessions.
    User,
    /// A managed node: its agent makes the call.
    Node,
}

impl CallerKind {
    /// The call that this side makes in a session.
    #[must_use]
    pub fn call(self) -> SessionCall {
        match self {
            Self::User => SessionCall::GenerateDataKey,
            Self::Node => SessionCall::Decrypt,
        }
    }
}

impl fmt::Display for CallerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Node => "node",
        })
    }
}

/// One of the two calls that a session makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum SessionCall {
    /// The user's client creates the data key.
    GenerateDataKey,
    /// The node's agent decrypts the data key.
    Decrypt,
}

impl SessionCall {
    /// The IAM action of the call.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::GenerateDataKey => "kms:GenerateDataKey",
            Self::Decrypt => "kms:Decrypt",
        }
    }
}
