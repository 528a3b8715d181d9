//! The answer to a request, and why it is so.

use std::fmt;

use crate::arn::AccountId;
use crate::policy::PolicyKind;
use crate::principal::PrincipalKind;

/// Whether a request is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is, whatever the unknown keys are.
    Allowed,
    /// It is not, whatever the unknown keys are.
    Denied,
    /// It is or is not, depending on what is unknown.
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
    /// Whether it is allowed.
    pub decision: Decision,
    /// Whether a Deny decided. A denial without one means that nothing grants the request.
    pub explicit: bool,
    /// The statements and grants that decided: the Deny that applied; or each Allow that was needed; or, where it
    /// depends, those that may apply. Empty where nothing grants the request.
    pub statements: Vec<Decider<'p>>,
    /// What it depends on; not empty where it does.
    pub depends_on: Vec<Dependency>,
    /// Values of the unknown keys under which it would be allowed: each case is enough, given that the identity
    /// policies, if unknown, allow. At most [`MOST_CASES`].
    pub allowed_if: Vec<Case>,
    /// Which layers lack an Allow, where nothing grants the request.
    pub missing: Vec<MissingAllow>,
    /// What else one should know of this answer.
    pub caveats: Vec<Caveat>,
}

/// The most cases that [`Answer::allowed_if`] lists.
pub const MOST_CASES: usize = 8;

/// A statement or a grant that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider<'p> {
    /// A statement of a policy.
    Statement {
        /// In which layer the policy stands.
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
    /// A condition key that is not known, as the policies write it.
    Key(String),
    /// The caller's own policies, which are not known.
    IdentityPolicies,
    /// What no source settles.
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

/// What no source settles.
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
    /// Deny with NotPrincipal that lists only some of the caller's names.
    #[error(
        "whether NotPrincipal spares a caller of whom it does not list the session or user, the role and the account"
    )]
    PartialNotPrincipal,
    /// A grant to an account.
    #[error("whether a grant to an account covers the users and roles in it")]
    GrantToAccount,
    /// A grant to somebody with a permissions boundary or session policy.
    #[error("whether a permissions boundary or a session policy limits a grant")]
    LimitedGrant,
    /// A grant that does not say what it allows, by its id or its position.
    #[error("what grant {0} allows, which {1}")]
    OddGrant(String, &'static str),
    /// A grant whose constraint this evaluator cannot judge.
    #[error("the grant constraint {0}")]
    GrantConstraint(String),
}

/// Values of unknown keys that lead to one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case(pub Vec<(String, RequiredValue)>);

/// What an unknown key would have to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredValue {
    /// Absent.
    Absent,
    /// This value.
    Value(String),
    /// A value that this pattern or range covers; wildcards in an ARN stay in its parts, as in conditions.
    Like(String),
    /// These values.
    Values(Vec<String>),
    /// Any value that is none of those, and like none of those, that the policies name.
    Other,
    /// The value of this other key, whatever it is.
    SameAs(String),
    /// Any value but that of this other key, which has one.
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
    /// Caller and key are of different partitions, between which no call works.
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
    /// The account, and so whom its own policies allow.
    Account(AccountId),
    /// The caller, by name or through its role.
    Caller,
    /// Nobody that the caller is.
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

/// What one should know of an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Caveat {
    /// The key is in a Region that the caller's account must enable.
    #[error("account {account} must have enabled the opt-in Region {region} to call the key there")]
    OptInRegion {
        /// The caller's account.
        account: AccountId,
        /// The key's Region.
        region: String,
    },
    /// Nobody knows the caller's own policies, and the answer rests on the key's side.
    #[error("the caller's own policies are unknown: a Deny in them would win")]
    IdentityUnknown,
    /// A given key was put aside.
    #[error("the given `{0}` is not used: it follows from the principal, the action and the key")]
    Overruled(String),
    /// Statements name one session of the role that calls.
    #[error("a statement names single sessions of this role: for these the answer may differ")]
    SingleSessions,
    /// There are too many unknown keys.
    #[error("the unknown condition keys have too many combinations to try: it may not depend on all of them")]
    TooManyCombinations,
    /// The values tried may not be all that matter.
    #[error("every combination of values tried is {0}, but these may not be all that matter")]
    NotProven(Decision),
    /// The values tried lead to both answers, and others may matter too.
    #[error(
        "not every value that may matter could be tried: it may depend on more, and be allowed in other cases"
    )]
    NotAllTried,
    /// A grant is on another key.
    #[error("grant {0} is on another key and does not count")]
    GrantOnOtherKey(usize),
    /// The list of grants is cut.
    #[error("the list of grants is truncated: there are more")]
    GrantsTruncated,
}
