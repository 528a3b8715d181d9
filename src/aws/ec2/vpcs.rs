//! What decides where a VPC's traffic goes, as EC2 lists it: endpoints, subnets, route tables, NAT gateways.

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};

use super::page::texts;
use super::{Listing, operation};
use crate::aws::xml::{each, required, text_if_any, value};
use crate::ports::{
    EndpointState, EndpointType, NatGateway, Route, RouteState, RouteTable, Subnet, VpcEndpoint,
};

pub(super) static VPC_ENDPOINTS: Listing<VpcEndpoint> = Listing {
    operation: operation("DescribeVpcEndpoints", "ec2:DescribeVpcEndpoints"),
    page_size: "1000",
    set: "vpcEndpointSet",
    read: endpoint,
};

pub(super) static SUBNETS: Listing<Subnet> = Listing {
    operation: operation("DescribeSubnets", "ec2:DescribeSubnets"),
    page_size: "1000",
    set: "subnetSet",
    read: subnet,
};

pub(super) static ROUTE_TABLES: Listing<RouteTable> = Listing {
    operation: operation("DescribeRouteTables", "ec2:DescribeRouteTables"),
    page_size: "100",
    set: "routeTableSet",
    read: route_table,
};

pub(super) static NAT_GATEWAYS: Listing<NatGateway> = Listing {
    operation: operation("DescribeNatGateways", "ec2:DescribeNatGateways"),
    page_size: "1000",
    set: "natGatewaySet",
    read: nat_gateway,
};

fn endpoint(item: &mut ScopedDecoder<'_, '_>, into: &mut Vec<VpcEndpoint>) -> Result<(), XmlDecodeError> {
    const NAMES: [&str; 9] = [
        "vpcEndpointId",
        "vpcEndpointType",
        "vpcId",
        "serviceName",
        "state",
        "privateDnsEnabled",
        "policyDocument",
        "subnetIdSet",
        "groupSet",
    ];
    let (mut id, mut kind, mut vpc, mut service) = (None, None, None, None);
    let (mut state, mut has_private_dns, mut policy) = (None, false, None);
    let (mut subnets, mut security_groups) = (Vec::new(), Vec::new());
    each(item, &NAMES, |name, tag| {
        match name {
            "vpcEndpointId" => id = text_if_any(tag)?,
            "vpcEndpointType" => kind = text_if_any(tag)?,
            "vpcId" => vpc = text_if_any(tag)?,
            "serviceName" => service = text_if_any(tag)?,
            "state" => state = text_if_any(tag)?,
            "privateDnsEnabled" => has_private_dns = value(tag)?.unwrap_or(false),
            "policyDocument" => policy = text_if_any(tag)?,
            "subnetIdSet" => each(tag, &["item"], |_, item| {
                subnets.extend(text_if_any(item)?);
                Ok(())
            })?,
            _ => texts(tag, "groupId", &mut security_groups)?,
        }
        Ok(())
    })?;
    let kind: String = required(kind)?;
    // Endpoints that lead to a resource or a service network have no service.
    into.push(VpcEndpoint {
        id: required(id)?,
        vpc: required(vpc)?,
        service: service.unwrap_or_default(),
        endpoint_type: match kind.to_ascii_lowercase().as_str() {
            "interface" => EndpointType::Interface,
            "gateway" => EndpointType::Gateway,
            _ => EndpointType::Other,
        },
        state: endpoint_state(&required::<String>(state)?),
        has_private_dns,
        policy,
        subnets,
        security_groups,
    });
    Ok(())
}

/// The letter case of the states differs between EC2's reference and its answers.
fn endpoint_state(name: &str) -> EndpointState {
    match name.to_ascii_lowercase().as_str() {
        "available" => EndpointState::Available,
        "deleting" | "deleted" | "rejected" | "failed" | "expired" => EndpointState::Gone,
        _ => EndpointState::Pending,
    }
}

fn subnet(item: &mut ScopedDecoder<'_, '_>, into: &mut Vec<Subnet>) -> Result<(), XmlDecodeError> {
    let (mut id, mut vpc, mut availability_zone, mut owner) = (None, None, None, None);
    each(item, &["subnetId", "vpcId", "availabilityZone", "ownerId"], |name, tag| {
        let field = match name {
            "subnetId" => &mut id,
            "vpcId" => &mut vpc,
            "availabilityZone" => &mut availability_zone,
            _ => &mut owner,
        };
        *field = text_if_any(tag)?;
        Ok(())
    })?;
    into.push(Subnet {
        id: required(id)?,
        vpc: required(vpc)?,
        availability_zone: required(availability_zone)?,
        owner: required(owner)?,
    });
    Ok(())
}

fn route_table(item: &mut ScopedDecoder<'_, '_>, into: &mut Vec<RouteTable>) -> Result<(), XmlDecodeError> {
    let (mut vpc, mut routes, mut has_routes) = (None, Vec::new(), false);
    let (mut is_main, mut subnets) = (false, Vec::new());
    each(item, &["vpcId", "routeSet", "associationSet"], |name, tag| {
        match name {
            "vpcId" => vpc = text_if_any(tag)?,
            "routeSet" => {
                has_routes = true;
                each(tag, &["item"], |_, item| {
                    routes.push(route(item)?);
                    Ok(())
                })?;
            }
            _ => each(tag, &["item"], |_, item| {
                // An association with a gateway names no subnet.
                each(item, &["main", "subnetId"], |name, tag| {
                    match name {
                        "main" => is_main |= value(tag)?.unwrap_or(false),
                        _ => subnets.extend(text_if_any(tag)?),
                    }
                    Ok(())
                })
            })?,
        }
        Ok(())
    })?;
    required(has_routes.then_some(()))?;
    into.push(RouteTable { vpc: required(vpc)?, is_main, subnets, routes });
    Ok(())
}

fn route(item: &mut ScopedDecoder<'_, '_>) -> Result<Route, XmlDecodeError> {
    // A route through an instance names the instance's network interface too.
    const NAMES: [&str; 13] = [
        "destinationCidrBlock",
        "destinationIpv6CidrBlock",
        "destinationPrefixListId",
        "state",
        "gatewayId",
        "natGatewayId",
        "transitGatewayId",
        "vpcPeeringConnectionId",
        "egressOnlyInternetGatewayId",
        "networkInterfaceId",
        "localGatewayId",
        "carrierGatewayId",
        "coreNetworkArn",
    ];
    let (mut destination, mut target, mut state) = (None, None, None);
    each(item, &NAMES, |name, tag| {
        let field = match name {
            "destinationCidrBlock" | "destinationIpv6CidrBlock" | "destinationPrefixListId" => {
                &mut destination
            }
            "state" => &mut state,
            _ => &mut target,
        };
        if let Some(text) = text_if_any(tag)? {
            *field = Some(text);
        }
        Ok(())
    })?;
    // What is not known of one route leaves the others known.
    Ok(Route {
        destination: destination.unwrap_or_default(),
        target: target.unwrap_or_default(),
        state: match state.as_deref() {
            Some("active") => RouteState::Active,
            Some("blackhole") => RouteState::Blackhole,
            _ => RouteState::Unknown,
        },
    })
}

fn nat_gateway(item: &mut ScopedDecoder<'_, '_>, into: &mut Vec<NatGateway>) -> Result<(), XmlDecodeError> {
    let (mut id, mut subnet, mut state, mut connectivity) = (None, None, None, None);
    each(item, &["natGatewayId", "subnetId", "state", "connectivityType"], |name, tag| {
        let field = match name {
            "natGatewayId" => &mut id,
            "subnetId" => &mut subnet,
            "state" => &mut state,
            _ => &mut connectivity,
        };
        *field = text_if_any(tag)?;
        Ok(())
    })?;
    let state: String = required(state)?;
    into.push(NatGateway {
        id: required(id)?,
        subnet,
        // Before there were private ones, EC2 named no type.
        is_public: connectivity.is_none_or(|kind| kind == "public"),
        is_available: state == "available",
    });
    Ok(())
}
