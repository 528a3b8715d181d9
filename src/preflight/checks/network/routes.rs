//! Where the routes of a node lead: to the internet, perhaps to KMS, or nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::Block;
use crate::ports::{EndpointType, Instance, NatGateway, Route, RouteState, RouteTable, VpcEndpoint};
use crate::preflight::network::NetworkObservation;
use crate::preflight::observation::Read;

const ALL_IPV4: &str = "0.0.0.0/0";
const ALL_IPV6: &str = "::/0";

/// Where something leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It leads to KMS.
    Certain,
    /// It leads to the internet by IPv6. Whether the node's agent uses IPv6 is another question.
    Ipv6,
    /// It may lead to KMS: for each reason, what is not clear.
    Possible(BTreeSet<String>),
    /// It does not lead to KMS.
    No,
}

/// Where a node stands in the network. Nodes that stand alike have the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'a> {
    is_stopped: bool,
    /// The network interfaces, the primary one first.
    pub(super) interfaces: Vec<InterfacePlace<'a>>,
}

/// Where a network interface stands in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InterfacePlace<'a> {
    pub(super) subnet: Option<&'a str>,
    has_public_ip: bool,
    has_ipv6: bool,
}

/// The routes of all VPCs.
pub(super) struct Routes<'a> {
    of_subnet: BTreeMap<&'a str, &'a RouteTable>,
    main_of_vpc: BTreeMap<&'a str, &'a RouteTable>,
    nat_gateways: Result<BTreeMap<&'a str, &'a NatGateway>, &'a str>,
    /// Endpoints that are not of the type of S3's and DynamoDB's.
    no_gateways: BTreeSet<&'a str>,
}

impl<'a> Place<'a> {
    pub(super) fn of(instance: &'a Instance) -> Self {
        let place = |interface: &'a crate::ports::NetworkInterface| InterfacePlace {
            subnet: interface.subnet.as_deref(),
            has_public_ip: interface.has_public_ip,
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
        let no_gateways = endpoints.iter().filter(|endpoint| endpoint.endpoint_type != EndpointType::Gateway);
        Ok(Self {
            of_subnet: of_subnet.collect(),
            main_of_vpc: main.map(|table| (table.vpc.as_str(), table)).collect(),
            nat_gateways,
            no_gateways: no_gateways.map(|endpoint| endpoint.id.as_str()).collect(),
        })
    }

    /// Where the routes of a node lead. A node with several network interfaces leaves by its primary one, unless its
    /// own system knows better.
    pub(super) fn way(&self, vpc: &str, place: &Place<'_>) -> Way {
        let Some((primary, others)) = place.interfaces.split_first() else {
            return possible("no network interface of it is found");
        };
        let way = self.way_of_interface(vpc, *primary, place.is_stopped);
        if way == Way::Certain {
            return way;
        }
        let leads = |other: &InterfacePlace<'_>| {
            self.way_of_interface(vpc, *other, place.is_stopped) != Way::No && other.subnet != primary.subnet
        };
        let others = others.iter().filter(|other| leads(other)).map(|other| {
            format!("a further network interface in {} may lead out", other.subnet.unwrap_or("no subnet"))
        });
        let others: BTreeSet<_> = others.collect();
        match (way, others.is_empty()) {
            (way, true) => way,
            (Way::Possible(reasons), false) => Way::Possible(&reasons | &others),
            (_, false) => Way::Possible(others),
        }
    }

    fn way_of_interface(&self, vpc: &str, interface: InterfacePlace<'_>, is_stopped: bool) -> Way {
        let Some(subnet) = interface.subnet else { return possible("a subnet is not named") };
        let Some(table) = self.table(vpc, subnet) else {
            return possible(format!("the route table of {subnet} is not found"));
        };
        let ways: Vec<_> =
            table.routes.iter().map(|route| self.way_of_route(vpc, route, interface, is_stopped)).collect();
        let mut reasons = BTreeSet::new();
        if ways.contains(&Way::Certain) {
            // The most specific route of an address counts, whatever the others say.
            let hides = |route: &&Route| {
                let is_public = Block::parse(&route.destination).is_some_and(|block| block.has_public_ipv4());
                let leads_out = ["local", "igw-", "nat-"].iter().any(|word| route.target.starts_with(word));
                route.destination != ALL_IPV4 && is_public && !leads_out
            };
            let hiding = table.routes.iter().filter(hides);
            reasons.extend(hiding.map(|route| format!("{}, which goes before {ALL_IPV4}", described(route))));
            return if reasons.is_empty() { Way::Certain } else { Way::Possible(reasons) };
        }
        let has_ipv6 = ways.contains(&Way::Ipv6);
        for way in ways {
            if let Way::Possible(of_route) = way {
                reasons.extend(of_route);
            }
        }
        match (reasons.is_empty(), has_ipv6) {
            (false, _) => Way::Possible(reasons),
            (true, true) => Way::Ipv6,
            (true, false) => Way::No,
        }
    }

    fn table(&self, vpc: &str, subnet: &str) -> Option<&'a RouteTable> {
        self.of_subnet.get(subnet).or_else(|| self.main_of_vpc.get(vpc)).copied()
    }

    fn way_of_route(&self, vpc: &str, route: &Route, interface: InterfacePlace<'_>, is_stopped: bool) -> Way {
        let Route { destination, target, state } = route;
        let is_ipv6 = destination.contains(':');
        if target == "local" || *state == RouteState::Blackhole || (is_ipv6 && !interface.has_ipv6) {
            return Way::No;
        }
        if *state == RouteState::Unclear {
            return possible(format!("{}, and its state is not clear", described(route)));
        }
        let kind = target.split_once('-').map_or("", |(kind, _)| kind);
        match (kind, destination.as_str()) {
            ("igw", ALL_IPV4) if interface.has_public_ip => Way::Certain,
            ("igw" | "eigw", ALL_IPV6) => Way::Ipv6,
            // Most public addresses come with the start.
            ("igw", _) if !is_ipv6 && !interface.has_public_ip && is_stopped => {
                possible("a stopped instance may have a public address when it runs again")
            }
            ("igw", _) if !is_ipv6 && !interface.has_public_ip && !is_list(destination) => Way::No,
            ("igw", _) if !interface.has_public_ip && !interface.has_ipv6 => Way::No,
            ("eigw", _) if !interface.has_ipv6 => Way::No,
            ("nat", ALL_IPV4) => match self.way_of_nat(vpc, target) {
                Ok(()) => Way::Certain,
                Err(why) => possible(why),
            },
            ("vpce", _) if is_list(destination) && !self.no_gateways.contains(target.as_str()) => Way::No,
            _ => possible(described(route)),
        }
    }

    /// Whether a NAT gateway certainly leads to the internet, or what is not clear of it.
    fn way_of_nat(&self, vpc: &str, id: &str) -> Result<(), String> {
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

fn possible(reason: impl Into<String>) -> Way {
    Way::Possible(BTreeSet::from([reason.into()]))
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
