//! The check *network*: the EC2 nodes can reach KMS.
//!
//! An agent that cannot reach KMS cannot decrypt the key of a session, and the session ends with a time-out of the
//! handshake. For each VPC of the nodes the check asks:
//!
//! 1. Does the VPC have an interface endpoint for KMS with private DNS? Then its policy has to allow Decrypt with this key
//!    to the nodes' roles.
//! 2. Otherwise, does the route table of each node's subnet have a route to the internet?
//! 3. If it does not, is there another target whose traffic may reach KMS? If there is none, and the VPC has an endpoint
//!    for Session Manager's channel (ssmmessages), the nodes cannot reach KMS. Without that endpoint the nodes are managed
//!    through something that EC2 does not show, such as a proxy, and KMS may be reachable through it too.
//!
//! The check does not look at network ACLs, at rules for outgoing traffic, at DNS servers and hosted zones, at proxies,
//! and at what firewalls let through. A shared VPC is unknown, because its owner's endpoints cannot be seen.

mod blocks;
mod endpoints;
mod nodes;
mod remedies;
mod routes;
mod vpc;
mod warnings;

use std::collections::{BTreeMap, BTreeSet};

use crate::access::PrincipalArn;
use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::network::NetworkObservation;
use crate::preflight::observation::{AccessObservation, InstanceNode, NodeCount, Nodes, Read};
use crate::preflight::remedies::ResourceRemedy;
use endpoints::{CallFacts, VpcEndpoints};
use nodes::few;
use routes::Routes;
use vpc::VpcAssessor;

/// What all EC2 nodes are called in findings.
const ALL_NODES: &str = "managed nodes";

/// The question of this check.
const REACH_KMS: &str = "can reach KMS";

/// The findings so far, and what to add for the nodes that cannot reach KMS.
#[derive(Debug, Default)]
struct Found {
    findings: Vec<Finding>,
    remedies: Vec<ResourceRemedy>,
    /// For each question and why the list that answers it could not be read: the nodes that it is about, and their VPCs.
    unread: BTreeMap<(&'static str, String), (NodeCount, BTreeSet<String>)>,
    /// The parts of Context that passes rest on.
    given: BTreeSet<String>,
}

/// The findings about the network of the EC2 nodes, and what to add for those that cannot reach KMS. `is_exempt` says of a
/// role whether its failure blocks nothing; the findings about nodes that have no other role are exempt, and have no
/// remedy.
pub(in crate::preflight) fn findings(
    observation: &AccessObservation,
    network: &Read<NetworkObservation>,
    is_exempt: &dyn Fn(&PrincipalArn) -> bool,
) -> (Vec<Finding>, Vec<ResourceRemedy>) {
    let nodes = observation.nodes.as_ref().and_then(Read::known);
    let nodes = nodes.map_or(&[][..], |Nodes { instances, .. }| instances);
    let network = match network {
        Read::Known(network) => network,
        Read::Unknown(why) => {
            return (vec![unknown(ALL_NODES, not_known(&all(nodes.len()), REACH_KMS, why))], Vec::new());
        }
    };
    let (exempt, nodes): (Vec<_>, Vec<_>) =
        nodes.iter().partition(|node| !node.roles.is_empty() && node.roles.iter().all(is_exempt));
    let (mut findings, remedies) = of_nodes(observation, network, &nodes);
    let (of_exempt, _) = of_nodes(observation, network, &exempt);
    findings.extend(of_exempt.into_iter().map(|finding| Finding { exempt: true, ..finding }));
    (findings, remedies)
}

fn of_nodes(
    observation: &AccessObservation,
    network: &NetworkObservation,
    nodes: &[&InstanceNode],
) -> (Vec<Finding>, Vec<ResourceRemedy>) {
    if nodes.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let (vpcs, without_vpc) = nodes::by_vpc(nodes, &network.instances);
    let mut found = Found::default();
    if without_vpc.count > 0 {
        let many = without_vpc.to_string();
        let why = "ec2:DescribeInstances lists no VPC there";
        found.findings.push(unknown(ALL_NODES, not_known(&many, REACH_KMS, why)));
    }
    match &network.endpoints {
        Read::Unknown(why) if !vpcs.is_empty() => {
            let count: usize = vpcs.values().map(|vpc| vpc.all.len()).sum();
            found.findings.push(unknown(ALL_NODES, not_known(&all(count), REACH_KMS, why)));
        }
        Read::Unknown(_) => {}
        Read::Known(endpoints) => {
            let facts = CallFacts::new(observation);
            let mut by_vpc = VpcEndpoints::by_vpc(endpoints, &observation.arn().location().region);
            let subnets = by_id(&network.subnets, |subnet| &subnet.id);
            let groups = by_id(&network.security_groups, |group| &group.id);
            let routes = Routes::new(network, endpoints);
            for (id, nodes) in &vpcs {
                let endpoints = by_vpc.remove(id).unwrap_or_default();
                let assessor = VpcAssessor {
                    observation,
                    facts: &facts,
                    id,
                    nodes,
                    endpoints: &endpoints,
                    subnets: &subnets,
                    groups: &groups,
                    routes: &routes,
                };
                assessor.assess(&mut found);
            }
        }
    }
    for ((question, why), (nodes, vpcs)) in std::mem::take(&mut found.unread) {
        let many = format!("{nodes} in {}", few(&vpcs));
        found.findings.push(unknown(ALL_NODES, not_known(&many, question, &why)));
    }
    if found.findings.is_empty() {
        let given = found.given.iter().map(String::as_str).collect::<Vec<_>>().join(" and ");
        let given = if given.is_empty() { given } else { format!(" (given that {given}, as Context says)") };
        let evidence = format!(
            "{}, in {}, {} a way to KMS{given}",
            all(nodes.len()),
            counted(vpcs.len(), "VPC"),
            if nodes.len() == 1 { "has" } else { "have" }
        );
        found.findings.push(Finding::new(Check::Network, Verdict::Pass, ALL_NODES, evidence));
    }
    (found.findings, found.remedies)
}

fn unknown(subject: &str, evidence: String) -> Finding {
    Finding::new(Check::Network, Verdict::Unknown, subject, evidence)
}

fn not_known(nodes: &str, question: &str, why: &str) -> String {
    format!("whether {nodes} {question} is not known: {why}")
}

fn all(nodes: usize) -> String {
    counted(nodes, "EC2 node")
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The items of a list by their ids, or why the list is not known.
fn by_id<T>(list: &Read<Vec<T>>, id: impl Fn(&T) -> &String) -> Result<BTreeMap<&str, &T>, &str> {
    match list {
        Read::Known(list) => Ok(list.iter().map(|item| (id(item).as_str(), item)).collect()),
        Read::Unknown(why) => Err(why),
    }
}

#[cfg(test)]
mod tests;
