//! The two calls of a session, and who makes them.

use std::fmt;

use serde::Serialize;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Somebody who starts sessions.
    User,
    /// A managed node, by its agent.
    Node,
}

impl Side {
    /// The call that this side makes.
    #[must_use]
    pub fn call(self) -> SessionCall {
        match self {
            Self::User => SessionCall::GenerateDataKey,
            Self::Node => SessionCall::Decrypt,
        }
    }
}

impl fmt::Display for Side {
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
    /// The user's client makes the data key.
    GenerateDataKey,
    /// The node's agent opens it.
    Decrypt,
}

impl SessionCall {
    /// The action, as policies name it.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::GenerateDataKey => "kms:GenerateDataKey",
            Self::Decrypt => "kms:Decrypt",
        }
    }
}
