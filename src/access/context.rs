//! What is known of the calls on one key: what every session's call has, what the key and the principals tell, and
//! what the owner says.

use std::collections::BTreeMap;

use super::call::Side;
use super::facts::{
    Fact, State, encryption_contexts, is_of_newer_clients, of_call, of_encryption_context, present_in,
};
use super::known::{KnownKeys, KnownState};
use super::principal::PrincipalArn;
use crate::key::{KeyArn, KeyDescription, MultiRegion};
use kms_key_policy::{Context, OtherKeys};

/// What conditions may ask of the calls on a key, as far as it was read or said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    spec: Option<String>,
    usage: Option<String>,
    origin: Option<String>,
    multi_region: Option<bool>,
    /// What the owner says.
    pub known: KnownKeys,
    /// The organization of one account; of other accounts it is not known.
    pub organization: Option<Organization>,
    /// All tags of the key.
    pub resource_tags: Option<Tags>,
    /// The names of all aliases of the key, each with its `alias/`.
    pub aliases: Option<Vec<String>>,
    /// All tags that calls of these principals have.
    pub principal_tags: BTreeMap<(PrincipalArn, Side), Tags>,
}

/// The organization that an account is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The account, twelve digits.
    pub account: String,
    /// The organization's id; `None` where the account is in none.
    pub id: Option<String>,
}

/// Tags: all that there are, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub Vec<(String, String)>);

/// Whose call it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) side: Side,
    /// Its account, twelve digits.
    pub(super) account: &'a str,
    /// Who; `None` for somebody of the account who is not named.
    pub(super) principal: Option<&'a PrincipalArn>,
}

impl KeyFacts {
    /// With further condition keys that are known to hold in every call.
    #[must_use]
    pub fn knowing(self, known: &KnownKeys) -> Self {
        Self { known: known.clone(), ..self }
    }

    /// What is known of a caller's call on a key: what the last says of a condition key counts. Without the names in
    /// the encryption context nothing is said of it.
    pub(super) fn of(&self, caller: Caller<'_>, key: &KeyArn, names: Option<&[&str]>) -> Vec<Fact> {
        let mut facts = self.of_every_caller(caller.side, key, names);
        facts.extend(self.of_caller(caller));
        facts
    }

    /// What is known of a side's calls, whoever makes them.
    fn of_every_caller(&self, side: Side, key: &KeyArn, names: Option<&[&str]>) -> Vec<Fact> {
        let mut facts: Vec<Fact> = names.into_iter().flat_map(present_in).collect();
        facts.extend(self.of_key(key));
        facts.extend(self.known.iter().map(|known| match known.state() {
            KnownState::Values(values) => Fact::new(known.name(), State::Values(values.clone())),
            KnownState::Absent => Fact::new(known.name(), State::Absent),
        }));
        // What every call of a session has, or has not, is so whatever else is said to be known.
        facts.extend(self.certain(side));
        facts.extend(names.map(of_encryption_context).into_iter().flatten());
        facts
    }

    /// What was read of a caller. Where Context says something of a key, that counts.
    fn of_caller(&self, Caller { side, account, principal }: Caller<'_>) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(Organization { account: member, id }) = &self.organization
            && account == member
        {
            facts.extend(in_organization("Principal", id.as_deref()));
        }
        if !self.principal_tags.is_empty()
            && let Some(principal) = principal
            && let Some(tags) = self.principal_tags.get(&(principal.clone(), side))
        {
            facts.extend(tags.below("aws:PrincipalTag/"));
        }
        facts.retain(|fact| self.known.get(&fact.name).is_none());
        facts
    }

    /// What needs no read but the key's description.
    pub(super) fn certain(&self, side: Side) -> Vec<Fact> {
        let mut facts = of_call(side);
        for (name, value) in [
            ("kms:KeySpec", &self.spec),
            ("kms:KeyUsage", &self.usage),
            // Their old names, which KMS still takes.
            ("kms:CustomerMasterKeySpec", &self.spec),
            ("kms:CustomerMasterKeyUsage", &self.usage),
            ("kms:KeyOrigin", &self.origin),
        ] {
            facts.extend(value.as_ref().map(|value| Fact::value(name, value)));
        }
        facts.extend(self.multi_region.map(|multi| Fact::value("kms:MultiRegion", multi.to_string())));
        facts
    }

    /// What was read of the key.
    fn of_key(&self, key: &KeyArn) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(Organization { account, id }) = &self.organization
            && key.location().account == *account
        {
            facts.extend(in_organization("Resource", id.as_deref()));
        }
        if let Some(tags) = &self.resource_tags {
            facts.extend(tags.below("aws:ResourceTag/"));
        }
        facts.extend(self.aliases.as_ref().map(|aliases| {
            let state = if aliases.is_empty() { State::Absent } else { State::Values(aliases.clone()) };
            Fact::new("kms:ResourceAliases", state)
        }));
        facts
    }
}

/// The organization of a principal or of a resource. Who is in none has no path in one either.
fn in_organization(whose: &str, id: Option<&str>) -> Vec<Fact> {
    match id {
        Some(id) => vec![Fact::value(format!("aws:{whose}OrgID"), id)],
        None => {
            ["OrgID", "OrgPaths"].map(|name| Fact::new(format!("aws:{whose}{name}"), State::Absent)).into()
        }
    }
}

impl Tags {
    /// The condition keys of the tags, whose names begin with `prefix`; there are no others. Which value counts of
    /// tags whose names differ by case alone is not known.
    fn below(&self, prefix: &str) -> Vec<Fact> {
        let mut facts = vec![Fact::new(prefix, State::AbsentBelow)];
        for (name, value) in &self.0 {
            let twins =
                self.0.iter().filter(|(other, _)| other.to_lowercase() == name.to_lowercase()).count();
            let state = if twins > 1 { State::Present } else { State::Values(vec![value.clone()]) };
            facts.push(Fact::new(format!("{prefix}{name}"), state));
        }
        facts
    }
}

impl From<&KeyDescription> for KeyFacts {
    fn from(key: &KeyDescription) -> Self {
        // Empty where nobody said.
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            spec: known(&key.spec),
            usage: known(&key.usage),
            origin: known(&key.origin),
            multi_region: Some(key.multi_region != MultiRegion::No),
            ..Self::default()
        }
    }
}

/// The contexts that calls on a key can have, but for what is known of the callers: built once for all of them.
#[derive(Debug)]
pub(super) struct SessionContexts {
    users: Vec<SessionContext>,
    nodes: Vec<SessionContext>,
}

/// A context that calls can have.
#[derive(Debug)]
pub(super) struct SessionContext {
    context: Context,
    /// Whether newer clients alone make such calls.
    pub(super) is_of_newer_clients: bool,
}

impl SessionContexts {
    pub(super) fn new(key: &KeyArn, facts: &KeyFacts) -> Self {
        let contexts = |side| {
            let context = |names: &&[&str]| SessionContext {
                context: with(
                    Context::new(OtherKeys::Unknown),
                    facts.of_every_caller(side, key, Some(names)),
                ),
                is_of_newer_clients: is_of_newer_clients(names),
            };
            encryption_contexts(&facts.known).iter().map(context).collect()
        };
        Self { users: contexts(Side::User), nodes: contexts(Side::Node) }
    }

    /// Those of a side, each of which must be allowed.
    pub(super) fn of(&self, side: Side) -> &[SessionContext] {
        match side {
            Side::User => &self.users,
            Side::Node => &self.nodes,
        }
    }
}

impl SessionContext {
    /// The same, of this caller's call.
    pub(super) fn of_caller(&self, caller: Caller<'_>, facts: &KeyFacts) -> Context {
        with(self.context.clone(), facts.of_caller(caller))
    }
}

fn with(context: Context, facts: Vec<Fact>) -> Context {
    facts.into_iter().fold(context, |context, Fact { name, state }| match state {
        State::Values(values) => context.values(&name, values),
        State::Present => context.present(&name),
        State::Absent => context.absent(&name),
        State::AbsentBelow => context.absent_below(&name),
    })
}

#[cfg(test)]
#[path = "context/tests.rs"]
mod tests;
