//! Seen from the key: whom its policy and its grants name, and what they say about callers of whom only the account is
//! known, or nothing at all.
//!
//! [`key_rules`] lists the statements and grants about an action. [`group_side`] decides for a [`CallerGroup`] as
//! [`crate::key_side`] does for one caller. Whatever differs between the members of the group is unknown.
//!
//! INVARIANT: if [`crate::key_side`] does not refuse a member of the group whom no statement and no grant names, then
//! [`group_side`] does not refuse the group.

use std::fmt;

use crate::answer::{Decider, Decision, Dependency, OpenQuestion};
use crate::applicability::Applicability;
use crate::arn::{AccountId, KeyArn};
use crate::context::{Context, EntryState, OtherKeys, RequestView};
use crate::grant::{Grant, Grants};
use crate::pattern::Pattern;
use crate::policy::{Effect, Element, Policy, PolicyKind, Pools, Statement};
use crate::principal::{Principal, PrincipalMatcher};
use crate::request::{Action, Request};

/// Somebody whom a statement or a grant names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedCaller {
    /// `*`.
    Everyone,
    /// An account of the key's partition, by its digits or by the ARN of its root user.
    Account(AccountId),
    /// The ARN of a user, a role, a session of a role or a federated user, or of the root user of another partition.
    Principal(String),
    /// A service, by its name.
    Service(String),
}

/// What a statement does. A grant always allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleEffect {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

/// A statement of the key policy, or a grant, that is about an action on the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRule<'p> {
    /// Which one it is.
    pub decider: Decider<'p>,
    /// What it does.
    pub effect: RuleEffect,
    /// Whom it names. Principals that no caller matches are left out.
    pub callers: Vec<NamedCaller>,
    /// Whether it is about everyone but these, which NotPrincipal says.
    pub is_negated: bool,
    /// Whether it applies to those whom it is about: allowed stands for always, and denied for never.
    pub applies: Decision,
    /// What that depends on.
    pub depends_on: Vec<Dependency>,
}

/// Callers of whom only this is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerGroup {
    /// The principals of an account of the key's partition.
    Account(AccountId),
    /// The principals of all accounts.
    Everyone,
}

/// A call of a group: what [`Request`] is for one caller.
#[derive(Debug, Clone)]
pub struct GroupRequest {
    group: CallerGroup,
    request: Request,
}

/// What the key's side says about a group of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSide<'p> {
    /// Whether it admits them, provided that their own policies allow the call: all of them, none of them, or it
    /// depends. Statements that deny some of them by name do not count.
    pub decision: Decision,
    /// Whether a Deny decided.
    pub explicit: bool,
    /// The statements and grants that decide, or that may decide.
    pub by: Vec<Decider<'p>>,
    /// What it depends on, each once.
    pub depends_on: Vec<Dependency>,
}

impl GroupRequest {
    /// Puts the request of a group together. What the context does not name is unknown, and so are the condition keys
    /// that tell the members of the group apart, whatever the context says of these.
    ///
    /// # Errors
    /// The partition of the key is malformed.
    pub fn new(
        group: CallerGroup,
        action: Action,
        key: KeyArn,
        mut context: Context,
    ) -> Result<Self, crate::RequestError> {
        let account = match group {
            CallerGroup::Account(account) => account,
            CallerGroup::Everyone => key.account(),
        };
        let root = Principal::parse(&format!("arn:{}:iam::{account}:root", key.partition()))?;
        context.others = OtherKeys::Unknown;
        let mut request = Request::new(root, action, key, context);
        let entries = &mut request.context.entries;
        entries.retain(|entry| entry.lower != "aws:username");
        for entry in entries.iter_mut() {
            let of_principal = matches!(&*entry.lower, "aws:principalarn" | "aws:principaltype");
            let of_account = matches!(&*entry.lower, "aws:principalaccount" | "kms:calleraccount");
            if of_principal || (of_account && group == CallerGroup::Everyone) {
                entry.state = EntryState::Present;
            }
        }
        Ok(Self { group, request })
    }
}

/// The statements of the key policy and the grants that are about the request's action on the request's key, in their
/// order.
#[must_use]
pub fn key_rules<'p>(request: &GroupRequest, policy: &'p Policy, grants: &'p Grants) -> Vec<KeyRule<'p>> {
    let view = RequestView::new(&request.request);
    let key = &request.request.key;
    let mut rules = Vec::new();
    for (index, statement) in policy.statements.iter().enumerate() {
        let pools = &policy.pools;
        let Some(applies) = statement.applies_to_members(pools, &view) else { continue };
        rules.push(KeyRule {
            decider: statement_decider(policy, index),
            effect: statement.effect.into(),
            callers: statement
                .principal
                .map_or(Vec::new(), |p| named(p.entries.of(&pools.principals), pools, key)),
            is_negated: statement.principal.is_some_and(|p| p.negated),
            applies: decision(applies),
            depends_on: statement.open_keys(applies, pools, &view),
        });
    }
    for (index, grant) in grants.list.iter().enumerate() {
        let Some(applies) = grant.concerns(&view) else { continue };
        let grantees = grant.grantees();
        rules.push(KeyRule {
            decider: grant_decider(grant, index),
            effect: RuleEffect::Allow,
            callers: if grantees.is_empty() {
                vec![NamedCaller::Everyone]
            } else {
                named(grantees, &grants.pools, key)
            },
            is_negated: false,
            applies: decision(applies),
            depends_on: open_grant(grant, index, applies),
        });
    }
    rules
}

/// Decides what the key policy and the grants say about the callers of a group.
///
/// ```
/// use kms_key_policy::{
///     AccountId, Action, CallerGroup, Context, Decision, Grants, GroupRequest, KeyArn, Policy, PolicyKind, group_side,
/// };
///
/// let key_policy = Policy::parse(
///     PolicyKind::Key,
///     r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}}"#,
/// )?;
/// let grants = Grants::none();
/// let decision = |group| {
///     let key = KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")?;
///     let request = GroupRequest::new(group, Action::parse("kms:Decrypt")?, key, Context::default())?;
///     Ok::<_, kms_key_policy::RequestError>(group_side(&request, &key_policy, &grants).decision)
/// };
/// let account = AccountId::parse("111122223333").ok_or("twelve digits")?;
/// assert_eq!(decision(CallerGroup::Account(account))?, Decision::Allowed);
/// assert_eq!(decision(CallerGroup::Everyone)?, Decision::Denied);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn group_side<'p>(request: &GroupRequest, policy: &'p Policy, grants: &'p Grants) -> GroupSide<'p> {
    let view = RequestView::new(&request.request);
    let (key, pools) = (&request.request.key, &policy.pools);
    let mut found = Vec::new();
    for (index, statement) in policy.statements.iter().enumerate() {
        let Some(applies) = statement.applies_to_members(pools, &view) else { continue };
        let covers = statement.covers_group(request.group, key, pools);
        let both = applies.and(covers);
        if both == Applicability::DoesNotApply {
            continue;
        }
        let mut depends_on = statement.open_keys(applies, pools, &view);
        if covers == Applicability::Unknown {
            depends_on.push(Dependency::Open(match statement.effect {
                Effect::Allow => OpenQuestion::AllowNotPrincipal,
                Effect::Deny => OpenQuestion::PartialNotPrincipal,
            }));
        }
        found.push((statement.effect, both, statement_decider(policy, index), depends_on));
    }
    for (index, grant) in grants.list.iter().enumerate() {
        let Some(applies) = grant.concerns(&view) else { continue };
        let grantees = grant.grantees();
        let is_for_group =
            |matcher: &PrincipalMatcher| matcher.is_for(request.group, key, &grants.pools.text);
        if !grantees.is_empty() && !grantees.iter().any(is_for_group) {
            continue;
        }
        // No source says whether a grant to an account covers the principals in it.
        let applies = applies.and(Applicability::Unknown);
        if applies != Applicability::DoesNotApply {
            let mut depends_on = open_grant(grant, index, applies);
            if depends_on.is_empty() {
                depends_on.push(Dependency::Open(OpenQuestion::GrantToAccount));
            }
            found.push((Effect::Allow, applies, grant_decider(grant, index), depends_on));
        }
    }
    let of = |effect| {
        Applicability::any(found.iter().filter(move |(e, ..)| *e == effect).map(|(_, applies, ..)| *applies))
    };
    let (allow, deny) = (of(Effect::Allow), of(Effect::Deny));
    let decision = decision(allow.and(deny.not()));
    let explicit = deny == Applicability::Applies;
    let counts = |effect: Effect, applies: Applicability| match decision {
        Decision::Allowed => effect == Effect::Allow && applies == Applicability::Applies,
        Decision::Denied => explicit && effect == Effect::Deny && applies == Applicability::Applies,
        Decision::Depends => true,
    };
    let mut side = GroupSide { decision, explicit, by: Vec::new(), depends_on: Vec::new() };
    for (effect, applies, decider, depends_on) in found {
        if !counts(effect, applies) {
            continue;
        }
        side.by.push(decider);
        if decision == Decision::Depends {
            let new: Vec<_> = depends_on.into_iter().filter(|on| !side.depends_on.contains(on)).collect();
            side.depends_on.extend(new);
        }
    }
    side
}

impl Statement {
    /// Whether the statement applies to those whom it is about; `None` if it is not about the action or the key.
    fn applies_to_members(&self, pools: &Pools, view: &RequestView<'_>) -> Option<Applicability> {
        if !self.action.covers_action(view, pools) {
            return None;
        }
        let resource = self.resource?.covers_key(view, pools);
        if resource == Applicability::DoesNotApply {
            return None;
        }
        let conditions = self.conditions.of(&pools.conditions);
        let conditions = conditions.iter().map(|condition| condition.holds(self.effect, pools, view));
        Some(resource.and(Applicability::all(conditions)))
    }

    /// Whether the statement is about all of the group. A statement that names some of it is about none of the others.
    fn covers_group(&self, group: CallerGroup, key: &KeyArn, pools: &Pools) -> Applicability {
        let Some(principal) = self.principal else { return Applicability::Applies };
        let listed = principal.entries.of(&pools.principals);
        let is_for = |matcher: &PrincipalMatcher| matcher.is_for(group, key, &pools.text);
        if !principal.negated {
            return listed.iter().any(is_for).into();
        }
        if listed.iter().any(|matcher| matches!(matcher, PrincipalMatcher::Everyone)) {
            return Applicability::DoesNotApply;
        }
        match self.effect {
            // AWS does not support Allow with NotPrincipal, and does not say what it does.
            Effect::Allow => Applicability::Unknown,
            Effect::Deny if listed.iter().any(is_for) => Applicability::Unknown,
            Effect::Deny => Applicability::Applies,
        }
    }

    /// What an applicability that is unknown depends on.
    fn open_keys(&self, applies: Applicability, pools: &Pools, view: &RequestView<'_>) -> Vec<Dependency> {
        let mut open = Vec::new();
        if applies != Applicability::Unknown {
            return open;
        }
        if self.resource.is_some_and(|resource| resource.is_undocumented(pools)) {
            open.push(Dependency::Open(OpenQuestion::IncompleteArn(PolicyKind::Key)));
        }
        for condition in self.conditions.of(&pools.conditions) {
            if condition.holds(self.effect, pools, view) == Applicability::Unknown
                && let Some(key) = pools.keys.get(condition.key as usize)
            {
                let on = Dependency::Key(key.written.of(&pools.text).to_owned());
                if !open.contains(&on) {
                    open.push(on);
                }
            }
        }
        open
    }
}

impl Element<Pattern> {
    fn is_undocumented(&self, pools: &Pools) -> bool {
        self.entries.of(&pools.patterns).iter().any(|pattern| matches!(pattern, Pattern::UndocumentedArn(_)))
    }
}

impl PrincipalMatcher {
    /// Whether it covers every member of the group.
    fn is_for(self, group: CallerGroup, key: &KeyArn, texts: &str) -> bool {
        match (self, group) {
            (Self::Everyone, _) => true,
            (Self::Account { partition, account }, CallerGroup::Account(id)) => {
                account == id && partition.is_none_or(|partition| partition.of(texts) == key.partition())
            }
            _ => false,
        }
    }
}

/// Those of the principals that somebody can be.
fn named(list: &[PrincipalMatcher], pools: &Pools, key: &KeyArn) -> Vec<NamedCaller> {
    let text = |range: crate::policy::TextRange| range.of(&pools.text).to_owned();
    let named = list.iter().filter_map(|matcher| match *matcher {
        PrincipalMatcher::Everyone => Some(NamedCaller::Everyone),
        PrincipalMatcher::Account { partition, account } => {
            let partition = partition.map_or(key.partition(), |partition| partition.of(&pools.text));
            Some(if partition == key.partition() {
                NamedCaller::Account(account)
            } else {
                NamedCaller::Principal(format!("arn:{partition}:iam::{account}:root"))
            })
        }
        PrincipalMatcher::User { arn }
        | PrincipalMatcher::Session { arn, .. }
        | PrincipalMatcher::Role { arn, .. } => Some(NamedCaller::Principal(text(arn))),
        PrincipalMatcher::Service { name } => Some(NamedCaller::Service(text(name))),
        PrincipalMatcher::Nobody => None,
    });
    named.collect()
}

fn open_grant(grant: &Grant, index: usize, applies: Applicability) -> Vec<Dependency> {
    let name = || grant.id.clone().unwrap_or_else(|| index.to_string());
    match (applies, grant.undocumented) {
        (Applicability::Unknown, Some(why)) => {
            vec![Dependency::Open(OpenQuestion::UndocumentedGrant(name(), why))]
        }
        (Applicability::Unknown, None) if grant.has_constraints() => {
            vec![Dependency::Open(OpenQuestion::GrantConstraint(format!("of grant {}", name())))]
        }
        _ => Vec::new(),
    }
}

fn statement_decider(policy: &Policy, index: usize) -> Decider<'_> {
    Decider::Statement { layer: PolicyKind::Key, level: 0, policy: 0, index, sid: policy.sid(index) }
}

fn grant_decider(grant: &Grant, index: usize) -> Decider<'_> {
    Decider::Grant { index, id: grant.id.as_deref() }
}

const fn decision(applies: Applicability) -> Decision {
    match applies {
        Applicability::Applies => Decision::Allowed,
        Applicability::DoesNotApply => Decision::Denied,
        Applicability::Unknown => Decision::Depends,
    }
}

impl From<Effect> for RuleEffect {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Allow => Self::Allow,
            Effect::Deny => Self::Deny,
        }
    }
}

impl fmt::Display for NamedCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Account(account) => write!(f, "account {account}"),
            Self::Principal(arn) => f.write_str(arn),
            Self::Service(name) => write!(f, "service {name}"),
        }
    }
}
