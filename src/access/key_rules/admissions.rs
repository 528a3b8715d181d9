//! Seen from the key: everybody whom its policy and its grants name, and what they say about each of them.

use std::collections::BTreeSet;
use std::fmt;

use super::{DecidingRule, KeyRules, KeyRulesError, KeyVerdict, OwnLayers, depends_on_text};
use crate::access::call::CallerKind;
use crate::access::context::Caller;
use crate::access::principal::PrincipalArn;
use crate::arn::Arn;
use kms_key_policy::{
    self, AccountId, Action, CallerGroup, Decision, Dependency, GroupRequest, GroupSide, KeyRule,
    NamedCaller, RuleEffect, group_side, key_rules,
};

/// Somebody whom a key's policy or one of its grants names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyCaller {
    /// Everybody, which conditions may narrow: to an organization, for example.
    Everyone,
    /// An account, twelve digits: the principals whom the account's own policies allow the call.
    Account(String),
    /// The ARN of a role, of one of its sessions, or of a user.
    Principal(String),
}

/// What a key's side says about somebody whom it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAdmission {
    /// Who.
    pub caller: KeyCaller,
    /// What it says about a user's call.
    pub user: KeyVerdict,
    /// What it says about a node's call.
    pub node: KeyVerdict,
}

/// A statement of the key policy, or a grant, that is about a call of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRule {
    /// Which one it is.
    pub rule: DecidingRule,
    /// Whether it denies.
    pub denies: bool,
    /// Whom it is about.
    pub callers: Vec<KeyCaller>,
    /// Whether it is about everybody but these.
    pub is_all_but: bool,
    /// When it applies to a user's call; `None` if it is not about that call.
    pub user: Option<RuleApplies>,
    /// When it applies to a node's call; `None` if it is not about that call.
    pub node: Option<RuleApplies>,
}

/// When a statement or a grant applies to a session's call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleApplies {
    /// Always.
    Always,
    /// It depends on these, one text each.
    Depends(Vec<String>),
    /// Never: no session's call meets its conditions.
    Never,
}

impl KeyRules {
    /// What the key's side says about everybody whom the policy and the grants name, each once, and about everybody. Whom
    /// a Deny names is listed too. Services are not: they start no sessions.
    ///
    /// INVARIANT: whoever is not refused by [`KeyRules::evaluate`] is listed here, by name or else by account or else as
    /// one of everybody, with a verdict that does not refuse.
    ///
    /// # Errors
    /// The evaluator refuses a name as malformed.
    pub fn admissions(&self) -> Result<Vec<KeyAdmission>, KeyRulesError> {
        let mut callers = BTreeSet::from([KeyCaller::Everyone]);
        callers.extend(self.session_rules()?.into_iter().flat_map(|rule| rule.callers));
        let admission = |caller: KeyCaller| {
            let [user, node] =
                [CallerKind::User, CallerKind::Node].map(|side| self.evaluate_caller(&caller, side));
            Ok(KeyAdmission { user: user?, node: node?, caller })
        };
        callers.into_iter().map(admission).collect()
    }

    /// What the key's side says about somebody, whatever the own policies are. Of an account or of everybody it says what
    /// holds for those whom no statement and no grant names.
    ///
    /// # Errors
    /// The evaluator refuses the name as malformed.
    pub fn evaluate_caller(&self, caller: &KeyCaller, side: CallerKind) -> Result<KeyVerdict, KeyRulesError> {
        match caller {
            KeyCaller::Everyone => self.evaluate_group(CallerGroup::Everyone, "", side),
            KeyCaller::Account(account) => match AccountId::parse(account) {
                Some(id) => self.evaluate_group(CallerGroup::Account(id), account, side),
                None => Err(kms_key_policy::RequestError::Principal(account.clone()).into()),
            },
            KeyCaller::Principal(arn) => {
                let principal = PrincipalArn::parse(arn).ok();
                let account = Arn::parse(arn).map_or("", |arn| arn.account);
                self.on_key_side(arn, Caller { side, account, principal: principal.as_ref() })
            }
        }
    }

    fn evaluate_group(
        &self,
        group: CallerGroup,
        account: &str,
        side: CallerKind,
    ) -> Result<KeyVerdict, KeyRulesError> {
        let caller = Caller { side, account, principal: None };
        self.worst_of_contexts(caller, OwnLayers::default(), |context| {
            let request = self.group_request(group, side, context)?;
            Ok(verdict_of_group(&group_side(&request, &self.policy, &self.grants)))
        })
    }

    /// The statements of the policy and the grants that are about a call of sessions: first the statements, in their
    /// order.
    ///
    /// # Errors
    /// The evaluator refuses the key as malformed.
    pub fn session_rules(&self) -> Result<Vec<SessionRule>, KeyRulesError> {
        let mut rules: Vec<SessionRule> = Vec::new();
        for side in [CallerKind::User, CallerKind::Node] {
            let caller = Caller { side, account: "", principal: None };
            for context in self.contexts.for_side(side) {
                let context = context.for_caller(caller, &self.facts);
                let request = self.group_request(CallerGroup::Everyone, side, context)?;
                for found in key_rules(&request, &self.policy, &self.grants) {
                    put(&mut rules, &found, side);
                }
            }
        }
        // A statement about a node's call alone may stand before one about both.
        rules.sort_by_key(|rule| (rule.rule.key_policy_statement.is_none(), rule.rule.key_policy_statement));
        Ok(rules)
    }

    fn group_request(
        &self,
        group: CallerGroup,
        side: CallerKind,
        context: kms_key_policy::Context,
    ) -> Result<GroupRequest, KeyRulesError> {
        let action = Action::parse(side.call().action())?;
        let key = kms_key_policy::KeyArn::parse(self.key.as_str())?;
        Ok(GroupRequest::new(group, action, key, context)?)
    }
}

/// Adds what a context says of a rule. If contexts differ, the rule depends on the context.
fn put(rules: &mut Vec<SessionRule>, found: &KeyRule<'_>, side: CallerKind) {
    let Some(rule) = DecidingRule::new(&found.decider, &[]) else { return };
    let applies = match found.applies {
        Decision::Allowed => RuleApplies::Always,
        Decision::Denied => RuleApplies::Never,
        Decision::Depends => {
            RuleApplies::Depends(found.depends_on.iter().map(Dependency::to_string).collect())
        }
    };
    let at = rules.iter().position(|known| known.rule == rule).unwrap_or_else(|| {
        rules.push(SessionRule {
            rule,
            denies: found.effect == RuleEffect::Deny,
            callers: found.callers.iter().filter_map(KeyCaller::of).collect(),
            is_all_but: found.is_negated,
            user: None,
            node: None,
        });
        rules.len() - 1
    });
    let Some(known) = rules.get_mut(at) else { return };
    let place = match side {
        CallerKind::User => &mut known.user,
        CallerKind::Node => &mut known.node,
    };
    *place = Some(match place.take() {
        None => applies,
        Some(before) if before == applies => applies,
        Some(before) => {
            let mut on = vec![super::CHALLENGE.to_owned()];
            for one in [before, applies] {
                if let RuleApplies::Depends(names) = one {
                    let new: Vec<_> = names.into_iter().filter(|name| !on.contains(name)).collect();
                    on.extend(new);
                }
            }
            RuleApplies::Depends(on)
        }
    });
}

fn verdict_of_group(side: &GroupSide<'_>) -> KeyVerdict {
    let by = side.by.iter().filter_map(|decider| DecidingRule::new(decider, &[])).collect();
    match side.decision {
        Decision::Allowed => KeyVerdict::Allows { is_sufficient: false, by },
        Decision::Denied if side.explicit => KeyVerdict::ExplicitDeny { by },
        Decision::Denied => {
            KeyVerdict::ImplicitDeny { why: "neither the key policy nor a grant admits them".to_owned() }
        }
        Decision::Depends => {
            let (on, keys) = depends_on_text(&side.depends_on);
            KeyVerdict::Depends { on, keys, by }
        }
    }
}

impl KeyCaller {
    fn of(named: &NamedCaller) -> Option<Self> {
        match named {
            NamedCaller::Everyone => Some(Self::Everyone),
            NamedCaller::Account(account) => Some(Self::Account(account.to_string())),
            NamedCaller::Principal(arn) => Some(Self::Principal(arn.clone())),
            NamedCaller::Service(_) => None,
        }
    }

    /// The account, twelve digits; `None` for everybody.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Everyone => None,
            Self::Account(account) => Some(account),
            Self::Principal(arn) => Arn::parse(arn).map(|arn| arn.account),
        }
    }
}

impl fmt::Display for KeyCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Account(account) => write!(f, "account {account}"),
            Self::Principal(arn) => f.write_str(arn),
        }
    }
}

impl KeyVerdict {
    /// Whether the key's side refuses the call, whatever else holds.
    #[must_use]
    pub const fn refuses(&self) -> bool {
        matches!(self, Self::ExplicitDeny { .. } | Self::ImplicitDeny { .. })
    }
}

#[cfg(test)]
#[path = "admissions/tests.rs"]
mod tests;
