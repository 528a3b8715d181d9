//! The condition context of the calls on one key: what every call of a session has, what was read of the key and of
//! the principals, and what the owner states.

use std::collections::BTreeMap;

use super::call::CallerKind;
use super::facts::{
    Fact, FactState, call_facts, encryption_context_facts, encryption_context_values, encryption_contexts,
    is_of_newer_clients,
};
use super::known_context::KnownContext;
use super::principal::PrincipalArn;
use crate::key::{KeyArn, KeyDescription, MultiRegion};
use kms_key_policy::{Context, OtherKeys};

/// The facts that conditions may ask for in calls on one key, as far as somebody read or stated them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    spec: Option<String>,
    usage: Option<String>,
    origin: Option<String>,
    multi_region: Option<MultiRegion>,
    /// The condition keys that the owner states.
    pub known: KnownContext,
    /// The organization of one account. Those of other accounts are unknown.
    pub organization: Option<Organization>,
    /// All tags of the key; `None` if they are unknown.
    pub resource_tags: Option<Tags>,
    /// The names of all aliases of the key, each with its `alias/`; `None` if they are unknown.
    pub aliases: Option<Vec<String>>,
    /// All tags that the calls of these principals have. Other principals' tags are unknown.
    pub principal_tags: BTreeMap<(PrincipalArn, CallerKind), Tags>,
}

/// The organization that an account is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The account, twelve digits.
    pub account: String,
    /// The organization's id; `None` if the account is in no organization.
    pub id: Option<String>,
}

/// All tags of a key or of a principal: names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub Vec<(String, String)>);

/// Who makes a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) side: CallerKind,
    /// The caller's account, twelve digits.
    pub(super) account: &'a str,
    /// `None` for a principal of the account that no policy names.
    pub(super) principal: Option<&'a PrincipalArn>,
}

impl KeyFacts {
    /// The same facts with other condition keys that the owner states.
    #[must_use]
    pub fn with_known_context(self, known: &KnownContext) -> Self {
        Self { known: known.clone(), ..self }
    }

    /// The facts about a caller's call on a key. Of several facts about one condition key the last counts. Without
    /// `names`, the names in the encryption context, no fact is about that context.
    pub(super) fn all_facts(&self, caller: Caller<'_>, key: &KeyArn, names: Option<&[&str]>) -> Vec<Fact> {
        let mut facts = self.facts_of_all_callers(caller.side, key, names);
        facts.extend(self.facts_of_caller(caller));
        facts
    }

    /// The facts about a side's calls, whoever makes them.
    fn facts_of_all_callers(&self, side: CallerKind, key: &KeyArn, names: Option<&[&str]>) -> Vec<Fact> {
        let mut facts: Vec<Fact> = names.into_iter().flat_map(encryption_context_values).collect();
        facts.extend(self.facts_of_key(key));
        facts.extend(self.known.iter().map(Fact::from));
        // These come after the owner's statements, because no statement changes them.
        facts.extend(self.certain_facts(side));
        facts.extend(names.map(encryption_context_facts).into_iter().flatten());
        facts
    }

    /// The facts that were read of a caller. The owner's statements about the same condition keys win.
    fn facts_of_caller(&self, Caller { side, account, principal }: Caller<'_>) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(Organization { account: member, id }) = &self.organization
            && account == member
        {
            facts.extend(organization_facts("Principal", id.as_deref()));
        }
        if !self.principal_tags.is_empty()
            && let Some(principal) = principal
            && let Some(tags) = self.principal_tags.get(&(principal.clone(), side))
        {
            facts.extend(tags.tag_facts("aws:PrincipalTag/"));
        }
        facts.retain(|fact| self.known.get(&fact.name).is_none());
        facts
    }

    /// The facts that the key's description and the side give.
    pub(super) fn certain_facts(&self, side: CallerKind) -> Vec<Fact> {
        let mut facts = call_facts(side);
        for (name, value) in [
            ("kms:KeySpec", &self.spec),
            ("kms:KeyUsage", &self.usage),
            // KMS still accepts these old names.
            ("kms:CustomerMasterKeySpec", &self.spec),
            ("kms:CustomerMasterKeyUsage", &self.usage),
            ("kms:KeyOrigin", &self.origin),
        ] {
            facts.extend(value.as_ref().map(|value| Fact::value(name, value)));
        }
        if let Some(multi_region) = self.multi_region {
            let is_multi_region = multi_region != MultiRegion::SingleRegion;
            facts.push(Fact::value("kms:MultiRegion", is_multi_region.to_string()));
            facts.extend(match multi_region {
                // AWS does not say whether the calls on such a key have it.
                MultiRegion::SingleRegion => None,
                MultiRegion::Primary => Some(Fact::value("kms:MultiRegionKeyType", "PRIMARY")),
                MultiRegion::Replica => Some(Fact::value("kms:MultiRegionKeyType", "REPLICA")),
            });
        }
        facts
    }

    /// The facts that were read of the key.
    fn facts_of_key(&self, key: &KeyArn) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(Organization { account, id }) = &self.organization
            && key.location().account == *account
        {
            facts.extend(organization_facts("Resource", id.as_deref()));
        }
        if let Some(tags) = &self.resource_tags {
            facts.extend(tags.tag_facts("aws:ResourceTag/"));
        }
        facts.extend(self.aliases.as_ref().map(|aliases| {
            let state =
                if aliases.is_empty() { FactState::Absent } else { FactState::Values(aliases.clone()) };
            Fact::new("kms:ResourceAliases", state)
        }));
        facts
    }
}

/// The organization of a principal or of a resource. Outside every organization there is no path either.
fn organization_facts(whose: &str, id: Option<&str>) -> Vec<Fact> {
    match id {
        Some(id) => vec![Fact::value(format!("aws:{whose}OrgID"), id)],
        None => ["OrgID", "OrgPaths"]
            .map(|name| Fact::new(format!("aws:{whose}{name}"), FactState::Absent))
            .into(),
    }
}

impl Tags {
    /// The condition keys of the tags: their names begin with `prefix`, and no others do. If the names of two tags
    /// differ in case only, it is unknown which value counts.
    fn tag_facts(&self, prefix: &str) -> Vec<Fact> {
        let mut facts = vec![Fact::new(prefix, FactState::AbsentBelow)];
        for (name, value) in &self.0 {
            let twins =
                self.0.iter().filter(|(other, _)| other.to_lowercase() == name.to_lowercase()).count();
            let state = if twins > 1 { FactState::Present } else { FactState::Values(vec![value.clone()]) };
            facts.push(Fact::new(format!("{prefix}{name}"), state));
        }
        facts
    }
}

impl From<&KeyDescription> for KeyFacts {
    fn from(key: &KeyDescription) -> Self {
        // AWS's answer did not have an empty one.
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            spec: known(&key.spec),
            usage: known(&key.usage),
            origin: key.origin.clone(),
            multi_region: Some(key.multi_region),
            ..Self::default()
        }
    }
}

/// The contexts that calls on a key can have, without the facts about the callers. They are built once for all
/// callers.
#[derive(Debug)]
pub(super) struct SessionContexts {
    users: Vec<SessionContext>,
    nodes: Vec<SessionContext>,
}

/// One context that calls can have.
#[derive(Debug)]
pub(super) struct SessionContext {
    context: Context,
    /// Whether only newer clients make calls with this context.
    pub(super) is_of_newer_clients: bool,
}

impl SessionContexts {
    pub(super) fn new(key: &KeyArn, facts: &KeyFacts) -> Self {
        let contexts = |side| {
            let context = |names: &&[&str]| SessionContext {
                context: with(
                    Context::new(OtherKeys::Unknown),
                    facts.facts_of_all_callers(side, key, Some(names)),
                ),
                is_of_newer_clients: is_of_newer_clients(names),
            };
            encryption_contexts(&facts.known).iter().map(context).collect()
        };
        Self { users: contexts(CallerKind::User), nodes: contexts(CallerKind::Node) }
    }

    /// The contexts of a side. The call must be allowed in each.
    pub(super) fn for_side(&self, side: CallerKind) -> &[SessionContext] {
        match side {
            CallerKind::User => &self.users,
            CallerKind::Node => &self.nodes,
        }
    }
}

impl SessionContext {
    /// The context of this caller's call.
    pub(super) fn for_caller(&self, caller: Caller<'_>, facts: &KeyFacts) -> Context {
        with(self.context.clone(), facts.facts_of_caller(caller))
    }
}

fn with(context: Context, facts: Vec<Fact>) -> Context {
    facts.into_iter().fold(context, |context, Fact { name, state }| match state {
        FactState::Values(values) => context.values(&name, values),
        FactState::Present => context.present(&name),
        FactState::Absent => context.absent(&name),
        FactState::AbsentBelow => context.absent_below(&name),
    })
}

#[cfg(test)]
#[path = "context/tests.rs"]
mod tests;
