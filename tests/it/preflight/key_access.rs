//! `Custom::SessionKeyAccess`: the check in the key's account, before others get the key's ARN.

use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::Function;

use super::{KEY_ID, OTHER, function, reset_with_key, send};
use crate::fixture::{PATIENCE, handle};
use crate::stub::{ACCOUNT, Fault, ReceivedResponse, Resource, StackStatus, Stub, When};

/// A consumer account, a node's role and a user's role in it.
const CONSUMER: &str = "222222222222";
const NODE: &str = "arn:aws:iam::222222222222:role/team/Node";
const OPS: &str = "arn:aws:iam::222222222222:role/Ops";

fn resource() -> Resource {
    Resource::new("keys", "Access", "Custom::SessionKeyAccess")
}

fn allow(principal: Value, action: Value, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*", "Condition": condition})
}

fn to_consumer(condition: Value) -> Value {
    allow(json!(format!("arn:aws:iam::{CONSUMER}:root")), json!("kms:*"), condition)
}

/// A stub with a key that has these statements and grants. Returns the key's ARN too.
async fn fixture(statements: &[Value], grants: Value) -> (Stub, String) {
    let stub = Stub::start().await;
    let key = stub.world(|world| {
        let key = reset_with_key(world, ACCOUNT);
        world.key(&key).policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        world.key(&key).grants = grants.as_array().cloned().unwrap_or_default();
        key
    });
    (stub, key)
}

async fn create_access(stub: &Stub, function: &Function<Aws>, properties: &Value) -> ReceivedResponse {
    send(stub, function, &resource().create(stub, properties)).await
}

/// A name, the statements, the grants, the properties, and who is not admitted.
type AccessCase = (&'static str, Vec<Value>, Value, Value, &'static [&'static str]);

fn access_cases() -> Vec<AccessCase> {
    let none = || json!({});
    let account = || json!({"ConsumerAccounts": [CONSUMER]});
    let both = || json!({"Users": [OPS], "Nodes": [NODE]});
    let org = || json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    let with = |mut properties: Value, name: &str, value: Value| {
        properties[name] = value;
        properties
    };
    let no = || json!([]);
    let grant = json!([{
        "GrantId": "g1", "CreationDate": 1_600_000_000.0, "GranteePrincipal": NODE, "Operations": ["Decrypt"],
    }]);
    let in_org = || vec![to_consumer(org())];
    vec![
        ("the account", vec![to_consumer(none())], no(), account(), &[]),
        (
            "an account and its principals",
            vec![to_consumer(none())],
            no(),
            with(both(), "ConsumerAccounts", json!([CONSUMER])),
            &[],
        ),
        (
            "the own account",
            vec![allow(json!(ACCOUNT), json!("kms:*"), none())],
            no(),
            json!({"ConsumerAccounts": [ACCOUNT]}),
            &[],
        ),
        (
            "another account",
            vec![to_consumer(none())],
            no(),
            json!({"ConsumerAccounts": [CONSUMER, "999999999999"]}),
            &["account 999999999999"],
        ),
        ("principals of an account", vec![to_consumer(none())], no(), both(), &[]),
        ("principals by name", vec![allow(json!([OPS, NODE]), json!("kms:*"), none())], no(), both(), &[]),
        (
            "an account by principals' names",
            vec![allow(json!([OPS, NODE]), json!("kms:*"), none())],
            no(),
            account(),
            &["account 222222222222"],
        ),
        (
            "the root user alone",
            vec![allow(
                json!("*"),
                json!("kms:*"),
                json!({"ArnEquals": {"aws:PrincipalArn": format!("arn:aws:iam::{CONSUMER}:root")}}),
            )],
            no(),
            account(),
            &["account 222222222222"],
        ),
        (
            "one call alone",
            vec![allow(json!([OPS, NODE]), json!("kms:Decrypt"), none())],
            no(),
            both(),
            &[OPS],
        ),
        (
            "a grant for the node",
            vec![allow(json!(OPS), json!("kms:GenerateDataKey"), none())],
            grant,
            both(),
            &[],
        ),
        ("an organization", in_org(), no(), both(), &[OPS, NODE]),
        (
            "an organization that is known",
            in_org(),
            no(),
            with(both(), "Context", json!({"aws:PrincipalOrgID": "o-1"})),
            &[],
        ),
        (
            "another organization",
            in_org(),
            no(),
            with(both(), "Context", json!({"aws:principalorgid": "o-2"})),
            &[OPS, NODE],
        ),
        ("an organization, if it need be", in_org(), no(), with(both(), "Require", json!("NotDenied")), &[]),
        (
            "an account of an organization, if it need be",
            in_org(),
            no(),
            with(account(), "Require", json!("NotDenied")),
            &[],
        ),
        (
            "a context that no session has",
            vec![to_consumer(json!({"StringEquals": {"kms:ViaService": "s"}}))],
            no(),
            with(with(both(), "Context", json!({"kms:ViaService": null})), "Require", json!("NotDenied")),
            &[OPS, NODE],
        ),
        (
            "a target that is known",
            vec![to_consumer(json!({"StringEquals": {"kms:EncryptionContext:aws:ssm:TargetId": "i-1"}}))],
            no(),
            with(both(), "Context", json!({"kms:EncryptionContext:aws:ssm:TargetId": "i-1"})),
            &[],
        ),
        (
            "a denial",
            vec![
                to_consumer(none()),
                json!({"Effect": "Deny", "Principal": {"AWS": NODE}, "Action": "kms:Decrypt", "Resource": "*"}),
            ],
            no(),
            with(both(), "Require", json!("NotDenied")),
            &[NODE],
        ),
        (
            "a statement without effect",
            vec![{
                let mut statement = to_consumer(none());
                statement.as_object_mut().unwrap().shift_remove("Resource");
                statement
            }],
            no(),
            both(),
            &[OPS, NODE],
        ),
    ]
}

#[tokio::test]
async fn only_whom_the_key_refuses_is_named() {
    for (what, statements, grants, requested, refused) in access_cases() {
        let (stub, key) = fixture(&statements, grants).await;
        let mut properties = requested;
        properties["KmsKeyId"] = key.as_str().into();
        let answer = create_access(&stub, &function(&stub), &properties).await;
        assert_eq!(answer.success, refused.is_empty(), "{what}: {answer:?}");
        assert_eq!(answer.physical_resource_id, "session-kms:123456789012:eu-west-1:access:Access");
        if answer.success {
            assert_eq!((&answer.data["KeyArn"], &answer.data["KeyAccount"]), (&json!(key), &json!(ACCOUNT)));
        }
        for who in [OPS, NODE, "account 222222222222", "account 999999999999"] {
            assert_eq!(
                answer.reason.contains(&format!("{who}: ")),
                refused.contains(&who),
                "{what}: {answer:?}"
            );
        }
        assert_eq!(stub.writes().len(), 0);
        assert_eq!(stub.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_statements_in_a_refusal_admit_whom_it_names() {
    let (stub, key) = fixture(&[allow(json!(ACCOUNT), json!("kms:*"), json!({}))], json!([])).await;
    let function = function(&stub);
    let properties =
        json!({"KmsKeyId": key, "ConsumerAccounts": ["999999999999"], "Users": [OPS], "Nodes": [NODE]});
    let answer = create_access(&stub, &function, &properties).await;
    assert!(!answer.success);
    let statements: Vec<Value> = answer
        .reason
        .split("; add to the list Statement of the key policy, for ")
        .skip(1)
        .map(|text| {
            let (_, statement) = text.split_once(": ").unwrap();
            serde_json::Deserializer::from_str(statement).into_iter().next().unwrap().unwrap()
        })
        .collect();
    assert_eq!(statements.len(), 4, "{}", answer.reason);
    stub.world(|world| {
        world.key(&key).policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    });
    let answer = create_access(&stub, &function, &properties).await;
    assert!(answer.success, "{}", answer.reason);
}

#[tokio::test]
async fn a_policy_just_written_is_waited_for() {
    let (stub, key) = fixture(&[allow(json!(ACCOUNT), json!("kms:*"), json!({}))], json!([])).await;
    let of = key.clone();
    let written = json!({"Statement": [to_consumer(json!({}))]}).to_string();
    stub.fault(
        When::operation("kms", "GetKeyPolicy").nth(4),
        Fault::before(move |world| world.key(&of).policy.clone_from(&written)),
    );
    let answer = create_access(&stub, &function(&stub), &json!({"KmsKeyId": key, "Nodes": [NODE]})).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(stub.calls_of("GetKeyPolicy").len(), 4);
}

#[tokio::test]
async fn an_unreadable_policy_is_never_a_pass() {
    for (operation, action, admitted, success) in [
        ("GetKeyPolicy", "kms:GetKeyPolicy", true, false),
        // Grants only ever admit, so whom the policy admits needs none.
        ("ListGrants", "kms:ListGrants", true, true),
        ("ListGrants", "kms:ListGrants", false, false),
        ("DescribeKey", "kms:DescribeKey", true, false),
    ] {
        for require in ["Allowed", "NotDenied"] {
            let account = if admitted { CONSUMER } else { "999999999999" };
            let (stub, key) = fixture(&[allow(json!(account), json!("kms:*"), json!({}))], json!([])).await;
            stub.fault(When::operation("kms", operation), Fault::AccessDenied { action });
            let properties =
                json!({"KmsKeyId": key, "Nodes": [NODE], "ConsumerAccounts": CONSUMER, "Require": require});
            let answer = create_access(&stub, &function(&stub), &properties).await;
            assert_eq!(answer.success, success, "{action}, {require}: {answer:?}");
            assert!(success || answer.reason.contains(action), "{}", answer.reason);
        }
    }
}

#[tokio::test]
async fn a_foreign_key_is_refused_without_reading_its_policy() {
    let stub = Stub::start().await;
    let key = stub.world(|world| {
        let key = reset_with_key(world, OTHER);
        world.key(&key).allow(ACCOUNT, "*");
        key
    });
    let answer = create_access(&stub, &function(&stub), &json!({"KmsKeyId": key, "Nodes": [NODE]})).await;
    assert!(!answer.success && answer.reason.contains("another account's"), "{}", answer.reason);
    assert_eq!(stub.calls_of("GetKeyPolicy").len(), 0);
}

#[tokio::test]
async fn an_unfit_key_is_refused() {
    let (stub, key) = fixture(&[to_consumer(json!({}))], json!([])).await;
    stub.world(|world| world.key(&key).state = "PendingDeletion");
    let answer = create_access(&stub, &function(&stub), &json!({"KmsKeyId": KEY_ID, "Nodes": [NODE]})).await;
    assert!(!answer.success && answer.reason.contains("PendingDeletion"), "{}", answer.reason);
}

#[tokio::test]
async fn a_stack_is_created_updated_rolled_back_and_deleted() {
    let (stub, key) = fixture(&[to_consumer(json!({}))], json!([])).await;
    let function = function(&stub);
    let run = async |payload: Value| {
        handle(&function, &payload, PATIENCE).await.unwrap();
    };
    let admitted = json!({"KmsKeyId": key, "ConsumerAccounts": [CONSUMER]});
    let refused = json!({"KmsKeyId": key, "ConsumerAccounts": [CONSUMER, "999999999999"]});
    let misspelt = json!({"KmsKeyId": key, "ConsumerAccount": [CONSUMER]});

    // A Create that fails is rolled back by a Delete, which has nothing to do.
    for wrong in [&refused, &misspelt] {
        let mut stack = crate::stub::Lifecycle::new(&stub, resource());
        let created = stack.create(wrong, &run).await;
        assert_eq!(created.status, StackStatus::RollbackComplete, "{created:?}");
    }

    let mut stack = crate::stub::Lifecycle::new(&stub, resource());
    assert_eq!(stack.create(&admitted, &run).await.status, StackStatus::CreateComplete);
    let id = stack.physical_id().unwrap().to_owned();
    for wrong in [&refused, &misspelt] {
        let updated = stack.update(wrong, &run).await;
        assert_eq!(updated.status, StackStatus::UpdateRollbackComplete, "{updated:?}");
    }
    let moved = json!({"KmsKeyId": key, "Nodes": [NODE]});
    assert_eq!(stack.update(&moved, &run).await.status, StackStatus::UpdateComplete);
    assert_eq!(stack.physical_id(), Some(&*id), "nothing is replaced");
    // The Delete succeeds even if the key no longer exists.
    stub.world(|world| world.keys.list.clear());
    assert_eq!(stack.delete(&run).await.status, StackStatus::DeleteComplete);
    assert_eq!((stub.writes().len(), stub.violations()), (0, Vec::new()));
}
