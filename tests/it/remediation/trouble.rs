//! The key can no longer be used.

use session_kms::intent::{Mode, OnKeyTrouble};
use session_kms::preflight::KeyFault;
use session_kms::reconcile::ReconcileError;
use session_kms::remediation::RemediationOutcome;

use super::{
    FIRST, LibraryFixture, NODE, STANDBY, alert, assert_names, encrypted, in_trouble, proven, standby,
};
use crate::model::rival::Deed;
use crate::model::run::LIMIT;
use crate::model::world::KeyState;

const TROUBLES: [KeyState; 3] = [KeyState::Disabled, KeyState::PendingDeletion, KeyState::Gone];

fn becomes(state: KeyState) -> Deed {
    Deed::KeyState { key: 0, state }
}

#[test]
fn alert_tells_and_leaves_the_document() {
    for state in TROUBLES {
        let room = LibraryFixture::of(&encrypted(FIRST));
        let kept = room.noticed(becomes(state));
        assert_eq!(
            (kept.outcome, kept.key_trouble, room.writes()),
            (RemediationOutcome::AsWanted, true, vec![])
        );
        assert_names(alert(&kept), &[FIRST, "sessions fail"]);
        room.assert_carries(FIRST);
    }
}

#[test]
fn alert_tells_of_drift_that_no_usable_key_can_put_right() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    room.others(becomes(KeyState::Disabled));
    let kept = room.noticed(Deed::Key { key: 1, promotes: true });
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::Refused, vec![]));
    assert_names(&kept.alerts.join("; "), &["Disabled", "is left so"]);
}

#[test]
fn a_scheduled_deletion_is_told_with_its_date() {
    for on_trouble in [OnKeyTrouble::Alert, standby(), OnKeyTrouble::Clear] {
        let room = LibraryFixture::of(&in_trouble(on_trouble, encrypted(FIRST)));
        let kept = room.noticed(becomes(KeyState::PendingDeletion));
        assert_names(alert(&kept), &["PendingDeletion", "2027-01-01", "cancel its deletion"]);
    }
}

#[test]
fn the_standby_stands_in_and_the_first_returns() {
    for state in [KeyState::Disabled, KeyState::PendingDeletion] {
        let room = LibraryFixture::of(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
        let kept = room.noticed(becomes(state));
        assert_eq!((kept.outcome, kept.key_trouble), (RemediationOutcome::StandIn, true));
        assert_names(alert(&kept), &[FIRST, STANDBY, "stands in"]);
        room.assert_carries(STANDBY);
        assert_eq!(room.record().asked_for(), FIRST.into());
        // Told again for as long as it lasts, and nothing is written for it.
        let kept = room.scheduled();
        assert_eq!(
            (kept.outcome, room.writes(), kept.alerts.len()),
            (RemediationOutcome::AsWanted, vec![], 1)
        );
        // CancelKeyDeletion leaves the key disabled; EnableKey follows.
        assert_eq!(room.noticed(becomes(KeyState::Disabled)).outcome, RemediationOutcome::AsWanted);
        let kept = room.noticed(becomes(KeyState::Enabled));
        assert_eq!((kept.outcome, kept.alerts), (RemediationOutcome::Returned, vec![]));
        room.assert_carries(FIRST);
        assert_eq!(room.record().remediation.replaced_key, None);
    }
}

#[test]
fn drift_while_the_standby_stands_in_goes_back_to_the_standby() {
    let room = LibraryFixture::of(&in_trouble(standby(), encrypted(FIRST)));
    room.noticed(becomes(KeyState::Disabled));
    assert_eq!(room.noticed(Deed::Key { key: 0, promotes: true }).outcome, RemediationOutcome::Repaired);
    room.assert_carries(STANDBY);
}

#[test]
fn clear_turns_encryption_off_only_where_asked_and_on_again() {
    let room = LibraryFixture::of(&in_trouble(OnKeyTrouble::Clear, encrypted(FIRST)));
    let kept = room.noticed(becomes(KeyState::Disabled));
    assert_eq!(kept.outcome, RemediationOutcome::Cleared);
    assert_names(alert(&kept), &["encryption is off", "OnKeyTrouble is Clear"]);
    room.assert_carries("");
    assert_eq!(room.noticed(becomes(KeyState::Enabled)).outcome, RemediationOutcome::Returned);
    room.assert_carries(FIRST);
}

#[test]
fn a_notice_of_key_trouble_that_comes_late_finds_nothing_to_do() {
    let room = LibraryFixture::of(&in_trouble(OnKeyTrouble::Clear, encrypted(FIRST)));
    let late = room.others(becomes(KeyState::Disabled));
    room.others(becomes(KeyState::Enabled));
    let kept = room.told(&late);
    assert_eq!((kept.outcome, room.writes(), kept.alerts), (RemediationOutcome::AsWanted, vec![], vec![]));
}

#[test]
fn a_standby_that_fails_is_told_before_it_is_needed_and_when_it_is() {
    let room = LibraryFixture::of(&in_trouble(standby(), encrypted(FIRST)));
    let kept = room.noticed(Deed::KeyState { key: 2, state: KeyState::Disabled });
    assert_eq!((kept.outcome, kept.key_trouble, room.writes()), (RemediationOutcome::AsWanted, true, vec![]));
    assert_names(alert(&kept), &["standby", STANDBY]);
    let kept = room.noticed(becomes(KeyState::Disabled));
    assert_eq!(room.writes(), []);
    assert_names(alert(&kept), &[FIRST, STANDBY, "sessions fail"]);
    room.assert_carries(FIRST);
}

#[test]
fn a_standby_that_locks_the_nodes_out_does_not_stand_in() {
    let room = LibraryFixture::of(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
    room.others(Deed::LockOut { key: 2 });
    let kept = room.noticed(becomes(KeyState::Disabled));
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::Refused, vec![]));
    let [trouble, blocked] = kept.alerts.as_slice() else { panic!("{:?}", kept.alerts) };
    assert_names(trouble, &[FIRST, STANDBY, "does not stand in", "sessions fail"]);
    assert_names(blocked, &[STANDBY, NODE, "nothing was changed"]);
    room.assert_carries(FIRST);
}

/// The breaker is about writes, and the alert must not say that one was made.
#[test]
fn while_the_document_is_left_alone_nothing_stands_in_and_the_alert_says_so() {
    for (on_trouble, words) in [(standby(), "does not stand in"), (OnKeyTrouble::Clear, "is not turned off")]
    {
        let room = LibraryFixture::of(&in_trouble(on_trouble, encrypted(FIRST)));
        for _ in 0..=LIMIT {
            room.noticed(Deed::Overwrite { promotes: true });
        }
        room.noticed(Deed::Key { key: 0, promotes: true });
        let kept = room.noticed(becomes(KeyState::Disabled));
        assert_eq!(
            (kept.outcome, kept.breaker_open, kept.key_trouble),
            (RemediationOutcome::BreakerOpen, true, true)
        );
        let [trouble, alone] = kept.alerts.as_slice() else { panic!("{:?}", kept.alerts) };
        assert_names(trouble, &[FIRST, words, "sessions fail"]);
        assert_names(alone, &["left alone"]);
        room.assert_carries(FIRST);
    }
}

#[test]
fn an_open_breaker_is_told_though_no_key_can_be_used() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    for _ in 0..=LIMIT {
        room.noticed(Deed::Overwrite { promotes: true });
    }
    let kept = room.noticed(becomes(KeyState::Disabled));
    assert_eq!((kept.outcome, kept.breaker_open), (RemediationOutcome::Refused, true));
}

/// Not to know of the first choice is no reason to leave drift from what stands in for it.
#[test]
fn what_stands_in_goes_on_to_do_so_while_nobody_knows_of_the_asked_for() {
    for (on_trouble, key) in [(standby(), STANDBY), (OnKeyTrouble::Clear, "")] {
        let room = LibraryFixture::of(&in_trouble(on_trouble, encrypted(FIRST)));
        room.noticed(becomes(KeyState::Disabled));
        room.assert_carries(key);
        room.world.borrow_mut().unseen = Some(FIRST);
        let kept = room.noticed(Deed::Key { key: 1, promotes: true });
        assert_eq!(kept.outcome, RemediationOutcome::Repaired);
        assert_names(alert(&kept), &[FIRST, "is not known"]);
        room.assert_carries(key);
        assert_eq!(room.record().asked_for(), FIRST.into());
    }
}

#[test]
fn what_stands_in_and_fails_is_told_though_nobody_knows_of_the_asked_for() {
    let room = LibraryFixture::of(&in_trouble(standby(), encrypted(FIRST)));
    room.noticed(becomes(KeyState::Disabled));
    room.world.borrow_mut().unseen = Some(FIRST);
    let kept = room.noticed(Deed::KeyState { key: 2, state: KeyState::Disabled });
    assert_eq!((kept.key_trouble, room.writes()), (true, vec![]));
    let [trouble, unknown] = kept.alerts.as_slice() else { panic!("{:?}", kept.alerts) };
    assert_names(trouble, &[STANDBY, "Disabled", "could not go on"]);
    assert_names(unknown, &[FIRST, "is not known"]);
}

/// The way back to a key whose policy nobody here may read is told as what it is: unproven.
#[test]
fn a_key_that_comes_back_unproven_is_an_alert() {
    let room = LibraryFixture::of(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
    room.noticed(becomes(KeyState::Disabled));
    room.world.borrow_mut().hides_policies = true;
    let kept = room.noticed(becomes(KeyState::Enabled));
    assert_eq!(kept.outcome, RemediationOutcome::Returned);
    assert_names(alert(&kept), &[FIRST, NODE, "it is not known whether"]);
}

#[test]
fn the_schedule_tells_who_is_locked_out_of_the_key_that_stands_by() {
    let room = LibraryFixture::of(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
    room.others(Deed::LockOut { key: 2 });
    let kept = room.scheduled();
    assert_eq!((kept.outcome, kept.checks_failed), (RemediationOutcome::AsWanted, 1));
    assert_names(alert(&kept), &[STANDBY, NODE]);
}

#[test]
fn a_standby_is_checked_like_the_first_when_it_is_asked_for() {
    let room = LibraryFixture::new();
    room.others(Deed::KeyState { key: 2, state: KeyState::Disabled });
    let asked = room.ask(&in_trouble(standby(), encrypted(FIRST)));
    assert!(matches!(asked, Err(ReconcileError::StandbyKey(_))), "{asked:?}");
    let locked = LibraryFixture::new();
    locked.others(Deed::LockOut { key: 2 });
    let asked = locked.ask(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
    assert!(matches!(asked, Err(ReconcileError::Key(KeyFault::Blocked { .. }))), "{asked:?}");
    for room in [room, locked] {
        assert_eq!(room.writes(), []);
    }
}

#[test]
fn a_first_choice_that_returns_and_locks_the_nodes_out_stays_away() {
    let room = LibraryFixture::of(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
    room.noticed(becomes(KeyState::Disabled));
    room.others(Deed::LockOut { key: 0 });
    let kept = room.noticed(becomes(KeyState::Enabled));
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::Refused, vec![]));
    assert_names(&kept.alerts.join("; "), &[FIRST, NODE]);
    room.assert_carries(STANDBY);
}
