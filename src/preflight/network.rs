//! Observing the network of the EC2 nodes: the endpoints, routes and subnets of their VPCs.
//!
//! The number of calls grows with the pages and the VPCs, not with the nodes. A list that may not be read is unknown
//! with the reason, and the other lists are read all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::observation::Read;
use crate::ports::{
    EndpointType, Environment, Instance, ManagedNode, NatGateway, Network, RouteTable, SecurityGroup, Subnet,
    VpcEndpoint,
};
use kms_key_policy::{Policy, PolicyKind};

/// What is known of the network of the EC2 nodes.
#[derive(Clone, Debug)]
pub struct NetworkObservation {
    /// The instances of the account and Region.
    pub instances: Arc<Vec<Instance>>,
    /// The endpoints in the VPCs of the nodes.
    pub endpoints: Read<Vec<VpcEndpoint>>,
    /// The subnets of these VPCs.
    pub subnets: Read<Vec<Subnet>>,
    /// The route tables of these VPCs.
    pub route_tables: Read<Vec<RouteTable>>,
    /// The NAT gateways in these VPCs.
    pub nat_gateways: Read<Vec<NatGateway>>,
    /// The security groups of the endpoints for KMS.
    pub security_groups: Read<Vec<SecurityGroup>>,
}

impl NetworkObservation {
    /// The names of the condition keys in the policies of the endpoints for KMS. Some come more than once.
    pub(super) fn condition_keys(&self) -> Vec<String> {
        let endpoints = self.endpoints.known().map(Vec::as_slice).unwrap_or_default();
        let texts = endpoints.iter().filter(|endpoint| is_for_kms(endpoint));
        let texts: BTreeSet<_> = texts.filter_map(|endpoint| endpoint.policy.as_deref()).collect();
        let policies = texts.into_iter().filter_map(|text| Policy::parse(PolicyKind::Key, text).ok());
        policies.flat_map(|policy| policy.condition_keys().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

/// Reads the network of the VPCs that these nodes are in. If none of them is in a VPC, nothing is read.
pub(super) async fn observe_network<P: Network>(
    environment: Environment<'_, P>,
    nodes: &[ManagedNode],
    instances: Arc<Vec<Instance>>,
) -> NetworkObservation {
    let vpcs = vpcs(nodes, &instances);
    if vpcs.is_empty() {
        return NetworkObservation {
            instances,
            endpoints: Read::Known(Vec::new()),
            subnets: Read::Known(Vec::new()),
            route_tables: Read::Known(Vec::new()),
            nat_gateways: Read::Known(Vec::new()),
            security_groups: Read::Known(Vec::new()),
        };
    }
    // Boxed: each call in flight has a large state.
    let ((endpoints, security_groups), subnets, route_tables, nat_gateways) = tokio::join!(
        async {
            let endpoints = Read::from(Box::pin(environment.vpc_endpoints(&vpcs)).await);
            let groups = security_groups(endpoints.known().map(Vec::as_slice).unwrap_or_default());
            let groups = match groups.as_slice() {
                [] => Read::Known(Vec::new()),
                groups => Read::from(Box::pin(environment.security_groups(groups)).await),
            };
            (endpoints, groups)
        },
        Box::pin(environment.subnets(&vpcs)),
        Box::pin(environment.route_tables(&vpcs)),
        Box::pin(environment.nat_gateways(&vpcs)),
    );
    NetworkObservation {
        instances,
        endpoints,
        subnets: subnets.into(),
        route_tables: route_tables.into(),
        nat_gateways: nat_gateways.into(),
        security_groups,
    }
}

/// The VPCs that these nodes are in, each once.
fn vpcs(nodes: &[ManagedNode], instances: &[Instance]) -> Vec<String> {
    let by_id: BTreeMap<_, _> = instances.iter().map(|instance| (instance.id.as_str(), instance)).collect();
    let vpc = |node: &ManagedNode| by_id.get(&*node.id)?.vpc.as_deref();
    let vpcs: BTreeSet<_> = nodes.iter().filter_map(vpc).collect();
    vpcs.into_iter().map(str::to_owned).collect()
}

/// The ids of the security groups of the endpoints for KMS, each once.
fn security_groups(endpoints: &[VpcEndpoint]) -> Vec<String> {
    let for_kms = endpoints.iter().filter(|endpoint| is_for_kms(endpoint));
    let groups: BTreeSet<_> = for_kms.flat_map(|endpoint| &endpoint.security_groups).collect();
    groups.into_iter().cloned().collect()
}

fn is_for_kms(endpoint: &VpcEndpoint) -> bool {
    endpoint.endpoint_type == EndpointType::Interface
        && [".kms", ".kms-fips"].iter().any(|service| endpoint.service.ends_with(service))
}
