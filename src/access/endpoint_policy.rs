//! What the policy of a VPC endpoint for KMS says about a node's call through it.
//!
//! The language is that of key policies, and so is the evaluator. Two things differ: the resource may be named by its
//! ARN, another account's key included, and nothing is left to identity policies. So a statement for an account's root
//! allows the call to every principal of the account.

use serde_json::Value;

use super::call::CallerKind;
use super::context::{Caller, KeyFacts, SessionContexts};
use super::key_rules::{depends_on, statement_name};
use super::principal::PrincipalArn;
use crate::key::KeyArn;
use kms_key_policy::{
    self, Action, Answer, Decider, Dependency, Grants, KeySideDecision, Policy, PolicyKind, Principal,
    Request, key_side,
};

/// The policy of a VPC endpoint, compiled once for all callers.
#[derive(Debug)]
pub struct EndpointPolicy<'a> {
    key: &'a KeyArn,
    facts: &'a KeyFacts,
    contexts: SessionContexts,
    endpoint: &'a str,
    vpc: &'a str,
    rules: EndpointRules,
}

/// What the policy has.
#[derive(Debug)]
enum EndpointRules {
    /// One statement that allows everything to everybody.
    FullAccess,
    Policy(Box<Policy>),
}

/// What the policy of an endpoint says about a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointVerdict {
    /// It allows the call.
    Allows,
    /// It depends on facts that are unknown.
    Depends {
        /// Those facts, and the cases in which the call is allowed.
        on: String,
        /// The condition keys among them.
        keys: Vec<String>,
    },
    /// Nothing allows the call.
    ImplicitDeny,
    /// Statements deny the call.
    ExplicitDeny {
        /// Their names.
        by: String,
    },
}

impl<'a> EndpointPolicy<'a> {
    /// Compiles a policy (JSON text). An endpoint without a policy has the default one, which allows everything.
    ///
    /// # Errors
    /// The policy cannot be read, in words.
    pub fn new(
        key: &'a KeyArn,
        facts: &'a KeyFacts,
        endpoint: &'a str,
        vpc: &'a str,
        policy: Option<&str>,
    ) -> Result<Self, String> {
        let rules = match policy {
            None => EndpointRules::FullAccess,
            Some(policy) if is_full_access(policy) => EndpointRules::FullAccess,
            Some(policy) => {
                let policy = Policy::parse(PolicyKind::Key, policy).map_err(|error| error.to_string())?;
                EndpointRules::Policy(Box::new(policy))
            }
        };
        Ok(Self { contexts: SessionContexts::new(key, facts), key, facts, endpoint, vpc, rules })
    }

    /// Whether it allows everything to everybody, so that it makes no difference who calls.
    #[must_use]
    pub fn is_full_access(&self) -> bool {
        matches!(self.rules, EndpointRules::FullAccess)
    }

    /// The names of the condition keys in the policy, as it writes them. Some come more than once.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        let policy = match &self.rules {
            EndpointRules::FullAccess => None,
            EndpointRules::Policy(policy) => Some(policy),
        };
        policy.into_iter().flat_map(|policy| policy.condition_keys())
    }

    /// What the policy says about a node's Decrypt by this role: the worst verdict of all contexts, because the call
    /// must work in each.
    ///
    /// # Errors
    /// The evaluator refuses the role as malformed, in words.
    pub fn evaluate(&self, role: &PrincipalArn) -> Result<EndpointVerdict, String> {
        let EndpointRules::Policy(policy) = &self.rules else { return Ok(EndpointVerdict::Allows) };
        let side = CallerKind::Node;
        let caller = Caller { side, account: role.account(), principal: Some(role) };
        let grants = Grants::none();
        let mut worst = EndpointVerdict::Allows;
        for context in self.contexts.for_side(side) {
            let words = |error: kms_key_policy::RequestError| error.to_string();
            // The call goes through this endpoint, so these two values replace those of Context.
            let context = context
                .for_caller(caller, self.facts)
                .value("aws:SourceVpce", self.endpoint)
                .value("aws:SourceVpc", self.vpc);
            let request = Request::new(
                Principal::parse(role.as_str()).map_err(words)?,
                Action::parse(side.call().action()).map_err(words)?,
                kms_key_policy::KeyArn::parse(self.key.as_str()).map_err(words)?,
                context,
            );
            let answer = key_side(&request, policy, &grants);
            worst = worst.max(match answer.decision {
                KeySideDecision::Admits | KeySideDecision::NeedsIdentityPolicy => EndpointVerdict::Allows,
                KeySideDecision::DoesNotAdmit => EndpointVerdict::ImplicitDeny,
                KeySideDecision::RefusesExplicitly => {
                    EndpointVerdict::ExplicitDeny { by: statements(&answer.answer) }
                }
                KeySideDecision::Depends => EndpointVerdict::Depends {
                    on: depends_on(&answer.answer),
                    keys: answer.answer.depends_on.iter().filter_map(condition_key).collect(),
                },
            });
        }
        Ok(worst)
    }
}

/// The names of the statements that decided.
fn statements(answer: &Answer<'_>) -> String {
    let names = answer.statements.iter().filter_map(|decider| match decider {
        Decider::Statement { layer: PolicyKind::Key, index, sid, .. } => Some(statement_name(*index, *sid)),
        _ => None,
    });
    names.collect::<Vec<_>>().join(", ")
}

fn condition_key(dependency: &Dependency) -> Option<String> {
    match dependency {
        Dependency::Key(name) => Some(name.clone()),
        Dependency::IdentityPolicies | Dependency::Open(_) => None,
    }
}

/// Whether a policy is one statement that allows everything to everybody, as the default policy is.
fn is_full_access(policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return false };
    let only = |value: &Value| match value {
        Value::Array(values) if values.len() == 1 => values.first().cloned(),
        Value::Array(_) => None,
        one => Some(one.clone()),
    };
    let is_star = |value: Option<&Value>| value.and_then(only).is_some_and(|value| value == "*");
    let Some(Value::Object(statement)) = policy.get("Statement").and_then(only) else { return false };
    let is_everybody = match statement.get("Principal") {
        Some(Value::Object(principal)) => principal.len() == 1 && is_star(principal.get("AWS")),
        principal => principal.is_some_and(|principal| principal == "*"),
    };
    let is_plain =
        |name: &String| ["Sid", "Effect", "Principal", "Action", "Resource"].contains(&name.as_str());
    is_everybody
        && statement.get("Effect").is_some_and(|effect| effect == "Allow")
        && is_star(statement.get("Action"))
        && is_star(statement.get("Resource"))
        && statement.keys().all(is_plain)
}

#[cfg(test)]
#[path = "endpoint_policy/tests.rs"]
mod tests;
