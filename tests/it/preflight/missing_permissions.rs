//! Reads that the function is denied: the check is unknown and names the action, and the other checks go on.

use serde_json::{Value, json};

use super::{
    AGENT, OTHER, admit_function, allow, arn, create, function, key_in_document, reset_with_key,
    trying_function,
};
use crate::stub::{ACCOUNT, Document, Fault, Format, SimulatedAnswer, Stub, When, World};

/// A document of sessions that forward ports.
const TEAM: &str = "Team-Port";

/// Every optional read: its service, its operation and its IAM action.
const READS: [(&str, &str, &str); 18] = [
    ("kms", "GetKeyPolicy", "kms:GetKeyPolicy"),
    ("kms", "ListGrants", "kms:ListGrants"),
    ("kms", "GenerateDataKey", "kms:GenerateDataKey"),
    ("kms", "Decrypt", "kms:Decrypt"),
    ("iam", "SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy"),
    ("iam", "GetRole", "iam:GetRole"),
    ("iam", "GetInstanceProfile", "iam:GetInstanceProfile"),
    ("ec2", "DescribeIamInstanceProfileAssociations", "ec2:DescribeIamInstanceProfileAssociations"),
    ("ssm", "DescribeInstanceInformation", "ssm:DescribeInstanceInformation"),
    ("ssm", "DescribeSessions", "ssm:DescribeSessions"),
    ("ssm", "GetServiceSetting", "ssm:GetServiceSetting"),
    ("ssm", "GetDocument", "ssm:GetDocument"),
    ("ec2", "DescribeInstances", "ec2:DescribeInstances"),
    ("ec2", "DescribeVpcEndpoints", "ec2:DescribeVpcEndpoints"),
    ("ec2", "DescribeSubnets", "ec2:DescribeSubnets"),
    ("ec2", "DescribeRouteTables", "ec2:DescribeRouteTables"),
    ("ec2", "DescribeNatGateways", "ec2:DescribeNatGateways"),
    ("ec2", "DescribeSecurityGroups", "ec2:DescribeSecurityGroups"),
];
/// The reads of the network, which begin with the instances.
const OF_NETWORK: [&str; 5] = [
    "DescribeVpcEndpoints",
    "DescribeSubnets",
    "DescribeRouteTables",
    "DescribeNatGateways",
    "DescribeSecurityGroups",
];

/// Adds a key, and discoverable nodes and users of each kind, so that every check passes.
fn add_passing_fleet(world: &mut World, account: &str) -> String {
    let key = reset_with_key(world, account);
    world.key(&key).policy =
        json!({"Statement": allow(json!({"AWS": arn("root")}), Value::Null)}).to_string();
    admit_function(world, &key);
    let roles = ["Web", "Hybrid", "service-role/Host", "team/Ops"].map(|name| world.add_role(name));
    let user = world.add_user("ann");
    for principal in roles.iter().chain([&user]) {
        world.simulates(principal, "*", "*", SimulatedAnswer::allowed("Kms"));
    }
    let profile = world.add_instance_profile("WebProfile", Some(&roles[0]));
    world.add_node("i-1", AGENT);
    world.associate("i-1", &profile);
    world.add_node("mi-1", AGENT).iam_role = Some("Hybrid".to_owned());
    world.add_node("i-2", AGENT);
    world.set_default_host_role("service-role/Host");
    // One node leaves by a NAT gateway, and the other one has an endpoint for KMS.
    world.add_subnet("subnet-nat", "vpc-nat");
    world.add_route("subnet-nat", "0.0.0.0/0", "igw-nat");
    world.add_nat_gateway("nat-1", "subnet-nat");
    world.add_subnet("subnet-private", "vpc-nat");
    world.add_route("subnet-private", "0.0.0.0/0", "nat-1");
    world.add_instance("i-1", "subnet-private");
    world.add_subnet("subnet-kms", "vpc-kms");
    world.add_endpoint("vpce-kms", "subnet-kms", "kms");
    world.add_instance("i-2", "subnet-kms");
    let ops = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Ops/jane");
    for (id, owner) in [("s-1", &ops), ("s-2", &user)] {
        world.add_session(id, owner, 4_000_000_000.0);
    }
    world.put_document(TEAM, Document::session(Format::Json, r#"{"sessionType": "Port"}"#));
    world.add_session("s-3", &ops, 4_000_000_000.0).document = Some(TEAM);
    key
}

fn properties(key: &str, mode: &str) -> Value {
    json!({"KmsKeyId": key, "Preflight": mode})
}

#[tokio::test]
async fn with_every_permission_even_strict_passes() {
    let stub = Stub::start().await;
    let key = stub.world(|world| add_passing_fleet(world, ACCOUNT));
    let answer = create(&stub, &trying_function(&stub), &properties(&key, "Strict")).await;
    assert!(answer.success, "{}", answer.reason);
    // The key's fitness, both sides of three nodes' roles and two users, two dry runs, the fleet, its network and the
    // history.
    assert_eq!(answer.data["Findings"], json!(format!("{} passed", 1 + 2 * 5 + 2 + 1 + 1 + 1)));
}

/// What parameter DryRun does not ask for is neither called nor listed, and Strict does without it.
#[tokio::test]
async fn a_key_is_tried_only_if_that_is_asked_for() {
    for (tries, succeeds) in [(false, true), (true, false)] {
        let stub = Stub::start().await;
        let key = stub.world(|world| {
            let key = add_passing_fleet(world, ACCOUNT);
            // The function's role may not make the calls of a session, as it is without DryRun.
            for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
                world.key(&key).deny("*", action);
            }
            key
        });
        let function = if tries { trying_function(&stub) } else { function(&stub) };
        let answer = create(&stub, &function, &properties(&key, "Strict")).await;
        assert_eq!(answer.success, succeeds, "{}", answer.reason);
        let calls = ["GenerateDataKey", "Decrypt"].map(|operation| !stub.calls_of(operation).is_empty());
        assert_eq!(calls, [tries, tries]);
        let said = if succeeds { answer.data["Findings"].as_str().unwrap() } else { &answer.reason };
        assert_eq!(said.contains("the function's own role may not kms:Decrypt"), tries, "{said}");
        assert_eq!(said == format!("{} passed", 1 + 2 * 5 + 1 + 1 + 1), !tries, "{said}");
    }
}

#[tokio::test]
async fn each_missing_permission_is_unknown_and_named() {
    for (service, operation, action) in READS {
        for mode in ["Enforce", "Strict"] {
            let stub = Stub::start().await;
            let key = stub.world(|world| {
                let key = add_passing_fleet(world, ACCOUNT);
                if action == "kms:ListGrants" {
                    // A grant matters only for a principal that the policy and the own side do not admit.
                    world.simulates(&arn("role/Web"), "kms:Decrypt", "*", SimulatedAnswer::default());
                }
                key
            });
            let denied = match operation {
                // The document in question is read with the same operation.
                "GetDocument" => When::operation(service, operation).on(TEAM),
                _ => When::operation(service, operation),
            };
            stub.fault(denied, Fault::AccessDenied { action });
            let answer = create(&stub, &trying_function(&stub), &properties(&key, mode)).await;
            let said = match mode {
                "Enforce" => {
                    assert!(answer.success, "{action}: {}", answer.reason);
                    assert_eq!(key_in_document(&stub).as_ref(), Some(&key));
                    answer.data["Findings"].as_str().unwrap()
                }
                _ => {
                    assert!(!answer.success, "{action}");
                    assert_eq!(stub.writes().len(), 0, "{action}");
                    &answer.reason
                }
            };
            assert!(said.contains(action), "{action}: {said}");
            if mode == "Enforce" {
                let counts = said.split(';').next().unwrap();
                assert!(counts.contains("unknown") && !counts.contains("failed"), "{action}: {said}");
            }
            // Reads that do not depend on it were made all the same.
            for (_, other, _) in READS {
                let without = match operation {
                    "DescribeInstanceInformation" => {
                        ["GetInstanceProfile", "DescribeInstances"].contains(&other)
                            || OF_NETWORK.contains(&other)
                    }
                    "DescribeIamInstanceProfileAssociations" => other == "GetInstanceProfile",
                    "DescribeInstances" => OF_NETWORK.contains(&other),
                    "DescribeVpcEndpoints" => other == "DescribeSecurityGroups",
                    _ => false,
                };
                assert!(without || !stub.calls_of(other).is_empty(), "{other} without {action}");
            }
        }
    }
}

#[tokio::test]
async fn a_reader_role_that_cannot_be_assumed_is_named() {
    for (mode, success) in [("Enforce", true), ("Strict", false)] {
        let stub = Stub::start().await;
        let (key, reader) =
            stub.world(|world| (add_passing_fleet(world, OTHER), world.add_role_in(OTHER, "Reader")));
        let mut properties = properties(&key, mode);
        properties["KeyPolicyReaderRoleArn"] = reader.into();
        let answer = create(&stub, &trying_function(&stub), &properties).await;
        assert_eq!(answer.success, success, "{}", answer.reason);
        let said = if success { answer.data["Findings"].as_str().unwrap() } else { &answer.reason };
        assert!(said.contains("sts:AssumeRole"), "{said}");
    }
}

#[tokio::test]
async fn an_unknown_foreign_key_names_the_properties_that_would_help() {
    let stub = Stub::start().await;
    let key = stub.world(|world| add_passing_fleet(world, OTHER));
    let answer = create(&stub, &trying_function(&stub), &properties(&key, "Strict")).await;
    assert!(!answer.success);
    for word in ["KeyPolicyReaderRoleArn", "KeyPolicy", OTHER] {
        assert!(answer.reason.contains(word), "{word} is not in {}", answer.reason);
    }
}
