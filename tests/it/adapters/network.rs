//! The network of the nodes: instances, endpoints, subnets, route tables, NAT gateways, security groups.

use session_kms::ports::{
    AwsError, AwsErrorKind, EndpointState, EndpointType, Network as _, Route, RouteState,
};

use super::aws;
use crate::stub::{ACCOUNT, Fault, Location, Stub, When, World};

/// The operations, by their IAM actions.
const ACTIONS: [&str; 6] = [
    "ec2:DescribeInstances",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeSubnets",
    "ec2:DescribeRouteTables",
    "ec2:DescribeNatGateways",
    "ec2:DescribeSecurityGroups",
];

/// Asks for what the VPCs `vpc-1` to `vpc-9` and the group `sg-endpoints` have. Returns how many items there are.
#[expect(clippy::panic, reason = "a test that panics has failed")]
async fn ask(stub: &Stub, action: &str) -> Result<usize, AwsError> {
    let ports = aws(stub);
    let vpcs: Vec<_> = (1..=9).map(|number| format!("vpc-{number}")).collect();
    match action.trim_start_matches("ec2:") {
        "DescribeInstances" => ports.instances().await.map(|list| list.len()),
        "DescribeVpcEndpoints" => ports.vpc_endpoints(&vpcs).await.map(|list| list.len()),
        "DescribeSubnets" => ports.subnets(&vpcs).await.map(|list| list.len()),
        "DescribeRouteTables" => ports.route_tables(&vpcs).await.map(|list| list.len()),
        "DescribeNatGateways" => ports.nat_gateways(&vpcs).await.map(|list| list.len()),
        "DescribeSecurityGroups" => {
            let groups: Vec<_> = (1..=9).map(|number| format!("sg-{number}")).collect();
            ports.security_groups(&groups).await.map(|list| list.len())
        }
        other => panic!("{other} is no call of these ports"),
    }
}

/// Nine of each, one in each VPC, and a tenth that nobody asks for.
fn fill(world: &mut World) {
    for number in 1..=10 {
        let [vpc, subnet] = ["vpc", "subnet"].map(|kind| format!("{kind}-{number}"));
        world.add_subnet(&subnet, &vpc);
        world.add_endpoint(&format!("vpce-{number}"), &subnet, "kms");
        world.add_nat_gateway(&format!("nat-{number}"), &subnet);
        world.add_security_group(&format!("sg-{number}"), Vec::new());
        if number < 10 {
            world.add_instance(&format!("i-{number}"), &subnet);
        }
    }
}

#[tokio::test]
async fn every_page_is_read_and_nothing_of_other_vpcs() {
    for page_size in [None, Some(4), Some(1)] {
        let stub = Stub::start().await;
        stub.world(|world| {
            fill(world);
            world.page_size = page_size;
        });
        for action in ACTIONS {
            assert_eq!(ask(&stub, action).await.unwrap(), 9, "{action} {page_size:?}");
            let pages = 9_usize.div_ceil(page_size.unwrap_or(9));
            assert_eq!(stub.calls_of(action.trim_start_matches("ec2:")).len(), pages, "{action}");
        }
        assert_eq!(stub.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn instances_have_their_state_and_their_interface() {
    let stub = Stub::start().await;
    stub.world(|world| {
        world.add_subnet("subnet-1", "vpc-1");
        for (id, state) in [
            ("i-1", "running"),
            ("i-2", "stopped"),
            ("i-3", "stopping"),
            ("i-4", "pending"),
            ("i-5", "terminated"),
            ("i-6", "shutting-down"),
        ] {
            world.add_instance(id, "subnet-1").state = state;
        }
        let public = world.add_instance("i-7", "subnet-1");
        (public.public_ip, public.ipv6) = (Some("198.51.100.7".to_owned()), Some("2001:db8::7".to_owned()));
        world.add_instance("i-far", "subnet-1").location = Location::new(ACCOUNT, "eu-central-1");
    });
    let instances = aws(&stub).instances().await.unwrap();
    let states: Vec<_> = instances.iter().map(|one| (one.id.as_str(), one.is_stopped)).collect();
    assert_eq!(states, [("i-1", false), ("i-2", true), ("i-3", true), ("i-4", false), ("i-7", false)]);
    let [first, .., public] = instances.as_slice() else { panic!("{instances:?}") };
    assert_eq!(first.vpc.as_deref(), Some("vpc-1"));
    let [interface] = first.interfaces.as_slice() else { panic!("{first:?}") };
    assert_eq!(interface.subnet.as_deref(), Some("subnet-1"));
    assert_eq!(interface.private_ip.unwrap().to_string(), "10.0.0.4");
    assert_eq!(*interface.security_groups, ["sg-nodes"]);
    assert!(!interface.has_public_ip && !interface.has_ipv6);
    assert!(public.interfaces[0].has_public_ip && public.interfaces[0].has_ipv6);
}

#[tokio::test]
async fn what_is_in_a_vpc_is_read_as_it_is() {
    let stub = Stub::start().await;
    stub.world(|world| {
        world.add_subnet("subnet-1", "vpc-1");
        let second = world.add_subnet("subnet-2", "vpc-1");
        (second.zone, second.owner) = ("eu-west-1b".to_owned(), "210987654321".to_owned());
        world.add_endpoint("vpce-1", "subnet-1", "kms").policy = Some(r#"{"a": "<b> & 'c'"}"#.to_owned());
        let second = world.add_endpoint("vpce-2", "subnet-2", "s3");
        (second.kind, second.state, second.private_dns, second.policy) = ("Gateway", "deleting", false, None);
        for (destination, target) in [("0.0.0.0/0", "nat-1"), ("::/0", "eigw-1"), ("pl-1", "vpce-2")] {
            world.add_route("vpc-1", destination, target);
        }
        world.add_route("subnet-2", "0.0.0.0/0", "tgw-1").state = "blackhole";
        let gateway = world.add_nat_gateway("nat-1", "subnet-1");
        (gateway.connectivity, gateway.state) = ("private", "pending");
    });
    let (ports, vpcs) = (aws(&stub), ["vpc-1".to_owned()]);
    let endpoints = ports.vpc_endpoints(&vpcs).await.unwrap();
    let [first, second] = endpoints.as_slice() else { panic!("{endpoints:?}") };
    assert_eq!((first.id.as_str(), first.service.as_str()), ("vpce-1", "com.amazonaws.eu-west-1.kms"));
    assert_eq!((first.endpoint_type, first.state), (EndpointType::Interface, EndpointState::Available));
    assert_eq!(first.policy.as_deref(), Some(r#"{"a": "<b> & 'c'"}"#));
    assert!(first.has_private_dns && first.subnets == ["subnet-1"]);
    assert_eq!((second.endpoint_type, second.state), (EndpointType::Gateway, EndpointState::Gone));
    assert!(!second.has_private_dns && second.policy.is_none());
    let subnets = ports.subnets(&vpcs).await.unwrap();
    assert_eq!(
        (subnets[1].availability_zone.as_str(), subnets[1].owner.as_str()),
        ("eu-west-1b", "210987654321")
    );
    let tables = ports.route_tables(&vpcs).await.unwrap();
    let [main, own] = tables.as_slice() else { panic!("{tables:?}") };
    assert!(main.is_main && main.subnets.is_empty() && !own.is_main && own.subnets == ["subnet-2"]);
    let targets: Vec<_> =
        main.routes.iter().map(|route| (route.destination.as_str(), route.target.as_str())).collect();
    assert_eq!(
        targets,
        [("10.0.0.0/16", "local"), ("0.0.0.0/0", "nat-1"), ("::/0", "eigw-1"), ("pl-1", "vpce-2")]
    );
    let to_gateway = Route {
        destination: "0.0.0.0/0".to_owned(),
        target: "tgw-1".to_owned(),
        state: RouteState::Blackhole,
    };
    assert_eq!(own.routes.last(), Some(&to_gateway));
    let gateways = ports.nat_gateways(&vpcs).await.unwrap();
    assert!(!gateways[0].is_public && !gateways[0].is_available);
    assert_eq!(gateways[0].subnet.as_deref(), Some("subnet-1"));
    let groups = ports.security_groups(&["sg-endpoints".to_owned()]).await.unwrap();
    let [rule] = groups[0].inbound.as_slice() else { panic!("{groups:?}") };
    assert_eq!((rule.protocol.as_str(), rule.ports), ("-1", None));
    assert_eq!(rule.blocks, ["0.0.0.0/0"]);
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_filter_has_two_hundred_values_at_most() {
    let stub = Stub::start().await;
    let vpcs: Vec<_> = (0..450).map(|number| format!("vpc-{number}")).collect();
    stub.world(|world| {
        for vpc in &vpcs {
            world.add_subnet(&format!("subnet-of-{vpc}"), vpc);
        }
    });
    assert_eq!(aws(&stub).subnets(&vpcs).await.unwrap().len(), 450);
    let calls = stub.calls_of("DescribeSubnets");
    let sizes: Vec<_> =
        calls.iter().map(|call| call.body["Filter"][0]["Value"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [200, 200, 50]);
    assert_eq!(aws(&stub).route_tables(&vpcs).await.unwrap().len(), 450);
    assert_eq!(stub.calls_of("DescribeRouteTables").len(), 5, "a hundred a page");
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_vpc_nothing_is_asked() {
    let stub = Stub::start().await;
    stub.world(fill);
    let ports = aws(&stub);
    assert!(ports.vpc_endpoints(&[]).await.unwrap().is_empty());
    assert!(ports.subnets(&[]).await.unwrap().is_empty());
    assert!(ports.route_tables(&[]).await.unwrap().is_empty());
    assert!(ports.nat_gateways(&[]).await.unwrap().is_empty());
    assert!(ports.security_groups(&[]).await.unwrap().is_empty());
    assert!(stub.calls().is_empty());
}

#[tokio::test]
async fn twenty_thousand_instances_are_twenty_calls() {
    let stub = Stub::start().await;
    stub.world(|world| {
        world.add_subnet("subnet-1", "vpc-1");
        for number in 0..20_000 {
            world.add_instance(&format!("i-{number:017}"), "subnet-1");
        }
    });
    assert_eq!(aws(&stub).instances().await.unwrap().len(), 20_000);
    assert_eq!(stub.calls().len(), 20);
}

#[tokio::test]
async fn a_denial_names_the_action_and_is_not_tried_again() {
    for action in ACTIONS {
        let operation = action.trim_start_matches("ec2:");
        let stub = Stub::start().await;
        stub.world(fill);
        stub.fault(When::operation("ec2", operation), Fault::AccessDenied { action });
        let error = ask(&stub, action).await.unwrap_err();
        assert!(
            matches!(error.kind, AwsErrorKind::Denied { action: named, .. } if named == action),
            "{error}"
        );
        assert!(error.to_string().contains(&format!("allow {action} on it")), "{error}");
        assert_eq!(stub.calls_of(operation).len(), 1, "{action}");
    }
}

#[tokio::test]
async fn a_fault_of_the_service_is_tried_again_and_an_unreadable_answer_is_an_error() {
    for action in ACTIONS {
        let operation = action.trim_start_matches("ec2:");
        for fault in [Fault::Throttle, Fault::InternalError, Fault::CutBefore] {
            let stub = Stub::start().await;
            stub.world(fill);
            stub.fault(When::operation("ec2", operation).first(2), fault);
            assert_eq!(ask(&stub, action).await.unwrap(), 9, "{action}");
            assert!(stub.calls_of(operation).len() >= 3, "{action}");
        }
        let stub = Stub::start().await;
        stub.fault(When::operation("ec2", operation), Fault::Garbage);
        let error = ask(&stub, action).await.unwrap_err();
        assert!(matches!(error.kind, AwsErrorKind::NoAnswer(_)), "{error}");
        assert_eq!(error.operation, action);
    }
}
