//! Why a policy, a list of grants or a request cannot be read, and at which position.

use std::fmt;

use crate::PolicyKind;

/// A position in a JSON document, written as `$.Statement[2].Condition`.
///
/// The path is a chain on the stack of the parser. It is only written out for an error or a warning.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JsonPath<'a> {
    /// The whole document.
    Root,
    /// A member of an object.
    Member(&'a Self, &'a str),
    /// An element of an array, from 0.
    Element(&'a Self, usize),
}

/// The result of reading a part of a document.
pub(crate) type ParseResult<T> = Result<T, ParseError>;

impl<'a> JsonPath<'a> {
    pub(crate) const fn member(&'a self, name: &'a str) -> Self {
        Self::Member(self, name)
    }

    pub(crate) const fn element(&'a self, index: usize) -> Self {
        Self::Element(self, index)
    }

    /// The error that there is `problem` at this position.
    pub(crate) fn error(&self, problem: ParseProblem) -> ParseError {
        ParseError { path: self.to_string(), problem }
    }
}

impl fmt::Display for JsonPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$"),
            Self::Member(parent, name) => {
                parent.fmt(f)?;
                let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if plain { write!(f, ".{name}") } else { write!(f, "[{name:?}]") }
            }
            Self::Element(parent, index) => {
                parent.fmt(f)?;
                write!(f, "[{index}]")
            }
        }
    }
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ParseError {
    /// The position, as a JSON path: `$.Statement[2].Condition.StringEquals`.
    pub path: String,
    /// What is wrong at this position.
    pub problem: ParseProblem,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseProblem {
    /// Not JSON.
    #[error("is not JSON: {what} at byte {at}")]
    Json {
        /// What is wrong or missing.
        what: &'static str,
        /// Bytes from the start of the document.
        at: usize,
    },
    /// The same member twice in one object.
    #[error("holds `{name}` twice, which the policy grammar forbids; keep one of them")]
    Duplicate {
        /// The member's name, as the second one is written.
        name: String,
    },
    /// A value of another JSON type than the grammar has here.
    #[error("must be {expected}, not {found}")]
    Type {
        /// What the grammar expects.
        expected: &'static str,
        /// What the document has.
        found: &'static str,
    },
    /// A member that the grammar does not know.
    #[error("`{name}` is no element of {of}; known are {known}")]
    UnknownElement {
        /// The member's name.
        name: String,
        /// What the member belongs to.
        of: &'static str,
        /// The elements that the grammar has.
        known: &'static str,
    },
    /// A required element is missing.
    #[error("has no {0}")]
    Missing(&'static str),
    /// Two elements that exclude each other.
    #[error("holds both {0} and {1}, which exclude each other")]
    Exclusive(&'static str, &'static str),
    /// An element that this kind of policy does not have.
    #[error("{kind} has no {element}")]
    NotInKind {
        /// The element.
        element: &'static str,
        /// The kind of policy.
        kind: PolicyKind,
    },
    /// A word that the grammar does not have at this position.
    #[error("`{found}` is not one of {expected}")]
    Word {
        /// What the document has.
        found: String,
        /// What the grammar allows.
        expected: &'static str,
    },
    /// An action that is no `service:name`.
    #[error("`{0}` is no action; write `service:name`, with wildcards in the name only, or `*`")]
    Action(String),
    /// A principal given as a bare string other than `*`.
    #[error("`{0}` is no principal; write `\"*\"`, or an object such as {{\"AWS\": \"arn:…\"}}")]
    BarePrincipal(String),
    /// More bytes than such a policy may have.
    #[error(
        "has {size} bytes{}; {kind} has at most {most}",
        if *.kind == PolicyKind::Key { ", the white space between its values not counted" } else { "" }
    )]
    TooLong {
        /// The size of this policy. The white space between the values of a key policy does not count.
        size: usize,
        /// The kind of policy.
        kind: PolicyKind,
        /// The greatest size.
        most: usize,
    },
    /// A Principal other than `*` in a resource control policy.
    #[error("must be `\"*\"`, the only Principal of a resource control policy; limit it by a condition")]
    OnlyEverybody,
    /// A character that no policy may hold.
    #[error("holds {0:?}; a policy holds Latin-1 characters only (write others as \\u escapes)")]
    Character(char),
}

/// The most bytes that a key policy may have (`PutKeyPolicy`). The white space between its values does not count here, and
/// [`WarningKind::LongAsWritten`](crate::WarningKind::LongAsWritten) says so if that matters.
pub const MAX_KEY_POLICY_BYTES: usize = 32_768;

/// The most bytes of a policy of any other kind. That is many times the longest AWS managed policy, which has 135,200
/// bytes.
pub const MAX_OTHER_POLICY_BYTES: usize = 1 << 20;

/// Why a request cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The text is no principal that calls KMS.
    #[error(
        "`{0}` is no principal that calls KMS; give the ARN of a user, a role, an assumed-role session, a federated \
         user or an account's root, a 12-digit account, or a service such as `ssm.amazonaws.com`"
    )]
    Principal(String),
    /// The text is no action.
    #[error("`{0}` is no action; write `service:name` without wildcards, such as `kms:Decrypt`")]
    Action(String),
    /// The text is no key ARN.
    #[error(
        "`{0}` is no key ARN; write `arn:aws:kms:<region>:<account>:key/<id>` (an alias does not say which key)"
    )]
    KeyArn(String),
}
