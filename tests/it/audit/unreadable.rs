//! An account and Region that cannot be looked at has a line with the reason; only throttling is an error.

use std::time::Duration;

use serde_json::{Value, json};
use session_kms::audit::{AuditLine, AuditState, UnreadableReason};

use super::{
    ELSEWHERE, EXTERNAL_ID, ROLE, TARGET, audit, call, call_with, function, principal, seeded, try_audit,
};
use crate::fixture::handle;
use crate::stub::{Fault, Location, REGION, Refusal, Stub, When};

/// The reason and the message of a line that says nothing else.
fn why(line: &AuditLine) -> (UnreadableReason, String) {
    assert_eq!(line.state, AuditState::Unreadable, "{line:#?}");
    let unreadable = line.unreadable.clone().expect("a reason");
    assert_eq!(*line, AuditLine::unreadable(line.place.clone(), line.audited_at.clone(), unreadable.clone()));
    assert!(!unreadable.message.contains(EXTERNAL_ID), "{unreadable:?}");
    (unreadable.reason, unreadable.message)
}

/// What is changed, the call, the reason and words of the message.
struct Case {
    name: &'static str,
    change: fn(&Stub),
    call: fn() -> Value,
    reason: UnreadableReason,
    words: &'static [&'static str],
}

fn refuse(stub: &Stub, when: When, status: u16, code: &str) {
    stub.fault(when, Fault::Refuse(Refusal::client(code, "AWS's words").coded(status, code)));
}

fn elsewhere() -> Value {
    call_with("region", ELSEWHERE)
}

const CASES: [Case; 13] = [
    Case {
        name: "no such role",
        change: |stub| stub.world(|world| world.iam.roles.clear()),
        call,
        reason: UnreadableReason::RoleNotAssumed,
        words: &["sts:AssumeRole", "role/security/session-kms-audit", "deploy the role", "trust policy"],
    },
    Case {
        name: "another external id",
        change: |stub| {
            stub.world(|world| world.role(&principal(ROLE)).external_id = Some("another".to_owned()));
        },
        call,
        reason: UnreadableReason::RoleNotAssumed,
        words: &["external id"],
    },
    Case {
        name: "a role that trusts others",
        change: |stub| stub.world(|world| world.role(&principal(ROLE)).trusted.clear()),
        call,
        reason: UnreadableReason::RoleNotAssumed,
        words: &["AccessDenied"],
    },
    Case {
        name: "no role, and another account",
        change: |_| (),
        call: || json!({"action": "audit", "account": TARGET, "region": REGION}),
        reason: UnreadableReason::RoleNotAssumed,
        words: &["111122223333", "is not the own account", "name a role"],
    },
    Case {
        name: "a Region that is not enabled",
        change: |stub| {
            stub.world(|world| world.not_enabled.insert(Location::new(TARGET, ELSEWHERE)));
        },
        call: elsewhere,
        reason: UnreadableReason::RegionNotEnabled,
        words: &["UnrecognizedClientException", "Region ap-east-1 is not enabled in account 111122223333"],
    },
    Case {
        name: "a Region in which STS is switched off, and which is the own one",
        change: |stub| refuse(stub, When::operation("sts", "AssumeRole"), 403, "RegionDisabledException"),
        call,
        reason: UnreadableReason::RegionNotEnabled,
        words: &["RegionDisabledException"],
    },
    Case {
        name: "a Region in which STS is switched off, which is another one",
        change: |stub| refuse(stub, When::operation("sts", "AssumeRole"), 403, "RegionDisabledException"),
        call: elsewhere,
        reason: UnreadableReason::Failed,
        words: &["RegionDisabledException"],
    },
    Case {
        name: "a permission is missing",
        change: |stub| {
            let denied = Fault::AccessDenied { action: "ssm:DescribeDocument" };
            stub.fault(When::operation("ssm", "DescribeDocument"), denied);
        },
        call,
        reason: UnreadableReason::Denied,
        words: &[
            "ssm:DescribeDocument on SSM-SessionManagerRunShell was denied",
            "allow ssm:DescribeDocument",
        ],
    },
    Case {
        name: "an error inside SSM",
        change: |stub| stub.fault(When::service("ssm"), Fault::InternalError),
        call,
        reason: UnreadableReason::Failed,
        words: &["ssm:DescribeDocument", "InternalServerError"],
    },
    Case {
        name: "an error inside STS",
        change: |stub| stub.fault(When::service("sts"), Fault::Unavailable),
        call,
        reason: UnreadableReason::Failed,
        words: &["sts:AssumeRole"],
    },
    Case {
        name: "no connection",
        change: |stub| stub.fault(When::any(), Fault::CutBefore),
        call,
        reason: UnreadableReason::Failed,
        words: &["sts:AssumeRole", "got no answer"],
    },
    Case {
        name: "a session policy that STS does not take",
        change: |stub| refuse(stub, When::service("sts"), 400, "PackedPolicyTooLarge"),
        call,
        reason: UnreadableReason::Failed,
        words: &["PackedPolicyTooLarge"],
    },
    Case {
        name: "an account whose Systems Manager is not active",
        change: |stub| refuse(stub, When::service("ssm"), 400, "SubscriptionRequiredException"),
        call,
        reason: UnreadableReason::Failed,
        words: &["SubscriptionRequiredException"],
    },
];

#[tokio::test]
async fn each_reason_is_told_in_a_line_of_its_own() {
    for Case { name, change, call, reason, words } in CASES {
        let stub = seeded().await;
        change(&stub);
        let line = audit(&stub, &call()).await;
        assert_eq!(line.place.account, TARGET, "{name}");
        let (found, message) = why(&line);
        assert_eq!(found, reason, "{name}: {message}");
        for word in words {
            assert!(message.contains(word), "{name}: {message} does not hold {word}");
        }
    }
}

#[tokio::test]
async fn a_region_that_is_not_enabled_is_believed_after_new_credentials_alone() {
    let stub = seeded().await;
    stub.world(|world| world.not_enabled.insert(Location::new(TARGET, ELSEWHERE)));
    audit(&stub, &call_with("region", ELSEWHERE)).await;
    assert_eq!(stub.calls_of("AssumeRole").len(), 2);
}

#[tokio::test]
async fn throttling_to_the_end_is_an_error_that_is_worth_another_try() {
    for (service, operation) in
        [("sts", "AssumeRole"), ("ssm", "DescribeDocument"), ("ssm", "GetParameter"), ("kms", "DescribeKey")]
    {
        let stub = seeded().await;
        stub.fault(When::operation(service, operation), Fault::Throttle);
        let error = try_audit(&stub, &call()).await.unwrap_err();
        assert_eq!(error.kind(), "Throttled", "{operation}: {error}");
        let message = error.to_string();
        assert!(message.contains(&format!("{service}:{operation}")), "{message}");
        assert!(!message.contains(EXTERNAL_ID));
        // It is over: the next one is answered.
        stub.clear_faults();
        assert_eq!(audit(&stub, &call()).await.state, AuditState::Encrypted);
    }
}

#[tokio::test]
async fn a_bad_call_is_an_error_and_nothing_is_asked_of_aws() {
    for (call, words) in [
        (call_with("account", "1"), "`account` is `1`"),
        (call_with("region", "here"), "`region` is `here`"),
        (call_with("roleName", "a b"), "`roleName` is `a b`"),
        (call_with("externalId", "with spaces"), "`externalId` must be an external id"),
        (call_with("accounts", "x"), "`accounts` is not a property"),
    ] {
        let stub = seeded().await;
        let error = try_audit(&stub, &call).await.unwrap_err();
        assert_eq!(error.kind(), "BadCall");
        assert!(error.to_string().contains(words), "{error}");
        assert!(stub.calls().is_empty());
    }
}

#[tokio::test]
async fn an_account_that_does_not_answer_in_time_has_a_line_too() {
    for (service, operation) in [("sts", "AssumeRole"), ("ssm", "DescribeSessions")] {
        let stub = seeded().await;
        stub.fault(When::operation(service, operation), Fault::Hang);
        let function = function(&stub);
        let call = call();
        let mut handled = std::pin::pin!(handle(&function, &call, Duration::from_secs(60)));
        tokio::select! {
            _ = handled.as_mut() => panic!("{operation} hangs"),
            () = stub.hang(1) => {}
        }
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(60)).await;
        tokio::time::resume();
        let line = serde_json::from_value(handled.await.unwrap()).unwrap();
        let (reason, message) = why(&line);
        assert_eq!(reason, UnreadableReason::Failed);
        let (_, unanswered) = message.split_once("AWS has not answered").expect("the calls");
        assert!(message.contains("stopped after"), "{message}");
        assert!(unanswered.contains(&format!("{service}:{operation}")), "{message}");
    }
}
