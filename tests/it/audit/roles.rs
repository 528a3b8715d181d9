//! How an account is reached: the audit role is assumed with the external id and a session policy that only reads, once for
//! all Regions of the account.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use session_kms::audit::{AuditLine, AuditState};

use super::{
    ELSEWHERE, EXTERNAL_ID, KEY_ID, ROLE, TARGET, audit, call, call_with, content, document, encrypt,
    function, in_target, key, principal, seeded,
};
use crate::fixture::{NAME, PATIENCE, handle};
use crate::stub::{ACCOUNT, Document, Fault, Format, Location, REGION, Refusal, Stub, When};

fn line(answer: Value) -> AuditLine {
    serde_json::from_value(answer).unwrap()
}

#[tokio::test]
async fn the_role_is_assumed_with_the_external_id_in_the_own_region() {
    let stub = seeded().await;
    audit(&stub, &call()).await;
    let [assumed] = &stub.calls_of("AssumeRole")[..] else { panic!("the role is assumed once") };
    assert_eq!(assumed.body["RoleArn"], principal(ROLE));
    assert_eq!(assumed.body["ExternalId"], EXTERNAL_ID);
    assert_eq!(assumed.body["RoleSessionName"], "session-kms-audit");
    assert_eq!((assumed.account.as_str(), assumed.region.as_str()), (ACCOUNT, REGION));
    let made = stub.calls();
    assert!(made.iter().all(|call| call.account == TARGET || call.operation == "AssumeRole"));
}

#[tokio::test]
async fn a_role_that_asks_for_no_external_id_is_sent_none() {
    let stub = seeded().await;
    stub.world(|world| world.role(&principal(ROLE)).external_id = None);
    let line = audit(&stub, &call_with("externalId", Value::Null)).await;
    assert_eq!(line.state, AuditState::Encrypted);
    assert_eq!(stub.calls_of("AssumeRole")[0].body.get("ExternalId"), None);
}

/// The actions that the session policy of an AssumeRole allows.
fn allowed(stub: &Stub) -> BTreeSet<String> {
    let assumed = stub.calls_of("AssumeRole");
    let text = assumed[0].body["Policy"].as_str().expect("a session policy");
    assert!(text.len() < 2048, "{} characters", text.len());
    let policy: Value = serde_json::from_str(text).unwrap();
    let mut allowed = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        match &statement["Action"] {
            Value::String(action) => {
                assert_eq!(action, "ssm:GetParameter");
                let records = format!("arn:aws:ssm:*:{TARGET}:parameter/session-kms/*");
                assert_eq!(statement["Resource"], records, "no other parameter, which may hold a secret");
                allowed.insert(action.clone());
            }
            actions => {
                let actions = actions.as_array().unwrap().iter();
                allowed.extend(actions.map(|action| action.as_str().unwrap().to_owned()));
            }
        }
    }
    allowed
}

#[tokio::test]
async fn the_session_policy_allows_every_call_that_is_made() {
    let stub = seeded().await;
    // Every read that an audit can make: a policy that asks for tags, aliases and the organization; a hybrid node; users.
    stub.world(|world| {
        world.organization = Some("o-1".to_owned());
        in_target(world, REGION, |world| {
            let condition = json!({
                "StringEquals": {"aws:PrincipalOrgID": "o-1", "aws:ResourceTag/use": "sessions", "aws:PrincipalTag/team": "a"},
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/session"},
            });
            let statement = json!({
                "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*", "Condition": condition,
            });
            world.key(&key()).policy = json!({"Statement": [statement]}).to_string();
            let user = world.add_user("ann");
            world.add_session("s-ann", &user, 4_000_000_000.0);
            world.add_session("s-other", &user, 4_000_000_000.0).document = Some("Other");
            world.put_document("Other", document(""));
            world.add_role("Host");
            world.set_default_host_role("Host");
            world.add_node("i-9", super::AGENT);
            world.add_endpoint("vpce-k", "subnet-default", "kms");
        });
    });
    audit(&stub, &call()).await;
    let allowed = allowed(&stub);
    let mut made = BTreeSet::new();
    for call in stub.calls().into_iter().filter(|call| call.operation != "AssumeRole") {
        let action = format!("{}:{}", call.service, call.operation);
        assert!(allowed.contains(&action), "{action} is made and not allowed");
        made.insert(action);
    }
    for action in
        ["kms:ListResourceTags", "kms:ListAliases", "iam:GetUser", "organizations:DescribeOrganization"]
    {
        assert!(made.contains(action), "{action} should have been made: {made:?}");
    }
}

#[tokio::test]
async fn one_session_serves_all_regions_of_an_account_and_another_account_has_its_own() {
    let stub = seeded().await;
    let third = "999988887777";
    stub.world(|world| {
        in_target(world, ELSEWHERE, |world| encrypt(world, KEY_ID));
        let role = world.add_role_in(third, ROLE);
        world.role(&role).trusted = vec![ACCOUNT.to_owned()];
    });
    let function = function(&stub);
    for (account, region, state) in [
        (TARGET, REGION, AuditState::Encrypted),
        (TARGET, ELSEWHERE, AuditState::Encrypted),
        (third, REGION, AuditState::Unencrypted),
        (TARGET, REGION, AuditState::Encrypted),
    ] {
        let mut call = call_with("account", account);
        call["region"] = region.into();
        stub.forget_calls();
        let line = line(handle(&function, &call, PATIENCE).await.unwrap());
        assert_eq!((line.place.account.as_str(), line.place.region.as_str()), (account, region));
        assert_eq!(line.state, state, "{account} {region}: {line:#?}");
        let regional = stub.calls().into_iter().filter(|call| ["ssm", "kms", "ec2"].contains(&call.service));
        let mut seen = regional.map(|call| (call.account, call.region)).collect::<Vec<_>>();
        seen.dedup();
        assert_eq!(seen, [(account.to_owned(), region.to_owned())]);
    }
    let roles = stub.world(|world| world.iam.issued.len());
    assert_eq!(roles, 2, "one session for each account");
}

#[tokio::test]
async fn credentials_that_end_soon_are_replaced() {
    let stub = seeded().await;
    stub.world(|world| world.iam.longest_session = Some(900));
    let function = function(&stub);
    for sessions in 1..=2 {
        handle(&function, &call(), PATIENCE).await.unwrap();
        assert_eq!(stub.calls_of("AssumeRole").len(), sessions, "a run may take a quarter of an hour");
    }
}

#[tokio::test]
async fn credentials_that_a_new_role_does_not_honour_are_replaced() {
    let unknown = Refusal::client(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    );
    let expired =
        Refusal::client("ExpiredTokenException", "The security token included in the request is expired");
    for refusal in [unknown, expired] {
        let stub = seeded().await;
        let function = function(&stub);
        handle(&function, &call(), PATIENCE).await.unwrap();
        stub.fault(When::service("ssm").first(3), Fault::Refuse(refusal));
        let line = line(handle(&function, &call(), PATIENCE).await.unwrap());
        assert_eq!(line.state, AuditState::Encrypted, "{line:#?}");
        assert_eq!(stub.calls_of("AssumeRole").len(), 2);
    }
}

#[tokio::test]
async fn the_own_account_needs_no_role() {
    let stub = Stub::start().await;
    stub.world(|world| {
        let key = world.add_key(KEY_ID);
        world.put_document(NAME, Document::session(Format::Json, &content(&key)));
    });
    let call = json!({"action": "audit", "account": ACCOUNT, "region": REGION});
    let line = audit(&stub, &call).await;
    assert_eq!(line.state, AuditState::Encrypted, "{line:#?}");
    assert!(stub.calls_of("AssumeRole").is_empty());
}

#[tokio::test]
async fn the_policy_of_another_account_s_key_is_read_by_the_audit_role_there_with_the_own_credentials() {
    let stub = seeded().await;
    let owner = "444455556666";
    stub.world(|world| {
        let foreign = world.add_key_at(&Location::new(owner, REGION), super::OTHER_KEY_ID);
        world.key(&foreign).allow(TARGET, "kms:DescribeKey");
        let mut policy: Value = serde_json::from_str(&world.key(&foreign).policy).unwrap();
        policy["Statement"][0]["Principal"]["AWS"] = json!([owner, TARGET]);
        world.key(&foreign).policy = policy.to_string();
        let role = world.add_role_in(owner, ROLE);
        world.role(&role).trusted = vec![ACCOUNT.to_owned()];
        world.role(&role).external_id = Some(EXTERNAL_ID.to_owned());
        in_target(world, REGION, |world| world.put_document(NAME, document(&foreign)));
    });
    let line = audit(&stub, &call()).await;
    assert_eq!(line.state, AuditState::Encrypted, "{line:#?}");
    let assumed = stub.calls_of("AssumeRole");
    assert_eq!(assumed.len(), 2);
    assert!(assumed.iter().all(|call| call.account == ACCOUNT), "roles are not chained");
    let read = stub.calls_of("GetKeyPolicy");
    assert!(read.iter().all(|call| call.account == owner), "{read:?}");
}
