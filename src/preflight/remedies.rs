//! The remedies: what would admit whoever is locked out, ready to paste. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::access::{CallerKind, PermissionSet, PrincipalArn, identity_policy, key_policy_statement};
use crate::arn::{Arn, base_name};
use crate::key::KeyArn;

/// What would admit whoever is locked out, ready to paste.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Remedies {
    /// Statements to add to the key's policy.
    pub key_policy_statements: Vec<Value>,
    /// Policies that principals lack, each with those principals.
    pub identity_policies: Vec<IdentityRemedy>,
    /// Changes of other resources: a tag of the key, an endpoint of a VPC.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceRemedy>,
}

/// A policy that principals lack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityRemedy {
    /// Who lacks it. It is attached to them, unless a permission set is named or they are roles of IAM Identity Center.
    pub principals: Vec<PrincipalArn>,
    /// The policy.
    pub policy: Value,
    /// The permission set of IAM Identity Center that the policy belongs to: nobody can attach a policy to its roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission_set: Option<String>,
    /// The statement of the key policy that does the same without the policy, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<Value>,
}

/// A change of a resource that is neither the key's policy nor a principal's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ResourceRemedy {
    /// The resource to change, such as the key's ARN or the id of a VPC or an endpoint.
    pub resource: String,
    /// What to do, as the title of the snippet: `Add a VPC endpoint for KMS to vpc-1`.
    pub title: String,
    /// A command that does it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What to add to a template or to a policy, as JSON.
    pub snippet: Value,
}

impl Remedies {
    /// Adds what admits these principals to a key: those whom its side refuses, and those who lack an Allow of their own.
    pub(super) fn admit(
        &mut self,
        key: &KeyArn,
        refused: &[(&PrincipalArn, CallerKind)],
        lacking: &[(&PrincipalArn, CallerKind)],
    ) {
        for side in [CallerKind::User, CallerKind::Node] {
            self.key_policy_statements.extend(key_policy_statements(side, &of_side(refused, side)));
            self.identity_policies.extend(identity_remedies(side, key, &of_side(lacking, side)));
        }
    }

    /// Adds the remedies for another key, each once.
    pub fn extend(&mut self, other: Self) {
        fn add<T: PartialEq>(all: &mut Vec<T>, others: Vec<T>) {
            for other in others {
                if !all.contains(&other) {
                    all.push(other);
                }
            }
        }
        add(&mut self.key_policy_statements, other.key_policy_statements);
        add(&mut self.identity_policies, other.identity_policies);
        add(&mut self.resources, other.resources);
    }
}

impl IdentityRemedy {
    /// Where the policy belongs, as the beginning of a title that the principals end.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.permission_set {
            Some(name) => format!("Add to permission set {name}"),
            None if self.is_of_identity_center() => {
                "Add to the permission set, in IAM Identity Center, of".to_owned()
            }
            None => "Attach as a policy to".to_owned(),
        }
    }

    /// Whether it is for roles of IAM Identity Center, so that only a permission set can hold the policy.
    #[must_use]
    pub fn is_of_identity_center(&self) -> bool {
        self.principals.iter().any(PrincipalArn::is_of_identity_center)
    }
}

/// The title of a statement to add to a key policy, with whom it is for.
#[must_use]
pub fn key_policy_title(statement: &Value) -> String {
    let whom = admitted(statement);
    let whom = if whom.is_empty() { whom } else { format!(", for {whom}") };
    format!("Add to the list Statement of the key policy{whom}")
}

/// Whom a statement admits: `role/App and user/ann`. The statement for a permission set names patterns of its roles.
fn admitted(statement: &Value) -> String {
    let pattern = statement.pointer("/Condition/ArnLike/aws:PrincipalArn/0").and_then(Value::as_str);
    if let Some(pattern) = pattern.and_then(Arn::parse) {
        let role = base_name(pattern.resource);
        let name = role.trim_start_matches("AWSReservedSSO_").trim_end_matches('?').trim_end_matches('_');
        return format!("permission set {name} in account {}", pattern.account);
    }
    let arns = statement.pointer("/Principal/AWS").and_then(Value::as_array);
    let arns: Vec<_> = arns.into_iter().flatten().filter_map(Value::as_str).filter_map(Arn::parse).collect();
    let first = arns.first().map(|arn| arn.account);
    let is_of_one_account = arns.iter().all(|arn| Some(arn.account) == first);
    let names = arns.iter().map(|arn| match arn.resource {
        "root" => format!("account {}", arn.account),
        name if is_of_one_account => name.to_owned(),
        name => format!("{name} of account {}", arn.account),
    });
    listed(names.collect())
}

/// How many names a list shows.
const LISTED: usize = 5;

/// Some names in words: `a`, `a and b`, `a, b, c, d, e and 12 more`.
pub(crate) fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let last = if more == 0 { names.pop().unwrap_or_default() } else { format!("{more} more") };
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

fn of_side<'a>(list: &[(&'a PrincipalArn, CallerKind)], side: CallerKind) -> Vec<&'a PrincipalArn> {
    list.iter().filter(|(_, other)| *other == side).map(|(principal, _)| *principal).collect()
}

/// The statements that make a key admit principals: one for all whose ARN stays, and one for each permission set.
fn key_policy_statements(side: CallerKind, refused: &[&PrincipalArn]) -> Vec<Value> {
    let mut by_arn = Vec::new();
    let mut sets = Vec::new();
    for principal in refused {
        match PermissionSet::of(principal) {
            Some(set) if sets.contains(&set) => {}
            Some(set) => sets.push(set),
            None => by_arn.push(*principal),
        }
    }
    let by_arn = (!by_arn.is_empty()).then(|| key_policy_statement(side, &by_arn));
    by_arn.into_iter().chain(sets.iter().map(|set| set.key_policy_statement(side))).collect()
}

/// What principals that lack an Allow of their own have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lacking<'a> {
    /// A policy can be attached to them.
    Attachable,
    /// IAM Identity Center made them, and the names of their permission sets are not certain.
    UnnamedPermissionSet,
    /// They are the roles of a permission set in accounts that the key is not of.
    PermissionSet(&'a str),
    /// They are the roles of a permission set in the key's account, whose key policy can admit them alone.
    PermissionSetOfKeyAccount(PermissionSet<'a>),
}

impl<'a> Lacking<'a> {
    fn of(principal: &'a PrincipalArn, key: &KeyArn) -> Self {
        match PermissionSet::of(principal) {
            Some(set) if principal.account() == key.location().account => {
                Self::PermissionSetOfKeyAccount(set)
            }
            Some(set) => Self::PermissionSet(set.name()),
            None if principal.is_of_identity_center() => Self::UnnamedPermissionSet,
            None => Self::Attachable,
        }
    }
}

/// The policies that principals lack: one for all to whom it can be attached, and one for each permission set.
fn identity_remedies(side: CallerKind, key: &KeyArn, lacking: &[&PrincipalArn]) -> Vec<IdentityRemedy> {
    let mut groups: BTreeMap<Lacking<'_>, Vec<PrincipalArn>> = BTreeMap::new();
    for principal in lacking {
        groups.entry(Lacking::of(principal, key)).or_default().push((*principal).clone());
    }
    let remedy = |(group, principals)| {
        let (permission_set, instead) = match group {
            Lacking::Attachable | Lacking::UnnamedPermissionSet => (None, None),
            Lacking::PermissionSet(name) => (Some(name), None),
            Lacking::PermissionSetOfKeyAccount(set) => {
                (Some(set.name()), Some(set.sufficient_key_policy_statement(side)))
            }
        };
        let permission_set = permission_set.map(str::to_owned);
        IdentityRemedy { principals, policy: identity_policy(side, key), permission_set, instead }
    };
    groups.into_iter().map(remedy).collect()
}

#[cfg(test)]
mod tests;
