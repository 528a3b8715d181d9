//! The principal's own side: what IAM's simulator, or the identity policies given, say about its call.

use super::call::CallerKind;
use super::key_rules::{DecidingRule, KeyRules, KeyRulesError, KeyVerdict, OwnLayers};
use super::own_policies::OwnPolicies;
use super::principal::{PrincipalArn, PrincipalType};
use kms_key_policy::Policy;
use std::sync::Arc;

/// What IAM's simulator answers about a principal's own side: its policies, boundary and SCPs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// The decision.
    pub decision: SimulatedDecision,
    /// The policies that decided, as IAM names them (`role_App_AllowKms`, a managed policy's name).
    pub policies: Vec<String>,
    /// Whether service control policies allow it; `None` if there are none.
    pub organizations_allow: Option<bool>,
    /// Whether the permissions boundary allows it; `None` if there is none.
    pub boundary_allows: Option<bool>,
    /// Condition keys that policies use and that the simulation was not given.
    pub missing_context: Vec<String>,
}

impl Simulation {
    /// Whether a service control policy refuses the call. The simulator does not list the condition keys that these
    /// policies use, and treats each that it was not given as absent. So the refusal holds as far as everything was
    /// told that is known of the call.
    #[must_use]
    pub fn is_refused_by_organization(&self) -> bool {
        self.organizations_allow == Some(false)
    }
}

/// The simulator's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatedDecision {
    /// A statement allows the call.
    Allowed,
    /// No statement allows the call.
    ImplicitDeny,
    /// A statement denies the call.
    ExplicitDeny,
    /// The answer has no decision of the principal's own policies: across accounts it may have only the decision of
    /// both sides together.
    NotReported,
}

/// What is known of a principal's own side.
#[derive(Clone, Debug)]
pub enum OwnSide {
    /// Nothing is known, for this reason.
    Unknown(String),
    /// The answer of IAM's simulator.
    Simulated(Simulation),
    /// All identity policies of the principal, which somebody handed in. There is no boundary and no SCP.
    Given(Vec<Policy>),
    /// Its identity policies and its boundary, as IAM lists them.
    Listed(Arc<OwnPolicies>),
}

/// What is known of the key's side when a principal's own side is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct KnownKeySide<'a> {
    /// The key's policy and grants, or the reason why they are unknown.
    pub rules: Result<&'a KeyRules, &'a str>,
    /// If they are unknown: the rules of a key policy that admits everybody, on the same key and in the same contexts.
    pub permissive: Option<&'a KeyRules>,
    /// What the key's side says about the principal, if that is known.
    pub verdict: Option<&'a KeyVerdict>,
}

impl<'a> KnownKeySide<'a> {
    /// The rules that hold the key and the contexts of its calls, whatever the key policy says.
    pub(super) fn context_rules(self) -> Option<&'a KeyRules> {
        self.rules.ok().or(self.permissive)
    }

    /// The rules of the key's side that are enough, so that the principal needs no Allow of its own. `None` if it needs
    /// one.
    pub(super) fn sufficient(self) -> Option<&'a [DecidingRule]> {
        match self.verdict {
            Some(KeyVerdict::Allows { is_sufficient: true, by }) => Some(by),
            _ => None,
        }
    }
}

/// The evaluation of identity policies that somebody handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GivenPolicies {
    /// The policies alone, as if the key's side left the call to them.
    alone: KeyVerdict,
    /// The policies and the key's side together.
    together: KeyVerdict,
}

impl GivenPolicies {
    /// Evaluates a principal's own policies, alone and together with the key's side.
    fn evaluate(
        rules: &KeyRules,
        principal: &PrincipalArn,
        side: CallerKind,
        policies: &[Policy],
    ) -> Result<Self, KeyRulesError> {
        Ok(Self {
            alone: rules.evaluate_own(principal, side, OwnLayers::of(policies))?,
            together: rules.evaluate_with(principal, side, OwnLayers::of(policies))?,
        })
    }

    fn verdict(&self) -> IdentityVerdict {
        use KeyVerdict::{Allows, Depends, ExplicitDeny, ImplicitDeny};
        match (&self.together, &self.alone) {
            (Allows { .. }, ImplicitDeny { .. } | Depends { .. }) => IdentityVerdict::Allows(
                "the key's side grants it by itself; its own policies need not".to_owned(),
            ),
            (_, ExplicitDeny { by }) => {
                IdentityVerdict::Denied(format!("{} denies it", DecidingRule::names(by)))
            }
            (Depends { on, .. }, ImplicitDeny { .. }) => IdentityVerdict::Unknown(format!(
                "none of the policies given for it allows it, and whether the key's side does so alone depends on {on}"
            )),
            (_, ImplicitDeny { .. }) => {
                IdentityVerdict::MissingAllow("none of the policies given for it allows it".to_owned())
            }
            (ImplicitDeny { why }, Depends { .. }) => IdentityVerdict::MissingAllow(why.clone()),
            (_, Depends { on, .. }) => {
                IdentityVerdict::Unknown(format!("whether its own policies allow it depends on {on}"))
            }
            (_, Allows { by, .. }) => {
                IdentityVerdict::Allows(format!("{} allows it", DecidingRule::names(by)))
            }
        }
    }
}

/// Whether a principal's own side allows a call, as far as the key's side needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityVerdict {
    /// It allows the call, or the key's side is enough.
    Allows(String),
    /// No statement allows the call. A policy on the principal can change that.
    MissingAllow(String),
    /// It denies the call, and no further Allow changes that.
    Denied(String),
    /// The key's side is enough, so that no Allow of its own is needed. Nobody knows whether something denies the call.
    Admitted(String),
    /// Nobody knows.
    Unknown(String),
}

/// Evaluates a principal's own side. The key's side says whether the principal needs an Allow of its own.
#[must_use]
pub fn evaluate_identity(
    principal: &PrincipalArn,
    side: CallerKind,
    own: &OwnSide,
    key: KnownKeySide<'_>,
) -> IdentityVerdict {
    let sufficient = key.sufficient();
    // INVARIANT: what could still deny a call and is not known is no pass, however the key's side admits the caller.
    let unknown = |why: String| match sufficient {
        Some(by) => IdentityVerdict::Admitted(admitted(principal, by, &why)),
        None => IdentityVerdict::Unknown(why),
    };
    let simulation = match own {
        OwnSide::Unknown(why) => return unknown(why.clone()),
        OwnSide::Given(policies) => {
            let given = key.rules.map_err(str::to_owned).and_then(|rules| {
                GivenPolicies::evaluate(rules, principal, side, policies).map_err(|error| error.to_string())
            });
            return given.map_or_else(IdentityVerdict::Unknown, |given| given.verdict());
        }
        OwnSide::Listed(policies) => return policies.verdict(principal, side, key),
        OwnSide::Simulated(simulation) => simulation,
    };
    let policies = match simulation.policies.as_slice() {
        [] => String::new(),
        policies => format!(" ({})", policies.join(", ")),
    };
    // It counts before the condition keys that are missing. If a service control policy denies a call, IAM ends the
    // simulation, so the list of missing keys may be cut off, and the verdict must not depend on that.
    if simulation.is_refused_by_organization() {
        return IdentityVerdict::Denied(
            "a service control policy does not allow it in IAM's simulator, which got everything that is known of \
             the call; conditions of service control policies that are not known here may be the cause"
                .to_owned(),
        );
    }
    // With their values any decision may be another: a Deny for another network, for example, would not apply.
    if !simulation.missing_context.is_empty() {
        return unknown(format!(
            "its own policies ask for condition keys that are not known: {}",
            simulation.missing_context.join(", ")
        ));
    }
    let is_sufficient = sufficient.is_some();
    // A permissions boundary limits what a key policy grants to a role, but not what it grants to a user by name.
    let bounded = simulation.boundary_allows == Some(false)
        && !(is_sufficient && principal.principal_type() == PrincipalType::User);
    match simulation.decision {
        SimulatedDecision::ExplicitDeny => IdentityVerdict::Denied(format!("its own policies deny it{policies}")),
        _ if bounded => IdentityVerdict::Denied("its permissions boundary does not allow it".to_owned()),
        SimulatedDecision::Allowed => IdentityVerdict::Allows(format!("its own policies allow it{policies}")),
        SimulatedDecision::ImplicitDeny if is_sufficient => {
            IdentityVerdict::Allows("the key policy grants it by name; its own policies need not".to_owned())
        }
        SimulatedDecision::NotReported if is_sufficient => unknown(
            "IAM's simulator does not tell whether its own policies deny it, as the key is another account's"
                .to_owned(),
        ),
        SimulatedDecision::NotReported => IdentityVerdict::Unknown(
            "IAM's simulator does not tell whether its own policies allow it, as the key is another account's"
                .to_owned(),
        ),
        SimulatedDecision::ImplicitDeny => IdentityVerdict::MissingAllow("none of its own policies allows it".to_owned()),
    }
}

/// That the key's side is enough, what could deny the call even so, and why that is not known.
///
/// A boundary that does not allow the call limits what a key policy grants to a role, but not what it grants to a user by
/// name: there only its Deny counts (IAM user guide, permissions boundaries).
fn admitted(principal: &PrincipalArn, by: &[DecidingRule], why: &str) -> String {
    let boundary = match principal.principal_type() {
        PrincipalType::User => "a Deny in its permissions boundary",
        _ => "its permissions boundary",
    };
    let by = if by.is_empty() { "the key policy".to_owned() } else { DecidingRule::names(by) };
    format!(
        "{by} admits it without a policy of its own; it could still be denied by a Deny in its own policies, by \
         {boundary} or by a control policy of the organization, which are not known: {why}"
    )
}

#[cfg(test)]
#[path = "identity/tests.rs"]
mod tests;
