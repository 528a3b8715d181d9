//! The network of the EC2 instances: what decides whether a node can reach KMS.

use std::net::IpAddr;
use std::sync::Arc;

use super::AwsError;

/// An EC2 instance that is not terminated. There may be many thousands, which share what they have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// `i-…`.
    pub id: String,
    /// Whether it is stopped or stopping, so that it is no managed node now and may be one again.
    pub is_stopped: bool,
    /// Its VPC.
    pub vpc: Option<Arc<str>>,
    /// Its network interfaces, the primary one first.
    pub interfaces: Vec<NetworkInterface>,
}

/// A network interface of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkInterface {
    /// Its subnet: `subnet-…`.
    pub subnet: Option<Arc<str>>,
    /// Its primary private IPv4 address.
    pub private_ip: Option<IpAddr>,
    /// Whether it has a public IPv4 address.
    pub has_public_ip: bool,
    /// Whether a secondary private address has a public IPv4 address.
    pub has_secondary_public_ip: bool,
    /// Whether it has an IPv6 address.
    pub has_ipv6: bool,
    /// The ids of its security groups.
    pub security_groups: Arc<[String]>,
}

/// A VPC endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcEndpoint {
    /// `vpce-…`.
    pub id: String,
    /// Its VPC.
    pub vpc: String,
    /// The service: `com.amazonaws.eu-west-1.kms`.
    pub service: String,
    /// Its type.
    pub endpoint_type: EndpointType,
    /// Whether it works.
    pub state: EndpointState,
    /// Whether private DNS is on, so that the service's own host name resolves to it.
    pub has_private_dns: bool,
    /// Its policy, as JSON text. `None` if AWS's answer has none.
    pub policy: Option<String>,
    /// The ids of the subnets that it has network interfaces in.
    pub subnets: Vec<String>,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
}

/// What a VPC endpoint puts into its VPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointType {
    /// Network interfaces.
    Interface,
    /// Routes to S3 or DynamoDB.
    Gateway,
    /// Anything else, such as a Gateway Load Balancer endpoint.
    Other,
}

/// Whether a VPC endpoint works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It works.
    Available,
    /// It is not certain that it works, and it may do so later: it is being made, or waits for somebody to accept it.
    Pending,
    /// It does not work, and will not: it is deleted, rejected or failed.
    Gone,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// `subnet-…`.
    pub id: String,
    /// Its VPC.
    pub vpc: String,
    /// Its Availability Zone.
    pub availability_zone: String,
    /// The account that owns it, twelve digits; another one if the VPC is shared.
    pub owner: String,
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    /// Its VPC.
    pub vpc: String,
    /// Whether it is the table of the subnets of the VPC that have none of their own.
    pub is_main: bool,
    /// The subnets that have it as their own.
    pub subnets: Vec<String>,
    /// Its routes.
    pub routes: Vec<Route>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination: an IPv4 or IPv6 block, or the id of a prefix list. It is empty if it is of another kind.
    pub destination: String,
    /// The id of the target: `local`, `igw-…`, `nat-…`, `eigw-…`, `tgw-…`, `pcx-…`, `vgw-…`, `vpce-…`, `eni-…`.
    /// It is empty if the answer names a target of a kind that is not known here.
    pub target: String,
    /// Whether its target is there.
    pub state: RouteState,
}

/// Whether the target of a route is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteState {
    /// The route works.
    Active,
    /// The target is gone, and the traffic is dropped.
    Blackhole,
    /// AWS names a state that is not known here.
    Unknown,
}

/// A NAT gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatGateway {
    /// `nat-…`.
    pub id: String,
    /// Its subnet. `None` for a NAT gateway of a whole VPC.
    pub subnet: Option<String>,
    /// Whether it is public, and not private.
    pub is_public: bool,
    /// Whether it is available.
    pub is_available: bool,
}

/// A security group, with its inbound rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: String,
    /// The rules for incoming traffic.
    pub inbound: Vec<InboundRule>,
}

/// A rule of a security group for incoming traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundRule {
    /// The protocol, as EC2 names it: `tcp`, `-1` for all.
    pub protocol: String,
    /// The first and last port; `None` for all ports.
    pub ports: Option<(u16, u16)>,
    /// The IPv4 and IPv6 blocks that it admits.
    pub blocks: Vec<String>,
    /// The ids of the security groups whose members it admits.
    pub groups: Vec<String>,
    /// The ids of the prefix lists that it admits.
    pub prefix_lists: Vec<String>,
}

/// The network of the account and Region.
pub trait Network {
    /// All EC2 instances that are not terminated, those that are stopped among them.
    async fn instances(&self) -> Result<Vec<Instance>, AwsError>;
    /// The VPC endpoints in these VPCs.
    async fn vpc_endpoints(&self, vpcs: &[String]) -> Result<Vec<VpcEndpoint>, AwsError>;
    /// The subnets of these VPCs.
    async fn subnets(&self, vpcs: &[String]) -> Result<Vec<Subnet>, AwsError>;
    /// The route tables of these VPCs.
    async fn route_tables(&self, vpcs: &[String]) -> Result<Vec<RouteTable>, AwsError>;
    /// The NAT gateways in these VPCs.
    async fn nat_gateways(&self, vpcs: &[String]) -> Result<Vec<NatGateway>, AwsError>;
    /// The security groups of these ids.
    async fn security_groups(&self, ids: &[String]) -> Result<Vec<SecurityGroup>, AwsError>;
}
