//! The role in the key's account that reads its key policy: it is assumed with the external id, and with a session
//! policy that allows reading keys of that account and nothing else, whatever the role itself allows.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{Fixture, PATIENCE, function_on, handle};
use crate::stub::{ACCOUNT, CallRecord, Location, REGION};

const OWNER: &str = "210987654321";
const KEY_ID: &str = "44444444-4444-4444-8444-444444444444";
/// What may be read with the role.
const READS: [&str; 6] = [
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:ListGrants",
    "kms:ListResourceTags",
    "kms:ListAliases",
    "kms:ListKeyPolicies",
];

/// A check of a foreign key through a reader. Returns the calls of AssumeRole and those with the role's credentials.
async fn assumed(external_id: Option<&str>) -> (Vec<CallRecord>, Vec<CallRecord>) {
    let fixture = Fixture::with_settings().await;
    let (key, reader) = fixture.stub.world(|world| {
        let key = world.add_key_at(&Location::new(OWNER, REGION), KEY_ID);
        world.key(&key).allow(ACCOUNT, "kms:DescribeKey");
        let reader = world.add_role_in(OWNER, "Reader");
        world.role(&reader).trusted = vec![ACCOUNT.to_owned()];
        world.role(&reader).external_id = external_id.map(str::to_owned);
        (key, reader)
    });
    let mut call = json!({
        "action": "check", "kmsKeyId": key, "users": [format!("arn:aws:iam::{ACCOUNT}:role/Operator")],
        "keyPolicyReaderRoleArn": reader, "preflight": "Strict",
    });
    if let Some(external_id) = external_id {
        call["keyPolicyReaderExternalId"] = external_id.into();
    }
    let function = function_on(&fixture.stub, &fixture.stub.sdk_config(3, None), Duration::ZERO);
    handle(&function, &call, PATIENCE).await.unwrap();
    let calls = fixture.stub.calls();
    (fixture.stub.calls_of("AssumeRole"), calls.into_iter().filter(|call| call.account == OWNER).collect())
}

#[tokio::test]
async fn it_is_assumed_with_the_external_id_once_and_makes_only_reading_calls() {
    for external_id in [Some("from-the-owner"), None] {
        let (assumed, made) = assumed(external_id).await;
        assert_eq!(assumed.len(), 1);
        assert_eq!(assumed[0].body["ExternalId"].as_str(), external_id);
        assert!(!made.is_empty(), "the role was used");
        assert!(made.iter().all(|call| !call.writes && call.service == "kms"), "{made:?}");
    }
}

#[tokio::test]
async fn it_is_assumed_with_a_session_policy_that_allows_reading_that_accounts_keys_alone() {
    let (assumed, made) = assumed(Some("from-the-owner")).await;
    let policy = assumed[0].body["Policy"].as_str().expect("a session policy");
    assert!(policy.len() <= 2048, "STS takes no longer one");
    let policy: Value = serde_json::from_str(policy).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    let statements = policy["Statement"].as_array().unwrap();
    let list = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        other => other.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
    };
    let mut allowed = Vec::new();
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow");
        assert!(
            statement.get("NotAction").is_none() && statement.get("NotResource").is_none(),
            "{statement}"
        );
        let actions = list(&statement["Action"]);
        for action in &actions {
            assert!(READS.contains(&action.as_str()), "{action}");
        }
        for resource in list(&statement["Resource"]) {
            // The list of aliases has no resource that a policy could name.
            let is_account = resource.starts_with("arn:aws:kms:") && resource.contains(&format!(":{OWNER}:"));
            assert!(
                is_account || (resource == "*" && actions == ["kms:ListAliases"]),
                "{resource} for {actions:?}"
            );
        }
        allowed.extend(actions);
    }
    for call in made {
        assert!(
            allowed.contains(&format!("kms:{}", call.operation)),
            "{} is made and not allowed",
            call.operation
        );
    }
}
