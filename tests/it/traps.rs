//! The traps of custom resources, by number and name. Those that lie in the protocol alone are tested where it is.

use serde_json::{Value, json};

use crate::house::{
    House, Logs, NAME, RECORD, and, assert_nothing_secret, disabled, enabled, handle, id_of, key_in,
    resource, rival_key,
};
use crate::stub::{Document, Fault, Format, Ids, PutFault, StackStatus, When};

const OTHER: &str = "Team-Preferences";

#[tokio::test]
async fn trap_1_a_delete_of_the_old_id_does_not_clear_the_new_key() {
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    let mut stack = house.deployed("demo", &enabled(&house.k1)).await;
    let updated = stack.update(&enabled(&house.k2), &run).await;
    assert_eq!(updated.requests(), ["Update"], "another key is no replacement, so no Delete follows");
    assert_eq!(house.state(), "latest k2, default k2; demo wants k2, before alias/old");

    let moved = stack.update(&and(enabled(&house.k2), "DocumentName", OTHER), &run).await;
    assert_eq!((moved.status, moved.requests()), (StackStatus::UpdateComplete, vec!["Update", "Delete"]));
    assert_eq!(stack.physical_id(), Some(id_of(OTHER).as_str()));
    assert_eq!(house.state(), "latest alias/old, default alias/old; no record", "the old one is let go");
    assert_eq!(house.state_of(OTHER), "latest k2, default k2; demo wants k2, before none");
    house.assert_settings_kept();
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_2_the_delete_after_a_failed_create_succeeds_and_touches_nothing() {
    let house = House::furnished().await;
    house.stub.world(|world| world.key(&house.k1).state = "Disabled");
    let run = async |payload| house.run(payload).await;
    let created = house.stack("demo").create(&enabled(&house.k1), &run).await;
    assert_eq!(
        (created.status, created.requests()),
        (StackStatus::RollbackComplete, vec!["Create", "Delete"])
    );
    let [failed, deleted] = [0, 1].map(|step| created.steps[step].1.clone().unwrap());
    assert_eq!(failed.physical_resource_id, id_of(NAME), "the id is known before any call");
    assert_eq!(deleted.physical_resource_id, id_of(NAME));
    assert_eq!(house.stub.writes().len(), 0);
    assert_eq!(house.state(), "latest alias/old, default alias/old; no record");

    let properties = [and(enabled(&house.k2), "DocumentName", "no/name"), json!({}), enabled("not a key")];
    for properties in properties {
        let created = house.stack("demo").create(&properties, &run).await;
        assert_eq!(created.status, StackStatus::RollbackComplete, "{properties}: {}", created.reason());
        assert_eq!(house.stub.writes().len(), 0, "{properties}");
    }
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_3_a_made_up_id_is_accepted_and_the_record_decides() {
    let house = House::furnished().await;
    let resource = resource("demo");
    let properties = enabled(&house.k1);
    assert!(house.send(&resource.create(&house.stub, &properties)).await.success);
    let strangers = crate::house::resource("other");
    let strange = house.send(&strangers.delete(&house.stub, &strangers.made_up_id(), &properties)).await;
    assert!(strange.success && strange.reason.contains("is owned by"), "{}", strange.reason);
    assert_eq!(strange.physical_resource_id, strangers.made_up_id());
    assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old");
    let own = house.send(&resource.delete(&house.stub, &resource.made_up_id(), &properties)).await;
    assert!(own.success, "{}", own.reason);
    assert_eq!(house.state(), "latest alias/old, default alias/old; no record");
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_4_a_failed_update_echoes_the_id_and_the_rollback_succeeds() {
    let house = House::furnished().await;
    house.stub.world(|world| world.key(&house.k2).usage = "SIGN_VERIFY");
    let run = async |payload| house.run(payload).await;
    let mut stack = house.deployed("demo", &enabled(&house.k1)).await;
    house.stub.forget_calls();
    let updated = stack.update(&and(enabled(&house.k2), "DocumentName", OTHER), &run).await;
    assert_eq!(updated.status, StackStatus::UpdateRollbackComplete);
    assert_eq!(updated.requests(), ["Update", "Update"], "no other id was answered, so no Delete follows");
    assert_eq!(updated.steps[0].1.clone().unwrap().physical_resource_id, id_of(NAME));
    assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old");
    assert_eq!(house.state_of(OTHER), "no document; no record");
    assert_eq!(house.stub.writes().len(), 0);
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_5_a_payload_that_does_not_parse_is_answered() {
    let house = House::furnished().await;
    let spoils: [(&str, Value); 4] = [
        ("RequestType", json!("Upsert")),
        ("ResourceProperties", json!("none")),
        ("ResourceType", json!(7)),
        ("PhysicalResourceId", json!(["x"])),
    ];
    for (field, value) in spoils {
        let mut request = resource("demo").delete(&house.stub, &id_of(NAME), &enabled(&house.k1));
        request.payload[field] = value;
        let answer = house.send(&request).await;
        assert!(!answer.success && answer.reason.contains(field), "{field}: {}", answer.reason);
    }
    assert_eq!(house.stub.calls().len(), 0);
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_8_an_answer_that_was_not_taken_is_an_error_and_the_next_delivery_ends_it() {
    let house = House::furnished().await;
    let request = resource("demo").create(&house.stub, &enabled(&house.k1));
    house.stub.put_faults(&request.url, &[PutFault::Status(403)]);
    let within = std::time::Duration::from_secs(60);
    let error = handle(&house.function(None), &request.payload, within).await.unwrap_err();
    assert_nothing_secret(&error.to_string());
    assert!(error.to_string().contains("403"), "{error}");
    house.stub.forget_calls();
    assert!(house.send(&request).await.success);
    assert_eq!(house.stub.writes().len(), 0, "the work was done the first time");
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_11_an_update_of_two_steps_converges_on_both() {
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    let resource = resource("demo");
    let create = resource.create(&house.stub, &enabled(&house.k1));
    let denied = Fault::AccessDenied { action: "ssm:UpdateDocumentDefaultVersion" };
    house.stub.fault(When::operation("ssm", "UpdateDocumentDefaultVersion"), denied);
    let failed = house.send(&create).await;
    assert!(
        !failed.success && failed.reason.contains("ssm:UpdateDocumentDefaultVersion"),
        "{}",
        failed.reason
    );
    assert_eq!(house.state(), "latest k1, default alias/old; demo wants k1, before alias/old");
    house.stub.clear_faults();
    house.stub.redelivered(&create.url);
    house.stub.forget_calls();
    run(create.payload.clone()).await;
    assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old");
    let writes: Vec<_> = house.stub.writes().into_iter().map(|call| call.operation).collect();
    assert_eq!(writes, ["UpdateDocumentDefaultVersion"], "equal content does not end it");
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_12_encryption_is_never_off_unless_that_was_asked_for() {
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    for properties in [
        json!({}),
        json!({"Encryption": "Enabled"}),
        json!({"Encryption": "Enabled", "KmsKeyId": ""}),
        json!({"Encryption": "disabled"}),
        json!({"Encryption": "Disabled", "KmsKeyId": house.k1}),
        json!({"kmsKeyId": house.k1}),
    ] {
        let created = house.stack("demo").create(&properties, &run).await;
        assert_eq!(created.status, StackStatus::RollbackComplete, "{properties}");
        assert_eq!(house.state(), "latest alias/old, default alias/old; no record", "{properties}");
    }
    house.stub.fault(When::service("kms"), Fault::AccessDenied { action: "kms:DescribeKey" });
    assert_eq!(
        house.stack("demo").create(&enabled(&house.k1), &run).await.status,
        StackStatus::RollbackComplete
    );
    assert_eq!(house.stub.writes().len(), 0);
    house.stub.clear_faults();
    let mut stack = house.stack("demo");
    let created = stack.create(&disabled(), &run).await;
    assert_eq!(created.reason(), "");
    assert!(created.last_answer().unwrap().reason.contains("password reset"));
    assert_eq!(house.state(), "latest none, default none; demo wants none, before alias/old");
    house.assert_settings_kept();
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_13_one_key_is_edited_and_nothing_clobbered() {
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    let mut stack = house.deployed("demo", &enabled(&house.k1)).await;
    stack.update(&enabled(&house.k2), &run).await;
    stack.update(&disabled(), &run).await;
    assert_eq!(stack.delete(&run).await.status, StackStatus::DeleteComplete);
    assert_eq!(house.state(), "latest alias/old, default alias/old; no record");
    let versions = house.stub.world(|world| world.document(NAME).unwrap().versions.clone());
    assert_eq!(versions.len(), 5);
    for version in versions {
        assert_eq!(version.content, crate::house::settings(&key_in(&version.content)), "{}", version.number);
    }
    assert_eq!(house.stub.calls_of("DeleteDocument").len(), 0);
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_14_a_second_owner_is_refused_and_told_of_the_first() {
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    let first = house.deployed("first", &enabled(&house.k1)).await;
    let second = house.stack("second").create(&enabled(&house.k2), &run).await;
    assert_eq!(second.status, StackStatus::RollbackComplete);
    for word in [&first.resource.stack_id, "Encryption", "TakeOver"] {
        assert!(second.reason().contains(word), "{word}: {}", second.reason());
    }
    assert_eq!(house.state(), "latest k1, default k1; first wants k1, before alias/old");
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_15_a_document_that_went_is_no_document_that_never_was() {
    let house = House::furnished().await;
    let document = house.stub.world(|world| world.document(NAME).unwrap().clone());
    // The write says InvalidDocument, and the document is there again, with somebody else's setting.
    let when = When::operation("ssm", "UpdateDocument").nth(1);
    house.stub.fault(when, Fault::before(|world| world.documents.held.clear()));
    let back = move |world: &mut crate::stub::World| {
        world.put_document(NAME, document.clone());
        rival_key("somebody's")(world);
    };
    house.stub.fault(when, Fault::after(back));
    let answer = house.send(&resource("demo").create(&house.stub, &enabled(&house.k1))).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(house.stub.calls_of("CreateDocument").len(), 0);
    assert_eq!(house.state(), "latest k1, default k1; demo wants k1, before alias/old");
    house.assert_settings_kept();
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_16_a_stale_event_does_nothing() {
    let house = House::furnished().await;
    let resource = resource("demo");
    let mut request = resource.create(&house.stub, &enabled(&house.k1));
    let ids = Ids {
        stack_id: resource.stack_id.clone(),
        request_id: request.payload["RequestId"].as_str().unwrap().to_owned(),
        logical_resource_id: resource.logical_id.clone(),
    };
    let url = house.stub.response_url_with(&ids, "Expires=1500000000&Signature=x");
    request.payload["ResponseURL"] = url.as_str().into();
    house.run(request.payload).await;
    assert_eq!((house.stub.calls().len(), house.stub.puts(&url)), (0, 0));
    house.assert_no_violations();
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
        let house = House::furnished().await;
        let operation = action.split(':').nth(1).unwrap();
        house.stub.fault(When::operation(service, operation), Fault::AccessDenied { action });
        let resource = resource("demo");
        let properties = enabled(&house.k1);
        let failed = house.send(&resource.create(&house.stub, &properties)).await;
        assert!(!failed.success && failed.reason.contains(&format!("allow {action}")), "{}", failed.reason);
        assert_eq!(house.state(), "latest alias/old, default alias/old; no record", "{action}");
        house.stub.clear_faults();
        let deleted =
            house.send(&resource.delete(&house.stub, &failed.physical_resource_id, &properties)).await;
        assert!(deleted.success, "{}", deleted.reason);
        assert_eq!(house.state(), "latest alias/old, default alias/old; no record", "{action}");
        house.assert_no_violations();
    }
}

#[tokio::test]
async fn trap_17_a_delete_without_its_policy_fails_and_a_later_one_succeeds() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion", "DeleteParameter", "GetParameter"] {
        let house = House::furnished().await;
        let run = async |payload| house.run(payload).await;
        let mut stack = house.deployed("demo", &enabled(&house.k1)).await;
        house.stub.fault(When::operation("ssm", operation), Fault::AccessDenied { action: "ssm" });
        let failed = stack.delete(&run).await;
        assert_eq!(failed.status, StackStatus::DeleteFailed, "{operation}");
        assert!(failed.reason().contains(&format!("allow ssm:{operation}")), "{}", failed.reason());
        assert!(house.stub.world(|world| world.parameter(RECORD).is_some()), "{operation}: the record stays");
        house.stub.clear_faults();
        assert_eq!(stack.delete(&run).await.status, StackStatus::DeleteComplete, "{operation}");
        assert_eq!(house.state(), "latest alias/old, default alias/old; no record", "{operation}");
        house.assert_no_violations();
    }
}

#[tokio::test]
async fn trap_18_words_are_read_strictly() {
    let house = House::furnished().await;
    for (name, value) in
        [("Encryption", "true"), ("Encryption", "Off"), ("OnDelete", "restore"), ("OnConflict", "1")]
    {
        let properties = and(enabled(&house.k1), name, value);
        let answer = house.send(&resource("demo").create(&house.stub, &properties)).await;
        assert!(!answer.success && answer.reason.contains(name), "{name}: {}", answer.reason);
    }
    assert_eq!(house.stub.calls().len(), 0);
    house.assert_no_violations();
}

#[tokio::test]
async fn trap_19_no_log_shows_the_url_or_the_document() {
    let logs = Logs::captured();
    let house = House::furnished().await;
    let run = async |payload| house.run(payload).await;
    let mut stack = house.deployed("demo", &enabled(&house.k1)).await;
    stack.update(&enabled("nonsense"), &run).await;
    stack.update(&disabled(), &run).await;
    stack.delete(&run).await;
    house.stub.world(|world| world.put_document(NAME, Document::session(Format::Json, "open-sesame-42")));
    house.stack("demo").create(&enabled(&house.k1), &run).await;
    let text = logs.text();
    assert!(
        text.contains("request received") && text.contains("called AWS") && text.contains("answered"),
        "{text}"
    );
    assert_nothing_secret(&text);
    house.assert_no_violations();
}
