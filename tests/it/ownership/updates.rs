//! Updates of one stack that succeed, fail and are rolled back, and properties that this version does not know.

use serde_json::{Value, json};
use session_kms::reconcile::digest;

use crate::fixture::{
    Fixture, NAME, RECORD, SET_TO_K1, and, created, disabled, enabled, id_of, resource, settings,
};
use crate::stub::{Document, Fault, Format, Resource, StackStatus, When};

const OTHER: &str = "Team-Preferences";
/// How often a request tries a call that is denied.
const TRIES: usize = 18;

#[tokio::test]
async fn a_failed_update_is_rolled_back_whatever_it_had_done() {
    for operation in ["DescribeKey", "PutParameter", "UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let fixture = Fixture::with_settings().await;
        let run = async |payload| fixture.run(payload).await;
        let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
        let service = if operation == "DescribeKey" { "kms" } else { "ssm" };
        let denied = Fault::AccessDenied { action: "some:Action" };
        fixture.stub.fault(When::operation(service, operation).first(TRIES), denied);
        let updated = stack.update(&enabled(&fixture.k2), &run).await;
        assert_eq!(updated.status, StackStatus::UpdateRollbackComplete, "{operation}");
        assert_eq!(fixture.state(), SET_TO_K1, "{operation}");
        assert_eq!(stack.delete(&run).await.reason(), "");
        assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "{operation}");
        fixture.assert_settings_kept();
        fixture.assert_no_violations();
    }
}

/// The same update of the stack may just have changed the role for the new key.
#[tokio::test]
async fn an_update_waits_for_a_role_that_was_just_changed() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let denied = Fault::AccessDenied { action: "kms:DescribeKey" };
    fixture.stub.fault(When::operation("kms", "DescribeKey").first(TRIES - 1), denied);
    let updated = stack.update(&enabled(&fixture.k2), &run).await;
    assert_eq!(updated.status, StackStatus::UpdateComplete, "{}", updated.reason());
    assert!(fixture.state().starts_with("latest k2, default k2"), "{}", fixture.state());
}

/// While the key cannot be used an update fails, and CloudFormation rolls back to the current properties.
#[tokio::test]
async fn a_rollback_to_the_current_state_does_not_fail_on_an_unusable_key() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.world(|world| {
        for key in [&fixture.k1, &fixture.k2] {
            world.ask("kms", "DisableKey", json!({"KeyId": key})).unwrap();
        }
    });
    let updated = stack.update(&enabled(&fixture.k2), &run).await;
    assert_eq!(updated.status, StackStatus::UpdateRollbackComplete, "{}", updated.reason());
    assert!(
        updated.reason().contains("k2") || updated.reason().contains(&fixture.k2),
        "{}",
        updated.reason()
    );
    let last = updated.last_answer().unwrap();
    assert!(
        last.success && last.reason.contains("nothing is changed, and there is trouble with the key"),
        "{last:?}"
    );
    assert_eq!(fixture.state(), SET_TO_K1);
    // A request for something new still fails on the key.
    let asked = stack.update(&and(enabled(&fixture.k1), "Revision", "2"), &run).await;
    assert_eq!(asked.status, StackStatus::UpdateRollbackComplete, "{}", asked.reason());
    fixture.assert_no_violations();
}

#[tokio::test]
async fn an_update_that_succeeded_is_rolled_back_with_its_stack() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    for properties in [enabled(&fixture.k2), disabled(), and(enabled(&fixture.k2), "DocumentName", OTHER)] {
        stack.update(&properties, &run).await;
        // A sibling failed: the old properties come back.
        assert_eq!(stack.update(&enabled(&fixture.k1), &run).await.status, StackStatus::UpdateComplete);
        assert!(fixture.state().starts_with("latest k1, default k1; demo wants k1"), "{}", fixture.state());
    }
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_failed_replacement_changes_no_other_document() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| {
        world.put_document(OTHER, Document::session(Format::Json, &settings("alias/old")));
    });
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let denied = Fault::AccessDenied { action: "ssm:UpdateDocumentDefaultVersion" };
    fixture.stub.fault(When::operation("ssm", "UpdateDocumentDefaultVersion").first(TRIES), denied);
    let updated = stack.update(&and(enabled(&fixture.k2), "DocumentName", OTHER), &run).await;
    assert_eq!(updated.status, StackStatus::UpdateRollbackComplete, "{}", updated.reason());
    assert_eq!(updated.requests(), ["Update", "Update"]);
    assert_eq!(fixture.state(), SET_TO_K1);
    assert_eq!(fixture.state_of(OTHER), "latest alias/old, default alias/old; no record");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_replacement_releases_the_old_document_as_its_own_properties_say() {
    for (on_delete, left) in [("Restore", "alias/old"), ("Clear", "none"), ("Retain", "k1")] {
        let fixture = Fixture::with_settings().await;
        let run = async |payload| fixture.run(payload).await;
        let mut stack = fixture.deployed("demo", &and(enabled(&fixture.k1), "OnDelete", on_delete)).await;
        let moved = stack.update(&created(&fixture.k2, OTHER), &run).await;
        assert_eq!(moved.status, StackStatus::UpdateComplete);
        assert!(moved.last_answer().unwrap().success, "the clean-up too");
        assert_eq!(fixture.state(), format!("latest {left}, default {left}; no record"));
        assert_eq!(fixture.state_of(OTHER), "latest k2, default k2; demo wants k2, before none");
        fixture.assert_settings_kept();
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_change_of_what_delete_does_is_remembered_and_writes_nothing_else() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.forget_calls();
    stack.update(&and(enabled(&fixture.k1), "OnDelete", "Clear"), &run).await;
    assert_eq!(fixture.written(), ["PutParameter"]);
    // The record decides, and not the properties of the Delete.
    let delete = stack.resource.delete(&fixture.stub, &id_of(NAME), &enabled(&fixture.k1));
    assert!(fixture.send(&delete).await.success);
    assert_eq!(fixture.state(), "latest none, default none; no record");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn an_unknown_property_is_refused_by_name_on_create_and_update() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let misspelt = and(enabled(&fixture.k1), "OnDelet", "Retain");
    let created = fixture.stack("demo").create(&misspelt, &run).await;
    assert!(
        created.reason().contains("OnDelet") && created.reason().contains("OnDelete"),
        "{}",
        created.reason()
    );
    assert_eq!(created.status, StackStatus::RollbackComplete, "and ignored by the Delete that follows");
    assert_eq!(fixture.stub.writes().len(), 0);

    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let updated = stack.update(&and(enabled(&fixture.k2), "Encrypt", "true"), &run).await;
    assert!(updated.reason().contains("Encrypt"), "{}", updated.reason());
    assert_eq!(updated.status, StackStatus::UpdateRollbackComplete);
    assert_eq!(fixture.state(), SET_TO_K1);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn properties_of_another_schema_are_ignored_by_a_delete() {
    let fixture = Fixture::with_settings().await;
    let stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let past = json!({"KmsKey": "x", "OnDelete": {"was": "an object"}, "Encryption": ["Enabled"]});
    let deleted = fixture.send(&stack.resource.delete(&fixture.stub, &id_of(NAME), &past)).await;
    assert!(deleted.success, "{}", deleted.reason);
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn an_update_back_to_accepted_properties_is_never_refused_for_an_unknown_one() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let past = and(enabled(&fixture.k1), "PropertyOfALaterVersion", "1");
    let refused = fixture.send(&update(&fixture, &stack.resource, &past)).await;
    assert!(!refused.success && refused.reason.contains("PropertyOfALaterVersion"), "{}", refused.reason);
    // The record is as a version that knew the property would have written it.
    fixture.stub.world(|world| {
        let mut record: Value = serde_json::from_str(world.parameter(RECORD).unwrap()).unwrap();
        record["accepted"] = json!([digest(past.as_object().unwrap())]);
        world.put_parameter(RECORD, &record.to_string());
    });
    run(resource("stranger").create(&fixture.stub, &past).payload).await;
    assert_eq!(fixture.state(), SET_TO_K1, "another owner's record vouches for nothing");
    let accepted = fixture.send(&update(&fixture, &stack.resource, &past)).await;
    assert!(accepted.success, "{}", accepted.reason);
    assert_eq!(fixture.state(), SET_TO_K1);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn another_resource_type_is_refused_and_its_delete_succeeds() {
    let fixture = Fixture::with_settings().await;
    let other = Resource::new("demo", "Encryption", "Custom::SomethingElse");
    let refused = fixture.send(&other.create(&fixture.stub, &enabled(&fixture.k1))).await;
    assert!(!refused.success && refused.reason.contains("Custom::SomethingElse"), "{}", refused.reason);
    let deleted = other.delete(&fixture.stub, &refused.physical_resource_id, &enabled(&fixture.k1));
    assert!(fixture.send(&deleted).await.success);
    assert_eq!(fixture.stub.writes().len(), 0);
    let plain = Resource::new("demo", "Encryption", "AWS::CloudFormation::CustomResource");
    assert!(fixture.send(&plain.create(&fixture.stub, &enabled(&fixture.k1))).await.success);
    assert_eq!(fixture.state(), SET_TO_K1);
    fixture.assert_no_violations();
}

fn update(fixture: &Fixture, resource: &Resource, properties: &Value) -> crate::stub::Request {
    resource.update(&fixture.stub, &id_of(NAME), properties, &enabled(&fixture.k2))
}
