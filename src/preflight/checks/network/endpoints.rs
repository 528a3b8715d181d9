//! The endpoints of a VPC, and what the policy of one for KMS says about the nodes' roles.

use std::collections::BTreeMap;
use std::mem::discriminant;

use crate::access::{EndpointPolicy, EndpointVerdict, KeyFacts, KnownContext, PrincipalArn};
use crate::ports::{EndpointState, EndpointType, VpcEndpoint};
use crate::preflight::checks::unread::unread;
use crate::preflight::observation::AccessObservation;

/// The endpoints of one VPC that matter here.
#[derive(Debug, Default)]
pub(super) struct VpcEndpoints<'a> {
    /// Those for KMS that are available and have private DNS.
    pub(super) kms: Vec<&'a VpcEndpoint>,
    /// The same for kms-fips, which agents use that are set up for FIPS endpoints.
    pub(super) fips: Vec<&'a VpcEndpoint>,
    /// Those for KMS that nodes may use: one without private DNS if a private hosted zone names it, and one that is not
    /// available yet.
    pub(super) possible: Vec<&'a VpcEndpoint>,
    /// Those for Session Manager's channel.
    pub(super) ssmmessages: Vec<&'a VpcEndpoint>,
}

impl<'a> VpcEndpoints<'a> {
    /// The endpoints by VPC.
    pub(super) fn by_vpc(endpoints: &'a [VpcEndpoint], region: &str) -> BTreeMap<&'a str, Self> {
        let [kms, fips, messages, fips_messages] =
            ["kms", "kms-fips", "ssmmessages", "ssmmessages-fips"].map(|name| format!(".{region}.{name}"));
        let mut vpcs: BTreeMap<_, Self> = BTreeMap::new();
        for endpoint in endpoints {
            if endpoint.endpoint_type != EndpointType::Interface || endpoint.state == EndpointState::Gone {
                continue;
            }
            let of_vpc = vpcs.entry(endpoint.vpc.as_str()).or_default();
            let is_used = endpoint.state == EndpointState::Available && endpoint.has_private_dns;
            let is_for = |service: &String| endpoint.service.ends_with(service.as_str());
            match () {
                () if is_for(&kms) && is_used => of_vpc.kms.push(endpoint),
                () if is_for(&fips) && is_used => of_vpc.fips.push(endpoint),
                () if is_for(&kms) => of_vpc.possible.push(endpoint),
                () if is_for(&messages) || is_for(&fips_messages) => of_vpc.ssmmessages.push(endpoint),
                () => {}
            }
        }
        vpcs
    }

    /// The endpoint for Session Manager's channel that is available. Nodes use it, so one for KMS can be like it.
    pub(super) fn available_ssmmessages(&self) -> Option<&'a VpcEndpoint> {
        let available = || self.ssmmessages.iter().filter(|one| one.state == EndpointState::Available);
        available().find(|one| one.has_private_dns).or_else(|| available().next()).copied()
    }
}

/// What the policy of an endpoint says about some roles, of which a node works by one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RolesVerdict {
    /// It allows the call to each.
    Allows,
    /// It denies the call to each, because no statement allows it.
    ImplicitDeny,
    /// It denies the call to each: by these statements, or because none allows it.
    ExplicitDeny(String),
    /// It is not known, for this reason.
    Unknown(String),
}

/// The policy of an endpoint, as Context says and without what Context says.
pub(super) struct AssessedEndpoint<'a> {
    observation: &'a AccessObservation,
    policy: Result<EndpointPolicy<'a>, String>,
    /// The parts of Context that the policy asks for, in words, and the policy without them.
    without: Option<(String, Result<EndpointPolicy<'a>, String>)>,
}

/// What is known of the calls, with Context and without.
pub(super) struct CallFacts {
    pub(super) all: KeyFacts,
    without_context: Option<KeyFacts>,
}

impl CallFacts {
    pub(super) fn new(observation: &AccessObservation) -> Self {
        let context = &observation.context;
        Self {
            all: observation.facts(context),
            without_context: (!context.is_empty()).then(|| observation.facts(&KnownContext::default())),
        }
    }
}

impl<'a> AssessedEndpoint<'a> {
    pub(super) fn new(
        observation: &'a AccessObservation,
        facts: &'a CallFacts,
        endpoint: &'a VpcEndpoint,
    ) -> Self {
        let compiled = |facts: &'a KeyFacts| {
            let policy = endpoint.policy.as_deref();
            EndpointPolicy::new(observation.arn(), facts, &endpoint.id, &endpoint.vpc, policy)
        };
        let policy = compiled(&facts.all);
        let is_asked = |name: &str| {
            let mut asked = policy.iter().flat_map(EndpointPolicy::condition_keys);
            asked.any(|asked| asked.eq_ignore_ascii_case(name))
        };
        let given: Vec<_> = observation.context.iter().filter(|known| is_asked(known.name())).collect();
        let words = given.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let without = facts.without_context.as_ref().filter(|_| !given.is_empty());
        let without = without.map(|facts| (words, compiled(facts)));
        Self { observation, policy, without }
    }

    /// What the policy says about these roles, and the parts of Context that this rests on.
    pub(super) fn verdict(&self, roles: &[PrincipalArn]) -> (RolesVerdict, Option<&str>) {
        let verdict = verdict(self.observation, &self.policy, roles);
        let is_other = |without| {
            discriminant(&self::verdict(self.observation, without, roles)) != discriminant(&verdict)
        };
        let rests_on = self.without.as_ref().filter(|(_, without)| is_other(without));
        (verdict, rests_on.map(|(given, _)| given.as_str()))
    }
}

fn verdict(
    observation: &AccessObservation,
    policy: &Result<EndpointPolicy<'_>, String>,
    roles: &[PrincipalArn],
) -> RolesVerdict {
    let policy = match policy {
        Ok(policy) if policy.is_full_access() => return RolesVerdict::Allows,
        Ok(policy) => policy,
        Err(why) => return RolesVerdict::Unknown(format!("it cannot be read: {why}")),
    };
    let evaluated: Result<Vec<_>, String> = roles.iter().map(|role| policy.evaluate(role)).collect();
    let verdicts = match evaluated {
        Ok(verdicts) => verdicts,
        Err(why) => return RolesVerdict::Unknown(why),
    };
    let mut worst = None;
    for verdict in &verdicts {
        let is_like_first = verdicts.first().is_some_and(|first| is_allowed(first) == is_allowed(verdict));
        if !is_like_first {
            return RolesVerdict::Unknown("it depends on which of these roles the agent works by".to_owned());
        }
        worst = worst.max(Some(verdict));
    }
    match worst {
        None => RolesVerdict::Unknown("the role is not known, and the policy does not allow all".to_owned()),
        Some(EndpointVerdict::Allows) => RolesVerdict::Allows,
        Some(EndpointVerdict::ImplicitDeny) => RolesVerdict::ImplicitDeny,
        Some(EndpointVerdict::ExplicitDeny { by }) => RolesVerdict::ExplicitDeny(by.clone()),
        Some(EndpointVerdict::Depends { on, keys }) => {
            let account = roles.first().map_or("", PrincipalArn::account);
            RolesVerdict::Unknown(format!("it depends on {on}{}", unread(observation, account, None, keys)))
        }
    }
}

/// Whether the call is allowed, if that is known.
fn is_allowed(verdict: &EndpointVerdict) -> Option<bool> {
    match verdict {
        EndpointVerdict::Allows => Some(true),
        EndpointVerdict::ImplicitDeny | EndpointVerdict::ExplicitDeny { .. } => Some(false),
        EndpointVerdict::Depends { .. } => None,
    }
}

#[cfg(test)]
mod tests;
