//! A key seen from its own account: whom its policy and its grants admit for sessions, and who uses it.

mod listed;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::headline::plural;
use super::{Headline, words};
use crate::access::{CallerKind, KeyAdmission, SessionRule};
use crate::preflight::Verdict;

/// The titles of the sections, which all formats share.
pub(super) const WHOM: &str = "Whom the key admits";
pub(super) const RULES: &str = "Statements and grants";
pub(super) const USE: &str = "Who uses the key";
pub(super) const CONSEQUENCES: &str = "Before the key is replaced, disabled or handed over";

/// Whom a key admits for sessions, by which statements and grants, and who uses it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyCallers {
    /// Everybody whom the policy and the grants name.
    pub callers: Vec<ListedCaller>,
    /// The statements and grants about the calls of sessions.
    pub rules: Vec<ListedRule>,
    /// Who uses the key, as an audit found it. `None` if no audit was given.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub key_use: Option<KeyUse>,
    /// What breaks if the key cannot be used any more, one line each.
    pub consequences: Vec<String>,
}

/// Somebody whom a key's policy or a grant names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedCaller {
    /// The ARN of a principal, or words such as `account 111122223333` or `everyone in organization o-a1b2c3d4e5`.
    pub caller: String,
    /// How the key names it.
    pub named_as: NamedAs,
    /// As a user, who calls kms:GenerateDataKey.
    pub user: CallerAdmission,
    /// As a node, which calls kms:Decrypt.
    pub node: CallerAdmission,
}

/// How a key names somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NamedAs {
    /// As one of everybody.
    Everyone,
    /// By the organization.
    Organization,
    /// By the account.
    Account,
    /// By name.
    Name,
}

/// What the key's side says about somebody's call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallerAdmission {
    /// In short.
    pub admission: CallAdmission,
    /// The statements and grants that decide, or that may decide.
    pub by: Vec<String>,
    /// The indices of those among them that are statements of the key policy, from 0.
    pub key_policy_statements: Vec<usize>,
    /// What it depends on, and the cases in which the call is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<String>,
}

/// What a key's side says about a call, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CallAdmission {
    /// It admits the caller, and nothing else needs to allow the call.
    Admitted,
    /// The caller's own policies decide.
    OwnPoliciesDecide,
    /// It depends on conditions.
    Depends,
    /// Nothing admits the caller.
    NotAdmitted,
    /// A statement denies the call.
    Denied,
}

/// A statement of the key policy, or a grant, that is about a call of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedRule {
    /// Its name, with its Sid or id.
    pub name: String,
    /// The index of the statement in the key policy, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_policy_statement: Option<usize>,
    /// Whether it denies.
    pub denies: bool,
    /// Whom it is about.
    pub callers: Vec<String>,
    /// Whether it is about everybody but these.
    pub is_all_but: bool,
    /// When it applies to a user's call: `always`, `never`, or what it depends on. `None` if it is not about that call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When it applies to a node's call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The conditions of the statement, or the constraints of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Value>,
}

/// Who uses a key, as an audit found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyUse {
    /// Where the audit was read from.
    pub audit: String,
    /// How many accounts and Regions the audit looked at.
    pub places: usize,
    /// How many of them could not be looked at, so that they may use the key too.
    pub unreadable: usize,
    /// The accounts that use it.
    pub accounts: Vec<AccountUse>,
}

/// An account that uses a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountUse {
    /// The account's id.
    pub account: String,
    /// Its name, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Regions in which a document has the key.
    pub regions: Vec<String>,
    /// What the key says about the account's users.
    pub users: AccountAdmission,
    /// What the key says about the account's nodes.
    pub nodes: AccountAdmission,
    /// Those of the account whom the audit found to need the key and whom the key refuses.
    pub refused: Vec<RefusedPrincipal>,
}

/// What a key says about one side of an account that uses it. The best comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AccountAdmission {
    /// It admits the account, whose own policies decide.
    Admitted,
    /// It depends on conditions.
    Depends,
    /// It admits single principals of the account, and not the account as such.
    ByNameOnly,
    /// It refuses everybody of the account.
    Refused,
}

/// Somebody whom a key refuses, although it is needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedPrincipal {
    /// The ARN of the role or user.
    pub principal: String,
    /// As what it needs the key.
    pub side: CallerKind,
    /// Why the key refuses it.
    pub why: String,
}

impl KeyCallers {
    /// The part of the report on a key, without its use. `key_policy` is the policy, and `grants` are as ListGrants
    /// returns them; the conditions come from these.
    #[must_use]
    pub fn new(
        admissions: &[KeyAdmission],
        rules: &[SessionRule],
        key_policy: Option<&Value>,
        grants: &[Value],
    ) -> Self {
        let statements = words::statements(key_policy);
        let mut callers: Vec<ListedCaller> =
            admissions.iter().map(|admission| ListedCaller::new(admission, statements)).collect();
        // Everybody is listed although no statement may say so.
        callers.retain(|caller| caller.named_as != NamedAs::Everyone || !caller.is_not_admitted());
        callers.sort_by_key(|caller| {
            (caller.is_not_admitted(), Reverse(caller.named_as), caller.caller.clone())
        });
        let rules = rules.iter().map(|rule| ListedRule::new(rule, statements, grants)).collect();
        Self { callers, rules, ..Self::default() }
    }

    /// How many callers are named so and are not refused.
    fn count(&self, named_as: NamedAs) -> usize {
        let admitted = |caller: &&ListedCaller| caller.named_as == named_as && !caller.is_refused();
        self.callers.iter().filter(admitted).count()
    }

    /// Whether the key refuses somebody who needs it.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.key_use.iter().flat_map(|key_use| &key_use.accounts).any(AccountUse::fails)
    }

    pub(super) fn headline(&self) -> Headline {
        let by_name = plural(self.count(NamedAs::Name), "principal", "principals");
        let by_account = plural(self.count(NamedAs::Account), "account", "accounts");
        let mut text = format!("the key admits {by_name} by name and {by_account}");
        for caller in &self.callers {
            if caller.named_as <= NamedAs::Organization && !caller.is_refused() {
                text.push_str(&format!(", and {}", caller.caller));
                if caller.depends() {
                    text.push_str(" under conditions");
                }
            }
        }
        let mut verdict = Verdict::Pass;
        if let Some(key_use) = &self.key_use {
            let regions: BTreeSet<_> = key_use.accounts.iter().flat_map(|account| &account.regions).collect();
            let accounts = plural(key_use.accounts.len(), "account uses it", "accounts use it");
            let regions = plural(regions.len(), "Region", "Regions");
            text.push_str(&format!("; {accounts}, in {regions}"));
            let refused: usize = key_use.accounts.iter().map(|account| account.refused.len()).sum();
            let refuses_side = |account: &&AccountUse| account.refuses_side();
            let without = key_use.accounts.iter().filter(refuses_side).count();
            if refused > 0 {
                let principals = plural(refused, "principal that needs it", "principals that need it");
                text.push_str(&format!("; it refuses {principals}"));
            }
            if without > 0 {
                let of = plural(without, "account", "accounts");
                text.push_str(&format!("; it refuses all users or all nodes of {of} of these"));
            }
            if self.fails() {
                verdict = Verdict::Fail;
            }
            if key_use.unreadable > 0 {
                verdict = verdict.and(Verdict::Unknown);
                let places = plural(key_use.unreadable, "account and Region", "accounts and Regions");
                text.push_str(&format!("; {places} could not be looked at and may use it too"));
            }
        }
        Headline { verdict, text }
    }
}

impl KeyUse {
    /// What was looked at, in one line.
    pub(super) fn line(&self) -> String {
        let places = plural(self.places, "account and Region", "accounts and Regions");
        let unreadable = match self.unreadable {
            0 => String::new(),
            count => format!(", of which {count} could not be looked at"),
        };
        format!("read from {}: {places}{unreadable}", self.audit)
    }
}

impl AccountUse {
    /// Whether the key refuses somebody of the account who needs it, or one side of it altogether.
    #[must_use]
    pub fn fails(&self) -> bool {
        !self.refused.is_empty() || self.refuses_side()
    }

    fn refuses_side(&self) -> bool {
        [self.users, self.nodes].contains(&AccountAdmission::Refused)
    }

    /// The account's id and name.
    pub(super) fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} {name}", self.account),
            None => self.account.clone(),
        }
    }

    /// Those whom the key refuses, one line each.
    pub(super) fn refusals(&self) -> impl Iterator<Item = String> {
        let line = |refused: &RefusedPrincipal| {
            let RefusedPrincipal { principal, side, why } = refused;
            format!("{principal} as {side}: {why}")
        };
        self.refused.iter().map(line)
    }

    pub(super) fn verdict(&self) -> Verdict {
        if self.fails() {
            Verdict::Fail
        } else if [self.users, self.nodes].contains(&AccountAdmission::Depends) {
            Verdict::Unknown
        } else {
            Verdict::Pass
        }
    }
}

impl AccountAdmission {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Depends => "depends",
            Self::ByNameOnly => "by name only",
            Self::Refused => "refused",
        }
    }
}
