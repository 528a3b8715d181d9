//! The known traps of custom resources, by number and name. The crate of the protocol tests those that lie in the
//! protocol alone.

use serde_json::{Value, json};

use crate::fixture::{
    Fixture, Logs, NAME, PATIENCE, RECORD, and, assert_nothing_secret, created, disabled, enabled, handle,
    id_of, key_in, resource, rival_key,
};
use crate::stub::{Document, Fault, Format, Ids, PutFault, StackStatus, When};

const OTHER: &str = "Team-Preferences";

#[tokio::test]
async fn trap_1_a_delete_of_the_old_id_does_not_clear_the_new_key() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let updated = stack.update(&enabled(&fixture.k2), &run).await;
    assert_eq!(updated.requests(), ["Update"], "another key is no replacement, so no Delete follows");
    assert_eq!(fixture.state(), "latest k2, default k2; demo wants k2, before alias/old");

    let moved = stack.update(&created(&fixture.k2, OTHER), &run).await;
    assert_eq!((moved.status, moved.requests()), (StackStatus::UpdateComplete, vec!["Update", "Delete"]));
    assert_eq!(stack.physical_id(), Some(id_of(OTHER).as_str()));
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "the old one is let go");
    assert_eq!(fixture.state_of(OTHER), "latest k2, default k2; demo wants k2, before none");
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_2_the_delete_after_a_failed_create_succeeds_and_touches_nothing() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| world.key(&fixture.k1).state = "Disabled");
    let run = async |payload| fixture.run(payload).await;
    let created = fixture.stack("demo").create(&enabled(&fixture.k1), &run).await;
    assert_eq!(
        (created.status, created.requests()),
        (StackStatus::RollbackComplete, vec!["Create", "Delete"])
    );
    let [failed, deleted] = [0, 1].map(|step| created.steps[step].1.clone().unwrap());
    assert_eq!(failed.physical_resource_id, id_of(NAME), "the id is known before any call");
    assert_eq!(deleted.physical_resource_id, id_of(NAME));
    assert_eq!(fixture.stub.writes().len(), 0);
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");

    let properties = [and(enabled(&fixture.k2), "DocumentName", "no/name"), json!({}), enabled("not a key")];
    for properties in properties {
        let created = fixture.stack("demo").create(&properties, &run).await;
        assert_eq!(created.status, StackStatus::RollbackComplete, "{properties}: {}", created.reason());
        assert_eq!(fixture.stub.writes().len(), 0, "{properties}");
    }
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_3_a_made_up_id_is_accepted_and_the_record_decides() {
    let fixture = Fixture::with_settings().await;
    let resource = resource("demo");
    let properties = enabled(&fixture.k1);
    assert!(fixture.send(&resource.create(&fixture.stub, &properties)).await.success);
    let strangers = crate::fixture::resource("other");
    let strange = fixture.send(&strangers.delete(&fixture.stub, &strangers.made_up_id(), &properties)).await;
    assert!(strange.success && strange.reason.contains("is owned by"), "{}", strange.reason);
    assert_eq!(strange.physical_resource_id, strangers.made_up_id());
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    let own = fixture.send(&resource.delete(&fixture.stub, &resource.made_up_id(), &properties)).await;
    assert!(own.success, "{}", own.reason);
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_4_a_failed_update_echoes_the_id_and_the_rollback_succeeds() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| world.key(&fixture.k2).usage = "SIGN_VERIFY");
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.forget_calls();
    let updated = stack.update(&created(&fixture.k2, OTHER), &run).await;
    assert_eq!(updated.status, StackStatus::UpdateRollbackComplete);
    assert_eq!(updated.requests(), ["Update", "Update"], "no other id was answered, so no Delete follows");
    assert_eq!(updated.steps[0].1.clone().unwrap().physical_resource_id, id_of(NAME));
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    assert_eq!(fixture.state_of(OTHER), "no document; no record");
    assert_eq!(fixture.stub.writes().len(), 0);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_5_a_payload_that_does_not_parse_is_answered() {
    let fixture = Fixture::with_settings().await;
    let invalid_fields: [(&str, Value); 4] = [
        ("RequestType", json!("Upsert")),
        ("ResourceProperties", json!("none")),
        ("ResourceType", json!(7)),
        ("PhysicalResourceId", json!(["x"])),
    ];
    for (field, value) in invalid_fields {
        let mut request = resource("demo").delete(&fixture.stub, &id_of(NAME), &enabled(&fixture.k1));
        request.payload[field] = value;
        let answer = fixture.send(&request).await;
        assert!(!answer.success && answer.reason.contains(field), "{field}: {}", answer.reason);
    }
    assert_eq!(fixture.stub.calls().len(), 0);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_8_an_answer_that_was_not_taken_is_an_error_and_the_next_delivery_ends_it() {
    let fixture = Fixture::with_settings().await;
    let request = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
    fixture.stub.put_faults(&request.url, &[PutFault::Status(403)]);
    let error = handle(&fixture.function(None), &request.payload, PATIENCE).await.unwrap_err();
    assert_nothing_secret(&error.to_string());
    assert!(error.to_string().contains("403"), "{error}");
    fixture.stub.forget_calls();
    assert!(fixture.send(&request).await.success);
    assert_eq!(fixture.stub.writes().len(), 0, "the work was done the first time");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_11_an_update_of_two_steps_converges_on_both() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let resource = resource("demo");
    let create = resource.create(&fixture.stub, &enabled(&fixture.k1));
    let denied = Fault::AccessDenied { action: "ssm:UpdateDocumentDefaultVersion" };
    fixture.stub.fault(When::operation("ssm", "UpdateDocumentDefaultVersion"), denied);
    let failed = fixture.send(&create).await;
    assert!(
        !failed.success && failed.reason.contains("ssm:UpdateDocumentDefaultVersion"),
        "{}",
        failed.reason
    );
    assert_eq!(fixture.state(), "latest k1, default alias/old; demo wants k1, before alias/old");
    fixture.stub.clear_faults();
    fixture.stub.redelivered(&create.url);
    fixture.stub.forget_calls();
    run(create.payload.clone()).await;
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    assert_eq!(fixture.written(), ["UpdateDocumentDefaultVersion"], "equal content does not end it");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_12_encryption_is_never_off_unless_that_was_asked_for() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    for properties in [
        json!({}),
        json!({"Encryption": "Enabled"}),
        json!({"Encryption": "Enabled", "KmsKeyId": ""}),
        json!({"Encryption": "Disable"}),
        json!({"Encryption": "Disabled", "KmsKeyId": fixture.k1}),
        json!({"kmsKeyId": fixture.k1}),
    ] {
        let created = fixture.stack("demo").create(&properties, &run).await;
        assert_eq!(created.status, StackStatus::RollbackComplete, "{properties}");
        assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "{properties}");
    }
    fixture.stub.fault(When::service("kms"), Fault::AccessDenied { action: "kms:DescribeKey" });
    assert_eq!(
        fixture.stack("demo").create(&enabled(&fixture.k1), &run).await.status,
        StackStatus::RollbackComplete
    );
    assert_eq!(fixture.stub.writes().len(), 0);
    fixture.stub.clear_faults();
    let mut stack = fixture.stack("demo");
    let created = stack.create(&disabled(), &run).await;
    assert_eq!(created.reason(), "");
    assert!(created.last_answer().unwrap().reason.contains("password reset"));
    assert_eq!(fixture.state(), "latest none, default none; demo wants none, before alias/old");
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_13_one_key_is_edited_and_nothing_clobbered() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    stack.update(&enabled(&fixture.k2), &run).await;
    stack.update(&disabled(), &run).await;
    assert_eq!(stack.delete(&run).await.status, StackStatus::DeleteComplete);
    assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record");
    let versions = fixture.stub.world(|world| world.document(NAME).unwrap().versions.clone());
    assert_eq!(versions.len(), 5);
    for version in versions {
        assert_eq!(
            version.content,
            crate::fixture::settings(&key_in(&version.content)),
            "{}",
            version.number
        );
    }
    assert_eq!(fixture.stub.calls_of("DeleteDocument").len(), 0);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_14_a_second_owner_is_refused_and_the_reason_names_the_first() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let first = fixture.deployed("first", &enabled(&fixture.k1)).await;
    let second = fixture.stack("second").create(&enabled(&fixture.k2), &run).await;
    assert_eq!(second.status, StackStatus::RollbackComplete);
    for word in [&first.resource.stack_id, "Encryption", "TakeOver"] {
        assert!(second.reason().contains(word), "{word}: {}", second.reason());
    }
    assert_eq!(fixture.state(), "latest k1, default k1; first wants k1, before alias/old");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_15_a_document_that_vanished_is_not_a_missing_document() {
    let fixture = Fixture::with_settings().await;
    let document = fixture.stub.world(|world| world.document(NAME).unwrap().clone());
    // The write says InvalidDocument. Then the document exists again, with somebody else's setting.
    let when = When::operation("ssm", "UpdateDocument").nth(1);
    fixture.stub.fault(when, Fault::before(|world| world.documents.held.clear()));
    let back = move |world: &mut crate::stub::World| {
        world.put_document(NAME, document.clone());
        rival_key("somebody's")(world);
    };
    fixture.stub.fault(when, Fault::after(back));
    let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(fixture.stub.calls_of("CreateDocument").len(), 0);
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_16_a_stale_event_does_nothing() {
    let fixture = Fixture::with_settings().await;
    let resource = resource("demo");
    let mut request = resource.create(&fixture.stub, &enabled(&fixture.k1));
    let ids = Ids {
        stack_id: resource.stack_id.clone(),
        request_id: request.payload["RequestId"].as_str().unwrap().to_owned(),
        logical_resource_id: resource.logical_id.clone(),
    };
    let url = fixture.stub.response_url_with(&ids, "Expires=1500000000&Signature=x");
    request.payload["ResponseURL"] = url.as_str().into();
    fixture.run(request.payload).await;
    assert_eq!((fixture.stub.calls().len(), fixture.stub.puts(&url)), (0, 0));
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_17_a_role_without_its_policy_fails_changes_nothing_and_can_be_deleted() {
    let actions = [
        ("kms", "kms:DescribeKey"),
        ("ssm", "ssm:GetParameter"),
        ("ssm", "ssm:PutParameter"),
        ("ssm", "ssm:DescribeDocument"),
    ];
    for (service, action) in actions {
        let fixture = Fixture::with_settings().await;
        let operation = action.split(':').nth(1).unwrap();
        fixture.stub.fault(When::operation(service, operation), Fault::AccessDenied { action });
        let resource = resource("demo");
        let properties = enabled(&fixture.k1);
        let failed = fixture.send(&resource.create(&fixture.stub, &properties)).await;
        assert!(!failed.success && failed.reason.contains(&format!("allow {action}")), "{}", failed.reason);
        assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "{action}");
        fixture.stub.clear_faults();
        let deleted =
            fixture.send(&resource.delete(&fixture.stub, &failed.physical_resource_id, &properties)).await;
        assert!(deleted.success, "{}", deleted.reason);
        assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "{action}");
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn trap_17_a_delete_without_its_policy_fails_and_a_later_one_succeeds() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion", "DeleteParameter", "GetParameter"] {
        let fixture = Fixture::with_settings().await;
        let run = async |payload| fixture.run(payload).await;
        let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
        fixture.stub.fault(When::operation("ssm", operation), Fault::AccessDenied { action: "ssm" });
        let failed = stack.delete(&run).await;
        assert_eq!(failed.status, StackStatus::DeleteFailed, "{operation}");
        assert!(failed.reason().contains(&format!("allow ssm:{operation}")), "{}", failed.reason());
        assert!(
            fixture.stub.world(|world| world.parameter(RECORD).is_some()),
            "{operation}: the record stays"
        );
        fixture.stub.clear_faults();
        assert_eq!(stack.delete(&run).await.status, StackStatus::DeleteComplete, "{operation}");
        assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "{operation}");
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn trap_18_words_are_read_strictly() {
    let fixture = Fixture::with_settings().await;
    for (name, value) in
        [("Encryption", "true"), ("Encryption", "Off"), ("OnDelete", "restored"), ("OnConflict", "1")]
    {
        let properties = and(enabled(&fixture.k1), name, value);
        let answer = fixture.send(&resource("demo").create(&fixture.stub, &properties)).await;
        assert!(!answer.success && answer.reason.contains(name), "{name}: {}", answer.reason);
    }
    assert_eq!(fixture.stub.calls().len(), 0);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn trap_19_no_log_shows_the_url_or_the_document() {
    let logs = Logs::captured();
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    stack.update(&enabled("nonsense"), &run).await;
    stack.update(&disabled(), &run).await;
    stack.delete(&run).await;
    fixture.stub.world(|world| world.put_document(NAME, Document::session(Format::Json, "open-sesame-42")));
    fixture.stack("demo").create(&enabled(&fixture.k1), &run).await;
    let text = logs.text();
    assert!(
        text.contains("request received") && text.contains("called AWS") && text.contains("answered"),
        "{text}"
    );
    assert_nothing_secret(&text);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn words_of_properties_are_taken_in_any_case() {
    let fixture = Fixture::with_settings().await;
    let run = async |payload| fixture.run(payload).await;
    let mut first = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    let lower = json!({
        "Encryption": "enabled", "KmsKeyId": fixture.k2, "OnConflict": "takeover", "OnDelete": "CLEAR",
        "Preflight": "enforce", "OnKeyTrouble": "alert", "DiscoverUsers": "False", "DiscoverNodes": "FALSE",
    });
    let second = fixture.deployed("second", &lower).await;
    assert_eq!(fixture.state(), "latest k2, default k2; second wants k2, before alias/old");
    drop(second);
    // A word in its documented spelling is the same request as before.
    let writes = fixture.stub.writes().len();
    let again = first.update(&and(enabled(&fixture.k1), "OnConflict", "fail"), &run).await;
    assert!(again.reason().contains("second"), "{}", again.reason());
    assert_eq!(fixture.stub.writes().len(), writes);
    let answer = handle(&fixture.function(None), &json!({ "action": "Status" }), PATIENCE).await.unwrap();
    assert_eq!(answer["command"], "status");
}
