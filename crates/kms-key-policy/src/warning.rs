//! Warnings about elements of a policy that AWS accepts but that are probably mistakes.

use std::fmt;

/// A warning about a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWarning {
    /// The position, as a JSON path.
    pub path: String,
    /// The probable mistake at this position.
    pub kind: WarningKind,
}

impl fmt::Display for PolicyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.kind)
    }
}

/// A probable mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WarningKind {
    /// A key policy that is short enough only without the white space between its values.
    #[error(
        "has {size} bytes as it is written, and {compact} without the white space between its values; KMS takes at most \
         {most}, and whether it counts this white space is not documented: give KMS the policy without it"
    )]
    LongAsWritten {
        /// The size of the text.
        size: usize,
        /// Its size without the white space between its values.
        compact: usize,
        /// The greatest size.
        most: usize,
    },
    /// A key-policy statement without Resource.
    #[error("no Resource: the statement has no effect, be it Allow or Deny; add `\"Resource\": \"*\"`")]
    NoResource,
    /// A statement without principals.
    #[error("names no principal: the statement covers nobody")]
    NoPrincipal,
    /// The unique id of a deleted principal.
    #[error(
        "orphan principal `{0}`: its user or role was deleted; it matches nobody, not even a new one of that name, \
         and the next PutKeyPolicy fails; replace it by an ARN or remove it"
    )]
    OrphanPrincipal(String),
    /// A principal that matches nobody.
    #[error(
        "`{0}` matches nobody: not the ARN of an account, user, role or session, or with a wildcard in it"
    )]
    InvalidPrincipal(String),
    /// An identity provider or a canonical user.
    #[error("{0} principals never call KMS: `{1}` matches nobody")]
    NeverCalls(&'static str, String),
    /// Allow with NotPrincipal.
    #[error("Allow with NotPrincipal is not supported by AWS; name the principals")]
    AllowNotPrincipal,
    /// A plain operator on a multivalued key.
    #[error(
        "`{operator}` on the multivalued key `{key}`: what AWS does is not documented; use ForAllValues or ForAnyValue"
    )]
    PlainOnMultivalued {
        /// The operator.
        operator: String,
        /// The key.
        key: String,
    },
    /// A Sid that an earlier statement has.
    #[error("the Sid `{0}` is used twice")]
    SidTwice(String),
    /// A Sid with characters that IAM does not allow.
    #[error("the Sid `{0}` holds characters other than letters and digits, which only a key policy may")]
    SidCharacters(String),
    /// An operator that does not exist.
    #[error("`{0}` is no condition operator: an Allow with it never applies, a Deny with it always does")]
    UnknownOperator(String),
    /// A condition that no direct call to KMS meets.
    #[error(
        "requires `{0}`, which a direct call to KMS never carries: such a call is not allowed by this statement"
    )]
    NeverInDirectCall(String),
    /// A lone `*` where an ARN belongs.
    #[error(
        "a lone `*` as an ARN: what AWS does is not documented; write `arn:*:*:*:*:*`, or use Null to test presence"
    )]
    LoneStarArn,
    /// A value that the operator cannot compare.
    #[error("`{value}` is no {expected}: it never matches")]
    WrongType {
        /// The listed value.
        value: String,
        /// What the operator compares.
        expected: &'static str,
    },
    /// A text that is no action.
    #[error("`{0}` is no action of any service: it matches none of KMS")]
    InvalidAction(String),
    /// A resource that matches no key.
    #[error("`{0}` is neither `*` nor an ARN: it matches no key")]
    InvalidResource(String),
    /// A variable at a position where AWS does not allow one.
    #[error("`{0}` holds a variable before the fifth colon, where it stands for itself: it matches no key")]
    EarlyVariable(String),
}
