//! Where routes lead: yes, no and unknown for each kind of target.

use crate::preflight::checks::network::tests::*;

/// A name, the network, the verdict, and a word of the finding.
type RouteCase = (&'static str, fn() -> NodeNetwork, Verdict, &'static str);

fn assert_cases(cases: &[RouteCase]) {
    for (name, net, expected, word) in cases {
        let finding = net().finding();
        assert_eq!(finding.verdict, *expected, "{name}: {finding}");
        assert!(finding.evidence.contains(word), "{name}: {finding}");
    }
}

fn public() -> NodeNetwork {
    NodeNetwork::unreachable().with(|net| net.interface().has_public_ip = true)
}

fn with_ipv6() -> NodeNetwork {
    NodeNetwork::unreachable().with(|net| net.interface().has_ipv6 = true)
}

fn by_nat() -> NodeNetwork {
    NodeNetwork::unreachable().route("0.0.0.0/0", "nat-1")
}

#[test]
fn an_internet_gateway_leads_out_with_a_public_address() {
    assert_cases(&[
        ("public address", || public().route("0.0.0.0/0", "igw-1"), Verdict::Pass, "way to KMS"),
        (
            "no public address",
            || NodeNetwork::unreachable().route("0.0.0.0/0", "igw-1"),
            Verdict::Fail,
            "no route",
        ),
        ("another block", || public().route("52.0.0.0/8", "igw-1"), Verdict::Unknown, "52.0.0.0/8"),
        ("a prefix list", || public().route("pl-1", "igw-1"), Verdict::Unknown, "pl-1"),
        (
            "a stopped instance",
            || {
                NodeNetwork::unreachable()
                    .route("0.0.0.0/0", "igw-1")
                    .with(|net| net.instances()[0].is_stopped = true)
            },
            Verdict::Unknown,
            "stopped",
        ),
        (
            "a blackhole",
            || public().route("0.0.0.0/0", "igw-1").with(|net| last_route(net).state = RouteState::Blackhole),
            Verdict::Fail,
            "no route",
        ),
        (
            "an unknown state",
            || public().route("0.0.0.0/0", "igw-1").with(|net| last_route(net).state = RouteState::Unknown),
            Verdict::Unknown,
            "state",
        ),
        (
            "a further interface in that subnet",
            || {
                NodeNetwork::unreachable().with(|net| {
                    let further = NetworkInterface {
                        subnet: Some("subnet-public".into()),
                        has_public_ip: true,
                        ..net.interface().clone()
                    };
                    net.instances()[0].interfaces.push(further);
                })
            },
            Verdict::Unknown,
            "further network interface",
        ),
        (
            "no interface",
            || NodeNetwork::unreachable().with(|net| net.instances()[0].interfaces.clear()),
            Verdict::Unknown,
            "network interface",
        ),
    ]);
}

fn last_route(net: &mut NodeNetwork) -> &mut Route {
    net.main_table().routes.last_mut().unwrap()
}

#[test]
fn a_nat_gateway_leads_out_if_its_own_subnet_does() {
    assert_cases(&[
        ("public", || by_nat().nat(true, true, Some("subnet-public")), Verdict::Pass, "way to KMS"),
        ("private", || by_nat().nat(false, true, Some("subnet-public")), Verdict::Unknown, "private NAT"),
        (
            "not available",
            || by_nat().nat(true, false, Some("subnet-public")),
            Verdict::Unknown,
            "not available",
        ),
        (
            "in a subnet that is cut off",
            || by_nat().nat(true, true, Some("subnet-2")),
            Verdict::Unknown,
            "itself",
        ),
        ("of a whole VPC", || by_nat().nat(true, true, None), Verdict::Unknown, "itself"),
        ("not found", by_nat, Verdict::Unknown, "not found"),
        (
            "for another block",
            || NodeNetwork::unreachable().route("52.0.0.0/8", "nat-1").nat(true, true, Some("subnet-public")),
            Verdict::Unknown,
            "52.0.0.0/8",
        ),
        (
            "behind a blackhole",
            || {
                by_nat().nat(true, true, Some("subnet-public")).with(|net| {
                    known(&mut net.network.route_tables)[1].routes[1].state = RouteState::Blackhole;
                })
            },
            Verdict::Unknown,
            "itself",
        ),
    ]);
}

#[test]
fn every_other_target_may_lead_there() {
    for (target, word) in [
        ("tgw-1", "transit gateway tgw-1"),
        ("pcx-1", "VPC peering pcx-1"),
        ("vgw-1", "virtual private gateway vgw-1"),
        ("vpce-9", "firewall or load balancer behind endpoint vpce-9"),
        ("eni-1", "network interface eni-1"),
        ("lgw-1", "local gateway lgw-1"),
        ("cagw-1", "carrier gateway cagw-1"),
        ("arn:aws:networkmanager::1:core-network/core-network-1", "core network"),
        ("", "a target of an unknown kind"),
        ("new-1", "new-1"),
    ] {
        for destination in ["0.0.0.0/0", "10.1.0.0/16"] {
            let finding = NodeNetwork::unreachable().route(destination, target).finding();
            assert_eq!(finding.verdict, Verdict::Unknown, "{target}: {finding}");
            for word in [word, destination] {
                assert!(finding.evidence.contains(word), "{word}: {finding}");
            }
            assert!(finding.remedy.is_some());
        }
    }
    assert_cases(&[
        ("a prefix list", || NodeNetwork::unreachable().route("pl-1", "tgw-1"), Verdict::Unknown, "pl-1"),
        (
            "an endpoint for S3",
            || NodeNetwork::unreachable().route("pl-1", "vpce-s3"),
            Verdict::Fail,
            "no route",
        ),
        (
            "an endpoint for S3 that is listed",
            || {
                NodeNetwork::unreachable().route("pl-1", "vpce-s3").with(|net| {
                    let s3 =
                        VpcEndpoint { endpoint_type: EndpointType::Gateway, ..endpoint("vpce-s3", "s3") };
                    net.endpoints().push(s3);
                })
            },
            Verdict::Fail,
            "no route",
        ),
        (
            "a prefix list to a firewall",
            || {
                NodeNetwork::unreachable().route("pl-1", "vpce-f").with(|net| {
                    let firewall =
                        VpcEndpoint { endpoint_type: EndpointType::Other, ..endpoint("vpce-f", "f") };
                    net.endpoints().push(firewall);
                })
            },
            Verdict::Unknown,
            "vpce-f",
        ),
        (
            "IPv6 without an IPv6 address",
            || NodeNetwork::unreachable().route("::/0", "tgw-1"),
            Verdict::Fail,
            "no route",
        ),
    ]);
}

#[test]
fn a_more_specific_route_for_public_addresses_takes_them_from_the_default_route() {
    let nat = || by_nat().nat(true, true, Some("subnet-public"));
    for (destination, target, expected) in [
        ("52.0.0.0/8", "tgw-1", Verdict::Unknown),
        ("0.0.0.0/1", "vpce-9", Verdict::Unknown),
        ("52.0.0.0/8", "nat-1", Verdict::Pass),
        ("10.0.0.0/8", "tgw-1", Verdict::Pass),
        ("192.168.0.0/16", "vgw-1", Verdict::Pass),
        ("30.0.0.0/16", "local", Verdict::Pass),
        ("pl-1", "tgw-1", Verdict::Unknown),
        ("pl-1", "igw-1", Verdict::Pass),
        ("52.0.0.0/8", "nat-other", Verdict::Unknown),
        ("::/0", "tgw-1", Verdict::Pass),
    ] {
        let net = nat().route(destination, target);
        assert_eq!(net.verdict(), expected, "{destination} to {target}");
    }
}

#[test]
fn ipv6_is_a_way_if_the_node_can_be_managed_by_no_other() {
    let managed_by_ipv6 = |target: &str| with_ipv6().without_messages().route("::/0", target);
    for target in ["igw-1", "eigw-1"] {
        assert_eq!(managed_by_ipv6(target).verdict(), Verdict::Pass, "{target}");
        let finding = with_ipv6().route("::/0", target).finding();
        assert_eq!(finding.verdict, Verdict::Unknown, "{target}: {finding}");
        assert!(finding.evidence.contains("IPv6"), "{finding}");
        let and_more = managed_by_ipv6(target).route("0.0.0.0/0", "tgw-1");
        assert_eq!(and_more.verdict(), Verdict::Unknown, "{target}: the node may be managed by the other");
    }
    assert_cases(&[
        (
            "no IPv6 address",
            || NodeNetwork::unreachable().without_messages().route("::/0", "eigw-1"),
            Verdict::Unknown,
            "not seen here",
        ),
        ("another block", || with_ipv6().route("2600::/12", "eigw-1"), Verdict::Unknown, "2600::/12"),
    ]);
}

#[test]
fn without_an_endpoint_for_ssmmessages_the_nodes_are_managed_by_something_unseen() {
    assert_cases(&[
        ("none", || NodeNetwork::unreachable().without_messages(), Verdict::Unknown, "not seen here"),
        (
            "one that is not available",
            || NodeNetwork::unreachable().with(|net| net.endpoints()[0].state = EndpointState::Pending),
            Verdict::Unknown,
            "not seen here",
        ),
        (
            "one of another Region",
            || {
                NodeNetwork::unreachable()
                    .with(|net| net.endpoints()[0].service = "com.amazonaws.us-east-1.ssmmessages".to_owned())
            },
            Verdict::Unknown,
            "not seen here",
        ),
        (
            "one of the FIPS kind",
            || NodeNetwork::unreachable().with(|net| net.endpoints()[0].service.push_str("-fips")),
            Verdict::Fail,
            "vpce-m",
        ),
    ]);
}

#[test]
fn a_shared_vpc_is_unknown_whatever_its_routes() {
    let shared = |net: &mut NodeNetwork| known(&mut net.network.subnets)[0].owner = "999999999999".to_owned();
    for net in [
        NodeNetwork::unreachable(),
        by_nat().nat(true, true, Some("subnet-public")),
        public().route("0.0.0.0/0", "igw-1"),
    ] {
        let finding = net.with(shared).finding();
        assert_eq!(finding.verdict, Verdict::Unknown, "{finding}");
        assert!(finding.evidence.contains("999999999999"), "{finding}");
    }
    let own = NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL).with(shared);
    assert_eq!(own.verdict(), Verdict::Pass, "the VPC can have no other endpoint with private DNS");
}

#[test]
fn what_is_not_found_is_unknown() {
    assert_cases(&[
        (
            "a subnet",
            || NodeNetwork::unreachable().with(|net| known(&mut net.network.subnets).clear()),
            Verdict::Unknown,
            "subnet-1",
        ),
        (
            "a route table",
            || NodeNetwork::unreachable().with(|net| known(&mut net.network.route_tables).clear()),
            Verdict::Unknown,
            "route table",
        ),
        (
            "the subnet of an interface",
            || NodeNetwork::unreachable().with(|net| net.interface().subnet = None),
            Verdict::Unknown,
            "subnet",
        ),
    ]);
}

#[test]
fn a_subnet_s_own_table_goes_before_the_main_one() {
    let own = || {
        NodeNetwork::unreachable().with(|net| {
            let table = RouteTable {
                vpc: "vpc-1".to_owned(),
                is_main: false,
                subnets: vec!["subnet-1".to_owned()],
                routes: vec![route("0.0.0.0/0", "nat-1")],
            };
            known(&mut net.network.route_tables).push(table);
        })
    };
    assert_eq!(own().nat(true, true, Some("subnet-public")).verdict(), Verdict::Pass);
    let main_only = NodeNetwork::unreachable().route("0.0.0.0/0", "tgw-1").with(|net| {
        let table = RouteTable {
            vpc: "vpc-1".to_owned(),
            is_main: false,
            subnets: vec!["subnet-1".to_owned()],
            routes: Vec::new(),
        };
        known(&mut net.network.route_tables).push(table);
    });
    assert_eq!(main_only.verdict(), Verdict::Fail);
}

#[test]
fn a_further_route_or_endpoint_never_makes_a_pass_fail_nor_an_unknown_fail() {
    let starts: [fn() -> NodeNetwork; 6] = [
        NodeNetwork::unreachable,
        || NodeNetwork::unreachable().without_messages(),
        || by_nat().nat(true, true, Some("subnet-public")),
        || public().route("0.0.0.0/0", "igw-1"),
        || with_ipv6().without_messages().route("::/0", "eigw-1"),
        || NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL),
    ];
    let targets = ["local", "igw-1", "nat-1", "nat-2", "tgw-1", "vpce-9", "eni-1", "eigw-1", ""];
    let destinations = ["0.0.0.0/0", "::/0", "52.0.0.0/8", "10.1.0.0/16", "pl-1", "0.0.0.0/1"];
    for (number, start) in starts.iter().enumerate() {
        let before = start().verdict();
        for target in targets {
            for destination in destinations {
                let after = start().route(destination, target).verdict();
                let worsened = after == Verdict::Fail && before != Verdict::Fail;
                assert!(!worsened, "{number}: {destination} to {target}: {before:?} to {after:?}");
            }
        }
        for service in ["kms", "kms-fips", "s3", "ec2messages"] {
            let after = start().endpoint("vpce-new", service, FULL).verdict();
            assert!(after <= before, "{number}: {service}: {before:?} to {after:?}");
        }
        assert_eq!(start().endpoint("vpce-new", "kms", FULL).verdict(), Verdict::Pass, "{number}");
    }
}
