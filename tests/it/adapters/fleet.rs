//! Nodes, profiles, Default Host Management, sessions.

use std::time::{Duration, SystemTime};

use session_kms::ports::{Fleet as _, InstanceProfile, ManagedNode};

use super::aws;
use crate::stub::{ACCOUNT, Location, Stub};

#[tokio::test]
async fn nodes_have_their_agent_version_and_the_role_that_systems_manager_names() {
    let stub = Stub::start().await;
    stub.world(|world| {
        world.add_node("i-1", "3.3.0.0");
        let hybrid = world.add_node("mi-1", "3.2.0.0");
        (hybrid.iam_role, hybrid.ping_status) = (Some("service-role/Hybrid".to_owned()), "ConnectionLost");
        world.add_node("i-2", "3.1.0.0").iam_role = Some("Profile".to_owned());
        world.add_node("i-far", "3.1.0.0").location = Location::new(ACCOUNT, "eu-central-1");
    });
    let node = |id: &str, version: &str, role: Option<&str>| ManagedNode {
        id: id.into(),
        agent_version: Some(version.into()),
        role: role.map(Into::into),
    };
    let expected = [
        node("i-1", "3.3.0.0", None),
        node("mi-1", "3.2.0.0", Some("service-role/Hybrid")),
        node("i-2", "3.1.0.0", Some("Profile")),
    ];
    assert_eq!(aws(&stub).nodes().await.unwrap(), expected);
}

#[tokio::test]
async fn twenty_thousand_nodes_are_four_hundred_calls_and_their_profiles_twenty() {
    let stub = Stub::start().await;
    stub.world(|world| {
        for number in 0..20_000 {
            let id = format!("i-{number:017}");
            world.add_node(&id, "3.3.0.0");
            world.associate(&id, &format!("arn:aws:iam::123456789012:instance-profile/p{}", number % 300));
        }
    });
    let nodes = aws(&stub).nodes().await.unwrap();
    let profiles = aws(&stub).instance_profiles().await.unwrap();
    assert_eq!((nodes.len(), profiles.len()), (20_000, 20_000));
    assert!(nodes.iter().zip(&profiles).all(|(node, profile)| *node.id == *profile.instance));
    assert_eq!(stub.calls_of("DescribeInstanceInformation").len(), 400);
    assert_eq!(stub.calls_of("DescribeIamInstanceProfileAssociations").len(), 20);
    assert_eq!(stub.calls().len(), 420);
}

#[tokio::test]
async fn only_associations_in_use_count() {
    let stub = Stub::start().await;
    stub.world(|world| {
        for (id, state) in [("i-1", "associated"), ("i-2", "disassociating"), ("i-3", "associating")] {
            world.associate(id, "arn:aws:iam::123456789012:instance-profile/a&b/<P>");
            world.associations.list.last_mut().unwrap().state = state;
        }
    });
    let profiles = aws(&stub).instance_profiles().await.unwrap();
    assert_eq!(
        profiles,
        [InstanceProfile {
            instance: "i-1".to_owned(),
            arn: "arn:aws:iam::123456789012:instance-profile/a&b/<P>".into()
        }]
    );
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn default_host_management_is_on_or_off() {
    let stub = Stub::start().await;
    assert_eq!(aws(&stub).default_host_role().await.unwrap(), None);
    stub.world(|world| world.set_default_host_role("service-role/DefaultHost"));
    assert_eq!(aws(&stub).default_host_role().await.unwrap().as_deref(), Some("service-role/DefaultHost"));
}

#[tokio::test]
async fn each_session_since_a_time_comes_once() {
    let stub = Stub::start().await;
    let owner = |name: &str| format!("arn:aws:sts::123456789012:assumed-role/Users/{name}");
    stub.world(|world| {
        world.add_session("old", &owner("old"), 1_000.0);
        for number in 0..450 {
            world.add_session(&format!("s-{number}"), &owner("jane"), 2_000.0);
        }
        world.add_session("running", &owner("joe"), 3_000.0).active = true;
        // This session ends between the two calls.
        world.add_session("ending", &owner("eve"), 3_000.0).active = true;
        world.add_session("ending", &owner("eve"), 3_000.0);
        world.add_session("far", &owner("far"), 3_000.0).location = Location::new(ACCOUNT, "eu-central-1");
    });
    let since = SystemTime::UNIX_EPOCH + Duration::from_millis(1_999_900);
    let sessions = aws(&stub).sessions(since).await.unwrap();
    let count = |name: &str| sessions.iter().filter(|session| session.owner == owner(name)).count();
    assert_eq!(["old", "jane", "joe", "eve", "far"].map(count), [0, 450, 1, 1, 0]);
    let calls = stub.calls_of("DescribeSessions");
    assert_eq!(calls.len(), 1 + 3, "200 a page");
    assert_eq!(calls[0].body["Filters"][0]["value"], "1970-01-01T00:33:19Z");
}
