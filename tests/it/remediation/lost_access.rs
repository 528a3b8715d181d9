//! Somebody who needs the key can no longer use it.

use session_kms::change_event::{ChangeDetail, ChangeEvent, ChangeSource};
use session_kms::intent::{Intent, PreflightMode, Safeguards};
use session_kms::remediation::{Remediation, RemediationOutcome};

use super::{FIRST, LibraryFixture, NODE, assert_mentions, only_alert, with_nodes};
use crate::model::in_memory_aws::{KeyState, closed_policy, grant, open_policy};
use crate::model::outside_change::{OutsideChange, call_event, event_of};

const FOREIGN: &str = "arn:aws:kms:eu-west-1:444455556666:key/44444444-4444-4444-8444-444444444444";

/// The remedy holds the statement that would admit the nodes.
fn assert_remedy(remediation: &Remediation) {
    let remedies = remediation.remedies.as_ref().expect("a remedy");
    let statements = serde_json::to_string(&remedies.key_policy_statements).expect("JSON");
    assert_mentions(&statements, &[NODE, "kms:Decrypt", "Allow"]);
}

#[test]
fn a_policy_that_locks_the_nodes_out_is_an_alert_with_the_statement_that_admits_them() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Enforce));
    let remediation = fixture.remediate_after(OutsideChange::LockOut { key: 0 });
    assert_eq!(
        (remediation.outcome, remediation.checks_failed, fixture.writes()),
        (RemediationOutcome::AsWanted, 1, vec![])
    );
    assert_mentions(only_alert(&remediation), &[FIRST, NODE, "PutKeyPolicy", "assumed-role/Pipeline/deploy"]);
    assert_remedy(&remediation);
    let remediation = fixture.remediate_on_schedule();
    assert_mentions(only_alert(&remediation), &[NODE]);
    assert_eq!(fixture.remediate_after(OutsideChange::LetIn { key: 0 }).alerts, Vec::<String>::new());
}

/// The policy may have changed again since. The check uses the policy that the event carries.
#[test]
fn a_policy_is_checked_as_the_event_carries_it() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Enforce));
    let late = ChangeEvent {
        detail: Some(ChangeDetail::KeyPolicy(closed_policy())),
        ..call_event("PutKeyPolicy", Some(FIRST))
    };
    assert_mentions(only_alert(&fixture.remediate(&late)), &[NODE]);
}

#[test]
fn the_policy_of_another_accounts_key_that_cannot_be_read_is_checked_from_the_event() {
    let fixture = LibraryFixture::new();
    let key = fixture.aws.borrow().keys[FIRST].clone();
    fixture.aws.borrow_mut().keys.insert(FOREIGN.to_owned(), key);
    let intent = with_nodes(FOREIGN, PreflightMode::Enforce);
    let key_policy = Some(open_policy().replace(":root", ":role/Node"));
    fixture
        .establish(&Intent { safeguards: Safeguards { key_policy, ..intent.safeguards.clone() }, ..intent })
        .expect("the policy that is handed in lets the nodes in");
    let put = |policy: String| ChangeEvent {
        detail: Some(ChangeDetail::KeyPolicy(policy)),
        ..call_event("PutKeyPolicy", Some(FOREIGN))
    };
    let remediation = fixture.remediate(&put(closed_policy()));
    assert_mentions(only_alert(&remediation), &[FOREIGN, NODE]);
    assert_remedy(&remediation);
    let remediation = fixture.remediate(&put(open_policy().replace(":root", ":role/Node")));
    assert_eq!((remediation.alerts, fixture.writes()), (vec![], vec![]));
}

/// If the policy cannot be read, no later event reports it.
#[test]
fn a_policy_that_is_put_on_an_unusable_key_is_checked_all_the_same() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Enforce));
    fixture.remediate_after(OutsideChange::KeyState { key: 0, state: KeyState::Disabled });
    let remediation = fixture.remediate_after(OutsideChange::LockOut { key: 0 });
    let [trouble, locked] = remediation.alerts.as_slice() else { panic!("{:?}", remediation.alerts) };
    assert_mentions(trouble, &[FIRST, "Disabled"]);
    assert_mentions(locked, &[FIRST, NODE, "PutKeyPolicy"]);
    assert_remedy(&remediation);
}

/// If the policy cannot be read, the check uses the policy of the event.
#[test]
fn a_key_is_not_restored_if_the_policy_of_the_event_locks_the_nodes_out() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Enforce));
    fixture.aws.borrow_mut().hides_policies = true;
    fixture.change(OutsideChange::Off { promotes: true });
    let remediation = fixture.remediate_after(OutsideChange::LockOut { key: 0 });
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::Refused, vec![]));
    assert_mentions(only_alert(&remediation), &[FIRST, NODE, "nothing was changed"]);
    assert_eq!(
        fixture.remediate_after(OutsideChange::LetIn { key: 0 }).outcome,
        RemediationOutcome::Repaired
    );
    fixture.assert_carries(FIRST);
}

/// A document that cannot be repaired must not hide that somebody lost access.
#[test]
fn lost_access_is_an_alert_even_if_the_document_cannot_be_repaired() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Enforce));
    fixture.change(OutsideChange::Template);
    fixture.change(OutsideChange::LockOut { key: 0 });
    let remediation = fixture.remediate_on_schedule();
    assert_eq!(remediation.outcome, RemediationOutcome::Refused);
    let [content, locked] = remediation.alerts.as_slice() else { panic!("{:?}", remediation.alerts) };
    assert_mentions(content, &["mend it by hand"]);
    assert_mentions(locked, &[FIRST, NODE]);
}

#[test]
fn a_revoked_grant_is_an_alert() {
    let fixture = LibraryFixture::new();
    {
        let mut aws = fixture.aws.borrow_mut();
        let key = aws.keys.get_mut(FIRST).expect("a key");
        key.policy = closed_policy();
        key.grants = vec![grant()];
    }
    fixture.establish(&with_nodes(FIRST, PreflightMode::Enforce)).expect("the grant lets the nodes in");
    let revoked = call_event("RevokeGrant", Some(FIRST));
    assert_eq!(fixture.remediate(&revoked).alerts, Vec::<String>::new());
    fixture.aws.borrow_mut().keys.get_mut(FIRST).expect("a key").grants.clear();
    let remediation = fixture.remediate(&revoked);
    assert_mentions(only_alert(&remediation), &["RevokeGrant", NODE]);
    assert_remedy(&remediation);
}

#[test]
fn a_repair_that_would_lock_somebody_out_is_not_made() {
    for mode in [PreflightMode::Enforce, PreflightMode::Strict] {
        let fixture = LibraryFixture::of(&with_nodes(FIRST, mode));
        fixture.change(OutsideChange::LockOut { key: 0 });
        let remediation = fixture.remediate_after(OutsideChange::Off { promotes: true });
        assert_eq!(
            (remediation.outcome, remediation.changed, fixture.writes()),
            (RemediationOutcome::Refused, false, vec![])
        );
        assert_mentions(only_alert(&remediation), &[FIRST, NODE, "nothing was changed"]);
        assert_remedy(&remediation);
        assert_eq!(fixture.keys(), ["", ""]);
    }
}

/// Preflight Warn lets the repair pass, and the alert reports who is locked out.
#[test]
fn a_repair_that_locks_somebody_out_in_mode_warn_is_an_alert_whatever_the_source() {
    for source in [ChangeSource::DocumentCall, ChangeSource::Schedule, ChangeSource::RecordChange] {
        let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Warn));
        fixture.change(OutsideChange::LockOut { key: 0 });
        fixture.change(OutsideChange::Off { promotes: true });
        let remediation = fixture.remediate(&event_of(source));
        assert_eq!((remediation.outcome, remediation.checks_failed), (RemediationOutcome::Repaired, 1));
        assert_mentions(only_alert(&remediation), &[FIRST, NODE]);
        assert_remedy(&remediation);
    }
}

/// The policy is checked as it is stored and as the event carries it, but the alert comes once.
#[test]
fn lost_access_is_one_alert_if_the_document_is_repaired_too() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Warn));
    fixture.change(OutsideChange::Off { promotes: true });
    let remediation = fixture.remediate_after(OutsideChange::LockOut { key: 0 });
    assert_eq!((remediation.outcome, remediation.checks_failed), (RemediationOutcome::Repaired, 1));
    assert_mentions(only_alert(&remediation), &[FIRST, NODE, "PutKeyPolicy"]);
}

/// A version that AWS failed was never in use, so its key is not yet accepted.
#[test]
fn a_key_that_only_a_failed_version_carries_is_checked_like_any_other() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Enforce));
    fixture.change(OutsideChange::Delete);
    fixture.aws.borrow_mut().fail_next = true;
    assert_eq!(
        fixture.remediate(&call_event("DeleteDocument", None)).outcome,
        RemediationOutcome::Refused,
        "AWS failed it"
    );
    fixture.change(OutsideChange::LockOut { key: 0 });
    let remediation = fixture.remediate_on_schedule();
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::Refused, vec![]));
    assert_mentions(only_alert(&remediation), &[NODE]);
}

#[test]
fn nobody_is_checked_if_preflight_is_off() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Off));
    let remediation = fixture.remediate_after(OutsideChange::LockOut { key: 0 });
    assert_eq!((remediation.alerts, remediation.checks_failed), (vec![], 0));
}
