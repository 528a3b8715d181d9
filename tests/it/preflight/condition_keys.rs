//! What one read tells, and what Context says: condition keys that policies ask for.

use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::Function;

use super::{
    KEY_ID, OTHER, admit_function, allow, arn, create, function, key_in_document, properties_naming,
    reset_with_key, send,
};
use crate::fixture::{PATIENCE, RECORD, handle, rival_key};
use crate::stub::{ACCOUNT, Fault, Resource, SimulatedAnswer, SimulatedDecision, Stub, When, World};

/// The reads that are made only where a policy asks: service, operation, action, and a condition that asks.
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

/// A condition on everything that one read tells, which everybody of the world meets.
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

/// A key of an account with this policy, whose principals, tags, alias and organization meet [`on_everything`].
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

/// What a report says of a principal: its verdict, and what was seen of both sides.
fn of<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str, &'a str) {
    let all = report["access"].as_array().expect("a report on principals");
    let one = all.iter().find(|one| one["principal"] == arn(name)).unwrap();
    let text = |member: &str| one[member].as_str().unwrap();
    (text("verdict"), text("keySide"), text("ownSide"))
}

#[tokio::test]
async fn everything_that_one_read_tells_is_known_and_read_once() {
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
async fn nothing_is_read_where_no_policy_asks() {
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
        // The same for the own side.
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
async fn what_the_reads_tell_refuses_too() {
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
async fn tags_of_sessions_win_over_those_of_a_users_role() {
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
        // No session tags come to a node, and none to a user's own session.
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
    // Without a reader nobody can list them, and nobody tries.
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
async fn the_report_says_which_verdicts_rest_on_context() {
    let network = json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}, "Null": {"aws:SourceVpc": "true"}});
    let (stub, key) = start(ACCOUNT, &network).await;
    stub.world(|world| {
        let answer = SimulatedAnswer {
            asks_for: vec!["aws:SourceIp".to_owned()],
            given: vec![("aws:SourceIp".to_owned(), vec!["10.0.0.1".to_owned()], SimulatedDecision::Allowed)],
            ..SimulatedAnswer::default()
        };
        world.simulates(&arn(NODE), "*", "*", answer);
    });
    let mut properties = everybody(&key, "Strict");
    let report = check(&stub, &function(&stub), &properties).await;
    assert_eq!((of(&report, NODE).0, of(&report, ANN).0), ("unknown", "unknown"));
    properties["Context"] = json!({"aws:SourceVpce": "vpce-1", "aws:sourcevpc": null, "aws:SourceIp": "10.0.0.1", "aws:UserAgent": "x"});
    let report = check(&stub, &function(&stub), &properties).await;
    let given = "(given that aws:SourceVpce is vpce-1 and aws:sourcevpc is absent, as Context says)";
    let (verdict, key_side, own_side) = of(&report, NODE);
    assert_eq!(verdict, "pass", "{report:#}");
    assert!(key_side.ends_with(given), "{key_side}");
    assert!(own_side.ends_with("(given that aws:SourceIp is 10.0.0.1, as Context says)"), "{own_side}");
    let (verdict, key_side, own_side) = of(&report, ANN);
    assert_eq!(verdict, "pass");
    assert!(key_side.ends_with(given) && !own_side.contains("Context"), "{key_side}; {own_side}");
    // A refusal rests on it as well.
    properties["Context"] = json!({"aws:SourceVpce": "vpce-2"});
    let report = check(&stub, &function(&stub), &properties).await;
    let (verdict, key_side, _) = of(&report, ANN);
    assert_eq!(verdict, "fail");
    assert!(key_side.ends_with("(given that aws:SourceVpce is vpce-2, as Context says)"), "{key_side}");
}

#[tokio::test]
async fn what_rests_on_nothing_is_not_said_to() {
    // Whatever Context says, the second statement admits.
    let stub = Stub::start().await;
    let key = stub.world(|world| {
        let both: Value =
            serde_json::from_str(&policy(&json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}))).unwrap();
        let all: Value = serde_json::from_str(&policy(&json!({}))).unwrap();
        let text =
            json!({"Version": "2012-10-17", "Statement": [both["Statement"], all["Statement"]]}).to_string();
        add_key_and_principals(world, ACCOUNT, &text)
    });
    let mut properties = everybody(&key, "Strict");
    properties["Context"] = json!({"aws:SourceVpce": "vpce-1"});
    let report = check(&stub, &function(&stub), &properties).await;
    let (verdict, key_side, own_side) = of(&report, NODE);
    assert_eq!(verdict, "pass");
    assert!(!key_side.contains("Context") && !own_side.contains("Context"), "{key_side}; {own_side}");
}

#[tokio::test]
async fn an_organization_s_policy_that_asks_for_what_context_says_is_asked_with_it() {
    let (stub, key) = start(ACCOUNT, &json!({})).await;
    stub.world(|world| {
        let answer = SimulatedAnswer {
            organization_wants: Some(("aws:SourceVpce".to_owned(), "vpce-1".to_owned())),
            ..SimulatedAnswer::allowed("Kms")
        };
        world.simulates(&arn(NODE), "*", "*", answer);
    });
    let mut properties = properties_naming(&key, &[], &[&arn(NODE)], "Strict");
    properties["Context"] = json!({"aws:SourceVpce": "vpce-1"});
    let report = check(&stub, &function(&stub), &properties).await;
    let (verdict, _, own_side) = of(&report, NODE);
    assert_eq!(verdict, "pass", "{own_side}");
    assert!(own_side.contains("aws:SourceVpce is vpce-1, as Context says"), "{own_side}");
}

#[tokio::test]
async fn context_is_remembered_and_later_runs_judge_with_it() {
    let (stub, key) = start(ACCOUNT, &json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}})).await;
    let function = function(&stub);
    let mut properties = everybody(&key, "Strict");
    properties["Context"] =
        json!({"aws:SourceVpce": "vpce-1", "aws:PrincipalOrgPaths": ["o-1/r-1/"], "aws:SourceVpc": null})
            .to_string()
            .into();
    let answer = create(&stub, &function, &properties).await;
    assert!(answer.success, "{}", answer.reason);
    let record: Value = stub.world(|world| serde_json::from_str(world.parameter(RECORD).unwrap()).unwrap());
    assert_eq!(
        record["safeguards"]["context"],
        json!({"aws:SourceVpce": "vpce-1", "aws:PrincipalOrgPaths": "o-1/r-1/", "aws:SourceVpc": null})
    );
    // The schedule finds that all is well; a drift is repaired, Strict as it is.
    let schedule = json!({
        "version": "0", "id": "e", "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z", "region": "eu-west-1", "resources": [], "detail": {},
    });
    stub.world(rival_key("alias/rival"));
    handle(&function, &schedule, PATIENCE).await.unwrap();
    assert_eq!(key_in_document(&stub).as_ref(), Some(&key));
    // By another memory another verdict. A record of an earlier version has none, and what is not known keeps nobody
    // from going back to a key that was proven once.
    stub.world(rival_key("alias/rival-2"));
    for (context, expected) in [(json!({"aws:SourceVpce": "vpce-2"}), "alias/rival-2"), (Value::Null, &*key)]
    {
        stub.world(|world| {
            let mut record = record.clone();
            record.as_object_mut().unwrap().shift_remove("written");
            let safeguards = record["safeguards"].as_object_mut().unwrap();
            match context.is_null() {
                true => drop(safeguards.shift_remove("context")),
                false => safeguards["context"] = context,
            }
            world.put_parameter(RECORD, &record.to_string());
        });
        handle(&function, &schedule, PATIENCE).await.unwrap();
        assert_eq!(key_in_document(&stub).as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_context_that_cannot_be_so_is_refused() {
    let (stub, key) = start(ACCOUNT, &json!({})).await;
    for (context, words) in [
        (json!({"kms:ViaService": "ssm.amazonaws.com"}), vec!["Context", "kms:ViaService", "absent"]),
        (json!({"SourceVpce": "x"}), vec!["Context", "`SourceVpce`", "aws:SourceVpce"]),
        (json!("{\"aws:SourceVpce\":1,\"AWS:SourceVpce\":2}"), vec!["Context", "twice"]),
    ] {
        let mut properties = everybody(&key, "Enforce");
        properties["Context"] = context;
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(!answer.success);
        for word in words {
            assert!(answer.reason.contains(word), "{} has no {word}", answer.reason);
        }
        assert_eq!(stub.writes().len(), 0);
    }
}

#[tokio::test]
async fn a_tag_that_comes_while_it_is_asked_again_is_seen() {
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
async fn the_policy_that_an_event_tells_of_is_judged_with_what_it_asks_for() {
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
async fn in_the_keys_account_the_key_is_read_and_nobody_elses_organization() {
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
