//! IAM, STS, EC2 and the fleet are as strict as AWS.

use aws_sdk_kms::config::Credentials as KmsCredentials;
use aws_sdk_ssm::types::{InstanceInformationStringFilter, SessionState};
use serde_json::{Value, json};

use super::{OTHER, code, kms, ssm};
use crate::stub::{ACCOUNT, Caller, Location, REGION, Stub, World};

fn iam(stub: &Stub) -> aws_sdk_iam::Client {
    aws_sdk_iam::Client::new(&stub.sdk_config_of("AKIAEXAMPLE", REGION))
}

fn sts(stub: &Stub, access_key: &str) -> aws_sdk_sts::Client {
    aws_sdk_sts::Client::new(&stub.sdk_config_of(access_key, REGION))
}

#[tokio::test]
async fn pages_have_awss_limits() {
    let stub = Stub::start().await;
    for (size, expected) in [(4, "ValidationException"), (5, "ok"), (50, "ok"), (51, "ValidationException")] {
        let nodes = ssm(&stub).describe_instance_information().max_results(size).send().await;
        assert_eq!(code(nodes), expected, "{size} nodes");
    }
    for (size, expected) in [(0, "ValidationException"), (1, "ok"), (200, "ok"), (201, "ValidationException")]
    {
        let sessions =
            ssm(&stub).describe_sessions().state(SessionState::Active).max_results(size).send().await;
        assert_eq!(code(sessions), expected, "{size} sessions");
    }
    let unsupported =
        InstanceInformationStringFilter::builder().key("PingStatus").values("Online").build().unwrap();
    let filtered = ssm(&stub).describe_instance_information().filters(unsupported).send().await;
    assert_eq!(
        code(filtered),
        "ValidationException",
        "a filter that is not implemented is refused, not ignored"
    );
    let setting = ssm(&stub).get_service_setting().setting_id("/ssm/other").send().await;
    assert_eq!(code(setting), "ServiceSettingNotFound");
    assert_eq!(
        code(ssm(&stub).describe_instance_information().next_token("x").send().await),
        "InvalidNextToken"
    );
}

#[test]
fn ec2_refuses_what_it_does_not_know() {
    let mut world = World::default();
    let mut ask = |body: Value| {
        let outcome = world.ask("ec2", "DescribeIamInstanceProfileAssociations", body);
        outcome.map_or_else(|refusal| refusal.code, |_| "ok".to_owned())
    };
    for (body, expected) in [
        (json!({}), "ok"),
        (json!({"MaxResults": "4"}), "InvalidParameterValue"),
        (json!({"MaxResults": "5"}), "ok"),
        (json!({"MaxResults": "1000"}), "ok"),
        (json!({"MaxResults": "1001"}), "InvalidParameterValue"),
        (json!({"Maximum": "5"}), "UnknownParameter"),
        (json!({"Filter": [{"Name": "state", "Value": ["associated"]}]}), "ok"),
        (json!({"Filter": [{"Name": "nonsense", "Value": ["x"]}]}), "InvalidParameterValue"),
        (json!({"NextToken": "x"}), "InvalidNextToken"),
    ] {
        assert_eq!(ask(body.clone()), expected, "{body}");
    }
}

#[tokio::test]
async fn the_simulator_takes_existing_principals_and_values_of_their_type() {
    use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum};
    let stub = Stub::start().await;
    let (own, foreign) = stub.world(|world| (world.add_role("Own"), world.add_role_in(OTHER, "Foreign")));
    let client = iam(&stub);
    let simulate =
        |arn: &str| client.simulate_principal_policy().policy_source_arn(arn).action_names("kms:Decrypt");
    let entry = |value: &str| {
        let entry = ContextEntry::builder().context_key_name("aws:MultiFactorAuthPresent");
        entry.context_key_type(ContextKeyTypeEnum::Boolean).context_key_values(value).build()
    };
    assert_eq!(code(simulate(&own).send().await), "ok");
    assert_eq!(code(simulate(&foreign).send().await), "NoSuchEntity");
    assert_eq!(code(simulate(&own).context_entries(entry("true")).send().await), "ok");
    assert_eq!(code(simulate(&own).context_entries(entry("maybe")).send().await), "InvalidInput");
    assert_eq!(code(simulate(&own).policy_input_list("{}").send().await), "InvalidInput", "not implemented");
    assert_eq!(code(client.get_role().role_name("path/Own").send().await), "ValidationError");
    assert_eq!(code(client.get_role().role_name("Foreign").send().await), "NoSuchEntity");
    let role = client.get_role().role_name("Own").send().await.unwrap().role.unwrap();
    assert_eq!((role.arn(), role.path(), role.role_name()), (own.as_str(), "/", "Own"));
}

#[test]
fn reads_of_tags_aliases_and_organizations_are_as_strict_as_awss() {
    let mut world = World::default();
    let own = world.add_key("own");
    let foreign = world.add_key_at(&Location::new(OTHER, REGION), "foreign");
    world.add_user("people/ann");
    world.add_role("Ops");
    let mut ask = |service: &'static str, operation: &str, region: &str, body: Value| {
        world.location.region = region.to_owned();
        world.ask(service, operation, body).map_or_else(|refusal| refusal.code, |_| "ok".to_owned())
    };
    for (service, operation, region, body, expected) in [
        ("kms", "ListResourceTags", REGION, json!({"KeyId": own}), "ok"),
        ("kms", "ListResourceTags", REGION, json!({"KeyId": own, "Limit": 51}), "ValidationException"),
        ("kms", "ListResourceTags", REGION, json!({"KeyId": own, "Tags": []}), "ValidationException"),
        ("kms", "ListResourceTags", REGION, json!({"KeyId": foreign}), "AccessDeniedException"),
        ("kms", "ListAliases", REGION, json!({"KeyId": own}), "ok"),
        ("kms", "ListAliases", REGION, json!({"KeyId": foreign}), "AccessDeniedException"),
        ("iam", "GetUser", REGION, json!({"UserName": "ann"}), "ok"),
        ("iam", "GetUser", REGION, json!({"UserName": "people/ann"}), "ValidationError"),
        ("iam", "GetUser", REGION, json!({"UserName": "Ops"}), "NoSuchEntity"),
        (
            "organizations",
            "DescribeOrganization",
            "us-east-1",
            json!({}),
            "AWSOrganizationsNotInUseException",
        ),
        ("organizations", "DescribeOrganization", REGION, json!({}), "InvalidSignatureException"),
        ("organizations", "DescribeOrganization", "us-east-1", json!({"Id": "o-1"}), "ValidationException"),
    ] {
        assert_eq!(ask(service, operation, region, body.clone()), expected, "{operation} {region} {body}");
    }
}

#[tokio::test]
async fn a_role_is_assumed_by_whom_it_trusts_and_acts_in_its_own_account() {
    let stub = Stub::start().await;
    let (role, key) = stub.world(|world| {
        let jane = "arn:aws:sts::123456789012:assumed-role/Users/jane".to_owned();
        world.callers.insert("ASIAJANE".to_owned(), Caller { account: ACCOUNT.to_owned(), arn: jane });
        let role = world.add_role_in(OTHER, "Reader");
        (role, world.add_key_at(&Location::new(OTHER, REGION), "foreign"))
    });
    let assume = async |access_key: &str, external_id: Option<&str>| {
        let sts = sts(&stub, access_key);
        let assume = sts.assume_role().role_arn(&role).role_session_name("test");
        assume.set_external_id(external_id.map(str::to_owned)).send().await
    };
    let users = "arn:aws:iam::123456789012:role/path/Users";
    for (trusted, external, access_key, brings, expected) in [
        (None, None, "AKIA", None, "AccessDenied"),
        (Some(ACCOUNT), None, "AKIA", None, "ok"),
        (Some(ACCOUNT), None, "333333333333", None, "AccessDenied"),
        (Some(users), None, "ASIAJANE", None, "ok"),
        (Some(users), None, "AKIA", None, "AccessDenied"),
        (Some(ACCOUNT), Some("word"), "AKIA", None, "AccessDenied"),
        (Some(ACCOUNT), Some("word"), "AKIA", Some("other"), "AccessDenied"),
        (Some(ACCOUNT), Some("word"), "AKIA", Some("word"), "ok"),
        (Some(ACCOUNT), None, "AKIA", Some("word"), "ok"),
    ] {
        stub.world(|world| {
            world.role(&role).trusted = trusted.map(str::to_owned).into_iter().collect();
            world.role(&role).external_id = external.map(str::to_owned);
        });
        assert_eq!(code(assume(access_key, brings).await), expected, "{trusted:?} {external:?} {access_key}");
    }
    let issued = assume("AKIA", Some("word")).await.unwrap().credentials.unwrap();
    let bearer = |token: &str| {
        let credentials = KmsCredentials::new(
            &issued.access_key_id,
            &issued.secret_access_key,
            Some(token.to_owned()),
            None,
            "test",
        );
        let config = kms(&stub, "AKIA", "eu-west-1").config().to_builder().credentials_provider(credentials);
        aws_sdk_kms::Client::from_conf(config.build())
    };
    assert_eq!(code(bearer(&issued.session_token).get_key_policy().key_id(&key).send().await), "ok");
    assert_eq!(stub.calls_of("GetKeyPolicy")[0].account, OTHER);
    let forged = bearer("forged").get_key_policy().key_id(&key).send().await;
    assert_eq!(code(forged), "UnrecognizedClientException");
}
