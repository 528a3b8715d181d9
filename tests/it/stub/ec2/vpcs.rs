//! The network of VPCs: endpoints, subnets, route tables, NAT gateways, security groups.

use serde_json::{Value, json};

use super::list::{List, answer};
use crate::stub::call::{Call, Location, Outcome};
use crate::stub::services::Operation;
use crate::stub::world::World;

pub const OPERATIONS: &[Operation] = &[
    Operation::read("DescribeVpcEndpoints", endpoints),
    Operation::read("DescribeSubnets", subnets),
    Operation::read("DescribeRouteTables", route_tables),
    Operation::read("DescribeNatGateways", nat_gateways),
    Operation::read("DescribeSecurityGroups", security_groups),
];

/// Everything in the VPCs.
#[derive(Clone, Debug, Default)]
pub struct Vpcs {
    pub endpoints: Vec<Endpoint>,
    pub subnets: Vec<Subnet>,
    pub route_tables: Vec<RouteTable>,
    pub nat_gateways: Vec<NatGateway>,
    pub security_groups: Vec<SecurityGroup>,
}

#[derive(Clone, Debug)]
pub struct Endpoint {
    pub location: Location,
    pub id: String,
    pub vpc: String,
    pub service: String,
    /// `Interface`, `Gateway` or `GatewayLoadBalancer`.
    pub kind: &'static str,
    pub state: &'static str,
    pub private_dns: bool,
    pub policy: Option<String>,
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Subnet {
    pub location: Location,
    pub id: String,
    pub vpc: String,
    pub zone: String,
    /// The account that shares it, if that is another one.
    pub owner: String,
}

#[derive(Clone, Debug)]
pub struct RouteTable {
    pub location: Location,
    pub vpc: String,
    /// `None` for the main table.
    pub subnet: Option<String>,
    pub routes: Vec<Route>,
}

#[derive(Clone, Debug)]
pub struct Route {
    pub destination: String,
    pub target: String,
    /// `active` or `blackhole`.
    pub state: &'static str,
}

#[derive(Clone, Debug)]
pub struct NatGateway {
    pub location: Location,
    pub id: String,
    pub vpc: String,
    pub subnet: String,
    /// `public` or `private`.
    pub connectivity: &'static str,
    pub state: &'static str,
}

#[derive(Clone, Debug)]
pub struct SecurityGroup {
    pub location: Location,
    pub id: String,
    /// Rules as EC2 returns them in `ipPermissions`.
    pub inbound: Vec<Value>,
}

fn endpoints(world: &mut World, call: &Call) -> Outcome {
    const LIST: List<Endpoint> = List {
        most: 1000,
        filters: &[
            ("vpc-id", |one| vec![one.vpc.as_str()]),
            ("service-name", |one| vec![one.service.as_str()]),
        ],
    };
    let page = LIST.page(world, call, &here(&world.vpcs.endpoints, call, |one| &one.location))?;
    let shown = page.items.iter().map(|one| {
        let groups: Vec<_> =
            one.security_groups.iter().map(|id| json!({"groupId": id, "groupName": id})).collect();
        let mut shown = json!({
            "vpcEndpointId": one.id,
            "vpcEndpointType": one.kind,
            "vpcId": one.vpc,
            "serviceName": one.service,
            "state": one.state,
            "privateDnsEnabled": one.private_dns,
            "routeTableIdSet": [],
            "subnetIdSet": one.subnets,
            "groupSet": groups,
            "dnsEntrySet": [{"dnsName": format!("{}.{}", one.id, one.service), "hostedZoneId": "Z1"}],
            "ownerId": one.location.account,
        });
        if let Some(policy) = &one.policy {
            shown["policyDocument"] = policy.as_str().into();
        }
        shown
    });
    Ok(answer("vpcEndpointSet", &shown.collect::<Vec<_>>(), page.next))
}

fn subnets(world: &mut World, call: &Call) -> Outcome {
    const LIST: List<Subnet> = List { most: 1000, filters: &[("vpc-id", |one| vec![one.vpc.as_str()])] };
    let page = LIST.page(world, call, &here(&world.vpcs.subnets, call, |one| &one.location))?;
    let shown = page.items.iter().map(|one| {
        json!({
            "subnetId": one.id,
            "vpcId": one.vpc,
            "state": "available",
            "availabilityZone": one.zone,
            "cidrBlock": "10.0.0.0/24",
            "ownerId": one.owner,
        })
    });
    Ok(answer("subnetSet", &shown.collect::<Vec<_>>(), page.next))
}

fn route_tables(world: &mut World, call: &Call) -> Outcome {
    const LIST: List<RouteTable> = List { most: 100, filters: &[("vpc-id", |one| vec![one.vpc.as_str()])] };
    let page = LIST.page(world, call, &here(&world.vpcs.route_tables, call, |one| &one.location))?;
    let shown = page.items.iter().map(|one| {
        let association = match &one.subnet {
            Some(subnet) => json!({"main": false, "subnetId": subnet}),
            None => json!({"main": true}),
        };
        json!({
            "vpcId": one.vpc,
            "routeSet": one.routes.iter().map(route).collect::<Vec<_>>(),
            "associationSet": [association],
        })
    });
    Ok(answer("routeTableSet", &shown.collect::<Vec<_>>(), page.next))
}

fn route(route: &Route) -> Value {
    let destination = match &route.destination {
        list if list.starts_with("pl-") => "destinationPrefixListId",
        block if block.contains(':') => "destinationIpv6CidrBlock",
        _ => "destinationCidrBlock",
    };
    let kind = route.target.split('-').next().unwrap_or_default();
    let target = match kind {
        "nat" => "natGatewayId",
        "tgw" => "transitGatewayId",
        "pcx" => "vpcPeeringConnectionId",
        "eigw" => "egressOnlyInternetGatewayId",
        "eni" => "networkInterfaceId",
        "lgw" => "localGatewayId",
        "cagw" => "carrierGatewayId",
        // Internet and virtual private gateways, endpoints, and `local`.
        _ => "gatewayId",
    };
    json!({destination: route.destination, target: route.target, "origin": "CreateRoute", "state": route.state})
}

fn nat_gateways(world: &mut World, call: &Call) -> Outcome {
    const LIST: List<NatGateway> = List {
        most: 1000,
        filters: &[("vpc-id", |one| vec![one.vpc.as_str()]), ("state", |one| vec![one.state])],
    };
    let page = LIST.page(world, call, &here(&world.vpcs.nat_gateways, call, |one| &one.location))?;
    let shown = page.items.iter().map(|one| {
        json!({
            "natGatewayId": one.id,
            "vpcId": one.vpc,
            "subnetId": one.subnet,
            "state": one.state,
            "connectivityType": one.connectivity,
        })
    });
    Ok(answer("natGatewaySet", &shown.collect::<Vec<_>>(), page.next))
}

fn security_groups(world: &mut World, call: &Call) -> Outcome {
    const LIST: List<SecurityGroup> =
        List { most: 1000, filters: &[("group-id", |one| vec![one.id.as_str()])] };
    let page = LIST.page(world, call, &here(&world.vpcs.security_groups, call, |one| &one.location))?;
    let shown = page.items.iter().map(|one| {
        json!({
            "groupId": one.id,
            "groupName": one.id,
            "ipPermissions": one.inbound,
            "ipPermissionsEgress": [{"ipProtocol": "-1", "ipRanges": [{"cidrIp": "0.0.0.0/0"}]}],
        })
    });
    Ok(answer("securityGroupInfo", &shown.collect::<Vec<_>>(), page.next))
}

/// The items of the call's account and Region.
fn here<T: Clone>(items: &[T], call: &Call, location: impl Fn(&T) -> &Location) -> Vec<T> {
    let here = call.location();
    items.iter().filter(|item| *location(item) == here).cloned().collect()
}

impl World {
    /// Adds a subnet of the default account and Region, and with a VPC's first subnet its main route table. Its
    /// Availability Zone is `eu-west-1a`.
    pub fn add_subnet(&mut self, id: &str, vpc: &str) -> &mut Subnet {
        if !self.vpcs.subnets.iter().any(|subnet| subnet.vpc == vpc) {
            self.add_route_table(vpc, None);
        }
        self.vpcs.subnets.push(Subnet {
            location: self.location.clone(),
            id: id.to_owned(),
            vpc: vpc.to_owned(),
            zone: format!("{}a", self.location.region),
            owner: self.location.account.clone(),
        });
        self.vpcs.subnets.last_mut().expect("it has just been added")
    }

    /// A subnet, which must be there.
    pub fn subnet(&self, id: &str) -> &Subnet {
        self.vpcs.subnets.iter().find(|subnet| subnet.id == id).expect("the subnet is there")
    }

    fn add_route_table(&mut self, vpc: &str, subnet: Option<&str>) -> &mut RouteTable {
        let local =
            Route { destination: "10.0.0.0/16".to_owned(), target: "local".to_owned(), state: "active" };
        self.vpcs.route_tables.push(RouteTable {
            location: self.location.clone(),
            vpc: vpc.to_owned(),
            subnet: subnet.map(str::to_owned),
            routes: vec![local],
        });
        self.vpcs.route_tables.last_mut().expect("it has just been added")
    }

    /// Adds a route to the main table of a VPC, if `of` is one, or else to the own table of a subnet.
    pub fn add_route(&mut self, of: &str, destination: &str, target: &str) -> &mut Route {
        let found = |table: &RouteTable| match &table.subnet {
            Some(subnet) => subnet == of,
            None => table.vpc == of,
        };
        let at = self.vpcs.route_tables.iter().position(found);
        let table = match at {
            Some(at) => &mut self.vpcs.route_tables[at],
            None => {
                let vpc = self.subnet(of).vpc.clone();
                self.add_route_table(&vpc, Some(of))
            }
        };
        let (destination, target) = (destination.to_owned(), target.to_owned());
        table.routes.push(Route { destination, target, state: "active" });
        table.routes.last_mut().expect("it has just been added")
    }

    /// Adds an available interface endpoint with private DNS in a subnet, which must be there, for a service such as
    /// `kms`. Its security group `sg-endpoints` admits everybody.
    pub fn add_endpoint(&mut self, id: &str, subnet: &str, service: &str) -> &mut Endpoint {
        let vpc = self.subnet(subnet).vpc.clone();
        if !self.vpcs.security_groups.iter().any(|group| group.id == "sg-endpoints") {
            let all = json!({"ipProtocol": "-1", "ipRanges": [{"cidrIp": "0.0.0.0/0"}]});
            self.add_security_group("sg-endpoints", vec![all]);
        }
        let full =
            json!({"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]});
        self.vpcs.endpoints.push(Endpoint {
            location: self.location.clone(),
            id: id.to_owned(),
            vpc,
            service: format!("com.amazonaws.{}.{service}", self.location.region),
            kind: "Interface",
            state: "available",
            private_dns: true,
            policy: Some(full.to_string()),
            subnets: vec![subnet.to_owned()],
            security_groups: vec!["sg-endpoints".to_owned()],
        });
        self.vpcs.endpoints.last_mut().expect("it has just been added")
    }

    /// Adds an available public NAT gateway in a subnet, which must be there.
    pub fn add_nat_gateway(&mut self, id: &str, subnet: &str) -> &mut NatGateway {
        self.vpcs.nat_gateways.push(NatGateway {
            location: self.location.clone(),
            id: id.to_owned(),
            vpc: self.subnet(subnet).vpc.clone(),
            subnet: subnet.to_owned(),
            connectivity: "public",
            state: "available",
        });
        self.vpcs.nat_gateways.last_mut().expect("it has just been added")
    }

    /// Adds a security group with these rules of `ipPermissions`.
    pub fn add_security_group(&mut self, id: &str, inbound: Vec<Value>) -> &mut SecurityGroup {
        let location = self.location.clone();
        self.vpcs.security_groups.push(SecurityGroup { location, id: id.to_owned(), inbound });
        self.vpcs.security_groups.last_mut().expect("it has just been added")
    }
}
