//! What is worth knowing of an endpoint for KMS that the nodes use: the Availability Zones that it is in, and
//! whom its security groups admit.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::CidrBlock;
use super::nodes::{VpcNodes, few};
use crate::ports::{Instance, SecurityGroup, Subnet, VpcEndpoint};
use crate::preflight::observation::NodeCount;

const HTTPS: u16 = 443;

/// Whom the security groups of an endpoint admit to HTTPS.
struct Admission<'a> {
    blocks: Vec<CidrBlock>,
    groups: BTreeSet<&'a str>,
}

/// The nodes in Availability Zones that the endpoint has no network interface in, in words.
pub(super) fn of_zones(
    endpoint: &VpcEndpoint,
    nodes: &VpcNodes<'_>,
    subnets: &BTreeMap<&str, &Subnet>,
) -> Option<String> {
    let zone = |id: &str| subnets.get(id).map(|subnet| subnet.availability_zone.as_str());
    let of_endpoint: Option<BTreeSet<_>> = endpoint.subnets.iter().map(|id| zone(id)).collect();
    // Nothing can be said if a subnet is not found.
    let of_endpoint = of_endpoint.filter(|zones| !zones.is_empty())?;
    let (mut elsewhere, mut zones) = (NodeCount::default(), BTreeSet::new());
    for ((place, _), alike) in &nodes.alike {
        let subnet = place.interfaces.first().and_then(|primary| primary.subnet);
        if let Some(zone) = subnet.and_then(zone)
            && !of_endpoint.contains(zone)
        {
            elsewhere.merge(alike);
            zones.insert(zone);
        }
    }
    (elsewhere.count > 0).then(|| {
        format!(
            "endpoint {} for KMS has network interfaces in {} only, and {elsewhere} {} in {}: if the Availability \
             Zones of the endpoint fail, these nodes cannot reach KMS",
            endpoint.id,
            few(&of_endpoint),
            elsewhere.form("is", "are"),
            few(&zones)
        )
    })
}

/// The nodes that the endpoint's security groups do not admit, in words.
pub(super) fn of_security_groups(
    endpoint: &VpcEndpoint,
    nodes: &VpcNodes<'_>,
    groups: &BTreeMap<&str, &SecurityGroup>,
) -> Option<String> {
    let admission = Admission::of(endpoint, groups)?;
    let mut refused = NodeCount::default();
    for (node, _) in nodes.all.iter().filter(|(_, instance)| !admission.may_admit(instance)) {
        refused.add(&node.id);
    }
    let groups: BTreeSet<_> = endpoint.security_groups.iter().collect();
    (refused.count > 0).then(|| {
        format!(
            "the security groups of endpoint {} for KMS ({}) do not admit {refused} on TCP port {HTTPS}",
            endpoint.id,
            few(&groups)
        )
    })
}

impl<'a> Admission<'a> {
    /// `None` if whom they admit is not known: a group is not found, or a rule names a prefix list.
    fn of(endpoint: &VpcEndpoint, groups: &BTreeMap<&str, &'a SecurityGroup>) -> Option<Self> {
        let groups: Option<Vec<_>> =
            endpoint.security_groups.iter().map(|id| groups.get(id.as_str()).copied()).collect();
        let groups = groups.filter(|groups| !groups.is_empty())?;
        let mut admission = Self { blocks: Vec::new(), groups: BTreeSet::new() };
        for rule in groups.into_iter().flat_map(|group| &group.inbound) {
            let is_https = rule.protocol == "-1"
                || (["tcp", "6"].contains(&rule.protocol.as_str())
                    && rule.ports.is_none_or(|(from, to)| (from..=to).contains(&HTTPS)));
            if !is_https {
                continue;
            }
            if !rule.prefix_lists.is_empty() {
                return None;
            }
            for block in &rule.blocks {
                admission.blocks.push(CidrBlock::parse(block)?);
            }
            admission.groups.extend(rule.groups.iter().map(String::as_str));
        }
        Some(admission)
    }

    /// Whether they admit an instance, or may: its addresses are not all known.
    fn may_admit(&self, instance: &Instance) -> bool {
        let has_ipv6_rule = self.blocks.iter().any(|block| !block.is_ipv4());
        instance.interfaces.is_empty()
            || instance.interfaces.iter().any(|interface| {
                interface
                    .private_ip
                    .is_none_or(|address| self.blocks.iter().any(|block| block.contains(address)))
                    || (interface.has_ipv6 && has_ipv6_rule)
                    || interface.security_groups.iter().any(|group| self.groups.contains(group.as_str()))
            })
    }
}
