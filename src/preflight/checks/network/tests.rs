//! The networks of these tests, and the tests of the check as a whole.

use std::net::IpAddr;

pub(super) use super::*;
pub(super) use crate::access::{KnownContext, PrincipalArn};
use crate::key::{KeyArn, KeyDescription};
pub(super) use crate::ports::{
    EndpointState, EndpointType, InboundRule, Instance, NatGateway, NetworkInterface, Route, RouteState,
    RouteTable, SecurityGroup, Subnet, VpcEndpoint,
};
use crate::preflight::Attributes;
pub(super) use crate::preflight::InstanceNode;

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1-2";
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/Node";
pub(super) const FULL: Option<&str> = None;

/// Node i-1 in subnet-1 of vpc-1, which is cut off: its one route is local, and it has an endpoint for ssmmessages in
/// subnet-1 and subnet-2. Gateways stand in subnet-public, whose routes lead to an internet gateway.
#[derive(Clone)]
pub(super) struct NodeNetwork {
    pub(super) key: &'static str,
    pub(super) context: KnownContext,
    pub(super) nodes: Vec<InstanceNode>,
    pub(super) network: NetworkObservation,
}

impl NodeNetwork {
    pub(super) fn unreachable() -> Self {
        let subnet = |id: &str, zone: &str| Subnet {
            id: id.to_owned(),
            vpc: "vpc-1".to_owned(),
            availability_zone: format!("eu-west-1{zone}"),
            owner: ACCOUNT.to_owned(),
        };
        let mut messages = endpoint("vpce-m", "ssmmessages");
        messages.subnets.push("subnet-2".to_owned());
        let rule = InboundRule {
            protocol: "tcp".to_owned(),
            ports: Some((443, 443)),
            blocks: vec!["10.0.0.0/16".to_owned()],
            groups: Vec::new(),
            prefix_lists: Vec::new(),
        };
        Self {
            key: KEY,
            context: KnownContext::default(),
            nodes: vec![node("i-1")],
            network: NetworkObservation {
                instances: std::sync::Arc::new(vec![instance("i-1")]),
                endpoints: Read::Known(vec![messages]),
                subnets: Read::Known(vec![
                    subnet("subnet-1", "a"),
                    subnet("subnet-2", "b"),
                    subnet("subnet-public", "a"),
                ]),
                route_tables: Read::Known(vec![
                    RouteTable {
                        vpc: "vpc-1".to_owned(),
                        is_main: true,
                        subnets: Vec::new(),
                        routes: vec![route("10.0.0.0/16", "local")],
                    },
                    RouteTable {
                        vpc: "vpc-1".to_owned(),
                        is_main: false,
                        subnets: vec!["subnet-public".to_owned()],
                        routes: vec![route("10.0.0.0/16", "local"), route("0.0.0.0/0", "igw-1")],
                    },
                ]),
                nat_gateways: Read::Known(Vec::new()),
                security_groups: Read::Known(vec![SecurityGroup {
                    id: "sg-e".to_owned(),
                    inbound: vec![rule],
                }]),
            },
        }
    }

    pub(super) fn with(mut self, edit: impl FnOnce(&mut Self)) -> Self {
        edit(&mut self);
        self
    }

    /// With a route of the main table.
    pub(super) fn route(self, destination: &str, target: &str) -> Self {
        self.with(|net| net.main_table().routes.push(route(destination, target)))
    }

    /// With an endpoint for a service, and with this policy.
    pub(super) fn endpoint(self, id: &str, service: &str, policy: Option<&str>) -> Self {
        self.with(|net| {
            let policy = policy.map(str::to_owned);
            net.endpoints().push(VpcEndpoint { policy, ..endpoint(id, service) });
        })
    }

    pub(super) fn without_messages(self) -> Self {
        self.with(|net| net.endpoints().retain(|endpoint| !endpoint.service.ends_with("ssmmessages")))
    }

    pub(super) fn nat(self, is_public: bool, is_available: bool, subnet: Option<&str>) -> Self {
        self.with(|net| {
            let subnet = subnet.map(str::to_owned);
            let gateway = NatGateway { id: "nat-1".to_owned(), subnet, is_public, is_available };
            known(&mut net.network.nat_gateways).push(gateway);
        })
    }

    pub(super) fn endpoints(&mut self) -> &mut Vec<VpcEndpoint> {
        known(&mut self.network.endpoints)
    }

    pub(super) fn main_table(&mut self) -> &mut RouteTable {
        known(&mut self.network.route_tables).iter_mut().find(|table| table.is_main).unwrap()
    }

    /// The instances, to be changed.
    pub(super) fn instances(&mut self) -> &mut Vec<Instance> {
        std::sync::Arc::make_mut(&mut self.network.instances)
    }

    /// The one network interface of the one node.
    pub(super) fn interface(&mut self) -> &mut NetworkInterface {
        &mut self.instances()[0].interfaces[0]
    }

    pub(super) fn assess(&self) -> (Vec<Finding>, Vec<ResourceRemedy>) {
        let network = Read::Known(self.network.clone());
        findings(&self.observation(), &network, &|_| false)
    }

    pub(super) fn observation(&self) -> AccessObservation {
        AccessObservation {
            key: KeyDescription::assumed(KeyArn::parse(self.key).unwrap()),
            account: ACCOUNT.to_owned(),
            context: self.context.clone(),
            attributes: Attributes::default(),
            policy: Read::Unknown("it was not asked".to_owned()),
            grants: Read::Known(Vec::new()),
            dry_runs: Vec::new(),
            unlisted_policies: None,
            subjects: Vec::new(),
            nodes: Some(Read::Known(Nodes { instances: self.nodes.clone(), ..Nodes::default() })),
            network: None,
            sessions: None,
        }
    }

    /// The one finding.
    pub(super) fn finding(&self) -> Finding {
        let (findings, _) = self.assess();
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.into_iter().next().unwrap()
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.assess().0.iter().map(|finding| finding.verdict).max().unwrap()
    }
}

pub(super) fn known<T>(read: &mut Read<Vec<T>>) -> &mut Vec<T> {
    match read {
        Read::Known(list) => list,
        Read::Unknown(why) => panic!("{why}"),
    }
}

pub(super) fn node(id: &str) -> InstanceNode {
    InstanceNode { id: id.into(), roles: [role(ROLE)].into() }
}

pub(super) fn role(arn: &str) -> PrincipalArn {
    PrincipalArn::parse(arn).unwrap()
}

pub(super) fn instance(id: &str) -> Instance {
    Instance {
        id: id.to_owned(),
        is_stopped: false,
        vpc: Some("vpc-1".into()),
        interfaces: vec![NetworkInterface {
            subnet: Some("subnet-1".into()),
            private_ip: Some(IpAddr::from([10, 0, 1, 4])),
            has_public_ip: false,
            has_secondary_public_ip: false,
            has_ipv6: false,
            security_groups: ["sg-n".to_owned()].into(),
        }],
    }
}

pub(super) fn endpoint(id: &str, service: &str) -> VpcEndpoint {
    VpcEndpoint {
        id: id.to_owned(),
        vpc: "vpc-1".to_owned(),
        service: format!("com.amazonaws.eu-west-1.{service}"),
        endpoint_type: EndpointType::Interface,
        state: EndpointState::Available,
        has_private_dns: true,
        policy: None,
        subnets: vec!["subnet-1".to_owned()],
        security_groups: vec!["sg-e".to_owned()],
    }
}

pub(super) fn route(destination: &str, target: &str) -> Route {
    Route { destination: destination.to_owned(), target: target.to_owned(), state: RouteState::Active }
}

#[test]
fn a_vpc_that_is_cut_off_is_named_with_the_endpoint_to_add() {
    let (findings, remedies) = NodeNetwork::unreachable().assess();
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((finding.verdict, finding.subject.as_str()), (Verdict::Fail, "vpc-1"));
    for word in ["node i-1", "subnet-1", "vpce-m", "none for KMS"] {
        assert!(finding.evidence.contains(word), "{word}: {}", finding.evidence);
    }
    let [remedy] = remedies.as_slice() else { panic!("{remedies:#?}") };
    assert_eq!(remedy.resource, "vpc-1");
    assert_eq!(
        remedy.snippet,
        serde_json::json!({"KmsEndpointOfVpc1": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcEndpointType": "Interface",
                "VpcId": "vpc-1",
                "ServiceName": "com.amazonaws.eu-west-1.kms",
                "SubnetIds": ["subnet-1", "subnet-2"],
                "SecurityGroupIds": ["sg-e"],
                "PrivateDnsEnabled": true
            }
        }})
    );
    let command = remedy.command.as_ref().unwrap();
    assert!(command.contains("--subnet-ids subnet-1 subnet-2 --security-group-ids sg-e"), "{command}");
    // The endpoint of the remedy is one that the check accepts.
    assert_eq!(NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL).verdict(), Verdict::Pass);
}

#[test]
fn the_service_has_the_beginning_that_the_partition_gives_it() {
    let net = NodeNetwork::unreachable().with(|net| {
        net.key = "arn:aws-cn:kms:cn-north-1:111122223333:key/1-2";
        net.endpoints()[0].service = "cn.com.amazonaws.cn-north-1.ssmmessages".to_owned();
    });
    let (_, remedies) = net.assess();
    let properties = &remedies[0].snippet["KmsEndpointOfVpc1"]["Properties"];
    assert_eq!(properties["ServiceName"], "cn.com.amazonaws.cn-north-1.kms");
    let with = net.with(|net| {
        let service = "cn.com.amazonaws.cn-north-1.kms".to_owned();
        net.endpoints().push(VpcEndpoint { service, ..endpoint("vpce-k", "kms") });
    });
    assert_eq!(with.verdict(), Verdict::Pass);
}

#[test]
fn a_pass_counts_nodes_and_vpcs() {
    let finding = NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL).finding();
    assert_eq!(finding.evidence, "1 EC2 node, in 1 VPC, has a way to KMS");
    assert_eq!((finding.verdict, finding.subject.as_str()), (Verdict::Pass, ALL_NODES));
}

#[test]
fn what_could_not_be_read_makes_only_what_depends_on_it_unknown() {
    type DenyRead = fn(&mut NetworkObservation, &str);
    const ENDPOINTS: DenyRead = |network, why| network.endpoints = Read::Unknown(why.to_owned());
    const SUBNETS: DenyRead = |network, why| network.subnets = Read::Unknown(why.to_owned());
    const TABLES: DenyRead = |network, why| network.route_tables = Read::Unknown(why.to_owned());
    const GATEWAYS: DenyRead = |network, why| network.nat_gateways = Read::Unknown(why.to_owned());
    const GROUPS: DenyRead = |network, why| network.security_groups = Read::Unknown(why.to_owned());
    let by_endpoint = || NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL);
    let by_nat =
        || NodeNetwork::unreachable().route("0.0.0.0/0", "nat-1").nat(true, true, Some("subnet-public"));
    let by_gateway = || {
        NodeNetwork::unreachable()
            .route("0.0.0.0/0", "igw-1")
            .with(|net| net.interface().has_public_ip = true)
    };
    type UnreadCase = (&'static str, fn() -> NodeNetwork, DenyRead, Verdict);
    let cases: [UnreadCase; 15] = [
        ("endpoint", by_endpoint, ENDPOINTS, Verdict::Unknown),
        ("endpoint", by_endpoint, SUBNETS, Verdict::Unknown),
        ("endpoint", by_endpoint, GROUPS, Verdict::Unknown),
        ("endpoint", by_endpoint, TABLES, Verdict::Pass),
        ("endpoint", by_endpoint, GATEWAYS, Verdict::Pass),
        ("nat", by_nat, ENDPOINTS, Verdict::Unknown),
        ("nat", by_nat, SUBNETS, Verdict::Unknown),
        ("nat", by_nat, TABLES, Verdict::Unknown),
        ("nat", by_nat, GATEWAYS, Verdict::Unknown),
        ("nat", by_nat, GROUPS, Verdict::Pass),
        ("internet gateway", by_gateway, ENDPOINTS, Verdict::Unknown),
        ("internet gateway", by_gateway, GATEWAYS, Verdict::Pass),
        ("internet gateway", by_gateway, TABLES, Verdict::Unknown),
        ("cut off", NodeNetwork::unreachable, GATEWAYS, Verdict::Fail),
        ("cut off", NodeNetwork::unreachable, TABLES, Verdict::Unknown),
    ];
    for (name, net, deny, expected) in cases {
        let net = net().with(|net| deny(&mut net.network, "ec2:DescribeSomething was denied"));
        let finding = net.finding();
        assert_eq!(finding.verdict, expected, "{name}: {finding}");
        let is_named = finding.evidence.contains("ec2:DescribeSomething was denied");
        assert_eq!(is_named, expected == Verdict::Unknown, "{name}: {finding}");
    }
    // The policy of an endpoint that refuses the nodes is known all the same.
    let refusing = NodeNetwork::unreachable().endpoint("vpce-k", "kms", Some(r#"{"Statement":[]}"#));
    let net = refusing.with(|net| net.network.subnets = Read::Unknown("denied".to_owned()));
    let (findings, _) = net.assess();
    let verdicts: Vec<_> = findings.iter().map(|finding| finding.verdict).collect();
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Unknown]);
}

#[test]
fn a_node_without_a_known_vpc_is_unknown_and_no_node_is_no_finding() {
    let gone = NodeNetwork::unreachable().with(|net| net.nodes = vec![node("i-2")]);
    let finding = gone.finding();
    assert_eq!((finding.verdict, finding.subject.as_str()), (Verdict::Unknown, ALL_NODES));
    assert!(finding.evidence.contains("node i-2") && finding.evidence.contains("ec2:DescribeInstances"));
    let outside = NodeNetwork::unreachable().with(|net| net.instances()[0].vpc = None);
    assert_eq!(outside.finding().verdict, Verdict::Unknown);
    assert_eq!(NodeNetwork::unreachable().with(|net| net.nodes.clear()).assess().0, []);
}

#[test]
fn a_network_that_could_not_be_read_is_unknown_and_names_the_action() {
    let unread = Read::Unknown("ec2:DescribeInstances on * was denied".to_owned());
    let (findings, remedies) = findings(&NodeNetwork::unreachable().observation(), &unread, &|_| false);
    assert_eq!((findings.len(), remedies.len()), (1, 0));
    assert_eq!(findings[0].verdict, Verdict::Unknown);
    assert!(findings[0].evidence.contains("ec2:DescribeInstances on * was denied"));
}
