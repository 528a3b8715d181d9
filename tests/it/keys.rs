//! References to keys, and which keys are never written.

use serde_json::json;

use crate::fixture::{Fixture, PATIENCE, RECORD, enabled, resource};
use crate::stub::{ACCOUNT, Fault, Location, REGION, ReceivedResponse, When, World};

const FOREIGN: &str = "210987654321";
const ID: &str = "33333333-3333-4333-8333-333333333333";

#[tokio::test]
async fn every_kind_of_reference_is_resolved_to_the_key_arn() {
    let id = "11111111-1111-4111-8111-111111111111";
    for name in [
        id.to_owned(),
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}"),
        "alias/session".to_owned(),
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/session"),
    ] {
        let fixture = Fixture::with_settings().await;
        fixture.stub.world(|world| world.add_alias("alias/session", &fixture.k1));
        let answer = create(&fixture, &name).await;
        assert!(answer.success, "{name}: {}", answer.reason);
        assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old", "{name}");
        assert_eq!(
            (&answer.data["KeyArn"], &answer.data["KeyAccount"]),
            (&json!(fixture.k1), &json!(ACCOUNT))
        );
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn an_unfit_key_is_named_and_not_written() {
    type Spoil = fn(&mut crate::stub::World, &str);
    let table: [(Spoil, &str); 9] = [
        (|world, key| world.key(key).state = "Disabled", "its state is Disabled"),
        (
            |world, key| {
                world.key(key).state = "PendingDeletion";
                world.key(key).deletion_date = Some(1_790_000_000.0);
            },
            "it will be deleted on 2026-09-21",
        ),
        (|world, key| world.key(key).state = "PendingImport", "its state is PendingImport"),
        (|world, key| world.key(key).state = "Unavailable", "its state is Unavailable"),
        (|world, key| world.key(key).state = "Creating", "its state is Creating"),
        (|world, key| world.key(key).state = "PendingReplicaDeletion", "its state is PendingReplicaDeletion"),
        (|world, key| world.key(key).spec = "RSA_2048", "its spec is RSA_2048"),
        (|world, key| world.key(key).usage = "GENERATE_VERIFY_MAC", "its usage is GENERATE_VERIFY_MAC"),
        (|world, key| world.key(key).manager = "AWS", "AWS manages it"),
    ];
    for (spoil, why) in table {
        let fixture = Fixture::with_settings().await;
        fixture.stub.world(|world| spoil(world, &fixture.k1));
        let answer = create(&fixture, &fixture.k1).await;
        assert!(!answer.success);
        assert!(answer.reason.contains(why) && answer.reason.contains(&fixture.k1), "{}", answer.reason);
        assert_untouched(&fixture);
    }
}

#[tokio::test]
async fn the_risks_of_a_key_are_in_the_findings() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| {
        let key = world.key(&fixture.k1);
        (key.origin, key.valid_to) = ("EXTERNAL", Some(1_800_000_000.0));
        key.custom_key_store_id = Some("cks-1".to_owned());
        key.multi_region = Some(json!({
            "MultiRegionKeyType": "REPLICA",
            "PrimaryKey": {"Arn": fixture.k1, "Region": "us-east-1"},
            "ReplicaKeys": [],
        }));
    });
    let answer = create(&fixture, &fixture.k1).await;
    assert!(answer.success, "{}", answer.reason);
    let findings = answer.data["Findings"].as_str().unwrap();
    assert!(findings.starts_with("0 passed, 3 warnings"), "{findings}");
    for word in ["expires on 2027-01-15", "custom key store cks-1", "replica"] {
        assert!(findings.contains(word), "{word}: {findings}");
    }
}

#[tokio::test]
async fn another_account_s_key_can_be_named_by_its_arn() {
    let fixture = Fixture::with_settings().await;
    let key = fixture.stub.world(|world| {
        let key = world.add_key_at(&Location::new(FOREIGN, REGION), ID);
        world.key(&key).allow(ACCOUNT, "kms:DescribeKey");
        key
    });
    let answer = create(&fixture, &key).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!((&answer.data["KeyArn"], &answer.data["KeyAccount"]), (&json!(key), &json!(FOREIGN)));
    assert_eq!(fixture.state(), format!("latest {key}, default {key}; demo wants {key}, before alias/old"));
}

#[tokio::test]
async fn a_key_that_sessions_would_not_find_is_refused_without_a_call() {
    for (name, why) in [
        (format!("arn:aws:kms:{REGION}:{FOREIGN}:alias/session"), "can only be named by its key ARN"),
        (format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/{ID}"), "is in Region eu-central-1"),
        (format!("arn:aws:kms:eu-central-1:{ACCOUNT}:alias/session"), "is in Region eu-central-1"),
        (format!("arn:aws-cn:kms:{REGION}:{ACCOUNT}:key/{ID}"), "is in partition aws-cn"),
        ("alias/aws/ssm".to_owned(), "AWS managed key"),
        ("session".to_owned(), "names no KMS key"),
        ("{{ key }}".to_owned(), "names no KMS key"),
    ] {
        let fixture = Fixture::with_settings().await;
        let answer = create(&fixture, &name).await;
        assert!(!answer.success && answer.reason.contains(why), "{name}: {}", answer.reason);
        assert_eq!(fixture.stub.calls().len(), 0, "{name}");
        assert_untouched(&fixture);
    }
}

#[tokio::test]
async fn the_error_names_a_key_that_does_not_exist() {
    for name in [ID, "alias/missing"] {
        let fixture = Fixture::with_settings().await;
        let answer = create(&fixture, name).await;
        assert!(!answer.success && answer.reason.contains(name), "{}", answer.reason);
        assert!(answer.reason.contains(ACCOUNT) && answer.reason.contains(REGION), "{}", answer.reason);
        assert_untouched(&fixture);
    }
}

#[tokio::test]
async fn if_describe_key_is_denied_the_error_says_what_to_allow() {
    let denied: fn(&mut World, &str) -> String = |world, key| {
        world.key(key).deny("*", "kms:DescribeKey");
        key.to_owned()
    };
    let foreign: fn(&mut World, &str) -> String =
        |world, _| world.add_key_at(&Location::new(FOREIGN, REGION), ID);
    for prepare in [denied, foreign] {
        let fixture = Fixture::with_settings().await;
        let key = fixture.stub.world(|world| prepare(world, &fixture.k1));
        let answer = create(&fixture, &key).await;
        assert!(!answer.success);
        assert!(answer.reason.contains("allow kms:DescribeKey"), "{}", answer.reason);
        assert_untouched(&fixture);
    }
}

#[tokio::test]
async fn if_kms_does_not_answer_the_stack_fails_in_time() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.fault(When::service("kms"), Fault::Hang);
    let request = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
    let answer = fixture.send_hanging(&fixture.function(None), &request, 1, PATIENCE).await;
    let why = "the time-out of the Lambda function is near; what it was doing: describing the key";
    assert!(!answer.success && answer.reason.contains(why), "{}", answer.reason);
    assert_untouched(&fixture);
}

#[tokio::test]
async fn if_kms_fails_the_error_says_so() {
    for (fault, why) in [
        (Fault::Throttle, "ThrottlingException"),
        (Fault::InternalError, "KMSInternalException"),
        (Fault::CutBefore, "the connection failed or was cut"),
    ] {
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::service("kms"), fault);
        let answer = create(&fixture, &fixture.k1).await;
        assert!(!answer.success && answer.reason.contains(why), "{}", answer.reason);
        assert_untouched(&fixture);
    }
}

#[tokio::test]
async fn a_key_that_delete_would_restore_must_be_fit_too() {
    let fixture = Fixture::with_settings().await;
    let properties = enabled(&fixture.k1);
    let mut stack = fixture.deployed("demo", &properties).await;
    fixture.stub.world(|world| {
        let old = world.keys.list.remove(0);
        assert!(old.id.starts_with("00000000"));
    });
    let run = async |payload| fixture.run(payload).await;
    let refused = stack.delete(&run).await;
    assert!(refused.reason().contains("which OnDelete Restore would put back"), "{}", refused.reason());
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    stack.update(&crate::fixture::and(properties, "OnDelete", "Clear"), &run).await;
    assert_eq!(stack.delete(&run).await.reason(), "");
    assert_eq!(fixture.state(), "latest none, default none; no record");
    fixture.assert_no_violations();
}

async fn create(fixture: &Fixture, key: &str) -> ReceivedResponse {
    fixture.send(&resource("demo").create(&fixture.stub, &enabled(key))).await
}

/// Neither the document nor the record was written.
fn assert_untouched(fixture: &Fixture) {
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    assert!(fixture.stub.world(|world| world.parameter(RECORD).is_none()));
    assert_eq!(fixture.stub.writes().len(), 0);
    fixture.assert_no_violations();
}
