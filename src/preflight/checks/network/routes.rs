//! Whether the routes of a node connect it to the internet, perhaps to KMS, or to neither.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::CidrBlock;
use crate::ports::{EndpointType, Instance, NatGateway, Route, RouteState, RouteTable, VpcEndpoint};
use crate::preflight::network::NetworkObservation;
use crate::preflight::observation::Read;

const ALL_IPV4: &str = "0.0.0.0/0";
const ALL_IPV6: &str = "::/0";

/// Whether routes connect a node to the internet, and so to KMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Connectivity {
    /// They do.
    Internet,
    /// They do by IPv6. Whether the node's agent uses IPv6 is another question.
    InternetByIpv6,
    /// They may: for each reason, what is not known.
    Unknown(BTreeSet<String>),
    /// They do not.
    None,
}

/// The network settings of a node that decide which routes it uses. Nodes with equal settings have the same connectivity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NetworkSettings<'a> {
    is_stopped: bool,
    /// The network interfaces, the primary one first.
    pub(super) interfaces: Vec<InterfaceSettings<'a>>,
}

/// The network settings of a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InterfaceSettings<'a> {
    pub(super) subnet: Option<&'a str>,
    has_public_ip: bool,
    has_secondary_public_ip: bool,
    has_ipv6: bool,
}

/// The routes of all VPCs.
pub(super) struct Routes<'a> {
    of_subnet: BTreeMap<&'a str, &'a RouteTable>,
    main_of_vpc: BTreeMap<&'a str, &'a RouteTable>,
    nat_gateways: Result<BTreeMap<&'a str, &'a NatGateway>, &'a str>,
    /// The ids of the endpoints that are not gateway endpoints.
    not_gateway_endpoints: BTreeSet<&'a str>,
}

impl<'a> NetworkSettings<'a> {
    pub(super) fn of(instance: &'a Instance) -> Self {
        let place = |interface: &'a crate::ports::NetworkInterface| InterfaceSettings {
            subnet: interface.subnet.as_deref(),
            has_public_ip: interface.has_public_ip,
            has_secondary_public_ip: interface.has_secondary_public_ip,
            has_ipv6: interface.has_ipv6,
        };
        Self { is_stopped: instance.is_stopped, interfaces: instance.interfaces.iter().map(place).collect() }
    }
}

impl<'a> Routes<'a> {
    /// The routes, or why they are not known.
    pub(super) fn new(
        network: &'a NetworkObservation,
        endpoints: &'a [VpcEndpoint],
    ) -> Result<Self, &'a str> {
        let tables = match &network.route_tables {
            Read::Known(tables) => tables,
            Read::Unknown(why) => return Err(why),
        };
        let of_subnet =
            tables.iter().flat_map(|table| table.subnets.iter().map(move |subnet| (subnet.as_str(), table)));
        let main = tables.iter().filter(|table| table.is_main);
        let nat_gateways = match &network.nat_gateways {
            Read::Known(gateways) => {
                Ok(gateways.iter().map(|gateway| (gateway.id.as_str(), gateway)).collect())
            }
            Read::Unknown(why) => Err(why.as_str()),
        };
        let not_gateway_endpoints =
            endpoints.iter().filter(|endpoint| endpoint.endpoint_type != EndpointType::Gateway);
        Ok(Self {
            of_subnet: of_subnet.collect(),
            main_of_vpc: main.map(|table| (table.vpc.as_str(), table)).collect(),
            nat_gateways,
            not_gateway_endpoints: not_gateway_endpoints.map(|endpoint| endpoint.id.as_str()).collect(),
        })
    }

    /// The connectivity of a node. A node with several network interfaces uses its primary one, unless its operating
    /// system has other routes.
    pub(super) fn connectivity(&self, vpc: &str, settings: &NetworkSettings<'_>) -> Connectivity {
        let Some((primary, others)) = settings.interfaces.split_first() else {
            return possible("no network interface of it is found");
        };
        let connectivity = self.of_interface(vpc, *primary, settings.is_stopped);
        if connectivity == Connectivity::Internet {
            return connectivity;
        }
        let may_reach = |other: &InterfaceSettings<'_>| {
            self.of_interface(vpc, *other, settings.is_stopped) != Connectivity::None
                && other.subnet != primary.subnet
        };
        let others = others.iter().filter(|other| may_reach(other)).map(|other| {
            format!("a further network interface in {} may reach KMS", other.subnet.unwrap_or("no subnet"))
        });
        let others: BTreeSet<_> = others.collect();
        match (connectivity, others.is_empty()) {
            (connectivity, true) => connectivity,
            (Connectivity::Unknown(reasons), false) => Connectivity::Unknown(&reasons | &others),
            (_, false) => Connectivity::Unknown(others),
        }
    }

    fn of_interface(&self, vpc: &str, interface: InterfaceSettings<'_>, is_stopped: bool) -> Connectivity {
        let Some(subnet) = interface.subnet else { return possible("a subnet is not named") };
        let Some(table) = self.table(vpc, subnet) else {
            return possible(format!("the route table of {subnet} is not found"));
        };
        let of_routes: Vec<_> =
            table.routes.iter().map(|route| self.of_route(vpc, route, interface, is_stopped)).collect();
        let mut reasons = BTreeSet::new();
        if of_routes.contains(&Connectivity::Internet) {
            // The most specific route of an address counts, whatever the others say.
            let takes_precedence = |route: &&Route| {
                let Route { destination, target, .. } = route;
                let is_list = is_list(destination);
                let may_have_kms = is_list
                    || destination.is_empty()
                    || CidrBlock::parse(destination).is_some_and(|block| block.has_public_ipv4());
                let is_harmless = match target.split_once('-').map_or("", |(kind, _)| kind) {
                    "igw" => true,
                    "nat" => self.of_nat_gateway(vpc, target).is_ok(),
                    "vpce" => is_list && !self.not_gateway_endpoints.contains(target.as_str()),
                    _ => target == "local",
                };
                destination != ALL_IPV4 && may_have_kms && !is_harmless
            };
            let preceding = table.routes.iter().filter(takes_precedence);
            reasons.extend(
                preceding
                    .map(|route| format!("{}, which is more specific than {ALL_IPV4}", described(route))),
            );
            return if reasons.is_empty() { Connectivity::Internet } else { Connectivity::Unknown(reasons) };
        }
        let has_ipv6 = of_routes.contains(&Connectivity::InternetByIpv6);
        for of_route in of_routes {
            if let Connectivity::Unknown(of_route) = of_route {
                reasons.extend(of_route);
            }
        }
        match (reasons.is_empty(), has_ipv6) {
            (false, _) => Connectivity::Unknown(reasons),
            (true, true) => Connectivity::InternetByIpv6,
            (true, false) => Connectivity::None,
        }
    }

    fn table(&self, vpc: &str, subnet: &str) -> Option<&'a RouteTable> {
        self.of_subnet.get(subnet).or_else(|| self.main_of_vpc.get(vpc)).copied()
    }

    fn of_route(
        &self,
        vpc: &str,
        route: &Route,
        interface: InterfaceSettings<'_>,
        is_stopped: bool,
    ) -> Connectivity {
        let Route { destination, target, state } = route;
        let is_ipv6 = destination.contains(':');
        if target == "local" || *state == RouteState::Blackhole || (is_ipv6 && !interface.has_ipv6) {
            return Connectivity::None;
        }
        if *state == RouteState::Unknown {
            return possible(format!("{}, and its state is not clear", described(route)));
        }
        let kind = target.split_once('-').map_or("", |(kind, _)| kind);
        match (kind, destination.as_str()) {
            ("igw", ALL_IPV4) if interface.has_public_ip => Connectivity::Internet,
            ("igw" | "eigw", ALL_IPV6) => Connectivity::InternetByIpv6,
            ("igw", _) if !is_ipv6 && !interface.has_public_ip && interface.has_secondary_public_ip => {
                possible("only a secondary private address has a public one")
            }
            // Most public addresses are assigned when an instance starts.
            ("igw", _) if !is_ipv6 && !interface.has_public_ip && is_stopped => {
                possible("a stopped instance may have a public address when it runs again")
            }
            ("igw", _) if !is_ipv6 && !interface.has_public_ip && !is_list(destination) => Connectivity::None,
            ("igw", _) if !interface.has_public_ip && !interface.has_ipv6 => Connectivity::None,
            ("eigw", _) if !interface.has_ipv6 => Connectivity::None,
            ("nat", ALL_IPV4) => match self.of_nat_gateway(vpc, target) {
                Ok(()) => Connectivity::Internet,
                Err(why) => possible(why),
            },
            ("vpce", _) if is_list(destination) && !self.not_gateway_endpoints.contains(target.as_str()) => {
                Connectivity::None
            }
            _ => possible(described(route)),
        }
    }

    /// Whether a NAT gateway certainly connects to the internet, or what is not known of it.
    fn of_nat_gateway(&self, vpc: &str, id: &str) -> Result<(), String> {
        let gateways = match &self.nat_gateways {
            Ok(gateways) => gateways,
            Err(why) => return Err(format!("where NAT gateway {id} leads is not known: {why}")),
        };
        let Some(gateway) = gateways.get(id) else { return Err(format!("NAT gateway {id} is not found")) };
        if !gateway.is_available {
            return Err(format!("NAT gateway {id} is not available"));
        }
        if !gateway.is_public {
            return Err(format!("a route leads to private NAT gateway {id}"));
        }
        let table = gateway.subnet.as_deref().and_then(|subnet| self.table(vpc, subnet));
        let leads_out = |route: &Route| {
            route.destination == ALL_IPV4
                && route.target.starts_with("igw-")
                && route.state == RouteState::Active
        };
        match table {
            Some(table) if table.routes.iter().any(leads_out) => Ok(()),
            _ => Err(format!("where NAT gateway {id} itself leads is not clear")),
        }
    }
}

/// Whether a destination is a prefix list, whose blocks are not known here.
fn is_list(destination: &str) -> bool {
    destination.starts_with("pl-")
}

fn possible(reason: impl Into<String>) -> Connectivity {
    Connectivity::Unknown(BTreeSet::from([reason.into()]))
}

/// A route in words: `a route for 0.0.0.0/0 leads to transit gateway tgw-1`.
fn described(Route { destination, target, .. }: &Route) -> String {
    let kind = match target.split_once('-').map_or("", |(kind, _)| kind) {
        "igw" => "internet gateway ",
        "eigw" => "egress-only internet gateway ",
        "nat" => "NAT gateway ",
        "tgw" => "transit gateway ",
        "pcx" => "VPC peering ",
        "vgw" => "virtual private gateway ",
        "vpce" => "the firewall or load balancer behind endpoint ",
        "eni" => "network interface ",
        "lgw" => "local gateway ",
        "cagw" => "carrier gateway ",
        _ if target.contains(":core-network/") => "core network ",
        _ => "",
    };
    let destination = if destination.is_empty() { "an unknown destination" } else { destination };
    let target = if target.is_empty() { "a target of an unknown kind" } else { target };
    format!("a route for {destination} leads to {kind}{target}")
}

#[cfg(test)]
mod tests;
