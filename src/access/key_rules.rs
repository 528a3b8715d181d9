//! The key's side: what the key policy and the grants say about a principal's call.

mod admissions;

use std::fmt;

use thiserror::Error;

use super::call::CallerKind;
use super::context::{Caller, KeyFacts, SessionContexts};
use super::facts::{CHALLENGE, has_prefix};
use super::principal::PrincipalArn;
use crate::key::KeyArn;
use kms_key_policy::{
    self, Action, Answer, Decider, Decision, Dependency, Grants, KeySideDecision, Layers, ParseError, Policy,
    PolicyKind, Principal, Request, RequestError, decide, key_side,
};

pub use admissions::{KeyAdmission, KeyCaller, RuleApplies, SessionRule};

/// A key's policy and grants, compiled once for all principals.
#[derive(Debug)]
pub struct KeyRules {
    key: KeyArn,
    facts: KeyFacts,
    contexts: SessionContexts,
    policy: Policy,
    grants: Grants,
    /// Whether a grant has a constraint on the encryption context.
    grants_use_encryption_context: bool,
}

/// Why the key's side cannot be evaluated.
#[derive(Debug, Error)]
pub enum KeyRulesError {
    /// The policy is malformed.
    #[error("the key policy cannot be read: {0}")]
    Policy(ParseError),
    /// The grants are malformed.
    #[error("the grants cannot be read: {0}")]
    Grants(ParseError),
    /// The principal, the action or the key is malformed.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// What the key's side says about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyVerdict {
    /// It allows the call.
    Allows {
        /// Whether that is enough. If not, the principal's own policies have to allow the call too.
        is_sufficient: bool,
        /// The statements and grants that allow it.
        by: Vec<DecidingRule>,
    },
    /// A statement denies it.
    ExplicitDeny {
        /// The statements that deny it.
        by: Vec<DecidingRule>,
    },
    /// Nothing allows it.
    ImplicitDeny {
        /// What is missing.
        why: String,
    },
    /// It depends on facts that are unknown.
    Depends {
        /// Those facts, and the cases in which the call is allowed.
        on: String,
        /// The condition keys among them.
        keys: Vec<String>,
        /// The statements that may apply.
        by: Vec<DecidingRule>,
    },
}

/// A statement or a grant that decides, or that may decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidingRule {
    /// Its name for people, with its Sid or id.
    pub name: String,
    /// The index of the statement in the key policy, from 0; `None` for a grant and for a statement of another policy.
    pub key_policy_statement: Option<usize>,
}

/// A principal's own policies, as far as they are layers of a decision. There is no session policy and no control policy
/// of an organization.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnLayers<'p> {
    /// All identity policies, those of a user's groups included.
    pub identity: &'p [Policy],
    /// The names of these policies, in their order. A policy without one goes by its position.
    pub names: &'p [String],
    /// The permissions boundary, if there is one.
    pub boundary: Option<&'p Policy>,
}

impl<'p> OwnLayers<'p> {
    /// Identity policies without names and without a boundary.
    #[must_use]
    pub fn of(identity: &'p [Policy]) -> Self {
        Self { identity, ..Self::default() }
    }

    fn condition_keys(self) -> impl Iterator<Item = &'p str> {
        self.identity.iter().chain(self.boundary).flat_map(Policy::condition_keys)
    }
}

impl KeyRules {
    /// Compiles a key's policy (JSON text) and its grants (JSON, as ListGrants returns them).
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn new(key: KeyArn, facts: KeyFacts, policy: &str, grants: &str) -> Result<Self, KeyRulesError> {
        Ok(Self {
            contexts: SessionContexts::new(&key, &facts),
            key,
            facts,
            policy: Policy::parse(PolicyKind::Key, policy).map_err(KeyRulesError::Policy)?,
            grants_use_encryption_context: grants.contains("EncryptionContext"),
            grants: Grants::parse(grants).map_err(KeyRulesError::Grants)?,
        })
    }

    /// The names of the condition keys in the policy, as it writes them. Some come more than once.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.policy.condition_keys()
    }

    /// What AWS accepts in the policy although hardly anybody means it, one line each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.policy.warnings().iter().map(ToString::to_string)
    }

    /// What the key's side says about a principal's call, whatever the principal's own policies are.
    ///
    /// # Errors
    /// The evaluator refuses the principal as malformed.
    pub fn evaluate(&self, principal: &PrincipalArn, side: CallerKind) -> Result<KeyVerdict, KeyRulesError> {
        self.on_key_side(principal.as_str(), caller(principal, side))
    }

    /// What the key's side says about an account as such: whether it leaves the call to the account's own policies.
    /// `account` has twelve digits.
    ///
    /// # Errors
    /// The evaluator refuses the account as malformed.
    pub fn evaluate_account(&self, account: &str, side: CallerKind) -> Result<KeyVerdict, KeyRulesError> {
        // A statement for the account applies to its root user, and one for somebody else in it does not. A role that
        // nobody names shows whether a statement is for more than the root user.
        let of_account = format!("arn:{}:iam::{account}:", self.key.location().partition);
        let somebody = Caller { side, account, principal: None };
        let root = self.on_key_side(&format!("{of_account}root"), somebody)?;
        Ok(root.worse(self.on_key_side(&format!("{of_account}role/{ANY_ROLE}"), somebody)?))
    }

    fn on_key_side(&self, principal: &str, caller: Caller<'_>) -> Result<KeyVerdict, KeyRulesError> {
        self.in_each_context(principal, caller, OwnLayers::default(), |request| {
            let key = key_side(request, &self.policy, &self.grants);
            if key.decision != KeySideDecision::Admits {
                return verdict_of(&key.answer, false, &[]);
            }
            // Name only the statements that are enough, and not those that need an identity policy besides.
            let no_policies =
                Layers { identity_policies: Some(&[]), ..Layers::of_key(&self.policy, &self.grants) };
            verdict_of(&decide(request, &no_policies), true, &[])
        })
    }

    /// What the key's side and the principal's own policies, these and no others, say together.
    ///
    /// # Errors
    /// The evaluator refuses the principal as malformed.
    pub fn evaluate_with(
        &self,
        principal: &PrincipalArn,
        side: CallerKind,
        own: OwnLayers<'_>,
    ) -> Result<KeyVerdict, KeyRulesError> {
        let layers = layers(own, &self.policy, &self.grants);
        self.in_each_context(principal.as_str(), caller(principal, side), own, |request| {
            verdict_of(&decide(request, &layers), true, own.names)
        })
    }

    /// What the principal's own policies, these and no others, say if the key leaves the call to them.
    ///
    /// # Errors
    /// The evaluator refuses the principal as malformed.
    pub fn evaluate_own(
        &self,
        principal: &PrincipalArn,
        side: CallerKind,
        own: OwnLayers<'_>,
    ) -> Result<KeyVerdict, KeyRulesError> {
        let root = format!("arn:{}:iam::{}:root", principal.partition(), principal.account());
        let leaves_it = serde_json::json!({
            "Statement": { "Effect": "Allow", "Principal": { "AWS": root }, "Action": "*", "Resource": "*" }
        });
        let policy = Policy::parse(PolicyKind::Key, &leaves_it.to_string()).map_err(KeyRulesError::Policy)?;
        let grants = Grants::none();
        let layers = layers(own, &policy, &grants);
        self.in_each_context(principal.as_str(), caller(principal, side), own, |request| {
            let mut answer = decide(request, &layers);
            // A boundary only limits, so that what it allows is no reason.
            let is_explicit = answer.explicit;
            answer.statements.retain(|decider| match decider {
                Decider::Statement { layer: PolicyKind::Identity, .. } => true,
                Decider::Statement { layer: PolicyKind::Boundary, .. } => is_explicit,
                Decider::Statement { .. } | Decider::Grant { .. } => false,
            });
            verdict_of(&answer, true, own.names)
        })
    }

    /// The worst verdict of all contexts, because the call must work in each.
    fn in_each_context(
        &self,
        principal: &str,
        caller: Caller<'_>,
        own: OwnLayers<'_>,
        evaluate: impl Fn(&Request) -> KeyVerdict,
    ) -> Result<KeyVerdict, KeyRulesError> {
        self.worst_of_contexts(caller, own, |context| {
            let request = Request::new(
                Principal::parse(principal)?,
                Action::parse(caller.side.call().action())?,
                kms_key_policy::KeyArn::parse(self.key.as_str())?,
                context,
            );
            Ok(evaluate(&request))
        })
    }

    fn worst_of_contexts(
        &self,
        caller: Caller<'_>,
        own: OwnLayers<'_>,
        evaluate: impl Fn(kms_key_policy::Context) -> Result<KeyVerdict, KeyRulesError>,
    ) -> Result<KeyVerdict, KeyRulesError> {
        let mut worst = KeyVerdict::Allows { is_sufficient: true, by: Vec::new() };
        // If no condition is about the encryption context, all contexts have the same verdict.
        let names_context = |name: &str| has_prefix(name, "kms:EncryptionContext");
        let is_context_used = self.grants_use_encryption_context
            || self.policy.condition_keys().any(names_context)
            || own.condition_keys().any(names_context);
        let enough = if is_context_used { usize::MAX } else { 1 };
        for context in self.contexts.for_side(caller.side).iter().take(enough) {
            let verdict = evaluate(context.for_caller(caller, &self.facts))?;
            let is_worse = context.is_of_newer_clients && verdict.rank() > worst.rank();
            worst = worst.worse(if is_worse { verdict.of_newer_clients() } else { verdict });
        }
        Ok(worst)
    }
}

/// The name of a role that no policy names.
const ANY_ROLE: &str = "session-kms-any-role";
/// What distinguishes a session's second context from the first.
const NEWER_CLIENTS: &str = "with the encryption context key `aws:ssm:RandomChallenge`, which newer clients add and \
                             agents then decrypt with";

fn caller(principal: &PrincipalArn, side: CallerKind) -> Caller<'_> {
    Caller { side, account: principal.account(), principal: Some(principal) }
}

fn layers<'p>(own: OwnLayers<'p>, policy: &'p Policy, grants: &'p Grants) -> Layers<'p> {
    Layers {
        identity_policies: Some(own.identity),
        permissions_boundary: own.boundary,
        ..Layers::of_key(policy, grants)
    }
}

/// The verdict of an answer. `names` are those of the identity policies.
fn verdict_of(answer: &Answer<'_>, is_sufficient: bool, names: &[String]) -> KeyVerdict {
    let rule = |decider| DecidingRule::new(decider, names);
    let by = || answer.statements.iter().filter_map(rule).collect();
    match answer.decision {
        Decision::Allowed => KeyVerdict::Allows { is_sufficient, by: by() },
        Decision::Denied if answer.explicit => KeyVerdict::ExplicitDeny { by: by() },
        Decision::Denied => {
            let why = answer.missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            KeyVerdict::ImplicitDeny { why }
        }
        Decision::Depends => {
            let (_, keys) = depends_on_text(&answer.depends_on);
            KeyVerdict::Depends { on: depends_on(answer), keys, by: by() }
        }
    }
}

impl KeyVerdict {
    /// The indices of the statements of the key policy that decide or may decide, from 0.
    #[must_use]
    pub fn key_policy_statements(&self) -> Vec<usize> {
        match self {
            Self::Allows { by, .. } | Self::ExplicitDeny { by } | Self::Depends { by, .. } => {
                by.iter().filter_map(|rule| rule.key_policy_statement).collect()
            }
            Self::ImplicitDeny { .. } => Vec::new(),
        }
    }

    /// The worse of two verdicts.
    fn worse(self, other: Self) -> Self {
        if other.rank() >= self.rank() { other } else { self }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Allows { is_sufficient: true, .. } => 0,
            Self::Allows { is_sufficient: false, .. } => 1,
            Self::Depends { .. } => 2,
            Self::ImplicitDeny { .. } => 3,
            Self::ExplicitDeny { .. } => 4,
        }
    }

    /// The same verdict, worded for calls of newer clients.
    fn of_newer_clients(self) -> Self {
        match self {
            Self::Allows { .. } => self,
            Self::ExplicitDeny { by } => {
                let of_newer_clients =
                    |rule: DecidingRule| DecidingRule { name: format!("{rule} ({NEWER_CLIENTS})"), ..rule };
                Self::ExplicitDeny { by: by.into_iter().map(of_newer_clients).collect() }
            }
            Self::ImplicitDeny { why } => Self::ImplicitDeny { why: format!("{why} {NEWER_CLIENTS}") },
            Self::Depends { on, keys, by } => {
                Self::Depends { on: format!("{on} ({NEWER_CLIENTS})"), keys, by }
            }
        }
    }
}

/// The facts that an answer depends on, and the cases in which the call is allowed.
pub(super) fn depends_on(answer: &Answer<'_>) -> String {
    let (on, _) = depends_on_text(&answer.depends_on);
    let cases: Vec<_> = answer.allowed_if.iter().map(ToString::to_string).collect();
    if cases.is_empty() { on } else { format!("{on}; allowed where {}", cases.join(", or ")) }
}

/// What something depends on in words, and the condition keys among it.
fn depends_on_text(depends_on: &[Dependency]) -> (String, Vec<String>) {
    let on: Vec<_> = depends_on.iter().map(Dependency::to_string).collect();
    let key = |dependency: &Dependency| match dependency {
        Dependency::Key(name) => Some(name.clone()),
        Dependency::IdentityPolicies | Dependency::Open(_) => None,
    };
    (on.join(", "), depends_on.iter().filter_map(key).collect())
}

impl DecidingRule {
    fn new(decider: &Decider<'_>, names: &[String]) -> Option<Self> {
        let (name, key_policy_statement) = match decider {
            Decider::Statement { layer: PolicyKind::Key, index, sid, .. } => {
                (format!("{} of the key policy", statement_name(*index, *sid)), Some(*index))
            }
            Decider::Statement { layer: PolicyKind::Identity, policy, index, sid, .. } => {
                let statement = statement_name(*index, *sid);
                let name = names.get(*policy).map(|name| format!("{statement} of policy {name}"));
                (name.unwrap_or_else(|| format!("{statement} of its policy {policy}")), None)
            }
            Decider::Statement { layer: PolicyKind::Boundary, index, sid, .. } => {
                (format!("{} of its permissions boundary", statement_name(*index, *sid)), None)
            }
            Decider::Statement { .. } => return None,
            Decider::Grant { id: Some(id), .. } => (format!("grant {id}"), None),
            Decider::Grant { index, id: None } => (format!("grant {index}"), None),
        };
        Some(Self { name, key_policy_statement })
    }

    /// The names of some rules, with commas between them.
    #[must_use]
    pub fn names(rules: &[Self]) -> String {
        rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for DecidingRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

pub(super) fn statement_name(index: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) => format!("statement {index} `{sid}`"),
        None => format!("statement {index}"),
    }
}

#[cfg(test)]
#[path = "key_rules/tests.rs"]
mod tests;
