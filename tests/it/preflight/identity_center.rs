//! Users who come by IAM Identity Center: no policy can be attached to their roles, and the roles may be made again.

use serde_json::{Value, json};

use super::{
    OTHER, admit_function, allow, arn, create, function, key_in_document, properties_naming, reset_with_key,
};
use crate::fixture::{PATIENCE, handle};
use crate::stub::{ACCOUNT, SimulatedAnswer, Stub};

const PATHS: [&str; 2] = ["aws-reserved/sso.amazonaws.com/", "aws-reserved/sso.amazonaws.com/eu-west-1/"];
const ROLE: &str = "AWSReservedSSO_Ops_Admin_0123456789abcdef";
/// The same role after Identity Center has made it again.
const AGAIN: &str = "AWSReservedSSO_Ops_Admin_fedcba9876543210";

/// A key of this account, with a policy that admits this principal.
async fn with_policy(principal: Value) -> (Stub, String) {
    let stub = Stub::start().await;
    let key = stub.world(|world| {
        let key = reset_with_key(world, ACCOUNT);
        admit_function(world, &key);
        let policy = json!({"Version": "2012-10-17", "Statement": [allow(principal, Value::Null)]});
        world.key(&key).policy = policy.to_string();
        key
    });
    (stub, key)
}

/// The report of a direct check of one user.
async fn check(stub: &Stub, key: &str, user: &str) -> Value {
    let call = json!({
        "action": "check", "kmsKeyId": key, "users": [user], "discoverUsers": false, "discoverNodes": false,
    });
    handle(&function(stub), &call, PATIENCE).await.unwrap()
}

#[tokio::test]
async fn a_role_that_lacks_an_allow_is_mended_by_its_permission_set() {
    for path in PATHS {
        let (stub, key) = with_policy(json!({"AWS": arn("root")})).await;
        let role = stub.world(|world| {
            let role = world.add_role(&format!("{path}{ROLE}"));
            // The session history may name the role without its path, and with it.
            for (id, written) in [("s-1", ROLE.to_owned()), ("s-2", format!("{path}{ROLE}"))] {
                let owner = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{written}/jane@example.com");
                world.add_session(id, &owner, 4_000_000_000.0);
            }
            role
        });
        let mut properties = properties_naming(&key, &[], &[], "Enforce");
        properties["DiscoverUsers"] = true.into();
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(!answer.success);
        for words in [
            role.as_str(),
            "allow kms:GenerateDataKey on the key in permission set Ops_Admin",
            "; add to permission set Ops_Admin: {",
            "; in place of that for permission set Ops_Admin, add to the key policy: {",
        ] {
            assert!(answer.reason.contains(words), "no `{words}` in {}", answer.reason);
        }
        assert!(!answer.reason.contains("attach"), "{}", answer.reason);

        let report = check(&stub, &key, &role).await;
        assert_eq!(report["access"].as_array().unwrap().len(), 1, "{report:#}");
        let remedies = report["remedies"]["identityPolicies"].as_array().unwrap();
        assert_eq!(remedies.len(), 1);
        assert_eq!(remedies[0]["permissionSet"], "Ops_Admin");
        assert_eq!(remedies[0]["principals"], json!([role]));
        assert_eq!(report["remedies"]["keyPolicyStatements"], json!([]));

        // The statement in the key policy does it too, and does so for the role that is made again.
        let instead = remedies[0]["instead"].clone();
        stub.world(|world| {
            let root = allow(json!({"AWS": arn("root")}), Value::Null);
            let policy = json!({"Version": "2012-10-17", "Statement": [root, instead]});
            world.key(&key).policy = policy.to_string();
            world.add_role(&format!("{path}{AGAIN}"));
        });
        for name in [ROLE, AGAIN] {
            let report = check(&stub, &key, &arn(&format!("role/{path}{name}"))).await;
            assert_eq!(report["access"][0]["verdict"], "pass", "{report:#}");
        }
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(answer.success, "{}", answer.reason);
        assert_eq!(key_in_document(&stub), Some(key));
        assert_eq!(stub.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_key_policy_that_refuses_the_role_admits_it_by_a_pattern() {
    let (stub, key) = with_policy(json!({"AWS": arn("role/Admin")})).await;
    let (role, path) = stub.world(|world| {
        let role = world.add_role(&format!("{}{ROLE}", PATHS[1]));
        for role in [role.clone(), world.add_role(&format!("{}{AGAIN}", PATHS[0]))] {
            world.simulates(&role, "*", "*", SimulatedAnswer::allowed("UseKeys"));
        }
        (role, PATHS[0])
    });
    let report = check(&stub, &key, &role).await;
    assert_eq!(report["access"][0]["verdict"], "fail", "{report:#}");
    let statements = report["remedies"]["keyPolicyStatements"].as_array().unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Principal"]["AWS"], arn("root"));
    assert!(!statements[0].to_string().contains(ROLE), "{report:#}");
    stub.world(|world| {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        world.key(&key).policy = policy.to_string();
    });
    for role in [role, arn(&format!("role/{path}{AGAIN}"))] {
        let report = check(&stub, &key, &role).await;
        assert_eq!(report["access"][0]["verdict"], "pass", "{report:#}");
    }
}

/// Another account's key needs both sides, so nothing in its policy replaces the permission set.
#[tokio::test]
async fn a_key_of_another_account_has_nothing_in_place_of_the_permission_set() {
    let stub = Stub::start().await;
    let (key, role) = stub.world(|world| {
        let key = reset_with_key(world, OTHER);
        admit_function(world, &key);
        (key, world.add_role(&format!("{}{ROLE}", PATHS[0])))
    });
    let report = check(&stub, &key, &role).await;
    let remedy = &report["remedies"]["identityPolicies"][0];
    assert_eq!((&remedy["permissionSet"], remedy.get("instead")), (&"Ops_Admin".into(), None), "{report:#}");
}

#[tokio::test]
async fn a_role_of_identity_center_whose_permission_set_is_not_certain_is_never_attached_to() {
    let (stub, key) = with_policy(json!({"AWS": arn("root")})).await;
    let role = stub.world(|world| world.add_role(&format!("{}AWSReservedSSO_Ops_1", PATHS[0])));
    let answer = create(&stub, &function(&stub), &properties_naming(&key, &[&role], &[], "Enforce")).await;
    assert!(!answer.success && !answer.reason.contains("attach"), "{}", answer.reason);
    assert!(answer.reason.contains("in its permission set in IAM Identity Center"), "{}", answer.reason);
    let remedy = format!("; add to the permission set, in IAM Identity Center, of {role}: {{");
    assert!(answer.reason.contains(&remedy), "{}", answer.reason);
}
