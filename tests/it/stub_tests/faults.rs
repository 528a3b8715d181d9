//! Faults, the stop between two calls, and the journal.

use aws_sdk_ssm::error::ProvideErrorMetadata as _;
use aws_sdk_ssm::operation::RequestId as _;
use serde_json::json;

use super::{NAME, code, content, kms, ssm};
use crate::stub::{Document, Fault, Format, Refusal, Stop, Stub, When};

/// A stub with the document in one version, with key a.
async fn with_document() -> Stub {
    let stub = Stub::start().await;
    stub.world(|world| world.put_document(NAME, Document::session(Format::Json, &content("a"))));
    stub
}

async fn update(stub: &Stub) -> String {
    code(ssm(stub).update_document().name(NAME).document_version("1").content(content("b")).send().await)
}

fn latest(stub: &Stub) -> u64 {
    stub.world(|world| world.document(NAME).unwrap().latest().number)
}

#[tokio::test]
async fn each_fault_has_its_answer_and_its_effect() {
    let table = [
        (Fault::AccessDenied { action: "ssm:UpdateDocument" }, "AccessDeniedException", 1, Some(400)),
        (Fault::Throttle, "ThrottlingException", 1, Some(400)),
        (Fault::TooManyUpdates, "TooManyUpdates", 1, Some(400)),
        (Fault::InternalError, "InternalServerError", 1, Some(500)),
        (Fault::Unavailable, "ServiceUnavailable", 1, Some(503)),
        (Fault::Refuse(Refusal::client("Other", "why")), "Other", 1, Some(400)),
        (Fault::CutBefore, "cut", 1, None),
        (Fault::CutAfter, "cut", 2, None),
        (Fault::Garbage, "garbage", 2, Some(200)),
        (Fault::HalfAnswer, "garbage", 2, Some(200)),
    ];
    for (fault, expected, versions, status) in table {
        let stub = with_document().await;
        stub.fault(When::operation("ssm", "UpdateDocument"), fault);
        assert_eq!(update(&stub).await, expected);
        assert_eq!(latest(&stub), versions, "{expected}");
        let call = stub.calls().remove(0);
        assert_eq!((call.status, call.executed), (status, versions == 2), "{expected}");
        assert!(stub.violations().is_empty());
    }
}

#[tokio::test]
async fn a_refusal_names_the_action_and_has_a_request_id() {
    let stub = Stub::start().await;
    stub.fault(When::any(), Fault::AccessDenied { action: "kms:DescribeKey" });
    let error = kms(&stub, "AKIA", "eu-west-1").describe_key().key_id("x").send().await.unwrap_err();
    assert!(error.message().unwrap().contains("is not authorized to perform: kms:DescribeKey"));
    assert!(error.request_id().is_some());
    let error = ssm(&stub).get_document().name(NAME).send().await.unwrap_err();
    assert!(error.message().unwrap().contains("assumed-role/session-kms"));
}

#[tokio::test]
async fn faults_affect_only_the_calls_that_they_name() {
    let stub = with_document().await;
    stub.fault(When::operation("ssm", "GetDocument").nth(2), Fault::Throttle);
    stub.fault(When::service("kms").first(1), Fault::InternalError);
    let (ssm, kms) = (ssm(&stub), kms(&stub, "AKIA", "eu-west-1"));
    for expected in ["ok", "ThrottlingException", "ok"] {
        assert_eq!(code(ssm.get_document().name(NAME).send().await), expected);
        assert_eq!(code(ssm.describe_document().name(NAME).send().await), "ok");
    }
    for expected in ["KMSInternalException", "ok"] {
        assert_eq!(code(kms.list_keys().send().await), expected);
    }
    stub.fault(When::any(), Fault::Throttle);
    stub.clear_faults();
    assert_eq!(code(kms.list_keys().send().await), "ok");
    assert_eq!((stub.calls().len(), stub.calls_of("GetDocument").len()), (9, 3));
}

#[tokio::test]
async fn a_hook_runs_before_or_after_a_call() {
    let rival = |key: &'static str| {
        move |world: &mut crate::stub::World| {
            let body = json!({"Name": NAME, "DocumentVersion": "$LATEST", "Content": content(key)});
            world.ask("ssm", "UpdateDocument", body).unwrap();
        }
    };
    let stub = with_document().await;
    stub.fault(When::operation("ssm", "UpdateDocument"), Fault::before(rival("rival")));
    assert_eq!(update(&stub).await, "InvalidDocumentVersion", "the lost race");

    let stub = with_document().await;
    stub.fault(When::operation("ssm", "UpdateDocument"), Fault::after(rival("rival")));
    assert_eq!(update(&stub).await, "ok");
    stub.world(|world| {
        assert_eq!(world.document(NAME).unwrap().latest_content(), content("rival"));
    });
    assert_eq!(stub.calls().len(), 1, "a rival's calls are not the caller's");
}

#[tokio::test]
async fn a_hang_is_never_answered() {
    let stub = with_document().await;
    stub.fault(When::any(), Fault::Hang);
    tokio::select! {
        answer = update(&stub) => panic!("answered: {answer}"),
        () = stub.arrived(1) => {}
    }
    assert_eq!((latest(&stub), stub.calls()[0].status), (1, None));
    // Dropping the stub closes the connections that it holds.
    let call = ssm(&stub).get_document().name(NAME).send();
    let end = async {
        stub.arrived(2).await;
        drop(stub);
    };
    assert_eq!(code(tokio::join!(call, end).0), "cut");
}

#[tokio::test]
async fn a_caller_can_be_dropped_between_any_two_calls() {
    let caller = async |stub: &Stub| {
        let client = ssm(stub);
        client.get_document().name(NAME).send().await.unwrap();
        client.update_document().name(NAME).document_version("1").content(content("b")).send().await.unwrap();
        client.update_document_default_version().name(NAME).document_version("2").send().await.unwrap();
    };
    let (before, after) = (Stop::Before, Stop::After);
    for (n, stop, state) in [
        (1, before, (1, 1)),
        (2, before, (1, 1)),
        (2, after, (2, 1)),
        (3, before, (2, 1)),
        (3, after, (2, 2)),
        (4, before, (2, 2)),
    ] {
        let stub = with_document().await;
        stub.stop_at(n, stop);
        let stopped = tokio::select! {
            () = caller(&stub) => false,
            () = stub.reached() => true,
        };
        assert_eq!(stopped, n < 4);
        assert_eq!(
            stub.world(|world| world
                .document(NAME)
                .map(|document| (document.latest().number, document.default))),
            Some(state),
            "{n} {stop:?}"
        );
        assert_eq!(stub.calls().last().unwrap().status.is_none(), stopped);
        stub.resume();
        assert_eq!(code(ssm(&stub).get_document().name(NAME).send().await), "ok");
    }
}

#[tokio::test]
async fn calls_beside_a_stopped_one_are_held_too() {
    let stub = with_document().await;
    let client = ssm(&stub);
    stub.stop_at(1, Stop::Before);
    let two = async {
        tokio::join!(client.get_document().name(NAME).send(), client.delete_document().name(NAME).send())
    };
    tokio::select! {
        _ = two => panic!("answered"),
        () = async { tokio::join!(stub.reached(), stub.arrived(2)); } => {}
    }
    assert_eq!(latest(&stub), 1, "nothing was deleted");
}

#[tokio::test]
async fn the_journal_distinguishes_writes_from_reads() {
    let stub = with_document().await;
    assert_eq!(code(ssm(&stub).get_document().name(NAME).send().await), "ok");
    assert!(stub.writes().is_empty());
    assert_eq!(update(&stub).await, "ok");
    let write = stub.writes().remove(0);
    assert_eq!(
        (write.id, write.service, write.operation.as_str(), write.account.as_str()),
        (2, "ssm", "UpdateDocument", "123456789012")
    );
    assert_eq!((write.region.as_str(), write.body["DocumentVersion"].as_str()), ("eu-west-1", Some("1")));
    assert_eq!(update(&stub).await, "InvalidDocumentVersion");
    assert_eq!(stub.calls()[2].code.as_deref(), Some("InvalidDocumentVersion"));
    stub.forget_calls();
    assert!(stub.calls().is_empty());
    assert_eq!(code(ssm(&stub).list_commands().send().await), "UnknownOperationException");
}
