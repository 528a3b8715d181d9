//! Which role a node's agent works by, if it has an instance profile and Default Host Management is on.
//!
//! The agent registers with `ssm:UpdateInstanceInformation`, first by the role of the instance profile. If that is
//! denied, it works by the role of Default Host Management, for KMS too (amazon-ssm-agent source, `ec2_role_provider.go`
//! and `kmsservice.go`).

use super::call::CallerKind;
use super::facts::{Fact, FactState, call_facts, has_prefix, state_of};
use super::identity::{SimulatedDecision, Simulation};
use super::known_context::KnownContext;
use super::principal::PrincipalArn;
use super::simulator::{ContextEntry, entries};
use crate::location::Location;

/// The action that decides.
pub const UPDATE_INSTANCE_INFORMATION: &str = "ssm:UpdateInstanceInformation";

/// Whether a role may register a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// It may, so the agent works by this role.
    Allowed,
    /// It may not, so the agent works by the role of Default Host Management.
    Denied,
    /// It is not known, for this reason.
    Unknown(String),
}

/// A node's registration, to be simulated.
#[derive(Debug)]
pub struct RegistrationCall {
    /// The ARN of the instance.
    pub instance: String,
    facts: Vec<Fact>,
}

impl RegistrationCall {
    /// The registration of an instance, given by its id, by a role. `known` is what the owner states of all calls.
    #[must_use]
    pub fn new(role: &PrincipalArn, instance: &str, location: &Location, known: &KnownContext) -> Self {
        let Location { partition, region, account } = location;
        let instance = format!("arn:{partition}:ec2:{region}:{account}:instance/{instance}");
        let mut facts: Vec<Fact> = known
            .iter()
            .map(Fact::from)
            .chain(call_facts(CallerKind::Node))
            .filter(|fact| !has_prefix(&fact.name, "kms:"))
            .collect();
        facts.extend([
            Fact::value("aws:PrincipalArn", role.as_str()),
            Fact::value("aws:PrincipalAccount", role.account()),
            Fact::value("aws:PrincipalType", "AssumedRole"),
            Fact::new("aws:username", FactState::Absent),
            Fact::value("aws:ResourceAccount", account),
            Fact::value("aws:RequestedRegion", region),
            // A call with the credentials of an instance profile has both.
            Fact::value("ec2:SourceInstanceARN", &instance),
            Fact::value("ssm:SourceInstanceARN", &instance),
        ]);
        Self { instance, facts }
    }

    /// The context entries of the simulation.
    #[must_use]
    pub fn context_entries(&self) -> Vec<ContextEntry> {
        entries(&self.facts)
    }

    /// What a simulation with these entries means.
    #[must_use]
    pub fn registration(&self, simulation: &Simulation) -> Registration {
        let may_be_present = |name: &&String| {
            !matches!(state_of(&self.facts, name), Some(FactState::Absent | FactState::AbsentBelow))
        };
        let missing: Vec<_> = simulation.missing_context.iter().filter(may_be_present).cloned().collect();
        if !missing.is_empty() {
            return Registration::Unknown(format!("that depends on {}", missing.join(", ")));
        }
        // The simulator does not list the condition keys that service control policies miss, so a refusal by one of
        // them may rest on a key that it was not given. For the call on the key such a refusal counts, because that
        // errs on the side of whoever would be locked out. Here it must not count: the node would be taken to work by
        // the role of Default Host Management, and its own role would never be checked. While it is unknown, both
        // roles are checked.
        if simulation.is_refused_by_organization() {
            return Registration::Unknown(
                "a service control policy does not allow it in the simulation".to_owned(),
            );
        }
        match simulation.decision {
            SimulatedDecision::Allowed if simulation.boundary_allows != Some(false) => Registration::Allowed,
            SimulatedDecision::NotReported => {
                Registration::Unknown("IAM's simulator reports no decision".to_owned())
            }
            SimulatedDecision::Allowed
            | SimulatedDecision::ImplicitDeny
            | SimulatedDecision::ExplicitDeny => Registration::Denied,
        }
    }
}

#[cfg(test)]
#[path = "registration/tests.rs"]
mod tests;
