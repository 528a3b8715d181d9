//! The key can no longer be used.

use session_kms::intent::{Mode, OnKeyTrouble};
use session_kms::reconcile::{KeepResult, ReconcileError};

use super::{FIRST, NODE, Room, STANDBY, alert, assert_names, encrypted, in_trouble, proven, standby};
use crate::model::rival::Deed;
use crate::model::world::KeyState;

const TROUBLES: [KeyState; 3] = [KeyState::Disabled, KeyState::PendingDeletion, KeyState::Gone];

fn becomes(state: KeyState) -> Deed {
    Deed::KeyState { key: 0, state }
}

#[test]
fn alert_tells_and_leaves_the_document() {
    for state in TROUBLES {
        let room = Room::of(&encrypted(FIRST));
        let kept = room.noticed(becomes(state));
        assert_eq!((kept.result, kept.key_trouble, room.writes()), (KeepResult::AsWanted, true, vec![]));
        assert_names(alert(&kept), &[FIRST, "sessions fail"]);
        room.assert_carries(FIRST);
    }
}

#[test]
fn alert_tells_of_drift_that_no_usable_key_can_put_right() {
    let room = Room::of(&encrypted(FIRST));
    room.others(becomes(KeyState::Disabled));
    let kept = room.noticed(Deed::Key { key: 1, promotes: true });
    assert_eq!((kept.result, room.writes()), (KeepResult::Refused, vec![]));
    assert_names(&kept.alerts.join("; "), &["Disabled", "is left so"]);
}

#[test]
fn a_scheduled_deletion_is_told_with_its_date() {
    for on_trouble in [OnKeyTrouble::Alert, standby(), OnKeyTrouble::Clear] {
        let room = Room::of(&in_trouble(on_trouble, encrypted(FIRST)));
        let kept = room.noticed(becomes(KeyState::PendingDeletion));
        assert_names(alert(&kept), &["PendingDeletion", "2027-01-01", "cancel its deletion"]);
    }
}

#[test]
fn the_standby_stands_in_and_the_first_returns() {
    for state in [KeyState::Disabled, KeyState::PendingDeletion] {
        let room = Room::of(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
        let kept = room.noticed(becomes(state));
        assert_eq!((kept.result, kept.key_trouble), (KeepResult::StandIn, true));
        assert_names(alert(&kept), &[FIRST, STANDBY, "stands in"]);
        room.assert_carries(STANDBY);
        assert_eq!(room.record().first_choice(), FIRST);
        // Told again for as long as it lasts, and nothing is written for it.
        let kept = room.scheduled();
        assert_eq!((kept.result, room.writes(), kept.alerts.len()), (KeepResult::AsWanted, vec![], 1));
        // CancelKeyDeletion leaves the key disabled; EnableKey follows.
        assert_eq!(room.noticed(becomes(KeyState::Disabled)).result, KeepResult::AsWanted);
        let kept = room.noticed(becomes(KeyState::Enabled));
        assert_eq!((kept.result, kept.alerts), (KeepResult::Returned, vec![]));
        room.assert_carries(FIRST);
        assert_eq!(room.record().watch.stands_in_for, None);
    }
}

#[test]
fn drift_while_the_standby_stands_in_goes_back_to_the_standby() {
    let room = Room::of(&in_trouble(standby(), encrypted(FIRST)));
    room.noticed(becomes(KeyState::Disabled));
    assert_eq!(room.noticed(Deed::Key { key: 0, promotes: true }).result, KeepResult::Repaired);
    room.assert_carries(STANDBY);
}

#[test]
fn clear_turns_encryption_off_only_where_asked_and_on_again() {
    let room = Room::of(&in_trouble(OnKeyTrouble::Clear, encrypted(FIRST)));
    let kept = room.noticed(becomes(KeyState::Disabled));
    assert_eq!(kept.result, KeepResult::Cleared);
    assert_names(alert(&kept), &["encryption is off", "OnKeyTrouble is Clear"]);
    room.assert_carries("");
    assert_eq!(room.noticed(becomes(KeyState::Enabled)).result, KeepResult::Returned);
    room.assert_carries(FIRST);
}

#[test]
fn a_notice_of_key_trouble_that_comes_late_finds_nothing_to_do() {
    let room = Room::of(&in_trouble(OnKeyTrouble::Clear, encrypted(FIRST)));
    let late = room.others(becomes(KeyState::Disabled));
    room.others(becomes(KeyState::Enabled));
    let kept = room.told(&late);
    assert_eq!((kept.result, room.writes(), kept.alerts), (KeepResult::AsWanted, vec![], vec![]));
}

#[test]
fn a_standby_that_fails_is_told_before_it_is_needed_and_when_it_is() {
    let room = Room::of(&in_trouble(standby(), encrypted(FIRST)));
    let kept = room.noticed(Deed::KeyState { key: 2, state: KeyState::Disabled });
    assert_eq!((kept.result, kept.key_trouble, room.writes()), (KeepResult::AsWanted, true, vec![]));
    assert_names(alert(&kept), &["standby", STANDBY]);
    let kept = room.noticed(becomes(KeyState::Disabled));
    assert_eq!(room.writes(), []);
    assert_names(alert(&kept), &[FIRST, STANDBY, "sessions fail"]);
    room.assert_carries(FIRST);
}

#[test]
fn a_standby_that_locks_the_nodes_out_does_not_stand_in() {
    let room = Room::of(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
    room.others(Deed::LockOut { key: 2 });
    let kept = room.noticed(becomes(KeyState::Disabled));
    assert_eq!((kept.result, room.writes()), (KeepResult::Refused, vec![]));
    assert_names(&kept.alerts.join("; "), &[STANDBY, NODE, "nothing was changed"]);
    room.assert_carries(FIRST);
}

#[test]
fn a_standby_is_checked_like_the_first_when_it_is_asked_for() {
    let room = Room::new();
    room.others(Deed::KeyState { key: 2, state: KeyState::Disabled });
    let asked = room.ask(&in_trouble(standby(), encrypted(FIRST)));
    assert!(matches!(asked, Err(ReconcileError::Standby(_))), "{asked:?}");
    let locked = Room::new();
    locked.others(Deed::LockOut { key: 2 });
    let asked = locked.ask(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
    assert!(matches!(asked, Err(ReconcileError::Blocked { .. })), "{asked:?}");
    for room in [room, locked] {
        assert_eq!(room.writes(), []);
    }
}

#[test]
fn a_first_choice_that_returns_and_locks_the_nodes_out_stays_away() {
    let room = Room::of(&in_trouble(standby(), proven(FIRST, Mode::Enforce)));
    room.noticed(becomes(KeyState::Disabled));
    room.others(Deed::LockOut { key: 0 });
    let kept = room.noticed(becomes(KeyState::Enabled));
    assert_eq!((kept.result, room.writes()), (KeepResult::Refused, vec![]));
    assert_names(&kept.alerts.join("; "), &[FIRST, NODE]);
    room.assert_carries(STANDBY);
}
