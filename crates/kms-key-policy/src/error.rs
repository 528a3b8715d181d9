//! Why a policy, a list of grants or a request cannot be read, and where.

use std::fmt;

use crate::PolicyKind;

/// A place in a JSON document, written as `$.Statement[2].Condition`.
///
/// A chain on the stack of the parser: nothing is allocated until a place has to be told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JsonPath<'a> {
    /// The whole document.
    Root,
    /// A member of an object.
    Member(&'a Self, &'a str),
    /// An element of an array, from 0.
    Element(&'a Self, usize),
}

/// What a reader of a document returns.
pub(crate) type ParseResult<T> = Result<T, ParseError>;

impl<'a> JsonPath<'a> {
    pub(crate) const fn member(&'a self, name: &'a str) -> Self {
        Self::Member(self, name)
    }

    pub(crate) const fn element(&'a self, index: usize) -> Self {
        Self::Element(self, index)
    }

    /// The error that `problem` is at this place.
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

/// A document that cannot be read: the place and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ParseError {
    /// The place, as a JSON path: `$.Statement[2].Condition.StringEquals`.
    pub path: String,
    /// What is wrong there.
    pub problem: ParseProblem,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseProblem {
    /// Not JSON.
    #[error("is not JSON: {what} at byte {at}")]
    Json {
        /// What was found or missing.
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
        /// What the grammar has here.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A member that the grammar does not know.
    #[error("`{name}` is no element of {of}; known are {known}")]
    UnknownElement {
        /// The member's name.
        name: String,
        /// Of what it is a member.
        of: &'static str,
        /// The elements that the grammar has.
        known: &'static str,
    },
    /// An element that must be there.
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
    /// A word that is none of those possible here.
    #[error("`{found}` is not one of {expected}")]
    Word {
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// An action that is no `service:name`.
    #[error("`{0}` is no action; write `service:name`, with wildcards in the name only, or `*`")]
    Action(String),
    /// A principal given as a bare string other than `*`.
    #[error("`{0}` is no principal; write `\"*\"`, or an object such as {{\"AWS\": \"arn:…\"}}")]
    BarePrincipal(String),
    /// More bytes than such a policy may have.
    #[error("has {size} bytes; {kind} has at most {most}")]
    TooLong {
        /// How many it has.
        size: usize,
        /// The kind of policy.
        kind: PolicyKind,
        /// How many it may have.
        most: usize,
    },
    /// A Principal other than `*` in a resource control policy.
    #[error("must be `\"*\"`, the only Principal of a resource control policy; limit it by a condition")]
    OnlyEverybody,
    /// A character that no policy may hold.
    #[error("holds {0:?}; a policy holds Latin-1 characters only (write others as \\u escapes)")]
    Character(char),
}

/// The most bytes that a key policy may have [PutKeyPolicy].
pub const MAX_KEY_POLICY_BYTES: usize = 32_768;

/// The most bytes of any other policy that are read: many times those of the longest AWS managed policy, which has
/// 135,200.
pub const MAX_OTHER_POLICY_BYTES: usize = 1 << 20;

/// A request that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not a principal that calls KMS.
    #[error(
        "`{0}` is no principal that calls KMS; give the ARN of a user, a role, an assumed-role session, a federated \
         user or an account's root, a 12-digit account, or a service such as `ssm.amazonaws.com`"
    )]
    Principal(String),
    /// Not an action.
    #[error("`{0}` is no action; write `service:name` without wildcards, such as `kms:Decrypt`")]
    Action(String),
    /// Not a key ARN.
    #[error(
        "`{0}` is no key ARN; write `arn:aws:kms:<region>:<account>:key/<id>` (an alias does not say which key)"
    )]
    KeyArn(String),
}
