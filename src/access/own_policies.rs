//! A principal's own side, evaluated here: its identity policies and its permissions boundary, as IAM's list of the
//! account has them. The control policies of an organization are not part of that list.

use std::sync::LazyLock;

use super::call::CallerKind;
use super::identity::{IdentityVerdict, KnownKeySide};
use super::key_rules::{DecidingRule, KeyRules, KeyRulesError, KeyVerdict, OwnLayers};
use super::principal::{PrincipalArn, PrincipalType};
use kms_key_policy::{Policy, PolicyKind};

/// A principal's own policies that may concern a session's calls, compiled.
#[derive(Clone, Debug, Default)]
pub struct OwnPolicies {
    /// The names of the identity policies, as IAM's simulator gives them.
    pub(super) names: Vec<String>,
    pub(super) identity: Vec<Policy>,
    pub(super) boundary: Option<Policy>,
    /// Why it is not known whether control policies of an organization refuse the call. `None` if there are none.
    control_policies: Option<String>,
}

impl OwnPolicies {
    /// The same policies of a principal that control policies of an organization may limit, which are not known for this
    /// reason. No control policy limits a service-linked role (AWS Organizations user guide).
    #[must_use]
    pub fn with_unknown_control_policies(self, principal: &PrincipalArn, why: Option<String>) -> Self {
        let is_service_linked = principal.as_str().contains(":role/aws-service-role/");
        Self { control_policies: why.filter(|_| !is_service_linked), ..self }
    }

    /// The names of the condition keys in the policies. Some come more than once.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.identity.iter().chain(&self.boundary).flat_map(Policy::condition_keys)
    }

    /// Whether they allow the call, as far as the key's side needs it.
    pub(super) fn verdict(
        &self,
        principal: &PrincipalArn,
        side: CallerKind,
        key: KnownKeySide<'_>,
    ) -> IdentityVerdict {
        let verdict = self.evaluate(principal, side, key).unwrap_or_else(|error| {
            IdentityVerdict::Unknown(format!("its own policies cannot be evaluated: {error}"))
        });
        match (verdict, &self.control_policies) {
            // INVARIANT: what could still deny a call and is not known is no pass.
            (IdentityVerdict::Allows(why), Some(unknown)) => {
                let why = format!(
                    "{why}; it could still be denied by a control policy of the organization, and these are not \
                     known: {unknown}"
                );
                match key.sufficient() {
                    Some(_) => IdentityVerdict::Admitted(why),
                    None => IdentityVerdict::Unknown(why),
                }
            }
            (verdict, _) => verdict,
        }
    }

    fn evaluate(
        &self,
        principal: &PrincipalArn,
        side: CallerKind,
        key: KnownKeySide<'_>,
    ) -> Result<IdentityVerdict, KeyRulesError> {
        use KeyVerdict::{Allows, Depends, ExplicitDeny, ImplicitDeny};
        let Some(rules) = key.context_rules() else {
            return Ok(IdentityVerdict::Unknown("the key cannot be evaluated".to_owned()));
        };
        let alone = rules.evaluate_own(principal, side, self.layers())?;
        let together =
            key.rules.ok().map(|rules| rules.evaluate_with(principal, side, self.layers())).transpose()?;
        Ok(match (&together, alone) {
            (_, ExplicitDeny { by }) => {
                IdentityVerdict::Denied(format!("{} denies it", DecidingRule::names(&by)))
            }
            (_, Allows { by, .. }) => {
                IdentityVerdict::Allows(format!("{} allows it", DecidingRule::names(&by)))
            }
            (Some(Allows { .. }), ImplicitDeny { .. } | Depends { .. }) => IdentityVerdict::Allows(
                "the key's side grants it by itself; its own policies need not".to_owned(),
            ),
            (_, ImplicitDeny { .. }) if self.boundary_refuses(rules, principal, side)? => {
                let why = "its permissions boundary does not allow it".to_owned();
                match &together {
                    Some(Depends { on, .. }) => IdentityVerdict::Unknown(format!(
                        "{why}, and whether the key's side admits it all the same depends on {on}"
                    )),
                    _ => IdentityVerdict::Denied(why),
                }
            }
            (Some(Depends { on, .. }), ImplicitDeny { .. }) => match key.sufficient() {
                Some(by) => IdentityVerdict::Admitted(admitted_unless(by, on)),
                None => IdentityVerdict::Unknown(format!(
                    "none of its own policies allows it, and whether the key's side does so alone depends on {on}"
                )),
            },
            (_, ImplicitDeny { .. }) => {
                IdentityVerdict::MissingAllow("none of its own policies allows it".to_owned())
            }
            // Each side may allow the call, and both together never do.
            (Some(ImplicitDeny { why }), Depends { .. })
                if matches!(key.verdict, Some(Allows { .. } | Depends { .. })) =>
            {
                IdentityVerdict::MissingAllow(why.clone())
            }
            (_, Depends { on, .. }) => match key.sufficient() {
                Some(by) => IdentityVerdict::Admitted(admitted_unless(by, &on)),
                None => {
                    IdentityVerdict::Unknown(format!("whether its own policies allow it depends on {on}"))
                }
            },
        })
    }

    /// Whether the boundary alone leaves no Allow.
    fn boundary_refuses(
        &self,
        rules: &KeyRules,
        principal: &PrincipalArn,
        side: CallerKind,
    ) -> Result<bool, KeyRulesError> {
        static ALLOWS_ALL: LazyLock<Vec<Policy>> = LazyLock::new(|| {
            let text = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
            Policy::parse(PolicyKind::Identity, text).into_iter().collect()
        });
        if self.boundary.is_none() {
            return Ok(false);
        }
        let limited = OwnLayers { identity: &ALLOWS_ALL, names: &[], ..self.layers() };
        let limits = rules.evaluate_own(principal, side, limited)?;
        Ok(matches!(limits, KeyVerdict::ImplicitDeny { .. }))
    }

    fn layers(&self) -> OwnLayers<'_> {
        OwnLayers { identity: &self.identity, names: &self.names, boundary: self.boundary.as_ref() }
    }

    /// Whether the boundary, and no Deny, refuses a user. It does not limit what a key policy grants to a user by name.
    #[must_use]
    pub fn is_bounded_user(&self, principal: &PrincipalArn, side: CallerKind, key: KnownKeySide<'_>) -> bool {
        let refuses = |rules: &KeyRules| {
            let alone = rules.evaluate_own(principal, side, self.layers())?;
            let is_denied = matches!(alone, KeyVerdict::ExplicitDeny { .. });
            Ok::<_, KeyRulesError>(!is_denied && self.boundary_refuses(rules, principal, side)?)
        };
        principal.principal_type() == PrincipalType::User
            && matches!(key.context_rules().map(refuses), Some(Ok(true)))
    }
}

/// That the key's side is enough, and what decides whether something denies the call even so.
fn admitted_unless(by: &[DecidingRule], on: &str) -> String {
    let by = if by.is_empty() { "the key policy".to_owned() } else { DecidingRule::names(by) };
    format!(
        "{by} admits it without a policy of its own; whether its own policies or its permissions boundary deny it all \
         the same depends on {on}"
    )
}

#[cfg(test)]
#[path = "own_policies/tests.rs"]
mod tests;
