//! `status` and `keys`.

use serde_json::Value;
use session_kms::cli::Exit;

use super::{Terminal, on};
use crate::house::{House, NAME, enabled, rival_key};
use crate::stub::{ACCOUNT, Place, REGION};

async fn json_on(house: &House, arguments: &[&str]) -> (Exit, Value) {
    let ran = on(house, &[arguments, &["--format", "json"]].concat(), &Terminal::None).await;
    (ran.exit, serde_json::from_str(&ran.out).unwrap())
}

#[tokio::test]
async fn status_tells_the_key_the_versions_and_the_owner() {
    let house = House::furnished().await;
    let (exit, report) = json_on(&house, &["status"]).await;
    assert_eq!((exit, &report["status"][0]["versions"]["kmsKeyId"]), (Exit::Good, &"alias/old".into()));
    assert_eq!(report["status"][0]["owner"], Value::Null);
    let _stack = house.deployed("demo", &enabled(&house.k1)).await;
    let (exit, report) = json_on(&house, &["status", "--document", NAME]).await;
    let status = &report["status"][0];
    assert_eq!((exit, &status["versions"]["latest"]), (Exit::Good, &2.into()), "{report:#}");
    assert_eq!(
        (&status["wanted"], &status["versions"]["kmsKeyId"]),
        (&house.k1.as_str().into(), &house.k1.as_str().into())
    );
    assert!(status["owner"].as_str().unwrap().contains("resource Encryption of stack"));
}

#[tokio::test]
async fn status_fails_where_the_document_is_not_as_wanted() {
    let house = House::furnished().await;
    let _stack = house.deployed("demo", &enabled(&house.k1)).await;
    house.stub.world(rival_key("alias/rival"));
    let (exit, report) = json_on(&house, &["status"]).await;
    assert_eq!(exit, Exit::Fails);
    let problem = report["status"][0]["problems"][0].as_str().unwrap();
    assert!(problem.contains("does not have the key that resource Encryption"), "{problem}");
}

#[tokio::test]
async fn status_fails_where_the_latest_version_is_not_the_default() {
    let house = House::furnished().await;
    house.stub.world(|world| {
        rival_key("alias/rival")(world);
        let body = serde_json::json!({"Name": NAME, "DocumentVersion": "1"});
        world.ask("ssm", "UpdateDocumentDefaultVersion", body).unwrap();
    });
    let (exit, report) = json_on(&house, &["status"]).await;
    assert_eq!(exit, Exit::Fails);
    assert_eq!(report["status"][0]["defaultKmsKeyId"], "alias/old");
}

#[tokio::test]
async fn status_of_several_regions_is_one_report_and_no_document_is_no_failure() {
    let house = House::empty().await;
    let regions = ["status", "--region", REGION, "--region", "eu-central-1", "--region", REGION];
    let (exit, report) = json_on(&house, &regions).await;
    assert_eq!((exit, &report["regions"]), (Exit::Good, &serde_json::json!([REGION, "eu-central-1"])));
    assert_eq!(report["status"][1]["versions"], Value::Null);
    let ran = on(&house, &["status", "--region", "nowhere"], &Terminal::None).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""));
}

#[tokio::test]
async fn keys_lists_each_key_with_its_aliases_and_why_it_cannot() {
    let house = House::empty().await;
    house.stub.world(|world| {
        world.add_alias("alias/session", &house.k1);
        world.add_alias("alias/team/session", &house.k1);
        world.key(&house.k2).spec = "RSA_2048";
        world.add_key_at(&Place::new(ACCOUNT, "us-east-1"), "99999999-9999-4999-8999-999999999999");
    });
    let (exit, report) = json_on(&house, &["keys"]).await;
    assert_eq!(exit, Exit::Good);
    let keys = report["keys"][0]["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3, "{report:#}");
    let of = |arn: &str| keys.iter().find(|key| key["arn"] == arn).unwrap();
    assert_eq!(of(&house.k1)["aliases"], serde_json::json!(["alias/session", "alias/team/session"]));
    assert_eq!(of(&house.k1)["faults"], serde_json::json!([]));
    assert!(of(&house.k2)["faults"][0].as_str().unwrap().contains("RSA_2048"));
    assert_eq!(keys[2]["arn"], house.k2, "those that cannot come last");
    assert!(report["summary"].as_str().unwrap().contains("2 of 3 keys"));
    house.assert_no_violations();
}
