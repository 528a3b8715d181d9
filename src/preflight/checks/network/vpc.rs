//! The assessment of one VPC: its endpoint for KMS, or else the routes of its nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::endpoints::{AssessedEndpoint, CallFacts, RolesVerdict, VpcEndpoints};
use super::nodes::{FEW, VpcNodes, few};
use super::remedies::{endpoint_to_add, statement_to_add};
use super::routes::{Connectivity, NetworkSettings, Routes};
use super::{Found, REACH_KMS, unknown, warnings};
use crate::access::{PrincipalArn, SessionCall};
use crate::ports::{EndpointState, SecurityGroup, Subnet, VpcEndpoint};
use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::observation::{AccessObservation, NodeCount};

/// Everything that the assessment of a VPC looks at.
pub(super) struct VpcAssessor<'a> {
    pub(super) observation: &'a AccessObservation,
    pub(super) facts: &'a CallFacts,
    pub(super) id: &'a str,
    pub(super) nodes: &'a VpcNodes<'a>,
    pub(super) endpoints: &'a VpcEndpoints<'a>,
    /// The subnets by id, or why they are not known. The same for the others.
    pub(super) subnets: &'a Result<BTreeMap<&'a str, &'a Subnet>, &'a str>,
    pub(super) groups: &'a Result<BTreeMap<&'a str, &'a SecurityGroup>, &'a str>,
    pub(super) routes: &'a Result<Routes<'a>, &'a str>,
}

/// Whether nodes with the same network settings reach KMS without an endpoint for it.
enum ReachVerdict {
    Reaches,
    /// They may: for each reason, what is not known.
    Unknown(BTreeSet<String>),
    /// Nothing is known, because a list could not be read.
    Unread(String),
    /// No route and no endpoint reaches KMS.
    CannotReach,
}

/// Nodes with the same verdict.
#[derive(Default)]
struct Affected<'a> {
    nodes: NodeCount,
    subnets: BTreeSet<&'a str>,
    reasons: BTreeSet<String>,
}

/// What the policy of an endpoint says about each list of roles, and the parts of Context that this rests on.
type VerdictsOfRoles<'a> = BTreeMap<&'a [PrincipalArn], (RolesVerdict, Option<String>)>;

impl<'a> VpcAssessor<'a> {
    pub(super) fn assess(&self, found: &mut Found) {
        if self.endpoints.kms.is_empty() {
            return self.assess_routes(found);
        }
        for endpoint in &self.endpoints.kms {
            let verdicts = self.verdicts(endpoint);
            let all = self.nodes.alike.iter().map(|((_, roles), nodes)| (*roles, nodes));
            self.report_policy(endpoint, &verdicts, all, found);
            let (subnets, groups) = (self.subnets.as_ref(), self.groups.as_ref());
            let of_zones = subnets.map(|subnets| warnings::of_zones(endpoint, self.nodes, subnets));
            let of_groups = groups.map(|groups| warnings::of_security_groups(endpoint, self.nodes, groups));
            for (warning, question) in [
                (of_zones, "can use the endpoint for KMS in their own Availability Zone"),
                (of_groups, "can pass the security groups of the endpoint for KMS"),
            ] {
                match warning {
                    Ok(warning) => found.findings.extend(warning.map(|evidence| self.warning(evidence))),
                    Err(why) => {
                        let nodes = self.nodes.alike.values();
                        nodes.for_each(|nodes| self.add_unread(question, why, nodes, found));
                    }
                }
            }
        }
    }

    fn assess_routes(&self, found: &mut Found) {
        let possible: Vec<_> =
            self.endpoints.possible.iter().map(|endpoint| (*endpoint, self.verdicts(endpoint))).collect();
        let fips = self.endpoints.fips.first().map(|endpoint| (*endpoint, self.verdicts(endpoint)));
        let (mut unknown_nodes, mut unreachable) = (Affected::default(), Affected::default());
        let (mut fips_only, mut fips_refused) = (Affected::default(), Affected::default());
        let mut refused: Vec<(&[PrincipalArn], &NodeCount)> = Vec::new();
        for ((place, roles), nodes) in &self.nodes.alike {
            let by_routes = match self.by_routes(place) {
                ReachVerdict::Reaches => reached(&possible, roles, &mut found.given),
                other => other,
            };
            let of_fips = fips.as_ref().and_then(|(_, verdicts)| verdicts.get(roles));
            let affected = match (by_routes, of_fips.map(|(verdict, _)| verdict)) {
                (ReachVerdict::Reaches, None | Some(RolesVerdict::Allows)) => continue,
                (ReachVerdict::Reaches, Some(_)) => &mut fips_refused,
                (ReachVerdict::Unread(why), _) => {
                    self.add_unread(REACH_KMS, &why, nodes, found);
                    continue;
                }
                (ReachVerdict::Unknown(reasons), _) => {
                    unknown_nodes.reasons.extend(reasons);
                    &mut unknown_nodes
                }
                (ReachVerdict::CannotReach, None) => &mut unreachable,
                (ReachVerdict::CannotReach, Some(RolesVerdict::Allows)) => &mut fips_only,
                (
                    ReachVerdict::CannotReach,
                    Some(
                        RolesVerdict::ImplicitDeny | RolesVerdict::ExplicitDeny(_) | RolesVerdict::Unknown(_),
                    ),
                ) => {
                    refused.push((roles, nodes));
                    continue;
                }
            };
            affected.nodes.merge(nodes);
            affected.subnets.extend(place.interfaces.first().and_then(|primary| primary.subnet));
        }
        self.report_unreachable(unreachable, &mut unknown_nodes, found);
        self.report_unknown(&unknown_nodes, found);
        if let Some((endpoint, verdicts)) = &fips {
            self.report_fips(endpoint, &fips_only, &fips_refused, found);
            let needs_other = fips_only.nodes.count > 0 || !refused.is_empty();
            self.report_policy(endpoint, verdicts, refused.into_iter(), found);
            if let Some(ssmmessages) = self.endpoints.available_ssmmessages().filter(|_| needs_other) {
                found.remedies.push(endpoint_to_add(ssmmessages, self.region()));
            }
        }
    }

    /// Reports nodes that depend on whether their agents are set up for FIPS endpoints, which nothing tells.
    fn report_fips(
        &self,
        VpcEndpoint { id, .. }: &VpcEndpoint,
        only: &Affected<'_>,
        refused: &Affected<'_>,
        found: &mut Found,
    ) {
        if only.nodes.count > 0 {
            let evidence = format!(
                "of {}, only those whose agents are set up for FIPS endpoints reach KMS, through endpoint {id}, and \
                 whether they are is not known; the VPC has no other endpoint for KMS, and no route leaves it",
                only.nodes
            );
            let remedy = Some("add a VPC endpoint for KMS, unless all these agents are set up so".to_owned());
            found.findings.push(Finding { remedy, ..unknown(self.id, evidence) });
        }
        if refused.nodes.count > 0 {
            found.findings.push(self.warning(format!(
                "agents that are set up for FIPS endpoints use endpoint {id}, whose policy is not known to allow {} \
                 to {}",
                self.call(),
                refused.nodes
            )));
        }
    }

    /// Whether nodes with these settings reach KMS, if no endpoint for KMS is used.
    fn by_routes(&self, place: &NetworkSettings<'_>) -> ReachVerdict {
        let subnets = match self.subnets {
            Ok(subnets) => subnets,
            Err(why) => return ReachVerdict::Unread((*why).to_owned()),
        };
        let mut reasons = BTreeSet::new();
        for id in place.interfaces.iter().filter_map(|interface| interface.subnet) {
            match subnets.get(id) {
                Some(subnet) if subnet.owner == self.observation.account => {}
                Some(subnet) => {
                    reasons.insert(format!(
                        "{id} belongs to account {}, and an endpoint of that account cannot be seen",
                        subnet.owner
                    ));
                }
                None => {
                    reasons.insert(format!("{id} is not found"));
                }
            }
        }
        if !reasons.is_empty() {
            return ReachVerdict::Unknown(reasons);
        }
        let routes = match self.routes {
            Ok(routes) => routes,
            Err(why) => return ReachVerdict::Unread((*why).to_owned()),
        };
        match routes.connectivity(self.id, place) {
            Connectivity::Internet => return ReachVerdict::Reaches,
            // A node that is managed reaches AWS, and without an endpoint for ssmmessages it does so by IPv6.
            Connectivity::InternetByIpv6 if self.endpoints.ssmmessages.is_empty() => {
                return ReachVerdict::Reaches;
            }
            Connectivity::InternetByIpv6 => {
                reasons.insert("only IPv6 reaches the internet, and the agents may not use IPv6".to_owned());
            }
            Connectivity::Unknown(of_routes) => reasons.extend(of_routes),
            Connectivity::None => {}
        }
        reasons.extend(self.endpoints.possible.iter().map(|endpoint| match endpoint.state {
            EndpointState::Available => format!(
                "endpoint {} for KMS has no private DNS, and a private hosted zone may lead to it",
                endpoint.id
            ),
            _ => format!("endpoint {} for KMS is not available yet", endpoint.id),
        }));
        if reasons.is_empty() { ReachVerdict::CannotReach } else { ReachVerdict::Unknown(reasons) }
    }

    fn report_unreachable(
        &self,
        unreachable: Affected<'a>,
        unknown_nodes: &mut Affected<'a>,
        found: &mut Found,
    ) {
        let Affected { nodes, subnets, .. } = unreachable;
        if nodes.count == 0 {
            return;
        }
        let Some(available_ssmmessages) = self.endpoints.available_ssmmessages() else {
            unknown_nodes.nodes.merge(&nodes);
            unknown_nodes.subnets.extend(subnets);
            unknown_nodes.reasons.insert(
                "no route leaves the VPC, and the VPC has no endpoint for ssmmessages either, so that the nodes are managed \
                 by something that is not seen here, such as a proxy"
                    .to_owned(),
            );
            return;
        };
        found.findings.push(Finding {
            remedy: Some(format!("add a VPC endpoint for KMS to {}", self.id)),
            ..self.finding(
                Verdict::Fail,
                format!(
                    "{nodes}{} cannot reach KMS: the VPC has an endpoint for ssmmessages ({}) and none for KMS, and \
                     no route there leaves the VPC",
                    within(&subnets),
                    available_ssmmessages.id
                ),
            )
        });
        found.remedies.push(endpoint_to_add(available_ssmmessages, self.region()));
    }

    fn report_unknown(&self, Affected { nodes, subnets, reasons }: &Affected<'_>, found: &mut Found) {
        if nodes.count > 0 {
            let remedy = format!(
                "try on one of them whether the host of KMS in {} answers on port 443, or add a VPC endpoint for KMS",
                self.region()
            );
            // As few reasons as names: the first ones are enough to begin with.
            let reasons = reasons.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join("; ");
            let evidence = format!(
                "whether {nodes}{} can reach KMS is not known, since no endpoint for KMS is certainly used: \
                 {reasons}",
                within(subnets),
            );
            found.findings.push(Finding { remedy: Some(remedy), ..unknown(self.id, evidence) });
        }
    }

    /// What the policy of an endpoint says about the roles of all nodes in this VPC.
    fn verdicts(&self, endpoint: &VpcEndpoint) -> VerdictsOfRoles<'a> {
        let assessed = AssessedEndpoint::new(self.observation, self.facts, endpoint);
        let mut verdicts = VerdictsOfRoles::new();
        for (_, roles) in self.nodes.alike.keys() {
            verdicts.entry(roles).or_insert_with(|| {
                let (verdict, given) = assessed.verdict(roles);
                (verdict, given.map(str::to_owned))
            });
        }
        verdicts
    }

    /// Reports what the policy of an endpoint says about nodes that depend on it.
    fn report_policy<'n>(
        &self,
        endpoint: &VpcEndpoint,
        verdicts: &VerdictsOfRoles<'_>,
        nodes: impl Iterator<Item = (&'n [PrincipalArn], &'n NodeCount)>,
        found: &mut Found,
    ) {
        let mut by_verdict: BTreeMap<_, (NodeCount, BTreeSet<&PrincipalArn>)> = BTreeMap::new();
        for (roles, count) in nodes {
            let Some((verdict, given)) = verdicts.get(roles) else { continue };
            if *verdict == RolesVerdict::Allows {
                found.given.extend(given.clone());
                continue;
            }
            let (nodes, of_verdict) = by_verdict.entry((verdict, given)).or_default();
            nodes.merge(count);
            of_verdict.extend(roles);
        }
        let (id, call) = (&endpoint.id, self.call());
        for ((verdict, given), (nodes, roles)) in by_verdict {
            let given = given
                .as_ref()
                .map(|given| format!(" (given that {given}, as Context says)"))
                .unwrap_or_default();
            let whom = match roles.len() {
                0 => format!("{nodes}"),
                _ => format!("{}, of {nodes}", few(&roles)),
            };
            let finding = match verdict {
                RolesVerdict::Allows => continue,
                RolesVerdict::ImplicitDeny => Finding {
                    remedy: Some(format!("allow it by a statement of the policy of {id}")),
                    ..self.finding(
                        Verdict::Fail,
                        format!("the policy of endpoint {id} for KMS does not allow {call} to {whom}{given}"),
                    )
                },
                RolesVerdict::ExplicitDeny(by) => Finding {
                    remedy: Some(
                        "a Deny wins over every Allow: except the roles from that statement".to_owned(),
                    ),
                    ..self.finding(
                        Verdict::Fail,
                        format!("{by} of the policy of endpoint {id} for KMS denies {call} to {whom}{given}"),
                    )
                },
                RolesVerdict::Unknown(why) => unknown(
                    self.id,
                    format!(
                        "whether the policy of endpoint {id} for KMS allows {call} to {whom} is not known: {why}{given}"
                    ),
                ),
            };
            found.findings.push(finding);
            if *verdict == RolesVerdict::ImplicitDeny {
                found.remedies.push(statement_to_add(endpoint, self.observation.arn(), &roles));
            }
        }
    }

    fn add_unread(&self, question: &'static str, why: &str, nodes: &NodeCount, found: &mut Found) {
        let (unread, vpcs) = found.unread.entry((question, why.to_owned())).or_default();
        unread.merge(nodes);
        vpcs.insert(self.id.to_owned());
    }

    fn finding(&self, verdict: Verdict, evidence: String) -> Finding {
        Finding::new(Check::Network, verdict, self.id, evidence)
    }

    fn warning(&self, evidence: String) -> Finding {
        self.finding(Verdict::Warning, evidence)
    }

    fn region(&self) -> &str {
        &self.observation.arn().location().region
    }

    /// The call in words: `kms:Decrypt on arn:…`.
    fn call(&self) -> String {
        format!("{} on {}", SessionCall::Decrypt.action(), self.observation.arn())
    }
}

/// The subnets in words: ` in subnet-1 and subnet-2`. The text is empty if none is known.
fn within(subnets: &BTreeSet<&str>) -> String {
    if subnets.is_empty() { String::new() } else { format!(" in {}", few(subnets)) }
}

/// The verdict on nodes whose routes lead to the internet. An endpoint that may be used instead has to allow the
/// calls too.
fn reached(
    possible: &[(&VpcEndpoint, VerdictsOfRoles<'_>)],
    roles: &[PrincipalArn],
    given: &mut BTreeSet<String>,
) -> ReachVerdict {
    let mut reasons = BTreeSet::new();
    for (endpoint, verdicts) in possible {
        match verdicts.get(roles) {
            Some((RolesVerdict::Allows, rests_on)) => given.extend(rests_on.clone()),
            _ => {
                reasons.insert(format!(
                    "endpoint {} may be used instead of the route to the internet, and its policy is not known to allow them",
                    endpoint.id
                ));
            }
        }
    }
    if reasons.is_empty() { ReachVerdict::Reaches } else { ReachVerdict::Unknown(reasons) }
}

#[cfg(test)]
mod tests;
