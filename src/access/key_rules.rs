//! The key's side: what its policy and its grants say of a principal's call.

use thiserror::Error;

use super::call::Side;
use super::context::{Caller, KeyFacts, SessionContexts};
use super::facts::is_below;
use super::principal::PrincipalArn;
use crate::key::KeyArn;
use kms_key_policy::{
    self, Action, Answer, Decider, Decision, Dependency, Grants, KeySideDecision, Layers, ParseError, Policy,
    PolicyKind, Principal, Request, RequestError, decide, key_side,
};

/// A key's policy and grants, compiled once for all principals.
#[derive(Debug)]
pub struct KeyRules {
    key: KeyArn,
    facts: KeyFacts,
    contexts: SessionContexts,
    policy: Policy,
    grants: Grants,
    /// Whether a grant's constraints look at the encryption context.
    grants_look_at_context: bool,
}

/// Why the key's side cannot be judged.
#[derive(Debug, Error)]
pub enum KeyRulesError {
    /// The policy.
    #[error("the key policy cannot be read: {0}")]
    Policy(ParseError),
    /// The grants.
    #[error("the grants cannot be read: {0}")]
    Grants(ParseError),
    /// The principal, the action or the key.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// What the key's side says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyVerdict {
    /// It admits the call.
    Admits {
        /// Whether that is enough, or the principal's own policy has to allow it too.
        alone: bool,
        /// The statements and grants that do.
        by: Vec<String>,
    },
    /// A statement denies it.
    Refuses {
        /// The statements that do.
        by: Vec<String>,
    },
    /// Nothing admits it.
    Silent {
        /// In which way nothing does.
        why: String,
    },
    /// It depends on what is not known.
    Depends {
        /// On what.
        on: String,
        /// The condition keys among it.
        keys: Vec<String>,
        /// The statements that may apply.
        by: Vec<String>,
    },
}

impl KeyRules {
    /// Compiles a key's policy (JSON text) and its grants (JSON, as ListGrants returns them).
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn new(key: KeyArn, facts: KeyFacts, policy: &str, grants: &str) -> Result<Self, KeyRulesError> {
        Ok(Self {
            contexts: SessionContexts::new(&key, &facts),
            key,
            facts,
            policy: Policy::parse(PolicyKind::Key, policy).map_err(KeyRulesError::Policy)?,
            grants_look_at_context: grants.contains("EncryptionContext"),
            grants: Grants::parse(grants).map_err(KeyRulesError::Grants)?,
        })
    }

    /// The names of the condition keys that the policy asks for, as they are written; some more than once.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.policy.condition_keys()
    }

    /// What AWS accepts in the policy and nobody wants, one line each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.policy.warnings().iter().map(ToString::to_string)
    }

    /// What the key's side says of a principal's call, whatever its own policies are.
    ///
    /// # Errors
    /// Where the evaluator does not take the principal for one.
    pub fn judge(&self, principal: &PrincipalArn, side: Side) -> Result<KeyVerdict, KeyRulesError> {
        self.on_key_side(principal.as_str(), of(principal, side))
    }

    /// What the key's side says of an account as such: whether it leaves the call to the account's own
    /// policies. `account` is of twelve digits.
    ///
    /// # Errors
    /// Where the evaluator does not take the account for one.
    pub fn judge_account(&self, account: &str, side: Side) -> Result<KeyVerdict, KeyRulesError> {
        // The account's root user is covered by what names the account, and by nothing that names others in it;
        // a role that nothing names, by what is not for the root user alone.
        let of_account = format!("arn:{}:iam::{account}:", self.key.location().partition);
        let somebody = Caller { side, account, principal: None };
        let root = self.on_key_side(&format!("{of_account}root"), somebody)?;
        Ok(root.worse(self.on_key_side(&format!("{of_account}role/{ANY_ROLE}"), somebody)?))
    }

    fn on_key_side(&self, principal: &str, caller: Caller<'_>) -> Result<KeyVerdict, KeyRulesError> {
        self.in_each_context(principal, caller, &[], |request| {
            let key = key_side(request, &self.policy, &self.grants);
            if key.decision != KeySideDecision::Admits {
                return verdict_of(&key.answer, false);
            }
            // What admits it alone is worth naming, and not what would admit it with a policy of its own.
            let no_policies =
                Layers { identity_policies: Some(&[]), ..Layers::of_key(&self.policy, &self.grants) };
            verdict_of(&decide(request, &no_policies), true)
        })
    }

    /// What the key's side and the principal's own policies, these and no others, say together.
    ///
    /// # Errors
    /// Where the evaluator does not take the principal for one.
    pub fn judge_with(
        &self,
        principal: &PrincipalArn,
        side: Side,
        identity: &[Policy],
    ) -> Result<KeyVerdict, KeyRulesError> {
        let layers =
            Layers { identity_policies: Some(identity), ..Layers::of_key(&self.policy, &self.grants) };
        self.in_each_context(principal.as_str(), of(principal, side), identity, |request| {
            verdict_of(&decide(request, &layers), true)
        })
    }

    /// What the principal's own policies, these and no others, say where the key leaves the call to them.
    ///
    /// # Errors
    /// Where the evaluator does not take the principal for one.
    pub fn judge_own(
        &self,
        principal: &PrincipalArn,
        side: Side,
        identity: &[Policy],
    ) -> Result<KeyVerdict, KeyRulesError> {
        let root = format!("arn:{}:iam::{}:root", principal.partition(), principal.account());
        let leaves_it = serde_json::json!({
            "Statement": { "Effect": "Allow", "Principal": { "AWS": root }, "Action": "*", "Resource": "*" }
        });
        let policy = Policy::parse(PolicyKind::Key, &leaves_it.to_string()).map_err(KeyRulesError::Policy)?;
        let grants = Grants::none();
        let layers = Layers { identity_policies: Some(identity), ..Layers::of_key(&policy, &grants) };
        self.in_each_context(principal.as_str(), of(principal, side), identity, |request| {
            let mut answer = decide(request, &layers);
            let own = |decider: &Decider<'_>| {
                matches!(decider, Decider::Statement { layer: PolicyKind::Identity, .. })
            };
            answer.statements.retain(own);
            verdict_of(&answer, true)
        })
    }

    /// A call must work in each of its contexts: the worst verdict counts.
    fn in_each_context(
        &self,
        principal: &str,
        caller: Caller<'_>,
        identity: &[Policy],
        judge: impl Fn(&Request) -> KeyVerdict,
    ) -> Result<KeyVerdict, KeyRulesError> {
        let mut worst = KeyVerdict::Admits { alone: true, by: Vec::new() };
        // Where nothing looks at the encryption context, what differs in it makes no difference.
        let names_context = |name: &str| is_below(name, "kms:EncryptionContext");
        let looks_at_context = self.grants_look_at_context
            || self.policy.condition_keys().any(names_context)
            || identity.iter().any(|policy| policy.condition_keys().any(names_context));
        let enough = if looks_at_context { usize::MAX } else { 1 };
        for context in self.contexts.of(caller.side).iter().take(enough) {
            let request = Request::new(
                Principal::parse(principal)?,
                Action::parse(caller.side.call().action())?,
                kms_key_policy::KeyArn::parse(self.key.as_str())?,
                context.of_caller(caller, &self.facts),
            );
            let verdict = judge(&request);
            let is_worse = context.is_of_newer_clients && verdict.rank() > worst.rank();
            worst = worst.worse(if is_worse { verdict.of_newer_clients() } else { verdict });
        }
        Ok(worst)
    }
}

/// The name of a role that no policy names.
const ANY_ROLE: &str = "session-kms-any-role";
/// What tells the second context of a session from the first.
const NEWER_CLIENTS: &str = "with the encryption context key `aws:ssm:RandomChallenge`, which newer clients add and \
                             agents then decrypt with";

fn of(principal: &PrincipalArn, side: Side) -> Caller<'_> {
    Caller { side, account: principal.account(), principal: Some(principal) }
}

fn verdict_of(answer: &Answer<'_>, alone: bool) -> KeyVerdict {
    let by = || answer.statements.iter().filter_map(name).collect();
    match answer.decision {
        Decision::Allowed => KeyVerdict::Admits { alone, by: by() },
        Decision::Denied if answer.explicit => KeyVerdict::Refuses { by: by() },
        Decision::Denied => {
            let why = answer.missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            KeyVerdict::Silent { why }
        }
        Decision::Depends => {
            let key = |dependency: &Dependency| match dependency {
                Dependency::Key(name) => Some(name.clone()),
                Dependency::IdentityPolicies | Dependency::Open(_) => None,
            };
            let keys = answer.depends_on.iter().filter_map(key).collect();
            KeyVerdict::Depends { on: depends_on(answer), keys, by: by() }
        }
    }
}

impl KeyVerdict {
    /// The worse of two, where both calls must work.
    fn worse(self, other: Self) -> Self {
        if other.rank() >= self.rank() { other } else { self }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Admits { alone: true, .. } => 0,
            Self::Admits { alone: false, .. } => 1,
            Self::Depends { .. } => 2,
            Self::Silent { .. } => 3,
            Self::Refuses { .. } => 4,
        }
    }

    /// The same, said of calls with the context of newer clients.
    fn of_newer_clients(self) -> Self {
        match self {
            Self::Admits { .. } => self,
            Self::Refuses { by } => {
                Self::Refuses { by: by.into_iter().map(|name| format!("{name} ({NEWER_CLIENTS})")).collect() }
            }
            Self::Silent { why } => Self::Silent { why: format!("{why} {NEWER_CLIENTS}") },
            Self::Depends { on, keys, by } => {
                Self::Depends { on: format!("{on} ({NEWER_CLIENTS})"), keys, by }
            }
        }
    }
}

/// What an answer depends on, and when it would be allowed.
fn depends_on(answer: &Answer<'_>) -> String {
    let on: Vec<_> = answer.depends_on.iter().map(Dependency::to_string).collect();
    let cases: Vec<_> = answer.allowed_if.iter().map(ToString::to_string).collect();
    if cases.is_empty() {
        on.join(", ")
    } else {
        format!("{}; allowed where {}", on.join(", "), cases.join(", or "))
    }
}

/// A deciding statement or grant, for people.
fn name(decider: &Decider<'_>) -> Option<String> {
    match decider {
        Decider::Statement { layer: PolicyKind::Key, index, sid, .. } => Some(statement_name(*index, *sid)),
        Decider::Statement { layer: PolicyKind::Identity, policy, index, sid, .. } => Some(match sid {
            Some(sid) => format!("statement {index} `{sid}` of its policy {policy}"),
            None => format!("statement {index} of its policy {policy}"),
        }),
        Decider::Statement { .. } => None,
        Decider::Grant { index, id } => Some(match id {
            Some(id) => format!("grant {id}"),
            None => format!("grant {index}"),
        }),
    }
}

/// How verdicts name a statement of the key policy; `index` counts from 0.
#[must_use]
pub fn statement_name(index: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) => format!("statement {index} `{sid}` of the key policy"),
        None => format!("statement {index} of the key policy"),
    }
}

#[cfg(test)]
#[path = "key_rules/tests.rs"]
mod tests;
