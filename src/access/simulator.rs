//! What IAM's simulator is told of a session's call. It knows no condition key that it is not told, and does not
//! list those that service control policies miss, so that whatever is certain is told from the first.

use super::call::Side;
use super::context::{Caller, KeyFacts};
use super::facts::{self, Fact, FactState, state_of};
use super::principal::{PrincipalArn, PrincipalType};
use crate::key::KeyArn;
use kms_key_policy::is_multivalued;

/// A condition key with its values, for a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextEntry {
    /// The key's name.
    pub key: String,
    /// Its values; more than one only for a multivalued key.
    pub values: Vec<String>,
    /// Whether the key is multivalued.
    pub multivalued: bool,
}

/// The call of a session that is simulated.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedCall<'a> {
    /// Who calls.
    pub principal: &'a PrincipalArn,
    /// As what.
    pub side: Side,
    /// Which key.
    pub key: &'a KeyArn,
}

impl SimulatedCall<'_> {
    /// What is certain of the call before anything of the account is read.
    #[must_use]
    pub fn certain_entries(&self, facts: &KeyFacts) -> Vec<ContextEntry> {
        entries(&[facts.certain(self.side), self.derived()].concat())
    }

    /// All that is known of the call; with these names in its encryption context, where it matters.
    #[must_use]
    pub fn context_entries(&self, facts: &KeyFacts, names: Option<&[&str]>) -> Vec<ContextEntry> {
        entries(&self.facts(facts, names))
    }

    /// Of the condition keys that a simulation missed those that are not certain to be absent: the simulator takes
    /// for absent what it is not told.
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
        [facts.of(caller, self.key, names), self.derived(), vec![self.user_name()]].concat()
    }

    /// What follows from the principal and from the key.
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
        ]
    }

    /// The simulator knows a user's name by itself, but where it says that it misses it.
    fn user_name(&self) -> Fact {
        match self.principal.principal_type() {
            PrincipalType::Role => Fact::new("aws:username", FactState::Absent),
            PrincipalType::User => Fact::value("aws:username", self.principal.name()),
        }
    }
}

/// Whether what a simulation missed is told by the names in the encryption context.
#[must_use]
pub fn asks_for_encryption_context(missing: &[String]) -> bool {
    let asks = |name: &str| missing.iter().any(|missing| missing.eq_ignore_ascii_case(name));
    asks(facts::CONTEXT_KEYS) || asks(facts::CHALLENGE)
}

/// The facts with values; of several about one key the last that counts.
fn entries(facts: &[Fact]) -> Vec<ContextEntry> {
    let mut entries: Vec<ContextEntry> = Vec::new();
    for fact in facts {
        let told = entries.iter().any(|entry| entry.key.eq_ignore_ascii_case(&fact.name));
        if !told && let Some(FactState::Values(values)) = state_of(facts, &fact.name) {
            let by_nature = is_multivalued(&fact.name.to_ascii_lowercase());
            entries.push(ContextEntry {
                key: fact.name.clone(),
                values: values.clone(),
                multivalued: by_nature || values.len() > 1,
            });
        }
    }
    entries
}

#[cfg(test)]
#[path = "simulator/tests.rs"]
mod tests;
