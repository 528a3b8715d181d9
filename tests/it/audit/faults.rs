//! Whatever call fails: nothing that is unknown passes, and nobody is locked out because something could not be read.

use std::collections::BTreeSet;

use session_kms::audit::{AuditLine, AuditState, UnreadableReason};

use super::{add_session, audit, call, in_target, seeded, try_audit};
use crate::stub::{Fault, REGION, Stub, When};

/// The calls of an audit.
fn calls(stub: &Stub) -> BTreeSet<(&'static str, String)> {
    stub.calls().into_iter().map(|call| (call.service, call.operation)).collect()
}

/// A missing permission, and the ways in which AWS gives no answer.
fn faults() -> [(&'static str, Fault); 4] {
    [
        ("denied", Fault::AccessDenied { action: "any:Action" }),
        ("throttled", Fault::Throttle),
        ("cut", Fault::CutBefore),
        ("garbage", Fault::Garbage),
    ]
}

/// The line while every call of this operation has this fault; `None` if the audit is to be asked again.
async fn line_with(stub: &Stub, service: &'static str, operation: &str, fault: Fault) -> Option<AuditLine> {
    let is_throttled = matches!(fault, Fault::Throttle);
    stub.clear_faults();
    stub.fault(When::operation(service, operation.to_owned().leak()), fault);
    match try_audit(stub, &call()).await {
        Ok(line) => Some(line),
        Err(error) => {
            assert!(is_throttled && error.kind() == "Throttled", "{operation}: {error}");
            None
        }
    }
}

#[tokio::test]
async fn no_call_may_fail_unseen_and_none_locks_anybody_out() {
    let stub = seeded().await;
    assert_eq!(audit(&stub, &call()).await.state, AuditState::Encrypted);
    let calls = calls(&stub);
    assert!(calls.len() > 12, "{calls:?}");
    for (service, operation) in &calls {
        for (name, fault) in faults() {
            let Some(line) = line_with(&stub, service, operation, fault).await else { continue };
            let is_known = [AuditState::Unknown, AuditState::Unreadable].contains(&line.state);
            assert!(is_known, "{service}:{operation} {name}: {line:#?}");
            assert!(line.locked_out.is_empty() && line.problems.is_empty(), "{operation} {name}: {line:#?}");
            if line.state == AuditState::Unknown {
                assert!(
                    !line.unknown.is_empty() || !line.findings.is_empty(),
                    "{service}:{operation} {name}: {line:#?}"
                );
            } else {
                let reason = line.unreadable.unwrap().reason;
                assert!(
                    ["AssumeRole", "DescribeDocument", "GetDocument"].contains(&operation.as_str()),
                    "{operation} {name}: {reason:?}"
                );
                let expected = match (name, operation.as_str()) {
                    ("denied", "AssumeRole") => UnreadableReason::RoleNotAssumed,
                    ("denied", _) => UnreadableReason::Denied,
                    _ => UnreadableReason::Failed,
                };
                assert_eq!(reason, expected, "{operation} {name}");
            }
        }
    }
}

#[tokio::test]
async fn who_is_locked_out_never_passes_because_a_call_fails() {
    let stub = seeded().await;
    stub.world(|world| {
        in_target(world, REGION, |world| {
            world.add_role("Intern");
            add_session(world, "Intern");
        });
    });
    assert_eq!(audit(&stub, &call()).await.state, AuditState::LockedOut);
    let calls = calls(&stub);
    for (service, operation) in &calls {
        for (name, fault) in faults() {
            let Some(line) = line_with(&stub, service, operation, fault).await else { continue };
            let told = [AuditState::Unknown, AuditState::LockedOut, AuditState::Unreadable];
            assert!(told.contains(&line.state), "{service}:{operation} {name}: {line:#?}");
        }
    }
}
