//! Condition keys that policies ask for and that one read answers: organization, tags, aliases.

mod context;

use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::Function;

use super::{
    KEY_ID, OTHER, admit_function, allow, arn, create, function, key_in_document, properties_naming,
    reset_with_key, send,
};
use crate::fixture::{PATIENCE, handle};
use crate::stub::{ACCOUNT, Fault, Resource, SimulatedAnswer, Stub, When, World};

/// The reads that are made only if a policy asks: service, operation, action, and a condition that asks.
fn reads() -> [(&'static str, &'static str, &'static str, Value); 5] {
    [
        (
            "organizations",
            "DescribeOrganization",
            "organizations:DescribeOrganization",
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        ),
        ("iam", "GetRole", "iam:GetRole", json!({"StringEquals": {"aws:PrincipalTag/team": "ops"}})),
        ("iam", "GetUser", "iam:GetUser", json!({"StringEquals": {"aws:PrincipalTag/team": "ops"}})),
        (
            "kms",
            "ListResourceTags",
            "kms:ListResourceTags",
            json!({"StringEquals": {"aws:ResourceTag/stage": "prod"}}),
        ),
        (
            "kms",
            "ListAliases",
            "kms:ListAliases",
            json!({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/session-*"}}),
        ),
    ]
}

/// A condition on every key that one read answers. All principals of [`add_key_and_principals`] meet it.
fn on_everything() -> Value {
    json!({
        "StringEquals": {
            "aws:PrincipalOrgID": "o-1", "aws:ResourceOrgID": "o-1",
            "aws:PrincipalTag/team": "ops", "aws:ResourceTag/stage": "prod",
        },
        "ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/session-*"},
    })
}

fn policy(condition: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": allow(json!({"AWS": arn("root")}), condition.clone())})
        .to_string()
}

const NODE: &str = "role/team/Node";
const OPS: &str = "role/Ops";
const ANN: &str = "user/ann";

/// Adds a key of an account with this policy. Principals, tags, alias and organization meet [`on_everything`].
fn add_key_and_principals(world: &mut World, account: &str, policy: &str) -> String {
    let key = reset_with_key(world, account);
    world.organization = Some("o-1".to_owned());
    policy.clone_into(&mut world.key(&key).policy);
    world.key(&key).tags = vec![("stage".to_owned(), "prod".to_owned())];
    world.add_alias("alias/session-1", &key);
    admit_function(world, &key);
    world.add_role("team/Node");
    world.add_role("Ops");
    world.add_user("ann");
    for name in [NODE, OPS, ANN].map(arn) {
        world.tag(&name, "Team", "ops");
        world.simulates(&name, "*", "*", SimulatedAnswer::allowed("Kms"));
    }
    key
}

async fn start(account: &str, condition: &Value) -> (Stub, String) {
    let stub = Stub::start().await;
    let key = stub.world(|world| add_key_and_principals(world, account, &policy(condition)));
    (stub, key)
}

fn everybody(key: &str, mode: &str) -> Value {
    properties_naming(key, &[&arn(OPS), &arn(ANN)], &[&arn(NODE)], mode)
}

/// The report of a direct check.
async fn check(stub: &Stub, function: &Function<Aws>, properties: &Value) -> Value {
    let mut call = json!({"action": "check"});
    for (name, value) in properties.as_object().unwrap() {
        let (first, rest) = name.split_at(1);
        call[format!("{}{rest}", first.to_lowercase())] = value.clone();
    }
    let report = handle(function, &call, PATIENCE).await.unwrap();
    assert_eq!(stub.violations(), Vec::<String>::new());
    report
}

/// What a report says about a principal: verdict, key side and own side.
fn of<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str, &'a str) {
    let all = report["access"].as_array().expect("a report on principals");
    let one = all.iter().find(|one| one["principal"] == arn(name)).unwrap();
    let text = |member: &str| one[member].as_str().unwrap();
    (text("verdict"), text("keySide"), text("ownSide"))
}

#[tokio::test]
async fn what_one_read_answers_is_known_and_read_once() {
    let (stub, key) = start(ACCOUNT, &on_everything()).await;
    stub.world(|world| {
        for name in [NODE, OPS, ANN].map(arn) {
            let asks_for = [
                "aws:PrincipalOrgID",
                "aws:PrincipalTag/team",
                "aws:ResourceTag/stage",
                "kms:ResourceAliases",
            ];
            let asks_for = asks_for.map(str::to_owned).to_vec();
            world.simulates(&name, "*", "*", SimulatedAnswer { asks_for, ..SimulatedAnswer::allowed("Kms") });
        }
    });
    let answer = create(&stub, &function(&stub), &everybody(&key, "Strict")).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(key_in_document(&stub), Some(key));
    for (operation, calls) in [
        ("DescribeOrganization", 1),
        ("ListResourceTags", 1),
        ("ListAliases", 1),
        ("GetRole", 2),
        ("GetUser", 1),
        ("SimulatePrincipalPolicy", 6),
    ] {
        assert_eq!(stub.calls_of(operation).len(), calls, "{operation}");
    }
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_read_if_no_policy_asks() {
    for account in [ACCOUNT, OTHER] {
        let (stub, key) = start(account, &json!({})).await;
        let mut properties = everybody(&key, "Enforce");
        properties["Context"] = json!({"aws:SourceVpce": "vpce-1"});
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(answer.success, "{}", answer.reason);
        for (_, operation, _, _) in reads() {
            assert_eq!(stub.calls_of(operation).len(), 0, "{operation}");
        }
        assert_eq!(stub.calls_of("SimulatePrincipalPolicy").len(), 3, "each is asked about once");
    }
}

#[tokio::test]
async fn a_read_that_is_denied_leaves_its_key_unknown_and_is_named() {
    for (service, operation, action, condition) in reads() {
        for mode in ["Enforce", "Strict"] {
            let (stub, key) = start(ACCOUNT, &condition).await;
            stub.fault(When::operation(service, operation), Fault::AccessDenied { action });
            let answer = create(&stub, &function(&stub), &everybody(&key, mode)).await;
            assert_eq!(answer.success, mode == "Enforce", "{action}: {}", answer.reason);
            let said =
                if answer.success { answer.data["Findings"].as_str().unwrap() } else { &answer.reason };
            assert!(said.contains(&format!("allow {action} on it")), "{action}: {said}");
            assert!(!said.contains("failed"), "{action}: {said}");
        }
        // The same if the own side asks.
        let (stub, key) = start(ACCOUNT, &json!({})).await;
        let asks_for: Vec<String> = condition
            .as_object()
            .unwrap()
            .values()
            .flat_map(|block| block.as_object().unwrap().keys().cloned())
            .collect();
        stub.world(|world| {
            for name in [NODE, OPS, ANN].map(arn) {
                let asks_for = asks_for.clone();
                world.simulates(
                    &name,
                    "*",
                    "*",
                    SimulatedAnswer { asks_for, ..SimulatedAnswer::allowed("Kms") },
                );
            }
        });
        stub.fault(When::operation(service, operation), Fault::AccessDenied { action });
        let answer = create(&stub, &function(&stub), &everybody(&key, "Strict")).await;
        assert!(
            !answer.success && answer.reason.contains(&format!("allow {action} on it")),
            "{}",
            answer.reason
        );
    }
}

#[tokio::test]
async fn what_the_reads_answer_can_refuse_too() {
    for (condition, who) in [
        (json!({"StringEquals": {"aws:PrincipalOrgID": "o-2"}}), vec![NODE, OPS, ANN]),
        (json!({"StringEquals": {"aws:ResourceOrgID": "o-2"}}), vec![NODE, OPS, ANN]),
        (json!({"StringEquals": {"aws:PrincipalTag/team": "dev"}}), vec![NODE, OPS, ANN]),
        (json!({"StringEquals": {"aws:PrincipalTag/owner": "me"}}), vec![NODE, OPS, ANN]),
        (json!({"StringEquals": {"aws:ResourceTag/stage": "test"}}), vec![NODE, OPS, ANN]),
        (json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/other"}}), vec![NODE, OPS, ANN]),
        (json!({"StringEquals": {"kms:RecipientAttestation:PCR0": "ab"}}), vec![NODE, OPS, ANN]),
    ] {
        let (stub, key) = start(ACCOUNT, &condition).await;
        let report = check(&stub, &function(&stub), &everybody(&key, "Enforce")).await;
        for name in who {
            assert_eq!(of(&report, name).0, "fail", "{condition} for {name}: {report:#}");
        }
    }
    // An account that is in no organization has no organization's id.
    let (stub, key) = start(ACCOUNT, &json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-2"}})).await;
    stub.world(|world| world.organization = None);
    let report = check(&stub, &function(&stub), &everybody(&key, "Strict")).await;
    assert_eq!(of(&report, NODE).0, "pass", "{report:#}");
}

#[tokio::test]
async fn tags_of_sessions_override_those_of_a_users_role() {
    let team = json!({"StringEquals": {"aws:PrincipalTag/team": "ops"}});
    for (actions, verdict) in [
        (json!("sts:AssumeRole"), "pass"),
        (json!(["sts:AssumeRoleWithSAML", "sts:TagSession"]), "unknown"),
        (json!("sts:*"), "unknown"),
    ] {
        let (stub, key) = start(ACCOUNT, &team).await;
        stub.world(|world| {
            for name in [OPS, NODE] {
                world.iam.trust.insert(arn(name), actions.clone());
            }
        });
        let report = check(&stub, &function(&stub), &everybody(&key, "Strict")).await;
        let (found, key_side, _) = of(&report, OPS);
        assert_eq!(found, verdict, "{actions}: {key_side}");
        assert_eq!(key_side.contains("sts:TagSession"), verdict == "unknown", "{key_side}");
        // Neither a node nor an IAM user's own session has session tags.
        assert_eq!((of(&report, NODE).0, of(&report, ANN).0), ("pass", "pass"), "{actions}: {report:#}");
    }
}

#[tokio::test]
async fn a_foreign_keys_tags_and_aliases_come_through_the_reader() {
    let on_key = json!({
        "StringEquals": {"aws:ResourceTag/stage": "prod"},
        "ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/session-*"},
    });
    let (stub, key) = start(OTHER, &on_key).await;
    let reader = stub.world(|world| {
        let reader = world.add_role_in(OTHER, "Reader");
        world.role(&reader).trusted = vec![ACCOUNT.to_owned()];
        reader
    });
    let mut properties = everybody(&key, "Strict");
    properties["KeyPolicyReaderRoleArn"] = reader.into();
    let report = check(&stub, &function(&stub), &properties).await;
    assert_eq!(of(&report, NODE).0, "pass", "{report:#}");
    assert!(stub.calls_of("ListResourceTags").iter().all(|call| call.account == OTHER));
    assert_eq!((stub.calls_of("ListResourceTags").len(), stub.calls_of("ListAliases").len()), (1, 1));
    // Without a reader the function cannot list them, so it does not try.
    stub.forget_calls();
    let mut properties = everybody(&key, "Enforce");
    properties["KeyPolicy"] = policy(&on_key).into();
    let report = check(&stub, &function(&stub), &properties).await;
    let (verdict, key_side, _) = of(&report, NODE);
    assert_eq!(verdict, "unknown");
    assert!(key_side.contains("KeyPolicyReaderRoleArn") && key_side.contains("Context"), "{key_side}");
    assert_eq!((stub.calls_of("ListResourceTags").len(), stub.calls_of("ListAliases").len()), (0, 0));
}

#[tokio::test]
async fn a_tag_that_is_added_between_two_attempts_is_seen() {
    let (stub, key) = start(ACCOUNT, &on_everything()).await;
    let node = arn(NODE);
    stub.world(|world| world.iam.tags.clear());
    let properties = properties_naming(&key, &[], &[&node], "Enforce");
    let tagged = Fault::before(move |world| world.tag(&node, "team", "ops"));
    stub.fault(When::operation("iam", "GetRole").nth(3), tagged);
    let answer = create(&stub, &function(&stub), &properties).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(stub.calls_of("GetRole").len(), 3);
}

#[tokio::test]
async fn the_policy_of_an_event_is_checked_with_the_keys_that_it_asks_for() {
    let (stub, key) = start(ACCOUNT, &json!({})).await;
    let function = function(&stub);
    let answer = create(&stub, &function, &everybody(&key, "Strict")).await;
    assert!(answer.success, "{}", answer.reason);
    let event = json!({
        "version": "0", "id": "e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.kms",
        "account": ACCOUNT, "time": "2026-01-01T00:00:00Z", "region": "eu-west-1", "resources": [],
        "detail": {
            "eventSource": "kms.amazonaws.com", "eventName": "PutKeyPolicy",
            "requestParameters": {"keyId": KEY_ID, "policyName": "default", "policy": policy(&on_everything())},
            "resources": [{"ARN": key, "accountId": ACCOUNT, "type": "AWS::KMS::Key"}],
        },
    });
    let report = handle(&function, &event, PATIENCE).await.unwrap();
    assert_eq!(stub.calls_of("DescribeOrganization").len(), 1, "{report:#}");
    assert_eq!(stub.calls_of("ListAliases").len(), 1);
    assert!(!report.to_string().contains("not everybody"), "{report:#}");
}

#[tokio::test]
async fn in_the_keys_account_only_the_key_and_its_own_organization_are_read() {
    let stub = Stub::start().await;
    let consumer = "arn:aws:iam::222222222222:role/App";
    let admits = |condition: Value| {
        json!({"Version": "2012-10-17", "Statement": allow(json!({"AWS": consumer}), condition)}).to_string()
    };
    let on_key = json!({
        "StringEquals": {"aws:ResourceOrgID": "o-1", "aws:ResourceTag/stage": "prod"},
        "ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/session-*"},
    });
    let key = stub.world(|world| add_key_and_principals(world, ACCOUNT, &admits(on_key)));
    let ask = async |context: Value| {
        let properties = json!({"KmsKeyId": key, "Nodes": [consumer], "Context": context});
        send(
            &stub,
            &function(&stub),
            &Resource::new("keys", "Access", "Custom::SessionKeyAccess").create(&stub, &properties),
        )
        .await
    };
    let answer = ask(json!({})).await;
    assert!(answer.success, "{}", answer.reason);
    let policy = admits(json!({
        "StringEquals": {"aws:PrincipalOrgID": "o-1", "aws:PrincipalTag/team": "ops"},
        "Null": {"aws:SourceVpc": "true"},
    }));
    stub.world(|world| world.key(&key).policy = policy);
    stub.forget_calls();
    let answer = ask(json!({})).await;
    assert!(!answer.success && answer.reason.contains("aws:PrincipalOrgID"), "{}", answer.reason);
    for operation in ["DescribeOrganization", "GetRole", "ListResourceTags", "ListAliases"] {
        assert_eq!(stub.calls_of(operation).len(), 0, "{operation}");
    }
    let context = json!({"aws:PrincipalOrgID": "o-1", "aws:PrincipalTag/Team": "ops", "aws:SourceVpc": null});
    let answer = ask(context).await;
    assert!(answer.success, "{}", answer.reason);
}
