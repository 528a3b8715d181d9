//! Parameter Store, called with aws-sdk-ssm.

use aws_sdk_ssm::types::{ParameterTier, ParameterType};

use super::{code, ssm};
use crate::stub::Stub;

#[tokio::test]
async fn of_two_creators_one_wins() {
    let stub = Stub::start().await;
    let client = ssm(&stub);
    let put = |value: &str| {
        client.put_parameter().name("/session-kms/Doc").value(value).r#type(ParameterType::String)
    };
    assert_eq!(put("one").overwrite(false).send().await.unwrap().version, 1);
    assert_eq!(code(put("two").overwrite(false).send().await), "ParameterAlreadyExists");
    assert_eq!(put("two").overwrite(true).send().await.unwrap().version, 2);
    let get = |name: &str| client.get_parameter().name(name).send();
    let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/session-kms/Doc";
    for (name, value) in [("/session-kms/Doc", "two"), ("/session-kms/Doc:1", "one"), (arn, "two")] {
        assert_eq!(get(name).await.unwrap().parameter.unwrap().value(), Some(value), "{name}");
    }
    assert_eq!(code(get("/session-kms/Doc:3").await), "ParameterVersionNotFound");
    stub.world(|world| assert_eq!(world.parameter("/session-kms/Doc"), Some("two")));
    let delete = || client.delete_parameter().name("/session-kms/Doc").send();
    assert_eq!(code(delete().await), "ok");
    assert_eq!(code(delete().await), "ParameterNotFound");
    assert_eq!(code(get("/session-kms/Doc").await), "ParameterNotFound");
}

#[tokio::test]
async fn names_have_rules() {
    let stub = Stub::start().await;
    let client = ssm(&stub);
    let deep = "/a".repeat(16);
    for (name, expected) in [
        ("plain", "ok"),
        ("/a/b.c_d-e", "ok"),
        ("a/b", "ValidationException"),
        ("/a//b", "ValidationException"),
        ("/a/", "ValidationException"),
        ("/a b", "ValidationException"),
        ("/aws/x", "ValidationException"),
        ("ssmthing", "ValidationException"),
        (deep.as_str(), "HierarchyLevelLimitExceededException"),
    ] {
        let put = client.put_parameter().name(name).value("v").r#type(ParameterType::String);
        assert_eq!(code(put.send().await), expected, "{name}");
    }
    assert_eq!(code(client.put_parameter().name("untyped").value("v").send().await), "ValidationException");
}

#[tokio::test]
async fn tiers_limit_the_value() {
    use ParameterTier::{Advanced, IntelligentTiering, Standard};
    let stub = Stub::start().await;
    let client = ssm(&stub);
    for (tier, bytes, expected) in [
        (None, 4096, Some(Standard)),
        (None, 4097, None),
        (Some(Standard), 4097, None),
        (Some(Advanced), 8192, Some(Advanced)),
        (Some(Advanced), 8193, None),
        (Some(IntelligentTiering), 4096, Some(Standard)),
        (Some(IntelligentTiering), 4097, Some(Advanced)),
        (Some(IntelligentTiering), 8193, None),
    ] {
        let name = format!("/p/{}", stub.calls().len());
        let put = client.put_parameter().name(name).value("x".repeat(bytes)).r#type(ParameterType::String);
        let answer = put.set_tier(tier.clone()).send().await;
        match expected {
            Some(held) => assert_eq!(answer.unwrap().tier, Some(held), "{tier:?} {bytes}"),
            None => assert_eq!(code(answer), "ValidationException", "{tier:?} {bytes}"),
        }
    }
    let down = client.put_parameter().name("/p/3").value("v").overwrite(true).tier(Standard).send().await;
    assert_eq!(code(down), "ValidationException", "an advanced parameter cannot become a standard one");
}
