//! The key can no longer be used.

use session_kms::intent::{OnKeyTrouble, PreflightMode};
use session_kms::preflight::KeyFault;
use session_kms::reconcile::ReconcileError;
use session_kms::remediation::RemediationOutcome;

use super::{
    FIRST, LibraryFixture, NODE, STANDBY, assert_mentions, encrypted, only_alert, standby, with_key_trouble,
    with_nodes,
};
use crate::model::in_memory_aws::KeyState;
use crate::model::outside_change::OutsideChange;
use crate::model::run::LIMIT;

const TROUBLES: [KeyState; 3] = [KeyState::Disabled, KeyState::PendingDeletion, KeyState::Gone];

fn becomes(state: KeyState) -> OutsideChange {
    OutsideChange::KeyState { key: 0, state }
}

#[test]
fn with_on_key_trouble_alert_the_document_is_left_and_an_alert_says_so() {
    for state in TROUBLES {
        let fixture = LibraryFixture::of(&encrypted(FIRST));
        let remediation = fixture.remediate_after(becomes(state));
        assert_eq!(
            (remediation.outcome, remediation.key_trouble, fixture.writes()),
            (RemediationOutcome::AsWanted, true, vec![])
        );
        assert_mentions(only_alert(&remediation), &[FIRST, "sessions fail"]);
        fixture.assert_carries(FIRST);
    }
}

#[test]
fn drift_that_no_usable_key_can_repair_is_an_alert() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    fixture.change(becomes(KeyState::Disabled));
    let remediation = fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true });
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::Refused, vec![]));
    assert_mentions(&remediation.alerts.join("; "), &["Disabled", "is left so"]);
}

#[test]
fn the_alert_of_a_scheduled_deletion_names_its_date() {
    for on_trouble in [OnKeyTrouble::Alert, standby(), OnKeyTrouble::Clear] {
        let fixture = LibraryFixture::of(&with_key_trouble(on_trouble, encrypted(FIRST)));
        let remediation = fixture.remediate_after(becomes(KeyState::PendingDeletion));
        assert_mentions(only_alert(&remediation), &["PendingDeletion", "2027-01-01", "cancel its deletion"]);
    }
}

#[test]
fn the_standby_key_stands_in_and_the_first_choice_returns() {
    for state in [KeyState::Disabled, KeyState::PendingDeletion] {
        let fixture =
            LibraryFixture::of(&with_key_trouble(standby(), with_nodes(FIRST, PreflightMode::Enforce)));
        let remediation = fixture.remediate_after(becomes(state));
        assert_eq!((remediation.outcome, remediation.key_trouble), (RemediationOutcome::StandIn, true));
        assert_mentions(only_alert(&remediation), &[FIRST, STANDBY, "stands in"]);
        fixture.assert_carries(STANDBY);
        assert_eq!(fixture.record().asked_for(), FIRST.into());
        // The alert is repeated for as long as the trouble lasts, and nothing is written.
        let remediation = fixture.remediate_on_schedule();
        assert_eq!(
            (remediation.outcome, fixture.writes(), remediation.alerts.len()),
            (RemediationOutcome::AsWanted, vec![], 1)
        );
        // CancelKeyDeletion leaves the key disabled; EnableKey follows.
        assert_eq!(
            fixture.remediate_after(becomes(KeyState::Disabled)).outcome,
            RemediationOutcome::AsWanted
        );
        let remediation = fixture.remediate_after(becomes(KeyState::Enabled));
        assert_eq!((remediation.outcome, remediation.alerts), (RemediationOutcome::Returned, vec![]));
        fixture.assert_carries(FIRST);
        assert_eq!(fixture.record().remediation.replaced_key, None);
    }
}

#[test]
fn drift_while_the_standby_key_stands_in_is_repaired_with_the_standby_key() {
    let fixture = LibraryFixture::of(&with_key_trouble(standby(), encrypted(FIRST)));
    fixture.remediate_after(becomes(KeyState::Disabled));
    assert_eq!(
        fixture.remediate_after(OutsideChange::Key { key: 0, promotes: true }).outcome,
        RemediationOutcome::Repaired
    );
    fixture.assert_carries(STANDBY);
}

#[test]
fn clear_turns_encryption_off_if_asked_and_later_on_again() {
    let fixture = LibraryFixture::of(&with_key_trouble(OnKeyTrouble::Clear, encrypted(FIRST)));
    let remediation = fixture.remediate_after(becomes(KeyState::Disabled));
    assert_eq!(remediation.outcome, RemediationOutcome::Cleared);
    assert_mentions(only_alert(&remediation), &["encryption is off", "OnKeyTrouble is Clear"]);
    fixture.assert_carries("");
    assert_eq!(fixture.remediate_after(becomes(KeyState::Enabled)).outcome, RemediationOutcome::Returned);
    fixture.assert_carries(FIRST);
}

#[test]
fn a_late_event_about_key_trouble_finds_nothing_to_do() {
    let fixture = LibraryFixture::of(&with_key_trouble(OnKeyTrouble::Clear, encrypted(FIRST)));
    let late = fixture.change(becomes(KeyState::Disabled));
    fixture.change(becomes(KeyState::Enabled));
    let remediation = fixture.remediate(&late);
    assert_eq!(
        (remediation.outcome, fixture.writes(), remediation.alerts),
        (RemediationOutcome::AsWanted, vec![], vec![])
    );
}

#[test]
fn an_unusable_standby_key_is_an_alert_before_it_is_needed_and_when_it_is() {
    let fixture = LibraryFixture::of(&with_key_trouble(standby(), encrypted(FIRST)));
    let remediation = fixture.remediate_after(OutsideChange::KeyState { key: 2, state: KeyState::Disabled });
    assert_eq!(
        (remediation.outcome, remediation.key_trouble, fixture.writes()),
        (RemediationOutcome::AsWanted, true, vec![])
    );
    assert_mentions(only_alert(&remediation), &["standby", STANDBY]);
    let remediation = fixture.remediate_after(becomes(KeyState::Disabled));
    assert_eq!(fixture.writes(), []);
    assert_mentions(only_alert(&remediation), &[FIRST, STANDBY, "sessions fail"]);
    fixture.assert_carries(FIRST);
}

#[test]
fn a_standby_key_that_locks_the_nodes_out_does_not_stand_in() {
    let fixture = LibraryFixture::of(&with_key_trouble(standby(), with_nodes(FIRST, PreflightMode::Enforce)));
    fixture.change(OutsideChange::LockOut { key: 2 });
    let remediation = fixture.remediate_after(becomes(KeyState::Disabled));
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::Refused, vec![]));
    let [trouble, blocked] = remediation.alerts.as_slice() else { panic!("{:?}", remediation.alerts) };
    assert_mentions(trouble, &[FIRST, STANDBY, "does not stand in", "sessions fail"]);
    assert_mentions(blocked, &[STANDBY, NODE, "nothing was changed"]);
    fixture.assert_carries(FIRST);
}

/// The breaker stops writes, and the alert must not say that one was made.
#[test]
fn while_the_breaker_is_open_nothing_stands_in_and_the_alert_says_so() {
    for (on_trouble, words) in [(standby(), "does not stand in"), (OnKeyTrouble::Clear, "is not turned off")]
    {
        let fixture = LibraryFixture::of(&with_key_trouble(on_trouble, encrypted(FIRST)));
        for _ in 0..=LIMIT {
            fixture.remediate_after(OutsideChange::Overwrite { promotes: true });
        }
        fixture.remediate_after(OutsideChange::Key { key: 0, promotes: true });
        let remediation = fixture.remediate_after(becomes(KeyState::Disabled));
        assert_eq!(
            (remediation.outcome, remediation.breaker_open, remediation.key_trouble),
            (RemediationOutcome::BreakerOpen, true, true)
        );
        let [trouble, alone] = remediation.alerts.as_slice() else { panic!("{:?}", remediation.alerts) };
        assert_mentions(trouble, &[FIRST, words, "sessions fail"]);
        assert_mentions(alone, &["left alone"]);
        fixture.assert_carries(FIRST);
    }
}

#[test]
fn an_open_breaker_is_reported_even_if_no_key_can_be_used() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    for _ in 0..=LIMIT {
        fixture.remediate_after(OutsideChange::Overwrite { promotes: true });
    }
    let remediation = fixture.remediate_after(becomes(KeyState::Disabled));
    assert_eq!((remediation.outcome, remediation.breaker_open), (RemediationOutcome::Refused, true));
}

/// Drift from what stands in is repaired even if the state of the first choice is not known.
#[test]
fn what_stands_in_stays_while_the_state_of_the_first_choice_is_unknown() {
    for (on_trouble, key) in [(standby(), STANDBY), (OnKeyTrouble::Clear, "")] {
        let fixture = LibraryFixture::of(&with_key_trouble(on_trouble, encrypted(FIRST)));
        fixture.remediate_after(becomes(KeyState::Disabled));
        fixture.assert_carries(key);
        fixture.aws.borrow_mut().unreadable_key = Some(FIRST);
        let remediation = fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true });
        assert_eq!(remediation.outcome, RemediationOutcome::Repaired);
        assert_mentions(only_alert(&remediation), &[FIRST, "is not known"]);
        fixture.assert_carries(key);
        assert_eq!(fixture.record().asked_for(), FIRST.into());
    }
}

#[test]
fn an_unusable_standby_key_is_an_alert_even_if_the_first_choice_is_unknown() {
    let fixture = LibraryFixture::of(&with_key_trouble(standby(), encrypted(FIRST)));
    fixture.remediate_after(becomes(KeyState::Disabled));
    fixture.aws.borrow_mut().unreadable_key = Some(FIRST);
    let remediation = fixture.remediate_after(OutsideChange::KeyState { key: 2, state: KeyState::Disabled });
    assert_eq!((remediation.key_trouble, fixture.writes()), (true, vec![]));
    let [trouble, unknown] = remediation.alerts.as_slice() else { panic!("{:?}", remediation.alerts) };
    assert_mentions(trouble, &[STANDBY, "Disabled", "could not go on"]);
    assert_mentions(unknown, &[FIRST, "is not known"]);
}

/// If the policy of the returning key cannot be read, an alert says that access to it is not known.
#[test]
fn a_first_choice_that_returns_unchecked_is_an_alert() {
    let fixture = LibraryFixture::of(&with_key_trouble(standby(), with_nodes(FIRST, PreflightMode::Enforce)));
    fixture.remediate_after(becomes(KeyState::Disabled));
    fixture.aws.borrow_mut().hides_policies = true;
    let remediation = fixture.remediate_after(becomes(KeyState::Enabled));
    assert_eq!(remediation.outcome, RemediationOutcome::Returned);
    assert_mentions(only_alert(&remediation), &[FIRST, NODE, "it is not known whether"]);
}

#[test]
fn the_schedule_reports_who_is_locked_out_of_the_standby_key() {
    let fixture = LibraryFixture::of(&with_key_trouble(standby(), with_nodes(FIRST, PreflightMode::Enforce)));
    fixture.change(OutsideChange::LockOut { key: 2 });
    let remediation = fixture.remediate_on_schedule();
    assert_eq!((remediation.outcome, remediation.checks_failed), (RemediationOutcome::AsWanted, 1));
    assert_mentions(only_alert(&remediation), &[STANDBY, NODE]);
}

#[test]
fn a_standby_key_is_checked_like_the_first_choice_when_it_is_requested() {
    let fixture = LibraryFixture::new();
    fixture.change(OutsideChange::KeyState { key: 2, state: KeyState::Disabled });
    let asked = fixture.establish(&with_key_trouble(standby(), encrypted(FIRST)));
    assert!(matches!(asked, Err(ReconcileError::StandbyKey(_))), "{asked:?}");
    let locked = LibraryFixture::new();
    locked.change(OutsideChange::LockOut { key: 2 });
    let asked = locked.establish(&with_key_trouble(standby(), with_nodes(FIRST, PreflightMode::Enforce)));
    assert!(matches!(asked, Err(ReconcileError::Key(KeyFault::Blocked { .. }))), "{asked:?}");
    for fixture in [fixture, locked] {
        assert_eq!(fixture.writes(), []);
    }
}

#[test]
fn a_first_choice_that_returns_and_locks_the_nodes_out_stays_away() {
    let fixture = LibraryFixture::of(&with_key_trouble(standby(), with_nodes(FIRST, PreflightMode::Enforce)));
    fixture.remediate_after(becomes(KeyState::Disabled));
    fixture.change(OutsideChange::LockOut { key: 0 });
    let remediation = fixture.remediate_after(becomes(KeyState::Enabled));
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::Refused, vec![]));
    assert_mentions(&remediation.alerts.join("; "), &[FIRST, NODE]);
    fixture.assert_carries(STANDBY);
}
