//! The answers of IAM's simulator, in each shape that AWS's reference leaves open: service control policies, the details
//! of answers across accounts, and permissions boundaries.

use serde_json::{Value, json};

use super::fleet_oracle::{Ability, Host, NodeSituation, Profile, Reach};
use super::fleet_table::set_node;
use super::{
    BEFORE, OTHER, admit_function, allow, arn, create, function, key_in_document, properties_naming,
    reset_with_key,
};
use crate::stub::{
    ACCOUNT, AnswerShape, Details, ReceivedResponse, SimulatedAnswer, SimulatedDecision, Stub, World,
};

const NODE: &str = "role/team/Node";
const ANN: &str = "user/ann";

/// Both ways in which a service control policy may refuse: AWS's reference says that it ends the simulation, and the
/// answer may list the missing keys all the same.
const BOTH_ENDS: [bool; 2] = [true, false];

/// A world with a key of this account, a role of nodes and a user. The organization, tags and aliases are there.
fn set(world: &mut World, account: &str) -> String {
    let key = reset_with_key(world, account);
    let policy =
        json!({"Version": "2012-10-17", "Statement": allow(json!({"AWS": arn("root")}), Value::Null)});
    world.key(&key).policy = policy.to_string();
    admit_function(world, &key);
    world.key(&key).allow(ACCOUNT, "kms:ListGrants");
    world.organization = Some("o-1".to_owned());
    world.key(&key).tags = vec![("stage".to_owned(), "prod".to_owned())];
    world.add_alias("alias/session-1", &key);
    world.add_role("team/Node");
    world.add_user("ann");
    for name in [NODE, ANN].map(arn) {
        world.tag(&name, "Team", "ops");
    }
    key
}

/// Creates a resource for which the simulator gives these answers about the role of nodes and the user.
async fn answer(
    stub: &Stub,
    account: &str,
    shape: AnswerShape,
    of: &SimulatedAnswer,
    change: &Value,
) -> ReceivedResponse {
    let mut properties = stub.world(|world| {
        let key = set(world, account);
        world.iam.shape = shape;
        for name in [NODE, ANN].map(arn) {
            world.simulates(&name, "*", "*", of.clone());
        }
        let mut properties = properties_naming(&key, &[&arn(ANN)], &[&arn(NODE)], "Enforce");
        if account != ACCOUNT {
            properties["KeyPolicy"] = world.key(&key).policy.clone().into();
        }
        properties
    });
    for (name, value) in change.as_object().unwrap() {
        properties[name] = value.clone();
    }
    stub.forget_calls();
    let answer = create(stub, &function(stub), &properties).await;
    let key = properties["KmsKeyId"].as_str().unwrap();
    let expected = if answer.success { key } else { BEFORE };
    assert_eq!(key_in_document(stub).as_deref(), Some(expected));
    assert_eq!(stub.violations(), Vec::<String>::new());
    answer
}

fn strict() -> Value {
    json!({"Preflight": "Strict"})
}

fn enforce() -> Value {
    json!({})
}

fn wanting(key: &str, value: &str) -> SimulatedAnswer {
    SimulatedAnswer {
        organization_wants: Some((key.to_owned(), value.to_owned())),
        ..SimulatedAnswer::allowed("Kms")
    }
}

#[tokio::test]
async fn a_refusal_by_a_service_control_policy_fails_and_says_what_may_be_the_cause() {
    let stub = Stub::start().await;
    for (account, decision, ends_at_organization, asks_for) in [
        (ACCOUNT, SimulatedDecision::Allowed, true, &[][..]),
        (ACCOUNT, SimulatedDecision::ImplicitDeny, false, &[]),
        (ACCOUNT, SimulatedDecision::ExplicitDeny, false, &[]),
        // The verdict does not depend on whether the answer lists a key that is missing.
        (ACCOUNT, SimulatedDecision::Allowed, true, &["aws:SourceIp"]),
        (ACCOUNT, SimulatedDecision::Allowed, false, &["aws:SourceIp"]),
        (OTHER, SimulatedDecision::Allowed, true, &[]),
        (OTHER, SimulatedDecision::Allowed, false, &["aws:SourceIp"]),
    ] {
        let of = SimulatedAnswer {
            decision,
            organizations: Some(false),
            asks_for: asks_for.iter().map(|&name| name.to_owned()).collect(),
            ..SimulatedAnswer::default()
        };
        let shape = AnswerShape { ends_at_organization, ..AnswerShape::default() };
        let refused = answer(&stub, account, shape, &of, &enforce()).await;
        assert!(!refused.success, "{account} {decision:?} {asks_for:?}");
        for words in [
            arn(NODE),
            arn(ANN),
            "conditions of service control policies that are not known here may be the cause".to_owned(),
            "list the principal in Exempt".to_owned(),
        ] {
            assert!(refused.reason.contains(&words), "no {words}: {}", refused.reason);
        }
        // Whoever is exempt is reported and does not block.
        let exempt = json!({"Exempt": [arn(NODE), "arn:aws:iam::*:user/*"]});
        let accepted = answer(&stub, account, shape, &of, &exempt).await;
        assert!(accepted.success, "{}", accepted.reason);
        assert!(accepted.data["Findings"].as_str().unwrap().contains("service control policy"));
    }
}

#[tokio::test]
async fn the_simulator_gets_every_key_that_can_be_derived_or_read() {
    let stub = Stub::start().await;
    let of_user = [
        ("aws:PrincipalArn", arn(ANN)),
        ("aws:PrincipalType", "User".to_owned()),
        ("aws:username", "ann".to_owned()),
    ];
    let of_node = [("aws:PrincipalArn", arn(NODE)), ("aws:PrincipalType", "AssumedRole".to_owned())];
    let of_both = [
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:PrincipalAccount", ACCOUNT),
        ("aws:PrincipalIsAWSService", "false"),
        ("aws:ViaAWSService", "false"),
        ("aws:SecureTransport", "true"),
        ("aws:ResourceAccount", ACCOUNT),
        ("kms:CallerAccount", ACCOUNT),
        ("kms:KeySpec", "SYMMETRIC_DEFAULT"),
        ("kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        ("kms:KeyUsage", "ENCRYPT_DECRYPT"),
        ("kms:CustomerMasterKeyUsage", "ENCRYPT_DECRYPT"),
        ("kms:KeyOrigin", "AWS_KMS"),
        ("kms:MultiRegion", "false"),
        ("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
        ("aws:PrincipalOrgID", "o-1"),
        ("aws:ResourceOrgID", "o-1"),
        ("aws:PrincipalTag/Team", "ops"),
        ("aws:ResourceTag/stage", "prod"),
        ("kms:ResourceAliases", "alias/session-1"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    for ends_at_organization in BOTH_ENDS {
        let shape = AnswerShape { ends_at_organization, ..AnswerShape::default() };
        for (key, value) in &of_both {
            let accepted = answer(&stub, ACCOUNT, shape, &wanting(key, value), &strict()).await;
            assert!(accepted.success, "{key}: {}", accepted.reason);
        }
        for (of, only) in [(&of_user[..], "Users"), (&of_node[..], "Nodes")] {
            let other = if only == "Users" { "Nodes" } else { "Users" };
            for (key, value) in of {
                let only = json!({"Preflight": "Strict", other: []});
                let accepted = answer(&stub, ACCOUNT, shape, &wanting(key, value), &only).await;
                assert!(accepted.success, "{key}: {}", accepted.reason);
            }
        }
        let elsewhere = wanting("aws:RequestedRegion", "us-east-1");
        assert!(!answer(&stub, ACCOUNT, shape, &elsewhere, &enforce()).await.success);
    }
}

#[tokio::test]
async fn a_policy_of_the_organization_on_the_names_in_the_encryption_context_must_admit_both() {
    let stub = Stub::start().await;
    let names = ["aws:ssm:SessionId", "aws:ssm:TargetId"].map(str::to_owned).to_vec();
    for (known, success) in
        [(json!({}), false), (json!({"kms:EncryptionContext:aws:ssm:RandomChallenge": null}), true)]
    {
        // It admits the older clients only.
        let of = SimulatedAnswer { organizations: Some(false), ..SimulatedAnswer::allowed("Kms") };
        let admits = SimulatedAnswer { organizations: Some(true), ..SimulatedAnswer::allowed("Kms") };
        let of = SimulatedAnswer {
            instead: vec![("kms:EncryptionContextKeys".to_owned(), names.clone(), Box::new(admits))],
            ..of
        };
        let change = json!({"Preflight": "Strict", "Context": known});
        let answer = answer(&stub, ACCOUNT, AnswerShape::default(), &of, &change).await;
        assert_eq!(answer.success, success, "{known}: {}", answer.reason);
    }
}

#[tokio::test]
async fn keys_that_are_listed_only_after_the_organization_allows_are_read() {
    let stub = Stub::start().await;
    for missing_of_resource in [false, true] {
        // The organization asks for a tag, and the principal's own policy for an alias.
        let of = SimulatedAnswer {
            decision: SimulatedDecision::ImplicitDeny,
            decisions: vec![(
                "kms:ResourceAliases".to_owned(),
                vec!["alias/session-1".to_owned()],
                SimulatedDecision::Allowed,
            )],
            asks_for: vec!["kms:ResourceAliases".to_owned()],
            ..wanting("aws:PrincipalTag/Team", "ops")
        };
        let shape = AnswerShape { ends_at_organization: true, missing_of_resource, ..AnswerShape::default() };
        let accepted = answer(&stub, ACCOUNT, shape, &of, &strict()).await;
        assert!(accepted.success, "{}", accepted.reason);
    }
}

#[tokio::test]
async fn a_policy_of_the_organization_does_not_decide_by_which_role_a_node_works() {
    let stub = Stub::start().await;
    for ends_at_organization in BOTH_ENDS {
        for (web, host, enforce, strict) in [
            (Ability::Can, Ability::Can, true, true),
            // One of the two roles fails, and which one the node works by is not known.
            (Ability::Cannot, Ability::Can, true, false),
            (Ability::Can, Ability::Cannot, true, false),
            (Ability::Cannot, Ability::Cannot, false, false),
        ] {
            for (mode, success) in [("Enforce", enforce), ("Strict", strict)] {
                let situation = NodeSituation {
                    profile: Profile::Role(web, Some(true)),
                    host: Host::On(host),
                    reach: Reach::Yes,
                };
                let key = stub.world(|world| {
                    let key = set_node(world, situation);
                    admit_function(world, &key);
                    world.iam.shape.ends_at_organization = ends_at_organization;
                    let refused =
                        SimulatedAnswer { organizations: Some(false), ..SimulatedAnswer::allowed("Ssm") };
                    world.simulates(&arn("role/team/Web"), "ssm:UpdateInstanceInformation", "*", refused);
                    key
                });
                let properties = json!({"KmsKeyId": key, "Preflight": mode});
                let answer = create(&stub, &function(&stub), &properties).await;
                assert_eq!(answer.success, success, "{web:?} {host:?} {mode}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn across_accounts_the_entry_for_identity_policies_decides() {
    use SimulatedDecision::{Allowed, ExplicitDeny, ImplicitDeny};
    let stub = Stub::start().await;
    let with_entry = [Details::OfResult, Details::OfResource, Details::InBothPlaces];
    let without_entry = [Details::OtherTypesOnly, Details::Nowhere];
    for (details, decision, in_enforce, in_strict) in with_entry
        .into_iter()
        .flat_map(|details| {
            [(Allowed, true, true), (ImplicitDeny, false, false), (ExplicitDeny, false, false)]
                .map(|(decision, enforce, strict)| (details, decision, enforce, strict))
        })
        .chain(without_entry.into_iter().flat_map(|details| {
            // An implicit deny may be the other side's. An explicit one cannot be, as that side is not simulated.
            [(Allowed, true, false), (ImplicitDeny, true, false), (ExplicitDeny, false, false)]
                .map(|(decision, enforce, strict)| (details, decision, enforce, strict))
        }))
    {
        let shape = AnswerShape { details, ..AnswerShape::default() };
        let of = SimulatedAnswer { decision, ..SimulatedAnswer::allowed("Kms") };
        for (mode, success) in [(enforce(), in_enforce), (strict(), in_strict)] {
            let answer = answer(&stub, OTHER, shape, &of, &mode).await;
            assert_eq!(answer.success, success, "{details:?} {decision:?} {mode}: {}", answer.reason);
        }
        // In one account the decision alone counts, whatever the shape.
        let can = decision == Allowed;
        let mode = if can { strict() } else { enforce() };
        let answer = answer(&stub, ACCOUNT, shape, &of, &mode).await;
        assert_eq!(answer.success, can, "{details:?} {decision:?}: {}", answer.reason);
    }
}

#[tokio::test]
async fn a_boundary_that_refuses_in_either_place_of_the_answer_refuses() {
    let stub = Stub::start().await;
    for account in [ACCOUNT, OTHER] {
        for (boundary, boundary_of_resource, success) in [
            (Some(false), None, false),
            (None, Some(false), false),
            (Some(true), Some(false), false),
            (Some(false), Some(true), false),
            (Some(true), None, true),
            (None, Some(true), true),
        ] {
            let of = SimulatedAnswer { boundary, boundary_of_resource, ..SimulatedAnswer::allowed("Kms") };
            let mode = if success { strict() } else { enforce() };
            let answer = answer(&stub, account, AnswerShape::default(), &of, &mode).await;
            let places = format!("{account}: {boundary:?} {boundary_of_resource:?}");
            assert_eq!(answer.success, success, "{places}: {}", answer.reason);
            assert!(success || answer.reason.contains("permissions boundary"), "{}", answer.reason);
        }
    }
}
