//! Discovery: the roles of nodes of each kind, and the owners of past sessions.

use serde_json::json;

use super::{AGENT, arn, create, function, key_in_document, reset_with_key};
use crate::stub::{ACCOUNT, SimulatedAnswer, Stub, World};

/// A name, and a function that adds a principal who cannot use the key and returns whom the finding must name.
type Discovery = (&'static str, fn(&mut World) -> String);

const DISCOVERIES: [Discovery; 8] = [
    ("by an instance profile", |world| {
        let role = world.add_role("team/Web");
        let profile = world.add_instance_profile("web/Profile", Some(&role));
        world.add_node("i-1", AGENT);
        world.associate("i-1", &profile);
        role
    }),
    ("by a hybrid activation", |world| {
        let role = world.add_role("service-role/Hybrid");
        world.add_node("mi-1", AGENT).iam_role = Some("service-role/Hybrid".to_owned());
        role
    }),
    ("by Default Host Management", |world| {
        let role = world.add_role("service-role/Host");
        world.set_default_host_role("service-role/Host");
        world.add_node("i-1", AGENT);
        role
    }),
    ("as a role in the session history", |world| {
        let role = world.add_role("aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_1");
        let owner = format!("arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Ops_1/jane@example.com");
        world.add_session("s-1", &owner, 4_000_000_000.0);
        role
    }),
    ("as a user in the session history", |world| {
        let user = world.add_user("ann");
        world.add_session("s-1", &user, 4_000_000_000.0);
        user
    }),
    ("in a session that lasts", |world| {
        let user = world.add_user("ann");
        world.add_session("s-1", &user, 4_000_000_000.0).active = true;
        user
    }),
    ("by its old agent", |world| {
        let role = world.add_role("Web");
        world.simulates(&role, "*", "*", SimulatedAnswer::allowed("Kms"));
        let profile = world.add_instance_profile("Profile", Some(&role));
        world.add_node("i-old", "2.3.538.0");
        world.associate("i-old", &profile);
        "i-old".to_owned()
    }),
    ("beside many who can", |world| {
        for number in 0..30 {
            let role = world.add_role(&format!("Web-{number}"));
            if number != 17 {
                world.simulates(&role, "*", "*", SimulatedAnswer::allowed("Kms"));
            }
            let profile = world.add_instance_profile(&format!("Profile-{number}"), Some(&role));
            world.add_node(&format!("i-{number}"), AGENT);
            world.associate(&format!("i-{number}"), &profile);
        }
        arn("role/Web-17")
    }),
];

#[tokio::test]
async fn whoever_is_discovered_counts_and_nobody_else() {
    let stub = Stub::start().await;
    let function = function(&stub);
    for (how, found) in DISCOVERIES {
        for discover in [true, false] {
            let (key, who) = stub.world(|world| (reset_with_key(world, ACCOUNT), found(world)));
            let properties = json!({"KmsKeyId": key, "DiscoverNodes": discover, "DiscoverUsers": discover});
            stub.forget_calls();
            let answer = create(&stub, &function, &properties).await;
            assert_eq!(answer.success, !discover, "{how}: {answer:?}");
            if discover {
                assert!(answer.reason.contains(&who), "{how}: {}", answer.reason);
                assert!(stub.writes().is_empty());
            } else {
                assert_eq!(key_in_document(&stub), Some(key));
            }
        }
    }
}

/// A name, a function that adds a principal whose access cannot be known, and the words that the finding must hold.
type UnknownCase = (&'static str, fn(&mut World), &'static str);

const UNKNOWN_CASES: [UnknownCase; 7] = [
    (
        "a hybrid node without a role",
        |world| {
            world.set_default_host_role("Host");
            world.add_node("mi-1", AGENT);
        },
        "mi-1",
    ),
    ("an instance without a profile", |world| drop(world.add_node("i-1", AGENT).id.clone()), "i-1"),
    (
        "a profile without a role",
        |world| {
            let profile = world.add_instance_profile("Empty", None);
            world.add_node("i-1", AGENT);
            world.associate("i-1", &profile);
        },
        "Empty",
    ),
    (
        "a role that is gone",
        |world| {
            let owner = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Gone/jane");
            world.add_session("s-1", &owner, 4_000_000_000.0);
        },
        "role/Gone",
    ),
    (
        "the root user",
        |world| {
            world.add_session("s-1", &arn("root"), 4_000_000_000.0);
        },
        ":root",
    ),
    (
        "an agent of no version",
        |world| {
            let role = world.add_role("Hybrid");
            world.simulates(&role, "*", "*", SimulatedAnswer::allowed("Kms"));
            world.add_node("mi-1", "").iam_role = Some("Hybrid".to_owned());
        },
        "agent version",
    ),
    ("a named role that is not there", |_| {}, "role/Nobody"),
];

#[tokio::test]
async fn an_undeterminable_principal_is_unknown() {
    let stub = Stub::start().await;
    let function = function(&stub);
    for (what, doubt, words) in UNKNOWN_CASES {
        for (mode, success) in [("Enforce", true), ("Strict", false)] {
            let key = stub.world(|world| {
                let key = reset_with_key(world, ACCOUNT);
                doubt(world);
                key
            });
            let nodes = if what.starts_with("a named") { vec![arn("role/Nobody")] } else { Vec::new() };
            let properties = json!({"KmsKeyId": key, "Nodes": nodes, "Preflight": mode});
            let answer = create(&stub, &function, &properties).await;
            assert_eq!(answer.success, success, "{what}: {answer:?}");
            let said = if success { answer.data["Findings"].as_str().unwrap() } else { &answer.reason };
            assert!(said.contains(words), "{what}: {said}");
        }
    }
}

#[tokio::test]
async fn exempt_session_owners_never_block() {
    let stub = Stub::start().await;
    let key = stub.world(|world| {
        let key = reset_with_key(world, ACCOUNT);
        for (id, owner) in
            [("s-1", arn("root")), ("s-2", format!("arn:aws:sts::{ACCOUNT}:assumed-role/Gone/jane"))]
        {
            world.add_session(id, &owner, 4_000_000_000.0);
        }
        key
    });
    let properties = |exempt| json!({"KmsKeyId": key, "Preflight": "Strict", "Exempt": exempt});
    let function = function(&stub);
    assert!(!create(&stub, &function, &properties(json!(["*:root"]))).await.success);
    let answer = create(&stub, &function, &properties(json!(["*:root", "arn:aws:iam::*:role/Gone"]))).await;
    assert!(answer.success, "{}", answer.reason);
}

#[tokio::test]
async fn an_owner_of_an_old_session_does_not_count() {
    let stub = Stub::start().await;
    let key = stub.world(|world| {
        let key = reset_with_key(world, ACCOUNT);
        let user = world.add_user("ann");
        world.add_session("s-1", &user, 1_600_000_000.0);
        key
    });
    let answer = create(&stub, &function(&stub), &json!({"KmsKeyId": key, "Preflight": "Strict"})).await;
    assert!(answer.success, "{}", answer.reason);
}
