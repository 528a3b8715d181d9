//! `status` and `keys`.

use serde_json::{Value, json};
use session_kms::cli::Exit;

use super::{Terminal, on};
use crate::fixture::{Fixture, NAME, RECORD, enabled, rival_key};
use crate::stub::{ACCOUNT, Location, REGION};

async fn json_on(fixture: &Fixture, arguments: &[&str]) -> (Exit, Value) {
    let ran = on(fixture, &[arguments, &["--format", "json"]].concat(), &Terminal::None).await;
    (ran.exit, serde_json::from_str(&ran.out).unwrap())
}

#[tokio::test]
async fn status_shows_the_key_the_versions_and_the_owner() {
    let fixture = Fixture::with_settings().await;
    let (exit, report) = json_on(&fixture, &["status"]).await;
    assert_eq!((exit, &report["status"][0]["versions"]["kmsKeyId"]), (Exit::Good, &"alias/old".into()));
    assert_eq!(report["status"][0]["owner"], Value::Null);
    let _stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let (exit, report) = json_on(&fixture, &["status", "--document", NAME]).await;
    let status = &report["status"][0];
    assert_eq!((exit, &status["versions"]["latest"]), (Exit::Good, &2.into()), "{report:#}");
    assert_eq!(
        (&status["wanted"], &status["versions"]["kmsKeyId"]),
        (&fixture.k1.as_str().into(), &fixture.k1.as_str().into())
    );
    assert!(status["owner"].as_str().unwrap().contains("resource Encryption of stack"));
}

#[tokio::test]
async fn status_fails_if_the_document_is_not_as_wanted() {
    let fixture = Fixture::with_settings().await;
    let _stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.world(rival_key("alias/rival"));
    let (exit, report) = json_on(&fixture, &["status"]).await;
    assert_eq!(exit, Exit::Fails);
    let problems = report["status"][0]["problems"].to_string();
    assert!(problems.contains("does not have the key that resource Encryption"), "{problems}");
}

#[tokio::test]
async fn status_fails_if_the_latest_version_is_not_the_default() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| {
        rival_key("alias/rival")(world);
        let body = serde_json::json!({"Name": NAME, "DocumentVersion": "1"});
        world.ask("ssm", "UpdateDocumentDefaultVersion", body).unwrap();
    });
    let (exit, report) = json_on(&fixture, &["status"]).await;
    assert_eq!(exit, Exit::Fails);
    assert_eq!(report["status"][0]["defaultKmsKeyId"], "alias/old");
}

/// Runs `status` after the record was edited.
async fn status_with_record(record: impl Fn(&mut Value, &Fixture)) -> (Fixture, Exit, Value) {
    let fixture = Fixture::with_settings().await;
    let _stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.world(|world| {
        let mut value: Value = serde_json::from_str(world.parameter(RECORD).unwrap()).unwrap();
        record(&mut value, &fixture);
        let body = json!({"Name": RECORD, "Value": value.to_string(), "Type": "String", "Overwrite": true});
        world.ask("ssm", "PutParameter", body).unwrap();
    });
    let (exit, report) = json_on(&fixture, &["status"]).await;
    (fixture, exit, report["status"][0].clone())
}

#[tokio::test]
async fn status_shows_that_a_key_stands_in_for_the_first_choice() {
    let (fixture, exit, status) = status_with_record(|record, fixture| {
        record["wanted"] = fixture.k2.as_str().into();
        record["watch"] = json!({"standsInFor": fixture.k1});
    })
    .await;
    assert_eq!((exit, &status["wanted"]), (Exit::Fails, &fixture.k1.as_str().into()));
    let problems = status["problems"].to_string();
    assert!(
        problems.contains(&format!("key {} stands in for key {}", fixture.k2, fixture.k1))
            && problems.contains("does not have the key"),
        "{problems}"
    );
    let (fixture, exit, status) = status_with_record(|record, fixture| {
        record["wanted"] = "".into();
        record["watch"] = json!({"standsInFor": fixture.k1});
    })
    .await;
    assert_eq!((exit, &status["wanted"]), (Exit::Fails, &fixture.k1.as_str().into()));
    let problems = status["problems"].to_string();
    assert!(problems.contains(&format!("encryption is off, since key {}", fixture.k1)), "{problems}");
}

#[tokio::test]
async fn status_shows_that_the_breaker_is_open_and_because_of_whom() {
    for (by, named) in [
        (
            json!({"principal": "arn:aws:iam::1:role/Rival", "userAgent": "terraform"}),
            "Rival (terraform) kept",
        ),
        (Value::Null, "somebody kept changing the document"),
    ] {
        let (_, exit, status) = status_with_record(|record, _| {
            let versions = json!({"latest": 2, "default": 2});
            record["watch"] =
                json!({"by": by, "breaker": {"opened": 1_000, "seen": 2_000, "versions": versions}});
        })
        .await;
        assert_eq!((exit, status["problems"].as_array().unwrap().len()), (Exit::Fails, 1));
        let problem = status["problems"][0].as_str().unwrap();
        assert!(problem.starts_with("the breaker is open: ") && problem.contains(named), "{problem}");
        assert!(problem.contains(" hours; it closes when"), "{problem}");
    }
}

#[tokio::test]
async fn status_of_several_regions_is_one_report_and_a_missing_document_is_no_failure() {
    let fixture = Fixture::empty().await;
    let regions = ["status", "--region", REGION, "--region", "eu-central-1", "--region", REGION];
    let (exit, report) = json_on(&fixture, &regions).await;
    assert_eq!((exit, &report["regions"]), (Exit::Good, &serde_json::json!([REGION, "eu-central-1"])));
    assert_eq!(report["status"][1]["versions"], Value::Null);
    let ran = on(&fixture, &["status", "--region", "no-where-1"], &Terminal::None).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""));
}

#[tokio::test]
async fn keys_lists_each_key_with_its_aliases_and_why_it_cannot_be_used() {
    let fixture = Fixture::empty().await;
    fixture.stub.world(|world| {
        world.add_alias("alias/session", &fixture.k1);
        world.add_alias("alias/team/session", &fixture.k1);
        world.key(&fixture.k2).spec = "RSA_2048";
        world.add_key_at(&Location::new(ACCOUNT, "us-east-1"), "99999999-9999-4999-8999-999999999999");
    });
    let (exit, report) = json_on(&fixture, &["keys"]).await;
    assert_eq!(exit, Exit::Good);
    let keys = report["keys"][0]["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3, "{report:#}");
    let of = |arn: &str| keys.iter().find(|key| key["arn"] == arn).unwrap();
    assert_eq!(of(&fixture.k1)["aliases"], serde_json::json!(["alias/session", "alias/team/session"]));
    assert_eq!(of(&fixture.k1)["faults"], serde_json::json!([]));
    assert!(of(&fixture.k2)["faults"][0].as_str().unwrap().contains("RSA_2048"));
    assert_eq!(keys[2]["arn"], fixture.k2, "keys that cannot be used come last");
    assert!(report["summary"].as_str().unwrap().contains("2 of 3 keys"));
    fixture.assert_no_violations();
}
