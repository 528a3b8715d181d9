//! The context entries that IAM's simulator gets for a session's call.
//!
//! The simulator treats a missing context entry as absent, and does not list those that service control policies miss.
//! So the first simulation already has everything that is certain.

use super::call::CallerKind;
use super::context::{Caller, KeyFacts};
use super::facts::{self, Fact, FactState, state_of};
use super::principal::{PrincipalArn, PrincipalType};
use crate::key::KeyArn;
use kms_key_policy::is_multivalued;

/// A condition key with its values, as a simulation takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextEntry {
    /// The condition key's name.
    pub key: String,
    /// The values; several only for a multivalued key.
    pub values: Vec<String>,
    /// Whether the condition key is multivalued.
    pub is_multivalued: bool,
}

/// The call of a session that is simulated.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedCall<'a> {
    /// The caller.
    pub principal: &'a PrincipalArn,
    /// Whether the caller is a user or a node.
    pub side: CallerKind,
    /// The key that it calls KMS with.
    pub key: &'a KeyArn,
}

impl SimulatedCall<'_> {
    /// The entries that are certain before anything in the account is read.
    #[must_use]
    pub fn certain_entries(&self, facts: &KeyFacts) -> Vec<ContextEntry> {
        entries(&[facts.certain_facts(self.side), self.derived()].concat())
    }

    /// All entries that are known. `names` are the names in the encryption context; without them no entry is about
    /// it.
    #[must_use]
    pub fn context_entries(&self, facts: &KeyFacts, names: Option<&[&str]>) -> Vec<ContextEntry> {
        entries(&self.facts(facts, names))
    }

    /// The condition keys in `missing`, which a simulation did not have, apart from those that are certainly absent:
    /// for these the simulator is right.
    #[must_use]
    pub fn still_missing(&self, facts: &KeyFacts, names: Option<&[&str]>, missing: &[String]) -> Vec<String> {
        let facts = self.facts(facts, names);
        let is_absent =
            |name: &str| matches!(state_of(&facts, name), Some(FactState::Absent | FactState::AbsentBelow));
        missing.iter().filter(|name| !is_absent(name)).cloned().collect()
    }

    fn facts(&self, facts: &KeyFacts, names: Option<&[&str]>) -> Vec<Fact> {
        let caller =
            Caller { side: self.side, account: self.principal.account(), principal: Some(self.principal) };
        [facts.all_facts(caller, self.key, names), self.derived()].concat()
    }

    /// The facts that follow from the ARNs of the principal and the key. A role has no user name.
    fn derived(&self) -> Vec<Fact> {
        let principal_type = match self.principal.principal_type() {
            PrincipalType::Role => "AssumedRole",
            PrincipalType::User => "User",
        };
        let location = self.key.location();
        vec![
            Fact::value("aws:PrincipalArn", self.principal.as_str()),
            Fact::value("aws:PrincipalAccount", self.principal.account()),
            Fact::value("aws:PrincipalType", principal_type),
            Fact::value("kms:CallerAccount", self.principal.account()),
            Fact::value("aws:ResourceAccount", &location.account),
            Fact::value("aws:RequestedRegion", &location.region),
            self.user_name(),
        ]
    }

    /// The simulator knows a user's name by itself, but may list it as missing all the same. AWS does not say whether
    /// it uses it for service control policies.
    fn user_name(&self) -> Fact {
        match self.principal.principal_type() {
            PrincipalType::Role => Fact::new("aws:username", FactState::Absent),
            PrincipalType::User => Fact::value("aws:username", self.principal.name()),
        }
    }
}

/// Whether the names in the encryption context give condition keys that a simulation missed.
#[must_use]
pub fn asks_for_encryption_context(missing: &[String]) -> bool {
    let asks = |name: &str| missing.iter().any(|missing| missing.eq_ignore_ascii_case(name));
    asks(facts::CONTEXT_KEYS) || asks(facts::CHALLENGE)
}

/// The facts that have values. Of several facts about one condition key the last counts.
pub(super) fn entries(facts: &[Fact]) -> Vec<ContextEntry> {
    let mut entries: Vec<ContextEntry> = Vec::new();
    for fact in facts {
        let is_there = entries.iter().any(|entry| entry.key.eq_ignore_ascii_case(&fact.name));
        if !is_there && let Some(FactState::Values(values)) = state_of(facts, &fact.name) {
            let by_nature = is_multivalued(&fact.name.to_ascii_lowercase());
            entries.push(ContextEntry {
                key: fact.name.clone(),
                values: values.clone(),
                is_multivalued: by_nature || values.len() > 1,
            });
        }
    }
    entries
}

#[cfg(test)]
#[path = "simulator/tests.rs"]
mod tests;
