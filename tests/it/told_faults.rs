//! One test for each kind of fault that this function once answered wrongly or not at all. The matrices find such faults;
//! these tests say what is right.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Value, json};
use session_kms::function::FunctionError;
use session_kms::session::DocumentName;

use crate::fixture::{
    Fixture, NAME, PATIENCE, RECORD, RESTORED, SET_TO_K1, and, disabled, enabled, handle, handle_request,
    id_of, resource, rival, rival_key,
};
use crate::stub::{Fault, REGION, Resource, When};

const SCHEDULE: &str = include_str!("../../events/schedule.json");
const UPDATED: &str = include_str!("../../events/document-update-call.json");
const DENIED: Fault = Fault::AccessDenied { action: "some:Action" };

thread_local! {
    /// The metrics of the invocations of this thread.
    static METRICS: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// The report and the metrics of one invocation.
struct Delivery {
    report: Result<Value, FunctionError>,
    metrics: Value,
}

impl Delivery {
    fn report(&self) -> &Value {
        self.report.as_ref().unwrap()
    }

    fn document(&self) -> &Value {
        &self.report()["documents"][0]
    }

    fn error(&self) -> String {
        self.report.as_ref().unwrap_err().to_string()
    }
}

async fn deliver(fixture: &Fixture, event: &str, request_id: &str) -> Delivery {
    let mut function = fixture.function(None);
    function.write_metrics = |line| METRICS.with_borrow_mut(|lines| lines.push(line.clone()));
    function.settings.document = DocumentName::parse(NAME).ok();
    let event: Value = serde_json::from_str(event).unwrap();
    let report = handle_request(&function, &event, request_id, PATIENCE).await;
    let metrics = METRICS.with_borrow_mut(Vec::pop).unwrap();
    Delivery { report, metrics }
}

/// The stack `demo` wants `k1`, and somebody has set another key.
async fn drifted() -> Fixture {
    drifted_of(&resource("demo")).await
}

/// The same with this resource of the stack.
async fn drifted_of(owner: &Resource) -> Fixture {
    let fixture = Fixture::with_settings().await;
    assert!(fixture.send(&owner.create(&fixture.stub, &enabled(&fixture.k1))).await.success);
    fixture.stub.world(rival_key("alias/theirs"));
    fixture
}

/// How many calls of this operation an undisturbed repair makes.
async fn calls_of_a_repair(operation: &str) -> usize {
    let fixture = drifted().await;
    fixture.stub.forget_calls();
    deliver(&fixture, UPDATED, "undisturbed").await;
    fixture.stub.calls().iter().filter(|call| call.operation == operation).count()
}

#[tokio::test]
async fn a_repair_whose_last_read_fails_is_told_by_the_next_event() {
    let last = calls_of_a_repair("DescribeDocument").await;
    let fixture = drifted().await;
    fixture.stub.fault(When::operation("ssm", "DescribeDocument").nth(last), DENIED);
    let first = deliver(&fixture, UPDATED, "one").await;
    assert!(first.error().contains("ssm:DescribeDocument"), "{}", first.error());
    assert_eq!(fixture.state(), SET_TO_K1);
    let counts = ["DriftFound", "DriftRepaired", "RepairRefused"].map(|name| first.metrics[name].clone());
    assert_eq!(counts, [1, 1, 0].map(Value::from), "{}", first.metrics);
    let second = deliver(&fixture, SCHEDULE, "two").await;
    let (document, report) = (second.document(), second.report());
    assert_eq!((&document["result"], &report["changed"]), (&json!("repaired"), &json!(true)), "{report}");
    assert!(document["drift"][0].as_str().unwrap().contains("alias/theirs"), "{report}");
    assert_eq!(second.metrics["DriftFound"], 1);
    // It is told once, unless Lambda repeats the request that told it.
    let repeated = deliver(&fixture, SCHEDULE, "two").await;
    assert_eq!(repeated.report()["changed"], true);
    for request_id in ["two", "three"] {
        let later = deliver(&fixture, SCHEDULE, request_id).await;
        assert_eq!((&later.report()["changed"], &later.document()["drift"]), (&json!(false), &json!([])));
    }
    fixture.assert_no_violations();
}

#[tokio::test]
async fn an_owner_s_request_in_between_leaves_what_is_untold() {
    let last = calls_of_a_repair("DescribeDocument").await;
    let owner = resource("demo");
    let fixture = drifted_of(&owner).await;
    fixture.stub.fault(When::operation("ssm", "DescribeDocument").nth(last), DENIED);
    assert!(deliver(&fixture, UPDATED, "one").await.report.is_err());
    let properties = and(enabled(&fixture.k1), "Revision", "2");
    let update = owner.update(&fixture.stub, &id_of(NAME), &properties, &enabled(&fixture.k1));
    assert!(fixture.send(&update).await.success);
    assert_eq!(deliver(&fixture, SCHEDULE, "two").await.report()["changed"], true);
}

#[tokio::test]
async fn that_settings_are_lost_is_told_although_the_run_that_created_the_document_died() {
    let deleted = include_str!("../../events/document-delete-call.json");
    let prepare = async || {
        let fixture = Fixture::with_settings().await;
        fixture.deployed("demo", &enabled(&fixture.k1)).await;
        fixture.stub.world(|world| world.ask("ssm", "DeleteDocument", json!({"Name": NAME})).unwrap());
        fixture
    };
    // The answer of the creation is lost: the SDK makes the call again, and the document exists already.
    let fixture = prepare().await;
    fixture.stub.fault(When::operation("ssm", "CreateDocument").nth(1), Fault::CutAfter);
    let told = deliver(&fixture, deleted, "one").await;
    assert_eq!(told.report()["changed"], true, "{}", told.report());
    assert!(told.report()["alerts"][0].as_str().unwrap().contains("created again"), "{}", told.report());
    // The read after the creation fails.
    let undisturbed = prepare().await;
    undisturbed.stub.forget_calls();
    deliver(&undisturbed, deleted, "one").await;
    let reads = undisturbed.stub.calls().iter().filter(|call| call.operation == "DescribeDocument").count();
    let fixture = prepare().await;
    fixture.stub.fault(When::operation("ssm", "DescribeDocument").nth(reads), DENIED);
    assert!(deliver(&fixture, deleted, "one").await.report.is_err());
    let told = deliver(&fixture, deleted, "one").await;
    assert_eq!(told.report()["changed"], true, "{}", told.report());
    assert!(told.report()["alerts"][0].as_str().unwrap().contains("created again"), "{}", told.report());
}

#[tokio::test]
async fn a_record_that_is_withheld_is_passed_over_only_at_its_first_read() {
    let event = |fixture: &Fixture, n: usize| {
        fixture.stub.fault(When::operation("ssm", "GetParameter").on(RECORD).nth(n), DENIED);
    };
    let reads = calls_of_a_repair("GetParameter").await;
    assert!(reads > 2, "{reads}");
    for n in 1..=reads {
        let fixture = drifted().await;
        event(&fixture, n);
        let mut function = fixture.function(None);
        let update: Value = serde_json::from_str(UPDATED).unwrap();
        let handled = handle(&function, &update, PATIENCE).await;
        match (n, handled) {
            (1, Ok(report)) => {
                assert!(report["summary"].as_str().unwrap().contains("no document of ours"), "{report}")
            }
            (_, handled) => assert!(n > 1 && handled.is_err(), "read {n}"),
        }
        // A document that the deployment lists is never passed over.
        let fixture = drifted().await;
        event(&fixture, n);
        function = fixture.function(None);
        function.settings.additional_documents = Some("SSM-*".to_owned());
        assert!(handle(&function, &update, PATIENCE).await.is_err(), "read {n}");
    }
}

#[tokio::test]
async fn a_record_that_is_not_read_once_is_no_delete() {
    let fixture = Fixture::with_settings().await;
    let owner = resource("demo");
    let create = owner.create(&fixture.stub, &enabled(&fixture.k1));
    let missed = || Fault::Refuse(crate::stub::Refusal::client("ParameterNotFound", ""));
    for reads in 1..=4 {
        let fixture = Fixture::with_settings().await;
        // The first two reads find that there is no record yet.
        for n in 3..3 + reads {
            fixture.stub.fault(When::operation("ssm", "GetParameter").nth(n), missed());
        }
        let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
        assert!(answer.success, "{reads}: {}", answer.reason);
        assert_eq!(fixture.state(), SET_TO_K1);
    }
    // Nor does a Delete believe that there is nothing to give back.
    assert!(fixture.send(&create).await.success);
    for operation in ["GetParameter", "DeleteParameter"] {
        fixture.stub.fault(When::operation("ssm", operation).nth(1), missed());
    }
    let delete = owner.delete(&fixture.stub, &id_of(NAME), &enabled(&fixture.k1));
    let answer = fixture.send(&delete).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(fixture.state(), RESTORED);
}

#[tokio::test]
async fn a_document_that_is_not_found_once_exists() {
    let missed = || Fault::Refuse(crate::stub::Refusal::client("InvalidDocument", ""));
    let calls = calls_of_a_repair("DescribeDocument").await;
    for n in 1..=calls {
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::operation("ssm", "DescribeDocument").nth(n), missed());
        let answer = fixture.send(&resource("demo").create(&fixture.stub, &disabled())).await;
        assert!(answer.success, "{}", answer.reason);
        assert_eq!(fixture.state(), "latest none, default none; demo wants none, before alias/old", "{n}");
        let fixture = Fixture::with_settings().await;
        fixture.stub.fault(When::operation("ssm", "DescribeDocument").nth(n), missed());
        let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
        assert!(answer.success, "{}", answer.reason);
        assert_eq!(fixture.state(), SET_TO_K1, "{n}");
    }
    // Both reads are wrong: the creation finds out, and the key from before is that of the document.
    let fixture = Fixture::with_settings().await;
    for operation in ["DescribeDocument", "GetDocument"] {
        fixture.stub.fault(When::operation("ssm", operation).nth(1), missed());
    }
    let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(fixture.state(), SET_TO_K1);
}

#[tokio::test]
async fn a_change_that_fails_between_its_two_writes_says_so() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.fault(When::operation("ssm", "UpdateDocumentDefaultVersion"), DENIED);
    let create = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
    let answer = fixture.send(&create).await;
    for part in
        ["ssm:UpdateDocumentDefaultVersion", "is half changed: version 2", "which of them sessions read"]
    {
        assert!(!answer.success && answer.reason.contains(part), "{}", answer.reason);
    }
    // The same if the call hangs until the deadline, and if a repair fails there.
    let fixture = Fixture::with_settings().await;
    fixture.stub.fault(When::operation("ssm", "UpdateDocumentDefaultVersion"), Fault::Hang);
    let create = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
    let before = calls_before(&fixture, "UpdateDocumentDefaultVersion").await;
    let answer = fixture.send_hanging(&fixture.function(None), &create, before + 1, PATIENCE).await;
    for part in ["is half changed: version 2", "AWS has not answered ssm:UpdateDocumentDefaultVersion"] {
        assert!(!answer.success && answer.reason.contains(part), "{}", answer.reason);
    }
    let fixture = drifted().await;
    fixture.stub.fault(When::operation("ssm", "UpdateDocumentDefaultVersion"), DENIED);
    let failed = deliver(&fixture, UPDATED, "one").await;
    assert!(failed.error().contains("is half changed"), "{}", failed.error());
    let counts = ["DriftFound", "DriftRepaired", "RepairRefused"].map(|name| failed.metrics[name].clone());
    assert_eq!(counts, [1, 0, 1].map(Value::from), "{}", failed.metrics);
}

/// The stack turns encryption off, since its key is about to be deleted, and that fails after the record was written.
#[tokio::test]
async fn a_rollback_goes_back_to_what_was_accepted_although_the_key_cannot_be_used() {
    let owner = resource("demo");
    let fixture = Fixture::with_settings().await;
    assert!(fixture.send(&owner.create(&fixture.stub, &enabled(&fixture.k1))).await.success);
    fixture.stub.world(|world| {
        let body = json!({"KeyId": fixture.k1, "PendingWindowInDays": 7});
        world.ask("kms", "ScheduleKeyDeletion", body).unwrap();
    });
    fixture.stub.fault(When::operation("ssm", "UpdateDocument"), DENIED);
    let (new, old) = (disabled(), enabled(&fixture.k1));
    assert!(!fixture.send(&owner.update(&fixture.stub, &id_of(NAME), &new, &old)).await.success);
    fixture.stub.clear_faults();
    let rolled_back = fixture.send(&owner.update(&fixture.stub, &id_of(NAME), &old, &new)).await;
    assert!(rolled_back.success, "{}", rolled_back.reason);
    assert!(rolled_back.reason.contains("there is trouble with the key"), "{}", rolled_back.reason);
    assert_eq!(fixture.state(), SET_TO_K1, "the record too");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn what_an_earlier_attempt_left_half_changed_is_said_by_the_last_one() {
    let fixture = Fixture::with_settings().await;
    let undisturbed = Fixture::with_settings().await;
    undisturbed.send(&resource("demo").create(&undisturbed.stub, &enabled(&undisturbed.k1))).await;
    let calls = undisturbed.stub.calls();
    let written = calls.iter().position(|call| call.operation == "UpdateDocument").unwrap();
    let reads = calls.iter().take(written).filter(|call| call.operation == "DescribeDocument").count();
    for n in reads + 1..reads + 40 {
        fixture.stub.fault(When::operation("ssm", "DescribeDocument").nth(n), DENIED);
    }
    let answer = fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await;
    assert!(!answer.success && answer.reason.contains("is half changed: version 2"), "{}", answer.reason);
}

#[tokio::test]
async fn a_delete_that_is_taken_over_leaves_what_the_new_owner_wants() {
    let owner = resource("demo");
    let fixture = Fixture::with_settings().await;
    assert!(fixture.send(&owner.create(&fixture.stub, &enabled(&fixture.k1))).await.success);
    let k2 = fixture.k2.clone();
    let take_over = Fault::before(move |world| {
        let mut record: Value = serde_json::from_str(world.parameter(RECORD).unwrap()).unwrap();
        for member in ["written", "releasing"] {
            record.as_object_mut().unwrap().shift_remove(member);
        }
        record["owner"]["stackId"] = "arn:aws:cloudformation:eu-west-1:123456789012:stack/other/1".into();
        record["wanted"] = k2.as_str().into();
        world.put_parameter(RECORD, &record.to_string());
        let wanted = k2.clone();
        rival(move |content| content["inputs"]["kmsKeyId"] = wanted.as_str().into())(world);
    });
    fixture.stub.fault(When::operation("ssm", "UpdateDocumentDefaultVersion").nth(1), take_over);
    let answer = fixture.send(&owner.delete(&fixture.stub, &id_of(NAME), &enabled(&fixture.k1))).await;
    assert!(answer.success && answer.reason.contains("took the document over"), "{}", answer.reason);
    assert_eq!(fixture.state(), "latest k2, default k2; other wants k2, before alias/old");
}

/// How many calls a Create makes before its first call of this operation.
async fn calls_before(fixture: &Fixture, operation: &str) -> usize {
    let undisturbed = Fixture::with_settings().await;
    undisturbed.send(&resource("demo").create(&undisturbed.stub, &enabled(&fixture.k1))).await;
    undisturbed.stub.calls().iter().position(|call| call.operation == operation).unwrap()
}

#[tokio::test]
async fn a_guard_that_goes_blind_tells() {
    let fixture = Fixture::with_settings().await;
    let root = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"
    }]});
    fixture.stub.world(|world| world.key(&fixture.k1).policy = root.to_string());
    let owner = resource("demo");
    let create = owner.create(&fixture.stub, &json!({"KmsKeyId": fixture.k1}));
    assert!(fixture.send(&create).await.success);
    let well = deliver(&fixture, SCHEDULE, "one").await;
    assert_eq!((&well.report()["alert"], &well.metrics["ChecksUnknown"]), (&json!(false), &json!(0)));
    for (service, operation, what) in [
        ("kms", "GetKeyPolicy", "the policy of key 11111111"),
        ("ssm", "DescribeSessions", "the session history"),
    ] {
        fixture.stub.fault(When::operation(service, operation), DENIED);
        for request_id in ["two", "three"] {
            let blind = deliver(&fixture, SCHEDULE, request_id).await;
            assert_eq!(
                (&blind.report()["alert"], &blind.metrics["ChecksUnknown"]),
                (&json!(true), &json!(1))
            );
            let alert = blind.report()["alerts"][0].as_str().unwrap();
            assert!(alert.contains(what) && alert.contains(operation), "{alert}");
        }
        // The owner is told at the next request, and accepts it.
        if operation == "DescribeSessions" {
            let properties = json!({"KmsKeyId": fixture.k1, "Revision": "2"});
            let old = json!({"KmsKeyId": fixture.k1});
            let update = owner.update(&fixture.stub, &id_of(NAME), &properties, &old);
            assert!(fixture.send(&update).await.success);
            assert_eq!(deliver(&fixture, SCHEDULE, "four").await.metrics["ChecksUnknown"], 0);
        }
        fixture.stub.clear_faults();
    }
}

/// The record of an earlier version does not say what could be read.
#[tokio::test]
async fn what_cannot_be_read_is_counted_if_nothing_is_known_of_before() {
    let fixture = Fixture::with_settings().await;
    fixture.deployed("demo", &json!({"KmsKeyId": fixture.k1, "Preflight": "Warn"})).await;
    fixture.stub.world(|world| {
        let mut record: Value = serde_json::from_str(world.parameter(RECORD).unwrap()).unwrap();
        for member in ["written", "watch"] {
            assert!(record.as_object_mut().unwrap().shift_remove(member).is_some(), "{member}");
        }
        world.put_parameter(RECORD, &record.to_string());
    });
    fixture.stub.fault(When::operation("ssm", "DescribeSessions"), DENIED);
    let blind = deliver(&fixture, SCHEDULE, "one").await;
    assert_eq!((&blind.report()["alert"], &blind.metrics["ChecksUnknown"]), (&json!(false), &json!(1)));
}

#[tokio::test]
async fn a_denied_write_is_made_again_alone() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.fault(When::operation("ssm", "UpdateDocumentDefaultVersion"), DENIED);
    let create =
        resource("demo").create(&fixture.stub, &json!({"KmsKeyId": fixture.k1, "Preflight": "Warn"}));
    assert!(!fixture.send(&create).await.success);
    let times =
        |operation: &str| fixture.stub.calls().iter().filter(|call| call.operation == operation).count();
    assert_eq!(times("UpdateDocumentDefaultVersion"), 18, "the first and 17 retries");
    assert_eq!(
        (times("DescribeInstanceInformation"), times("UpdateDocument"), times("PutParameter")),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn users_and_nodes_are_read_once_whatever_is_checked() {
    let fixture = Fixture::with_settings().await;
    let direct = json!({
        "action": "reconcile", "kmsKeyId": fixture.k1, "onKeyTrouble": "Standby", "standbyKmsKeyId": fixture.k2,
        "preflight": "Warn",
    });
    handle(&fixture.function(None), &direct, PATIENCE).await.unwrap();
    let times =
        |operation: &str| fixture.stub.calls().iter().filter(|call| call.operation == operation).count();
    // The history has two states, and each key's policy is read once, as the preview's answer is handed on.
    let counts = ["DescribeInstanceInformation", "DescribeSessions", "GetKeyPolicy"].map(times);
    assert_eq!(counts, [1, 2, 2]);
}

#[tokio::test]
async fn a_process_that_lives_long_has_retries_left() {
    let fixture = drifted().await;
    let function = fixture.function(None);
    let event: Value = serde_json::from_str(UPDATED).unwrap();
    let throttled = When::operation("ssm", "DescribeDocument");
    fixture.stub.fault(throttled, Fault::Throttle);
    for _ in 0..300 {
        assert!(handle(&function, &event, PATIENCE).await.is_err());
    }
    fixture.stub.clear_faults();
    fixture.stub.fault(throttled.nth(1), Fault::Throttle);
    assert_eq!(handle(&function, &event, PATIENCE).await.unwrap()["changed"], true);
}

#[tokio::test]
async fn every_run_ends_before_lambda_ends_it_and_names_the_call() {
    let direct = json!({"action": "status"});
    let rule: Value = serde_json::from_str(include_str!("../../events/config-rule-scheduled.json")).unwrap();
    let schedule: Value = serde_json::from_str(SCHEDULE).unwrap();
    for (event, operation) in
        [(direct, "DescribeDocument"), (rule, "GetParametersByPath"), (schedule, "GetParametersByPath")]
    {
        let fixture = drifted().await;
        fixture.stub.fault(When::operation("ssm", operation), Fault::Hang);
        let function = fixture.function(None);
        let calls = fixture.stub.calls().len();
        let mut handled = std::pin::pin!(handle(&function, &event, Duration::from_secs(30)));
        let expected = calls + 1;
        tokio::select! {
            _ = handled.as_mut() => panic!("{operation} did not hang in {REGION}"),
            () = fixture.stub.arrived(expected) => {}
        }
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(25)).await;
        tokio::time::resume();
        // A person's question is answered; everything else is an error of the function.
        let said = match handled.await {
            Ok(answer) => answer["error"]["message"].to_string(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(&format!("AWS has not answered ssm:{operation}")), "{said}");
    }
}
