//! `Custom::SessionKey`, which resolves the keys before anything is switched on; and requests of a role that IAM does not
//! know everywhere yet.

use serde_json::{Value, json};

use crate::fixture::{Fixture, NAME, PATIENCE, disabled, enabled, handle, id_of, resource};
use crate::stub::{ACCOUNT, Fault, Location, REGION, ReceivedResponse, Resource, When};

const FOREIGN: &str = "222222222222";

/// The resource that resolves the keys of the document that a resource of the same stack owns.
fn keys_beside(owner: &Resource) -> Resource {
    Resource {
        logical_id: "SessionKey".to_owned(),
        resource_type: "Custom::SessionKey".to_owned(),
        ..owner.clone()
    }
}

/// Asks for the keys in a stack that owns no document.
async fn create(fixture: &Fixture, properties: &Value) -> ReceivedResponse {
    create_beside(fixture, &resource("demo"), properties).await
}

async fn create_beside(fixture: &Fixture, owner: &Resource, properties: &Value) -> ReceivedResponse {
    fixture.send(&keys_beside(owner).create(&fixture.stub, properties)).await
}

/// A resource that has set the document to this.
async fn deployed(fixture: &Fixture, properties: &Value) -> Resource {
    let owner = resource("demo");
    let answer = fixture.send(&owner.create(&fixture.stub, properties)).await;
    assert!(answer.success, "{}", answer.reason);
    owner
}

/// Key, standby key and present key of an answer.
fn keys(answer: &ReceivedResponse) -> [&str; 3] {
    assert!(answer.success, "{}", answer.reason);
    ["KeyArn", "StandbyKeyArn", "PresentKeyArn"].map(|name| answer.data[name].as_str().unwrap())
}

#[tokio::test]
async fn every_form_of_a_key_is_resolved_to_its_arn() {
    let fixture = Fixture::empty().await;
    let alias = fixture.stub.world(|world| {
        world.add_alias("alias/first", &fixture.k1);
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/first")
    });
    let id = fixture.k1.rsplit('/').next().unwrap();
    for name in [fixture.k1.as_str(), id, "alias/first", &alias] {
        let answer = create(&fixture, &json!({"KmsKeyId": name, "Encryption": "Enabled"})).await;
        assert_eq!(keys(&answer), [&fixture.k1, "", &fixture.k1], "{name}");
        assert_eq!(answer.data["KeyAccount"], ACCOUNT);
        assert_eq!(answer.physical_resource_id, format!("session-kms:{ACCOUNT}:{REGION}:key:SessionKey"));
    }
    let foreign = fixture.stub.world(|world| {
        let key = world.add_key_at(&Location::new(FOREIGN, REGION), "1234abcd-0000-4000-8000-000000000000");
        world.key(&key).allow(ACCOUNT, "*");
        key
    });
    let properties = json!({
        "KmsKeyId": foreign, "OnKeyTrouble": "Standby", "StandbyKmsKeyId": "alias/first", "DocumentName": NAME,
    });
    let answer = create(&fixture, &properties).await;
    assert_eq!(keys(&answer), [&foreign, &fixture.k1, &foreign]);
    assert_eq!((fixture.written(), fixture.stub.violations()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn the_key_of_the_document_before_is_present_until_that_is_released() {
    let fixture = Fixture::with_settings().await;
    let owner = deployed(&fixture, &enabled(&fixture.k1)).await;
    let old = json!({"KmsKeyId": fixture.k1});
    let new = json!({"KmsKeyId": fixture.k2, "DocumentName": "Team-Preferences"});
    let resource = keys_beside(&owner);
    let id = format!("session-kms:{ACCOUNT}:{REGION}:key:SessionKey");
    let answer = fixture.send(&resource.update(&fixture.stub, &id, &new, &old)).await;
    assert_eq!(keys(&answer), [&fixture.k2, "", &fixture.k1]);
    // Another stack's document gives its key to nobody.
    let other = keys_beside(&crate::fixture::resource("other"));
    let answer = fixture.send(&other.update(&fixture.stub, &id, &new, &old)).await;
    assert_eq!(keys(&answer), [&fixture.k2, "", &fixture.k2]);
}

#[tokio::test]
async fn encryption_off_has_no_key_and_the_policies_of_the_stack_keep_theirs() {
    let fixture = Fixture::empty().await;
    assert_eq!(keys(&create(&fixture, &disabled()).await), ["", "", ""]);
    let granted = json!({"Encryption": "Disabled", "GrantKeyArns": [fixture.k2, fixture.k1]});
    assert_eq!(keys(&create(&fixture, &granted).await), ["", "", &fixture.k2]);
    let fixture = Fixture::with_settings().await;
    let owner = deployed(&fixture, &enabled(&fixture.k1)).await;
    let granted = json!({"Encryption": "Disabled", "GrantKeyArns": [fixture.k2]});
    assert_eq!(keys(&create_beside(&fixture, &owner, &granted).await), ["", "", &fixture.k1]);
}

#[tokio::test]
async fn a_key_that_cannot_encrypt_sessions_is_refused_before_anything_is_made() {
    for is_owned_by_another in [false, true] {
        let fixture = Fixture::with_settings().await;
        if is_owned_by_another {
            deployed(&fixture, &enabled(&fixture.k2)).await;
        }
        fixture.stub.world(|world| world.key(&fixture.k1).state = "Disabled");
        for (name, why) in [(fixture.k1.as_str(), "Disabled"), ("alias/missing", "alias/missing")] {
            let answer = create(&fixture, &json!({ "KmsKeyId": name })).await;
            assert!(!answer.success && answer.reason.contains(why), "{}", answer.reason);
        }
    }
}

#[tokio::test]
async fn while_the_key_changes_the_present_key_is_the_one_that_the_stack_has_set() {
    let fixture = Fixture::with_settings().await;
    let owner = deployed(&fixture, &enabled(&fixture.k1)).await;
    let wanted = json!({"KmsKeyId": fixture.k2, "GrantKeyArns": [fixture.k2]});
    assert_eq!(keys(&create_beside(&fixture, &owner, &wanted).await), [&fixture.k2, "", &fixture.k1]);
    // What one stack has set, no policy of another names.
    assert_eq!(keys(&create(&fixture, &wanted).await), [&fixture.k2, "", &fixture.k2]);
    let [new, old] = [enabled(&fixture.k2), enabled(&fixture.k1)];
    assert!(fixture.send(&owner.update(&fixture.stub, &id_of(NAME), &new, &old)).await.success);
    assert_eq!(keys(&create_beside(&fixture, &owner, &wanted).await), [&fixture.k2, "", &fixture.k2]);
}

#[tokio::test]
async fn a_rollback_to_a_key_that_is_gone_does_not_fail() {
    let fixture = Fixture::with_settings().await;
    let standby = |key: &str| json!({"KmsKeyId": key, "Preflight": "Off", "OnKeyTrouble": "Standby", "StandbyKmsKeyId": fixture.k2});
    fixture.stub.world(|world| world.add_alias("alias/first", &fixture.k1));
    let owner = deployed(&fixture, &standby("alias/first")).await;
    fixture.stub.world(|world| {
        world.key(&fixture.k1).state = "Disabled";
        world.key(&fixture.k2).state = "PendingDeletion";
    });
    let question =
        |key: &str| json!({"KmsKeyId": key, "OnKeyTrouble": "Standby", "StandbyKmsKeyId": fixture.k2});
    let [new, old] = [question(&fixture.k1), question("alias/first")];
    let id = format!("session-kms:{ACCOUNT}:{REGION}:key:SessionKey");
    let answer = fixture.send(&keys_beside(&owner).update(&fixture.stub, &id, &old, &new)).await;
    assert_eq!(keys(&answer), [&fixture.k1, &fixture.k2, &fixture.k1]);
    assert_eq!(answer.physical_resource_id, id);
    let deleted = fixture.send(&keys_beside(&owner).delete(&fixture.stub, &id, &old)).await;
    assert!(deleted.success, "{}", deleted.reason);
}

/// The owner of another account's key may stop admitting this account.
#[tokio::test]
async fn a_rollback_to_a_key_that_cannot_be_described_any_more_does_not_fail() {
    let fixture = Fixture::with_settings().await;
    let owner = deployed(&fixture, &enabled(&fixture.k1)).await;
    fixture.stub.world(|world| world.key(&fixture.k1).deny("*", "kms:DescribeKey"));
    let [old, new] = [json!({"KmsKeyId": fixture.k1}), json!({"KmsKeyId": fixture.k2})];
    let id = format!("session-kms:{ACCOUNT}:{REGION}:key:SessionKey");
    let answer = fixture.send(&keys_beside(&owner).update(&fixture.stub, &id, &old, &new)).await;
    assert_eq!(keys(&answer), [&fixture.k1, "", &fixture.k1]);
    let [old, new] = [enabled(&fixture.k1), enabled(&fixture.k2)];
    let answer = fixture.send(&owner.update(&fixture.stub, &id_of(NAME), &old, &new)).await;
    assert!(answer.success && answer.reason.contains("nothing is changed"), "{}", answer.reason);
    // A stack that does not own the document has nothing to go back to.
    let refused = create(&fixture, &json!({"KmsKeyId": fixture.k1})).await;
    assert!(!refused.success && refused.reason.contains("allow kms:DescribeKey"), "{}", refused.reason);
}

/// The record is written before the document.
#[tokio::test]
async fn after_a_change_that_was_refused_the_present_key_is_the_one_in_the_document() {
    let fixture = Fixture::with_settings().await;
    let owner = deployed(&fixture, &enabled(&fixture.k1)).await;
    let [old, new] = [enabled(&fixture.k1), enabled(&fixture.k2)];
    fixture
        .stub
        .fault(When::operation("ssm", "UpdateDocument"), Fault::AccessDenied { action: "some:Action" });
    assert!(!fixture.send(&owner.update(&fixture.stub, &id_of(NAME), &new, &old)).await.success);
    fixture.stub.clear_faults();
    assert!(fixture.state().starts_with("latest k1, default k1; demo wants k2"), "{}", fixture.state());
    let wanted = json!({"KmsKeyId": fixture.k2, "GrantKeyArns": [fixture.k2]});
    assert_eq!(keys(&create_beside(&fixture, &owner, &wanted).await), [&fixture.k2, "", &fixture.k1]);
}

#[tokio::test]
async fn if_no_key_is_known_the_reason_is_the_one_of_kms() {
    let fixture = Fixture::with_settings().await;
    let owner = deployed(&fixture, &disabled()).await;
    let answer = create_beside(&fixture, &owner, &json!({"KmsKeyId": "alias/typo"})).await;
    assert!(!answer.success && answer.reason.contains("alias/typo"), "{}", answer.reason);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_left_to_the_resource_that_owns_the_document() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| world.put_parameter("/session-kms/SSM-SessionManagerRunShell", "nonsense"));
    assert_eq!(
        keys(&create(&fixture, &json!({"KmsKeyId": fixture.k1})).await),
        [&fixture.k1, "", &fixture.k1]
    );
    fixture.stub.fault(When::operation("ssm", "GetParameter"), Fault::InternalError);
    let answer = create(&fixture, &json!({"KmsKeyId": fixture.k1})).await;
    assert!(!answer.success && answer.reason.contains("ssm:GetParameter"), "{}", answer.reason);
}

#[tokio::test]
async fn wrong_properties_are_named() {
    let fixture = Fixture::empty().await;
    for (properties, why) in [
        (json!({}), "KmsKeyId"),
        (json!({"KmsKeyId": fixture.k1, "Preflight": "Off"}), "Preflight"),
        (json!({"KmsKeyId": fixture.k1, "DocumentName": "a b"}), "DocumentName"),
        (json!({"KmsKeyId": fixture.k1, "GrantKeyArns": "alias/x"}), "GrantKeyArns"),
    ] {
        let answer = create(&fixture, &properties).await;
        assert!(!answer.success && answer.reason.contains(why), "{}", answer.reason);
    }
    assert_eq!(fixture.stub.calls().len(), 0);
}

/// A role that the same stack has made is denied for a while. The waiting lasts some 34 seconds in a deployed function;
/// here each pause is short.
#[tokio::test]
async fn a_role_that_is_not_effective_yet_is_waited_for() {
    for (last, is_made) in [(17, true), (18, false)] {
        let fixture = Fixture::with_settings().await;
        let denied = || Fault::AccessDenied { action: "some:Action" };
        let deny = |operation| {
            fixture.stub.clear_faults();
            fixture.stub.fault(When::operation("kms", operation).first(last), denied());
        };
        let owner = resource("demo");
        let create = owner.create(&fixture.stub, &enabled(&fixture.k1));
        for request in [keys_beside(&owner).create(&fixture.stub, &json!({"KmsKeyId": fixture.k1})), create] {
            deny("DescribeKey");
            let answer = fixture.send(&request).await;
            assert_eq!(answer.success, is_made, "{}", answer.reason);
            assert!(is_made || answer.reason.contains("allow kms:DescribeKey"), "{}", answer.reason);
        }
        // An update that changes the role, and the update that rolls it back.
        let [first, second] = [enabled(&fixture.k1), enabled(&fixture.k2)];
        for (new, old) in [(&second, &first), (&first, &second)] {
            deny("DescribeKey");
            let answer = fixture.send(&owner.update(&fixture.stub, &id_of(NAME), new, old)).await;
            assert_eq!(answer.success, is_made, "{}", answer.reason);
        }
    }
}

#[tokio::test]
async fn a_denial_is_the_reason_if_no_time_is_left_to_wait() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.fault(When::operation("kms", "DescribeKey"), Fault::AccessDenied { action: "some:Action" });
    let request = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
    let function = fixture.function(None);
    handle(&function, &request.payload, PATIENCE / 10).await.unwrap();
    let answers = fixture.stub.answers(&request.url);
    assert!(answers[0].reason.contains("allow kms:DescribeKey"), "{}", answers[0].reason);
    assert_eq!(fixture.stub.calls_of("DescribeKey").len(), 1);
}
