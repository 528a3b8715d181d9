//! The policies of an account's principals, collected from the pages of `iam:GetAccountAuthorizationDetails`.
//!
//! An account may have 5,000 roles and as many policies, of which few concern KMS. So only what matters is kept: the
//! principals that are asked about, all groups, and the text of a policy only if a statement may cover a session's call.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::call::SessionCall;
use super::own_policies::OwnPolicies;
use super::principal::PrincipalArn;
use kms_key_policy::{Policy, PolicyKind, matches_wildcards};

/// What a page of the account's list says of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedEntity {
    /// A role or a user.
    Principal(ListedPrincipal),
    /// A group.
    Group {
        /// Its name.
        name: String,
        /// Its policies.
        policies: ListedPolicies,
    },
    /// A managed policy, of the account or of AWS.
    ManagedPolicy {
        /// Its ARN.
        arn: String,
        /// The text of its default version.
        document: String,
    },
}

/// A role or a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPrincipal {
    /// Its ARN.
    pub principal: PrincipalArn,
    /// Its policies.
    pub policies: ListedPolicies,
    /// The names of a user's groups.
    pub groups: Vec<String>,
    /// The ARN of the policy that is its permissions boundary.
    pub boundary: Option<String>,
    /// Its tags, by name.
    pub tags: Vec<(String, String)>,
    /// A role's trust policy, as JSON text.
    pub trust_policy: Option<String>,
}

/// The policies of a role, a user or a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedPolicies {
    /// The inline policies: names and texts.
    pub inline: Vec<(String, String)>,
    /// The ARNs of the managed policies.
    pub attached: Vec<String>,
}

/// The policies of some principals of an account.
#[derive(Clone, Debug, Default)]
pub struct AccountPolicies {
    principals: BTreeMap<PrincipalArn, ListedPrincipal>,
    groups: BTreeMap<String, ListedPolicies>,
    /// The texts of the managed policies, by ARN. `None` if no statement may cover a session's call.
    managed: BTreeMap<String, Option<String>>,
}

impl ListedEntity {
    /// Whether the entity matters for these principals.
    #[must_use]
    pub fn is_about(&self, wanted: &BTreeSet<PrincipalArn>) -> bool {
        match self {
            Self::Principal(ListedPrincipal { principal, .. }) => wanted.contains(principal),
            Self::Group { .. } | Self::ManagedPolicy { .. } => true,
        }
    }

    /// Drops the texts of policies that do not concern sessions.
    fn without_needless_texts(mut self) -> Self {
        match &mut self {
            Self::Principal(ListedPrincipal { policies, .. }) | Self::Group { policies, .. } => {
                policies.inline.retain(|(_, text)| concerns_sessions(text));
            }
            Self::ManagedPolicy { document, .. } => {
                if !concerns_sessions(document) {
                    document.clear();
                }
            }
        }
        self
    }
}

impl AccountPolicies {
    /// Adds what a page says.
    pub fn add(&mut self, entity: ListedEntity) {
        match entity.without_needless_texts() {
            ListedEntity::Principal(listed) => drop(self.principals.insert(listed.principal.clone(), listed)),
            ListedEntity::Group { name, policies } => drop(self.groups.insert(name, policies)),
            ListedEntity::ManagedPolicy { arn, document } => {
                self.managed.insert(arn, Some(document).filter(|document| !document.is_empty()));
            }
        }
    }

    /// The principals of the list, with their tags and trust policies.
    pub fn principals(&self) -> impl Iterator<Item = &ListedPrincipal> {
        self.principals.values()
    }

    /// A principal's own policies.
    ///
    /// # Errors
    /// The list lacks the principal or one of its policies, or a policy cannot be read: the text says which.
    pub fn of(&self, principal: &PrincipalArn) -> Result<OwnPolicies, String> {
        let listed = self.principals.get(principal);
        let listed = listed.ok_or_else(|| format!("IAM's list of the account does not have {principal}"))?;
        let mut own = OwnPolicies::default();
        let kind = principal.principal_type().word();
        self.collect(&listed.policies, &format!("{kind}_{}", principal.name()), &mut own)?;
        for group in &listed.groups {
            let policies = self.groups.get(group);
            let policies =
                policies.ok_or_else(|| format!("IAM's list of the account does not have group {group}"))?;
            self.collect(policies, &format!("group_{group}"), &mut own)?;
        }
        if let Some(boundary) = &listed.boundary {
            // A policy that does not concern sessions allows none of their calls, and neither does an empty one.
            const ALLOWS_NOTHING: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;
            let text = self.managed(boundary)?.unwrap_or(ALLOWS_NOTHING);
            own.boundary = Some(parsed(PolicyKind::Boundary, boundary, text)?);
        }
        Ok(own)
    }

    fn collect(&self, policies: &ListedPolicies, owner: &str, own: &mut OwnPolicies) -> Result<(), String> {
        for (name, text) in &policies.inline {
            own.add(format!("{owner}_{name}"), text)?;
        }
        for arn in &policies.attached {
            if let Some(text) = self.managed(arn)? {
                own.add(arn.rsplit('/').next().unwrap_or(arn).to_owned(), text)?;
            }
        }
        Ok(())
    }

    /// The text of a managed policy; `None` if it does not concern sessions.
    fn managed(&self, arn: &str) -> Result<Option<&str>, String> {
        let text = self.managed.get(arn);
        let text = text.ok_or_else(|| format!("IAM's list of the account does not have policy {arn}"))?;
        Ok(text.as_deref())
    }
}

impl OwnPolicies {
    fn add(&mut self, name: String, text: &str) -> Result<(), String> {
        self.identity.push(parsed(PolicyKind::Identity, &name, text)?);
        self.names.push(name);
        Ok(())
    }
}

fn parsed(kind: PolicyKind, name: &str, text: &str) -> Result<Policy, String> {
    Policy::parse(kind, text).map_err(|error| format!("policy {name} cannot be read: {error}"))
}

/// Whether a statement of a policy may cover one of a session's calls. If the text cannot be read, the answer is yes, so
/// that somebody looks at it.
fn concerns_sessions(text: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(text) else { return true };
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().any(covers_call),
        Some(statement) => covers_call(statement),
        None => true,
    }
}

fn covers_call(statement: &Value) -> bool {
    let actions = match statement.get("Action") {
        Some(Value::Array(actions)) => actions.as_slice(),
        Some(single @ Value::String(_)) => std::slice::from_ref(single),
        // NotAction leaves out few actions, and anything else is no statement of IAM.
        _ => return true,
    };
    let calls =
        [SessionCall::GenerateDataKey, SessionCall::Decrypt].map(|call| call.action().to_ascii_lowercase());
    actions.iter().any(|pattern| match pattern.as_str() {
        Some(pattern) => {
            let pattern = pattern.to_ascii_lowercase();
            calls.iter().any(|call| matches_wildcards(&pattern, call))
        }
        None => true,
    })
}

#[cfg(test)]
#[path = "account_policies/tests.rs"]
mod tests;
