//! The answer to a request, and the reasons for it.

use std::fmt;

use crate::arn::AccountId;
use crate::policy::PolicyKind;
use crate::principal::PrincipalKind;

/// Whether a request is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed, whatever the unknown keys are.
    Allowed,
    /// It is not allowed, whatever the unknown keys are.
    Denied,
    /// It is allowed or not, depending on what is unknown.
    Depends,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Depends => "depends",
        })
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<'p> {
    /// Whether the request is allowed.
    pub decision: Decision,
    /// Whether a Deny statement decided. A denial without one means that nothing grants the request.
    pub explicit: bool,
    /// The statements and grants that decided: the Deny that applies, or each Allow that is needed. If the decision is
    /// *depends*, all that may apply. Empty if nothing grants the request.
    pub statements: Vec<Decider<'p>>,
    /// What the decision depends on. It is empty unless the decision is *depends*.
    pub depends_on: Vec<Dependency>,
    /// Values of the unknown keys under which the request would be allowed. Each case is enough, provided that the
    /// identity policies, if unknown, allow it. At most [`MOST_CASES`].
    pub allowed_if: Vec<Case>,
    /// The layers that lack an Allow, if nothing grants the request.
    pub missing: Vec<MissingAllow>,
    /// What else the reader should know about this answer.
    pub caveats: Vec<Caveat>,
}

/// The most cases that [`Answer::allowed_if`] lists.
pub const MOST_CASES: usize = 8;

/// A statement or a grant that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider<'p> {
    /// A statement of a policy.
    Statement {
        /// The layer that the policy is in.
        layer: PolicyKind,
        /// The level of a service or resource control policy, from 0; 0 in other layers.
        level: usize,
        /// The policy's position in its layer or level, from 0.
        policy: usize,
        /// The statement's position in its policy, from 0.
        index: usize,
        /// The statement's Sid.
        sid: Option<&'p str>,
    },
    /// A grant.
    Grant {
        /// Its position in the list, from 0.
        index: usize,
        /// Its id.
        id: Option<&'p str>,
    },
}

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dependency {
    /// A condition key that is not known, written as the policies write it.
    Key(String),
    /// The caller's own policies, which are not known.
    IdentityPolicies,
    /// A behaviour of AWS that no source settles.
    Open(OpenQuestion),
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(name) => f.write_str(name),
            Self::IdentityPolicies => f.write_str("identityPolicies"),
            Self::Open(question) => write!(f, "open: {question}"),
        }
    }
}

/// A behaviour of AWS that no source settles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenQuestion {
    /// A plain operator on a key with several values.
    #[error("how a plain operator treats the multivalued key `{0}`")]
    PlainOnMultivalued(String),
    /// A lone `*` as an ARN.
    #[error("whether a lone `*` matches an ARN (`{0}`)")]
    LoneStarArn(String),
    /// `ForAllValues` on an empty text.
    #[error("whether ForAllValues takes an empty text of `{0}` for no value")]
    ForAllOnEmptyText(String),
    /// An ARN with fewer than six parts in a policy for which AWS does not say that it completes it.
    #[error("whether {0} completes an ARN of fewer than six parts with wildcards")]
    IncompleteArn(PolicyKind),
    /// Allow with NotPrincipal.
    #[error("what Allow with NotPrincipal does, which AWS does not support")]
    AllowNotPrincipal,
    /// Deny with NotPrincipal that lists only some of the names of the caller: session or user, role, and account.
    #[error(
        "whether NotPrincipal spares a caller of whom it does not list the session or user, the role and the account"
    )]
    PartialNotPrincipal,
    /// A grant to an account.
    #[error("whether a grant to an account covers the users and roles in it")]
    GrantToAccount,
    /// A grant to a caller with a permissions boundary or a session policy.
    #[error("whether a permissions boundary or a session policy limits a grant")]
    LimitedGrant,
    /// A grant whose meaning is not documented, with its id or its position, and the reason.
    #[error("what grant {0} allows, which {1}")]
    UndocumentedGrant(String, &'static str),
    /// A grant constraint that this evaluator does not know, or that the request does not settle.
    #[error("the grant constraint {0}")]
    GrantConstraint(String),
}

/// Values of unknown keys under which a request is allowed, each by the name of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case(pub Vec<(String, RequiredValue)>);

/// The value that an unknown key would need to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredValue {
    /// The key is absent.
    Absent,
    /// The key has this value.
    Value(String),
    /// The key has a value that this pattern or range covers. Wildcards in an ARN stay within its parts, as in
    /// conditions.
    Like(String),
    /// The key has these values.
    Values(Vec<String>),
    /// The key has any value that the policies neither name nor match.
    Other,
    /// The key has the value of this other key.
    SameAs(String),
    /// The key has a value other than that of this other key, which has one.
    OtherThan(String),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, completion)) in self.0.iter().enumerate() {
            let and = if at == 0 { "" } else { " and " };
            match completion {
                RequiredValue::Absent => write!(f, "{and}`{key}` is absent"),
                RequiredValue::Value(value) => write!(f, "{and}`{key}` is `{value}`"),
                RequiredValue::Like(pattern) => write!(f, "{and}`{key}` is like `{pattern}`"),
                RequiredValue::Values(values) => write!(f, "{and}`{key}` is [`{}`]", values.join("`, `")),
                RequiredValue::Other => {
                    write!(f, "{and}`{key}` is none of the values that the policies name")
                }
                RequiredValue::SameAs(other) => write!(f, "{and}`{key}` equals `{other}`"),
                RequiredValue::OtherThan(other) => write!(f, "{and}`{key}` is another value than `{other}`"),
            }?;
        }
        Ok(())
    }
}

/// A layer that lacks an Allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingAllow {
    /// Caller and key are in different partitions. No call works between partitions.
    OtherPartition,
    /// The action never works on another account's key.
    NotAcrossAccounts,
    /// Neither the key policy nor a grant admits the caller.
    KeyPolicy,
    /// The caller's own policies do not allow.
    Identity {
        /// What the key policy admits.
        admitted: Admitted,
        /// What kind of principal the caller is.
        caller: PrincipalKind,
    },
    /// The permissions boundary does not allow.
    Boundary,
    /// The session policies do not allow.
    Session,
    /// A level of the service control policies has no Allow.
    ServiceControl,
    /// Each layer may allow, but no values of the unknown keys make all of them allow at once.
    Together,
}

/// What a key policy admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// The account, and so the principals whose own policies allow the action.
    Account(AccountId),
    /// The caller, by name or through its role.
    Caller,
    /// None of the caller's names.
    Nothing,
}

impl fmt::Display for MissingAllow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherPartition => f.write_str("caller and key are of different partitions: no call works"),
            Self::NotAcrossAccounts => {
                f.write_str("the action never works on another account's key, whatever the policies say")
            }
            Self::KeyPolicy => f.write_str("neither the key policy nor a grant admits the caller"),
            Self::Identity { admitted, caller } => {
                let owner = match caller {
                    PrincipalKind::User => "user",
                    PrincipalKind::Role | PrincipalKind::Session => "role",
                    PrincipalKind::FederatedUser => "user",
                    PrincipalKind::Root | PrincipalKind::Service => "caller",
                };
                match admitted {
                    Admitted::Account(account) => {
                        write!(
                            f,
                            "the key policy admits account {account}; the {owner}'s own policy does not"
                        )
                    }
                    Admitted::Caller => {
                        write!(f, "the key policy admits the caller; the {owner}'s own policy does not")
                    }
                    Admitted::Nothing => write!(f, "the {owner}'s own policy does not allow it either"),
                }
            }
            Self::Boundary => f.write_str("the permissions boundary does not allow it"),
            Self::Session => f.write_str("the session policies do not allow it"),
            Self::ServiceControl => {
                f.write_str("a level of the service control policies has no Allow for it")
            }
            Self::Together => f.write_str(
                "no values of the unknown condition keys make all that must allow it do so at once",
            ),
        }
    }
}

/// What the reader should know about an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Caveat {
    /// The key is in a Region that the caller's account must enable first.
    #[error("account {account} must have enabled the opt-in Region {region} to call the key there")]
    OptInRegion {
        /// The caller's account.
        account: AccountId,
        /// The key's Region.
        region: String,
    },
    /// The caller's own policies are unknown, and the answer rests on the key's side alone.
    #[error("the caller's own policies are unknown: a Deny in them would win")]
    IdentityUnknown,
    /// The request ignores a value that the context gives, because the value follows from the request itself.
    #[error("the given `{0}` is not used: it follows from the principal, the action and the key")]
    Overruled(String),
    /// A statement names single sessions of the role that calls.
    #[error("a statement names single sessions of this role: for these the answer may differ")]
    SingleSessions,
    /// There are too many unknown keys to try all combinations of their values.
    #[error("the unknown condition keys have too many combinations to try: it may not depend on all of them")]
    TooManyCombinations,
    /// All values that were tried lead to this decision, but other values may lead to another one.
    #[error("every combination of values tried is {0}, but these may not be all that matter")]
    NotProven(Decision),
    /// The values that were tried lead to both decisions, and other values may matter too.
    #[error(
        "not every value that may matter could be tried: it may depend on more, and be allowed in other cases"
    )]
    NotAllTried,
    /// A grant is on another key.
    #[error("grant {0} is on another key and does not count")]
    GrantOnOtherKey(usize),
    /// `ListGrants` has more grants than were given.
    #[error("the list of grants is truncated: there are more")]
    GrantsTruncated,
}
