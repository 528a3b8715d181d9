//! Whether EC2 nodes reach KMS, tested through the function: a fleet that is cut off is never given a key.

use serde_json::{Value, json};

use super::{AGENT, OTHER, admit_function, allow, arn, create, function, key_in_document, reset_with_key};
use crate::stub::{ACCOUNT, Fault, ReceivedResponse, SimulatedAnswer, Stub, When, World};

/// Two nodes with one role that may use the key, in `subnet-1` of `vpc-1`. The VPC has an endpoint for ssmmessages and
/// nothing that leads out.
fn add_cut_off_fleet(world: &mut World, account: &str) -> String {
    let key = reset_with_key(world, account);
    world.key(&key).policy =
        json!({"Statement": allow(json!({"AWS": arn("root")}), Value::Null)}).to_string();
    admit_function(world, &key);
    let role = world.add_role("team/Web");
    world.simulates(&role, "*", "*", SimulatedAnswer::allowed("Kms"));
    let profile = world.add_instance_profile("Web", Some(&role));
    for subnet in ["subnet-1", "subnet-public"] {
        world.add_subnet(subnet, "vpc-1");
    }
    world.add_route("subnet-public", "0.0.0.0/0", "igw-1");
    world.add_endpoint("vpce-m", "subnet-1", "ssmmessages");
    for id in ["i-1", "i-2"] {
        world.add_node(id, AGENT);
        world.associate(id, &profile);
        world.add_instance(id, "subnet-1");
    }
    key
}

/// A name, what is added to the fleet that is cut off, the answers with Enforce and Strict, and words of the finding.
type NetworkCase = (&'static str, fn(&mut World), [bool; 2], &'static [&'static str]);

const FAILS: [bool; 2] = [false, false];
const PASSES: [bool; 2] = [true, true];
const IS_UNKNOWN: [bool; 2] = [true, false];

const CASES: [NetworkCase; 20] = [
    ("cut off", |_| {}, FAILS, &["vpc-1", "subnet-1", "2 nodes (such as i-1)", "endpoint"]),
    (
        "endpoint for KMS",
        |world| drop(world.add_endpoint("vpce-k", "subnet-1", "kms").id.clone()),
        PASSES,
        &[],
    ),
    (
        "endpoint that refuses the role",
        |world| {
            let policy = json!({"Statement": [{
                "Effect": "Allow", "Principal": {"AWS": arn("role/Other")}, "Action": "kms:*", "Resource": "*",
            }]});
            world.add_endpoint("vpce-k", "subnet-1", "kms").policy = Some(policy.to_string());
        },
        FAILS,
        &["vpc-1", "vpce-k", "role/team/Web", "2 nodes (such as i-1)", "kms:Decrypt"],
    ),
    ("endpoint for the organization", |world| add_perimeter(world, Some("o-1")), PASSES, &[]),
    ("endpoint for another organization", |world| add_perimeter(world, Some("o-2")), FAILS, &["vpce-k"]),
    ("endpoint for an organization of others", |world| add_perimeter(world, None), FAILS, &["vpce-k"]),
    (
        "endpoint for tagged principals",
        |world| {
            let policy = json!({"Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/perimeter": "in"}},
            }]});
            world.add_endpoint("vpce-k", "subnet-1", "kms").policy = Some(policy.to_string());
        },
        IS_UNKNOWN,
        &["vpce-k", "aws:PrincipalTag/perimeter"],
    ),
    (
        "endpoint in another Availability Zone",
        |world| {
            world.add_subnet("subnet-2", "vpc-1").zone = "eu-west-1b".to_owned();
            world.add_endpoint("vpce-k", "subnet-2", "kms");
        },
        PASSES,
        &["eu-west-1b only"],
    ),
    (
        "endpoint that does not admit the nodes",
        |world| {
            let rule = json!({"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "ipRanges": [{"cidrIp": "10.9.0.0/16"}]});
            world.add_security_group("sg-k", vec![rule]);
            world.add_endpoint("vpce-k", "subnet-1", "kms").security_groups = vec!["sg-k".to_owned()];
        },
        PASSES,
        &["sg-k", "443"],
    ),
    (
        "endpoint for FIPS alone",
        |world| drop(world.add_endpoint("vpce-f", "subnet-1", "kms-fips").id.clone()),
        IS_UNKNOWN,
        &["FIPS"],
    ),
    (
        "endpoint without private DNS",
        |world| world.add_endpoint("vpce-k", "subnet-1", "kms").private_dns = false,
        IS_UNKNOWN,
        &["vpce-k", "private DNS"],
    ),
    (
        "endpoint that is pending",
        |world| world.add_endpoint("vpce-k", "subnet-1", "kms").state = "pendingAcceptance",
        IS_UNKNOWN,
        &["vpce-k", "not available yet"],
    ),
    (
        "NAT gateway",
        |world| {
            world.add_nat_gateway("nat-1", "subnet-public");
            world.add_route("vpc-1", "0.0.0.0/0", "nat-1");
        },
        PASSES,
        &[],
    ),
    (
        "NAT gateway that is gone",
        |world| {
            world.add_nat_gateway("nat-1", "subnet-public").state = "deleted";
            world.add_route("vpc-1", "0.0.0.0/0", "nat-1").state = "blackhole";
        },
        FAILS,
        &["no route there leaves"],
    ),
    (
        "internet gateway without a public address",
        |world| drop(world.add_route("vpc-1", "0.0.0.0/0", "igw-1").target.clone()),
        FAILS,
        &["no route there leaves"],
    ),
    (
        "internet gateway with a public address",
        |world| {
            world.add_route("vpc-1", "0.0.0.0/0", "igw-1");
            for id in ["i-1", "i-2"] {
                world.add_instance(id, "subnet-1").public_ip = Some("198.51.100.9".to_owned());
            }
        },
        PASSES,
        &[],
    ),
    (
        "transit gateway",
        |world| drop(world.add_route("vpc-1", "0.0.0.0/0", "tgw-1").target.clone()),
        IS_UNKNOWN,
        &["transit gateway tgw-1", "subnet-1", "2 nodes (such as i-1)"],
    ),
    (
        "shared VPC",
        |world| world.vpcs.subnets[0].owner = "999999999999".to_owned(),
        IS_UNKNOWN,
        &["999999999999", "subnet-1"],
    ),
    ("no endpoint at all", |world| world.vpcs.endpoints.clear(), IS_UNKNOWN, &["ssmmessages", "proxy"]),
    (
        "instances that are not found",
        |world| world.instances.by_id.clear(),
        IS_UNKNOWN,
        &["ec2:DescribeInstances", "i-1"],
    ),
];

/// Adds an endpoint for the principals of organization `o-1`, and puts the account into this one.
fn add_perimeter(world: &mut World, organization: Option<&str>) {
    world.organization = organization.map(str::to_owned);
    let policy = json!({"Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1", "aws:ResourceOrgID": "o-1"}},
    }]});
    world.add_endpoint("vpce-k", "subnet-1", "kms").policy = Some(policy.to_string());
}

fn said(answer: &ReceivedResponse) -> &str {
    if answer.success { answer.data["Findings"].as_str().unwrap() } else { &answer.reason }
}

#[tokio::test]
async fn a_fleet_that_cannot_reach_kms_is_never_given_a_key() {
    let stub = Stub::start().await;
    let function = function(&stub);
    for (name, add, expected, words) in CASES {
        for (mode, succeeds) in ["Enforce", "Strict"].into_iter().zip(expected) {
            let key = stub.world(|world| {
                let key = add_cut_off_fleet(world, ACCOUNT);
                add(world);
                key
            });
            stub.forget_calls();
            let answer = create(&stub, &function, &json!({"KmsKeyId": key, "Preflight": mode})).await;
            assert_eq!(answer.success, succeeds, "{name}, {mode}: {}", said(&answer));
            for word in words {
                assert!(said(&answer).contains(word), "{name}, {mode}: `{word}` is not in {}", said(&answer));
            }
            if succeeds {
                assert_eq!(key_in_document(&stub), Some(key), "{name}");
            } else {
                assert!(stub.writes().is_empty(), "{name}");
            }
            assert_eq!(stub.violations(), Vec::<String>::new(), "{name}");
        }
    }
}

#[tokio::test]
async fn an_endpoint_s_policy_is_evaluated_for_another_account_s_key_too() {
    let stub = Stub::start().await;
    let function = function(&stub);
    for (owner, succeeds) in [(OTHER, true), (ACCOUNT, false)] {
        let key = stub.world(|world| {
            let key = add_cut_off_fleet(world, OTHER);
            let policy = json!({"Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt",
                "Resource": format!("arn:aws:kms:eu-west-1:{owner}:key/*"),
            }]});
            world.add_endpoint("vpce-k", "subnet-1", "kms").policy = Some(policy.to_string());
            key
        });
        let answer = create(&stub, &function, &json!({"KmsKeyId": key})).await;
        assert_eq!(answer.success, succeeds, "{owner}: {}", said(&answer));
        if !succeeds {
            assert!(answer.reason.contains(&key) && answer.reason.contains("vpce-k"), "{}", answer.reason);
        }
    }
}

/// The reads of the network, and whether nothing is known without each in a fleet with an endpoint for KMS, and in one
/// with a NAT gateway.
const READS: [(&str, bool, bool); 6] = [
    ("DescribeInstances", true, true),
    ("DescribeVpcEndpoints", true, true),
    ("DescribeSubnets", true, true),
    ("DescribeSecurityGroups", true, false),
    ("DescribeRouteTables", false, true),
    ("DescribeNatGateways", false, true),
];

#[tokio::test]
async fn a_read_that_is_denied_makes_what_depends_on_it_unknown_and_is_named() {
    let by_endpoint: fn(&mut World) =
        |world| drop(world.add_endpoint("vpce-k", "subnet-1", "kms").id.clone());
    let by_gateway: fn(&mut World) = |world| {
        world.add_nat_gateway("nat-1", "subnet-public");
        world.add_route("vpc-1", "0.0.0.0/0", "nat-1");
    };
    for (operation, of_endpoint, of_gateway) in READS {
        for (add, is_needed) in [(by_endpoint, of_endpoint), (by_gateway, of_gateway)] {
            let stub = Stub::start().await;
            let key = stub.world(|world| {
                let key = add_cut_off_fleet(world, ACCOUNT);
                add(world);
                key
            });
            let action: &'static str = match operation {
                "DescribeInstances" => "ec2:DescribeInstances",
                "DescribeVpcEndpoints" => "ec2:DescribeVpcEndpoints",
                "DescribeSubnets" => "ec2:DescribeSubnets",
                "DescribeSecurityGroups" => "ec2:DescribeSecurityGroups",
                "DescribeRouteTables" => "ec2:DescribeRouteTables",
                _ => "ec2:DescribeNatGateways",
            };
            stub.fault(When::operation("ec2", operation), Fault::AccessDenied { action });
            let answer = create(&stub, &function(&stub), &json!({"KmsKeyId": key})).await;
            assert!(answer.success, "{action}: {}", answer.reason);
            assert_eq!(said(&answer).contains(action), is_needed, "{action}: {}", said(&answer));
            assert_eq!(said(&answer).contains("unknown"), is_needed, "{action}: {}", said(&answer));
        }
    }
}

#[tokio::test]
async fn an_organization_that_may_not_be_read_is_named_beside_the_endpoint_that_asks_for_it() {
    let stub = Stub::start().await;
    let build = |world: &mut World| {
        let key = add_cut_off_fleet(world, ACCOUNT);
        add_perimeter(world, Some("o-1"));
        key
    };
    let key = stub.world(build);
    let action = "organizations:DescribeOrganization";
    stub.fault(When::operation("organizations", "DescribeOrganization"), Fault::AccessDenied { action });
    let answer = create(&stub, &function(&stub), &json!({"KmsKeyId": key})).await;
    for word in ["vpce-k", "aws:PrincipalOrgID", action] {
        assert!(answer.success && said(&answer).contains(word), "{word}: {}", said(&answer));
    }
    let key = stub.world(build);
    let context = json!({"aws:PrincipalOrgID": "o-1", "aws:ResourceOrgID": "o-1"});
    let properties = json!({"KmsKeyId": key, "Preflight": "Strict", "Context": context});
    let answer = create(&stub, &function(&stub), &properties).await;
    assert!(answer.success, "{}", answer.reason);
}

#[tokio::test]
async fn without_ec2_nodes_nothing_is_asked_of_ec2_s_network() {
    let stub = Stub::start().await;
    let key = stub.world(|world| {
        let key = reset_with_key(world, ACCOUNT);
        let role = world.add_role("Hybrid");
        world.simulates(&role, "*", "*", SimulatedAnswer::allowed("Kms"));
        world.add_node("mi-1", AGENT).iam_role = Some("Hybrid".to_owned());
        key
    });
    let answer = create(&stub, &function(&stub), &json!({"KmsKeyId": key})).await;
    assert!(answer.success, "{}", answer.reason);
    for (operation, ..) in READS {
        assert!(stub.calls_of(operation).is_empty(), "{operation}");
    }
}
