//! The principal's own side: what IAM's simulator, or the policies given, say of its call.

use super::call::Side;
use super::key_rules::{DecidingRule, KeyRules, KeyRulesError, KeyVerdict};
use super::principal::{PrincipalArn, PrincipalType};
use kms_key_policy::Policy;

/// What IAM's simulator says of a principal's own side: its policies, boundary and SCPs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// What it says.
    pub decision: Simulated,
    /// The policies that decided, as IAM names them (`role_App_AllowKms`, a managed policy's name).
    pub policies: Vec<String>,
    /// Whether service control policies allow it; `None` where there are none to ask.
    pub organizations_allow: Option<bool>,
    /// Whether the permissions boundary allows it; `None` where there is none.
    pub boundary_allows: Option<bool>,
    /// Condition keys that policies ask for and that the simulation was not given.
    pub missing_context: Vec<String>,
}

/// The simulator's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulated {
    /// Something allows it.
    Allowed,
    /// Nothing allows it.
    ImplicitDeny,
    /// Something denies it.
    ExplicitDeny,
    /// It does not tell what the own policies say: across accounts its decision is of both sides together.
    Untold,
}

/// What is known of a principal's own side.
#[derive(Clone, Debug)]
pub enum OwnSide {
    /// Nothing, and why.
    Unknown(String),
    /// What IAM's simulator says.
    Simulated(Simulation),
    /// The policies that were handed in, these and no others: no boundary, no SCPs.
    Given(Vec<Policy>),
}

/// The evaluation of policies that were handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    /// Them alone, where the key leaves the call to them.
    alone: KeyVerdict,
    /// Them and the key's side together.
    together: KeyVerdict,
}

impl Given {
    /// Evaluates a principal's own policies, alone and together with the key's side.
    fn evaluate(
        rules: &KeyRules,
        principal: &PrincipalArn,
        side: Side,
        policies: &[Policy],
    ) -> Result<Self, KeyRulesError> {
        Ok(Self {
            alone: rules.judge_own(principal, side, policies)?,
            together: rules.judge_with(principal, side, policies)?,
        })
    }

    fn verdict(&self) -> IdentityVerdict {
        use KeyVerdict::{Admits, Depends, Refuses, Silent};
        match (&self.together, &self.alone) {
            (Admits { .. }, Silent { .. } | Depends { .. }) => IdentityVerdict::Allows(
                "the key's side grants it by itself; its own policies need not".to_owned(),
            ),
            (_, Refuses { by }) => IdentityVerdict::Refuses(format!("{} denies it", DecidingRule::names(by))),
            (Depends { on, .. }, Silent { .. }) => IdentityVerdict::Unknown(format!(
                "none of the policies given for it allows it, and whether the key's side does so alone depends on {on}"
            )),
            (_, Silent { .. }) => {
                IdentityVerdict::Lacks("none of the policies given for it allows it".to_owned())
            }
            (Silent { why }, Depends { .. }) => IdentityVerdict::Lacks(why.clone()),
            (_, Depends { on, .. }) => {
                IdentityVerdict::Unknown(format!("whether its own policies allow it depends on {on}"))
            }
            (_, Admits { by, .. }) => {
                IdentityVerdict::Allows(format!("{} allows it", DecidingRule::names(by)))
            }
        }
    }
}

/// What a principal's own side says, as far as it is needed besides the key's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityVerdict {
    /// It allows the call, or need not.
    Allows(String),
    /// It lacks an Allow, which a policy on the principal can give.
    Lacks(String),
    /// It denies the call, and no Allow helps.
    Refuses(String),
    /// It is not known.
    Unknown(String),
}

/// Judges a principal's own side. `key_side` tells whether an Allow of its own is needed at all; `rules` are the key's,
/// or why they are not known.
#[must_use]
pub fn judge_identity(
    principal: &PrincipalArn,
    side: Side,
    own: &OwnSide,
    rules: Result<&KeyRules, &str>,
    key_side: Option<&KeyVerdict>,
) -> IdentityVerdict {
    let simulation = match own {
        OwnSide::Unknown(why) => return IdentityVerdict::Unknown(why.clone()),
        OwnSide::Given(policies) => {
            let given = rules.map_err(str::to_owned).and_then(|rules| {
                Given::evaluate(rules, principal, side, policies).map_err(|error| error.to_string())
            });
            return given.map_or_else(IdentityVerdict::Unknown, |given| given.verdict());
        }
        OwnSide::Simulated(simulation) => simulation,
    };
    let policies = match simulation.policies.as_slice() {
        [] => String::new(),
        policies => format!(" ({})", policies.join(", ")),
    };
    // Any decision may be another one with them: a Deny on an unknown network may not be met there.
    if !simulation.missing_context.is_empty() {
        return IdentityVerdict::Unknown(format!(
            "its own policies ask for condition keys that are not known: {}",
            simulation.missing_context.join(", ")
        ));
    }
    if simulation.organizations_allow == Some(false) {
        return IdentityVerdict::Refuses(
            "a service control policy of the organization does not allow it".to_owned(),
        );
    }
    let alone = matches!(key_side, Some(KeyVerdict::Admits { alone: true, .. }));
    // A boundary limits what a key policy grants to a role, not what it grants to a user by name.
    let bounded = simulation.boundary_allows == Some(false)
        && !(alone && principal.principal_type() == PrincipalType::User);
    match simulation.decision {
        Simulated::ExplicitDeny => IdentityVerdict::Refuses(format!("its own policies deny it{policies}")),
        _ if bounded => IdentityVerdict::Refuses("its permissions boundary does not allow it".to_owned()),
        Simulated::Allowed => IdentityVerdict::Allows(format!("its own policies allow it{policies}")),
        Simulated::ImplicitDeny if alone => {
            IdentityVerdict::Allows("the key policy grants it by name; its own policies need not".to_owned())
        }
        Simulated::Untold if alone => IdentityVerdict::Unknown(
            "IAM's simulator does not tell whether its own policies deny it, as the key is another account's"
                .to_owned(),
        ),
        Simulated::Untold => IdentityVerdict::Unknown(
            "IAM's simulator does not tell whether its own policies allow it, as the key is another account's"
                .to_owned(),
        ),
        Simulated::ImplicitDeny => IdentityVerdict::Lacks("none of its own policies allows it".to_owned()),
    }
}

#[cfg(test)]
#[path = "identity/tests.rs"]
mod tests;
