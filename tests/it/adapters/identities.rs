//! IAM: the simulator, tags, and the roles of nodes.

use serde_json::json;
use session_kms::access::PrincipalArn;
use session_kms::ports::{ContextEntry, Identities as _, Organizations as _, SimulatedDecision, Simulation};

use super::{aws, key};
use crate::stub::{ACCOUNT, AnswerShape, Details, SimulatedAnswer, Stub};

const KEY: &str = "arn:aws:kms:eu-west-1:210987654321:key/11111111-1111-4111-8111-111111111111";

fn entry(key: &str, values: &[&str], is_multivalued: bool) -> ContextEntry {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    ContextEntry { key: key.to_owned(), values, is_multivalued }
}

#[tokio::test]
async fn the_simulator_s_answer_is_read_completely() {
    let stub = Stub::start().await;
    let role = stub.world(|world| {
        let role = world.add_role("team/Node");
        let answer = SimulatedAnswer {
            policies: vec!["role_Node_Kms".to_owned(), "Deny".to_owned(), "role_Node_Kms".to_owned()],
            organizations: Some(true),
            boundary: Some(false),
            asks_for: vec!["aws:SourceVpce".to_owned(), "kms:ViaService".to_owned()],
            ..SimulatedAnswer::denied("")
        };
        world.simulates(&role, "kms:Decrypt", KEY, answer);
        role
    });
    let context = [
        entry("kms:viaservice", &["s"], false),
        entry("kms:EncryptionContextKeys", &["aws:ssm:SessionId", "aws:ssm:TargetId"], true),
        entry("aws:MultiFactorAuthPresent", &["true"], false),
        entry("aws:SourceIp", &["10.0.0.1"], false),
        entry("aws:CurrentTime", &["2026-01-01T00:00:00Z"], false),
        entry("aws:EpochTime", &["1767225600"], false),
        entry("kms:MultiRegion", &["false"], false),
    ];
    let simulation = aws(&stub).simulate(&role, "kms:Decrypt", key(KEY).as_str(), &context).await.unwrap();
    let expected = Simulation {
        decision: SimulatedDecision::ExplicitDeny,
        policies: vec!["role_Node_Kms".to_owned(), "Deny".to_owned()],
        organizations_allow: Some(true),
        boundary_allows: Some(false),
        missing_context: vec!["aws:SourceVpce".to_owned()],
    };
    assert_eq!(simulation, expected);
    let body = stub.calls().remove(0).body;
    assert_eq!(body["PolicySourceArn"], role);
    assert_eq!((&body["ActionNames"], &body["ResourceArns"]), (&json!(["kms:Decrypt"]), &json!([KEY])));
    let types: Vec<_> = body["ContextEntries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["ContextKeyType"].clone())
        .collect();
    assert_eq!(types, ["string", "stringList", "boolean", "ip", "date", "numeric", "boolean"]);
}

#[tokio::test]
async fn what_no_policy_allows_is_an_implicit_deny() {
    let stub = Stub::start().await;
    let (role, user) = stub.world(|world| {
        let (role, user) = (world.add_role("Jane"), world.add_user("jane"));
        world.simulates(&user, "*", "*", SimulatedAnswer::allowed("Admin"));
        world.simulates(
            &role,
            "kms:GenerateDataKey",
            "arn:aws:kms:eu-west-1:1:key/other",
            SimulatedAnswer::allowed("P"),
        );
        (role, user)
    });
    for (principal, expected) in [(role, SimulatedDecision::ImplicitDeny), (user, SimulatedDecision::Allowed)]
    {
        let simulation =
            aws(&stub).simulate(&principal, "kms:GenerateDataKey", key(KEY).as_str(), &[]).await.unwrap();
        assert_eq!(simulation.decision, expected, "{principal}");
        assert_eq!((simulation.organizations_allow, simulation.boundary_allows), (None, None));
        assert!(simulation.missing_context.is_empty());
    }
    let gone = "arn:aws:iam::123456789012:role/Gone";
    let error = aws(&stub).simulate(gone, "kms:Decrypt", key(KEY).as_str(), &[]).await.unwrap_err();
    assert_eq!((error.code(), error.on.as_str()), ("NoSuchEntity", gone));
}

#[tokio::test]
async fn roles_are_found_by_name_whatever_their_path() {
    let stub = Stub::start().await;
    stub.world(|world| world.add_role("service-role/Managed"));
    let arn = Some("arn:aws:iam::123456789012:role/service-role/Managed".to_owned());
    for name in ["Managed", "service-role/Managed", "/service-role/Managed"] {
        assert_eq!(aws(&stub).role_arn(name).await.unwrap(), arn, "{name}");
    }
    assert_eq!(aws(&stub).role_arn("Gone").await.unwrap(), None);
}

#[tokio::test]
async fn an_instance_profile_has_one_role_or_none() {
    let stub = Stub::start().await;
    let role = stub.world(|world| {
        let role = world.add_role("nodes/Web");
        world.add_instance_profile("nodes/WebProfile", Some(&role));
        world.add_instance_profile("Empty", None);
        role
    });
    let by_arn = "arn:aws:iam::123456789012:instance-profile/nodes/WebProfile";
    for (name, expected) in
        [("WebProfile", Some(role.clone())), (by_arn, Some(role)), ("Empty", None), ("Gone", None)]
    {
        assert_eq!(aws(&stub).role_of_profile(name).await.unwrap(), expected, "{name}");
    }
}

#[tokio::test]
async fn across_accounts_the_decision_of_the_identity_policies_counts() {
    let own_key = format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/own");
    for (answer, of_own_key, of_foreign_key, without_details) in [
        (
            SimulatedAnswer::allowed("Kms"),
            SimulatedDecision::Allowed,
            SimulatedDecision::Allowed,
            SimulatedDecision::NotReported,
        ),
        (
            SimulatedAnswer::default(),
            SimulatedDecision::ImplicitDeny,
            SimulatedDecision::ImplicitDeny,
            SimulatedDecision::NotReported,
        ),
        (
            SimulatedAnswer::denied("No"),
            SimulatedDecision::ExplicitDeny,
            SimulatedDecision::ExplicitDeny,
            SimulatedDecision::ExplicitDeny,
        ),
    ] {
        let stub = Stub::start().await;
        let role = stub.world(|world| {
            let role = world.add_role("Node");
            world.simulates(&role, "*", "*", answer);
            role
        });
        let ask = async |arn: &str| {
            aws(&stub).simulate(&role, "kms:Decrypt", key(arn).as_str(), &[]).await.unwrap().decision
        };
        assert_eq!(ask(&own_key).await, of_own_key);
        for (details, expected) in [
            (Details::OfResult, of_foreign_key),
            (Details::OfResource, of_foreign_key),
            (Details::InBothPlaces, of_foreign_key),
            // AWS may leave the entry or all details out.
            (Details::OtherTypesOnly, without_details),
            (Details::Nowhere, without_details),
        ] {
            stub.world(|world| world.iam.shape = AnswerShape { details, ..AnswerShape::default() });
            assert_eq!(ask(&own_key).await, of_own_key, "{details:?}");
            assert_eq!(ask(KEY).await, expected, "{details:?}");
        }
    }
}

#[tokio::test]
async fn a_boundary_counts_in_both_places_of_the_answer() {
    let (yes, no) = (Some(true), Some(false));
    for (boundary, boundary_of_resource, expected) in [
        (None, None, None),
        (no, None, no),
        (None, no, no),
        (no, yes, no),
        (yes, no, no),
        (yes, None, yes),
        (None, yes, yes),
    ] {
        let stub = Stub::start().await;
        let role = stub.world(|world| {
            let role = world.add_role("Node");
            let answer =
                SimulatedAnswer { boundary, boundary_of_resource, ..SimulatedAnswer::allowed("Kms") };
            world.simulates(&role, "*", "*", answer);
            role
        });
        let own_key = format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/own");
        for key_arn in [KEY, &own_key] {
            let simulation =
                aws(&stub).simulate(&role, "kms:Decrypt", key(key_arn).as_str(), &[]).await.unwrap();
            assert_eq!(simulation.boundary_allows, expected, "{boundary:?} {boundary_of_resource:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_by_the_organization_is_read_with_and_without_a_simulation_of_the_rest() {
    for ends_at_organization in [false, true] {
        let stub = Stub::start().await;
        let role = stub.world(|world| {
            world.iam.shape =
                AnswerShape { ends_at_organization, missing_of_resource: true, ..AnswerShape::default() };
            let role = world.add_role("Node");
            let answer = SimulatedAnswer {
                organizations: Some(false),
                asks_for: vec!["aws:SourceVpce".to_owned()],
                ..SimulatedAnswer::allowed("Kms")
            };
            world.simulates(&role, "*", "*", answer);
            role
        });
        let simulation = aws(&stub).simulate(&role, "kms:Decrypt", key(KEY).as_str(), &[]).await.unwrap();
        assert!(simulation.is_refused_by_organization());
        let missing = if ends_at_organization { vec![] } else { vec!["aws:SourceVpce".to_owned()] };
        assert_eq!(simulation.missing_context, missing);
    }
}

#[tokio::test]
async fn principals_have_tags_and_roles_a_trust_policy() {
    let stub = Stub::start().await;
    let (role, user) = stub.world(|world| {
        let (role, user) = (world.add_role("t<e>&\"'am/Ops"), world.add_user("people/ann"));
        world.tag(&role, "Team", "ops & dev");
        world.tag(&user, "team", "");
        world.iam.trust.insert(role.clone(), json!(["sts:AssumeRoleWithSAML", "sts:TagSession"]));
        (role, user)
    });
    let tags = async |arn: &str| aws(&stub).principal_tags(&PrincipalArn::parse(arn).unwrap()).await.unwrap();
    let of_role = tags(&role).await.unwrap();
    assert_eq!(of_role.tags, [("Team".to_owned(), "ops & dev".to_owned())]);
    let trust: serde_json::Value = serde_json::from_str(&of_role.trust_policy.unwrap()).unwrap();
    assert_eq!(trust["Statement"][0]["Action"], json!(["sts:AssumeRoleWithSAML", "sts:TagSession"]));
    let of_user = tags(&user).await.unwrap();
    assert_eq!((of_user.tags, of_user.trust_policy), (vec![("team".to_owned(), String::new())], None));
    // IAM finds them by name, and one with another path is another principal.
    for other in ["role/Gone", "role/other/Ops", "user/ann", "user/gone"] {
        assert_eq!(tags(&format!("arn:aws:iam::{ACCOUNT}:{other}")).await, None, "{other}");
    }
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_account_may_be_in_no_organization() {
    let stub = Stub::start().await;
    assert_eq!(aws(&stub).organization_id().await.unwrap(), None);
    stub.world(|world| world.organization = Some("o-exampleorgid".to_owned()));
    assert_eq!(aws(&stub).organization_id().await.unwrap(), Some("o-exampleorgid".to_owned()));
    let call = stub.calls().remove(0);
    assert_eq!((call.service, call.region.as_str()), ("organizations", "us-east-1"));
    assert_eq!(stub.violations(), Vec::<String>::new());
}
