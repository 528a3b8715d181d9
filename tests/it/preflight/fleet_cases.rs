//! Single cases of who uses the key: stopped instances, exempt nodes, approved sessions of other documents, and a role that
//! the simulator does not know yet.

use serde_json::json;

use super::fleet_oracle::{Ability, Host, NodeSituation, Profile, Reach};
use super::fleet_table::{able, set_node};
use super::{admit_function, create, function, reset_with_key};
use crate::stub::{ACCOUNT, Fault, Refusal, Stub, When};

#[tokio::test]
async fn stopped_instances_warn_and_block_only_in_strict() {
    let stub = Stub::start().await;
    for (state, ability, enforce, strict) in [
        ("stopped", Ability::Cannot, true, false),
        ("stopping", Ability::Cannot, true, false),
        ("stopped", Ability::Can, true, true),
        // It runs and is no managed node, so no session reaches it.
        ("running", Ability::Cannot, true, true),
    ] {
        for (mode, success) in [("Enforce", enforce), ("Strict", strict)] {
            let key = stub.world(|world| {
                let key = reset_with_key(world, ACCOUNT);
                admit_function(world, &key);
                let role = world.add_role("Batch");
                able(world, &role, ability);
                let profile = world.add_instance_profile("Batch", Some(&role));
                world.add_subnet("subnet-1", "vpc-1");
                for number in 0..12 {
                    let id = format!("i-{number}");
                    world.add_instance(&id, "subnet-1").state = state;
                    world.associate(&id, &profile);
                }
                key
            });
            let properties = json!({"KmsKeyId": key, "Preflight": mode});
            let answer = create(&stub, &function(&stub), &properties).await;
            assert_eq!(answer.success, success, "{state} {ability:?} {mode}: {answer:?}");
            if (ability, state) == (Ability::Cannot, "stopped") {
                let said = if success { answer.data["Findings"].as_str().unwrap() } else { &answer.reason };
                assert!(said.contains("12 stopped instances, such as i-0"), "{said}");
                assert!(said.contains("role/Batch"), "{said}");
            }
        }
    }
}

#[tokio::test]
async fn whether_instances_are_stopped_is_unknown_if_they_cannot_be_read() {
    let stub = Stub::start().await;
    let denied = Fault::AccessDenied { action: "ec2:DescribeInstances" };
    stub.fault(When::operation("ec2", "DescribeInstances"), denied);
    for (mode, success) in [("Enforce", true), ("Strict", false)] {
        let key = stub.world(|world| {
            let key = reset_with_key(world, ACCOUNT);
            admit_function(world, &key);
            let role = world.add_role("Batch");
            let profile = world.add_instance_profile("Batch", Some(&role));
            world.associate("i-1", &profile);
            key
        });
        let properties = json!({"KmsKeyId": key, "Preflight": mode});
        let answer = create(&stub, &function(&stub), &properties).await;
        assert_eq!(answer.success, success, "{mode}: {answer:?}");
        let said = if success { answer.data["Findings"].as_str().unwrap() } else { &answer.reason };
        assert!(said.contains("role/Batch") && said.contains("is not known"), "{said}");
        // Nobody is told to admit a role of which it is not known that it needs the key.
        assert!(!said.contains("attach") && !said.contains("failed"), "{said}");
    }
}

#[tokio::test]
async fn the_network_of_exempt_nodes_blocks_nothing() {
    let stub = Stub::start().await;
    for (exempt, success) in [(json!([]), false), (json!(["arn:aws:iam::*:role/team/We?"]), true)] {
        let situation = NodeSituation {
            profile: Profile::Role(Ability::Can, Some(true)),
            host: Host::Off,
            reach: Reach::No,
        };
        let key = stub.world(|world| set_node(world, situation));
        let answer = create(&stub, &function(&stub), &json!({"KmsKeyId": key, "Exempt": exempt})).await;
        assert_eq!(answer.success, success, "{answer:?}");
        let said = if success { answer.data["Findings"].as_str().unwrap() } else { &answer.reason };
        assert!(said.contains("vpc-private"), "{said}");
    }
}

#[tokio::test]
async fn approved_sessions_count_only_for_the_document_that_they_are_of() {
    let stub = Stub::start().await;
    for (document, approved, success) in
        [("SSM-SessionManagerRunShell", None, false), ("Team", None, true), ("Team", Some("Team"), false)]
    {
        let key = stub.world(|world| {
            let key = reset_with_key(world, ACCOUNT);
            world.add_role("SSM-JustInTimeAccessTokenRole");
            if let Some(document) = approved {
                let owner = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Nobody/jane");
                let session = world.add_session("s-1", &owner, 4_000_000_000.0);
                (session.document, session.is_just_in_time) = (Some(document), true);
            }
            key
        });
        let properties = json!({"KmsKeyId": key, "DocumentName": document, "CreateDocument": true});
        let answer = create(&stub, &function(&stub), &properties).await;
        assert_eq!(answer.success, success, "{document} {approved:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_role_that_the_simulator_does_not_know_yet_is_not_gone() {
    let stub = Stub::start().await;
    let situation = NodeSituation {
        profile: Profile::Role(Ability::Can, Some(true)),
        host: Host::On(Ability::Cannot),
        reach: Reach::Yes,
    };
    let key = stub.world(|world| set_node(world, situation));
    let unknown = Refusal::client("NoSuchEntity", "The role cannot be found.").coded(404, "NoSuchEntity");
    stub.fault(When::operation("iam", "SimulatePrincipalPolicy").nth(1), Fault::Refuse(unknown));
    let answer = create(&stub, &function(&stub), &json!({"KmsKeyId": key})).await;
    assert!(answer.success, "{}", answer.reason);
    let findings = answer.data["Findings"].as_str().unwrap();
    assert!(
        findings.contains("whether role Web may call ssm:UpdateInstanceInformation is not known"),
        "{findings}"
    );
}
