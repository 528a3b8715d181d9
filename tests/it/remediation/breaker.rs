//! Somebody else keeps changing the document.

use session_kms::change_event::ChangeSource;
use session_kms::reconcile::ReconcileError;
use session_kms::remediation::RemediationOutcome;

use super::{FIRST, LibraryFixture, OTHER, alert, assert_names, encrypted};
use crate::model::rival::{Deed, event_of};
use crate::model::run::LIMIT;
use crate::model::world::Write;

const RIVAL: Deed = Deed::Overwrite { promotes: true };

/// A room in which a rival has overwritten the document until it was left alone.
fn at_war() -> LibraryFixture {
    let room = LibraryFixture::of(&encrypted(FIRST));
    for repair in 1..=LIMIT {
        assert_eq!(room.noticed(RIVAL).outcome, RemediationOutcome::Repaired, "repair {repair}");
    }
    let kept = room.noticed(RIVAL);
    assert_eq!(
        (kept.outcome, kept.breaker_open, kept.changed),
        (RemediationOutcome::BreakerOpen, true, false)
    );
    assert_names(alert(&kept), &["assumed-role/Pipeline/deploy", "Terraform/1.9", "left alone"]);
    room
}

fn wrote_the_document(room: &LibraryFixture) -> bool {
    room.writes().iter().any(|write| !matches!(write, Write::Record))
}

#[test]
fn a_war_ends_after_the_limit_and_the_alert_names_the_other_party_once() {
    let room = at_war();
    for _ in 0..4 {
        let kept = room.noticed(RIVAL);
        assert_eq!((kept.outcome, wrote_the_document(&room)), (RemediationOutcome::BreakerOpen, false));
        assert_eq!(kept.alerts, Vec::<String>::new(), "told already");
    }
    assert_eq!(room.keys(), ["", ""]);
}

/// Versions that count anew, a default that goes to and fro: no rival's way of writing goes uncounted.
#[test]
fn whatever_a_rival_does_it_counts() {
    let rivals: [&[Deed]; 3] = [&[Deed::MoveDefault(0)], &[Deed::Delete], &[Deed::Delete, Deed::Create]];
    for rival in rivals {
        for source in [None, Some(ChangeSource::Schedule), Some(ChangeSource::RecordChange)] {
            let room = LibraryFixture::of(&encrypted(FIRST));
            let once = || {
                let told = rival.iter().map(|deed| room.others(*deed)).last().expect("a deed");
                room.told(&source.map_or(told, event_of)).outcome
            };
            for repair in 1..=LIMIT {
                assert_eq!(once(), RemediationOutcome::Repaired, "{rival:?}, {source:?}, repair {repair}");
            }
            assert_eq!(once(), RemediationOutcome::BreakerOpen, "{rival:?}, {source:?}");
        }
    }
}

#[test]
fn the_schedule_tells_of_it_waits_for_a_quiet_hour_and_then_puts_it_right() {
    let room = at_war();
    room.pass(59);
    let kept = room.scheduled();
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::BreakerOpen, vec![]));
    assert_names(alert(&kept), &["Terraform/1.9"]);
    room.others(RIVAL);
    room.pass(30);
    assert_eq!(room.scheduled().outcome, RemediationOutcome::BreakerOpen, "the document was seen to change");
    room.pass(59);
    assert_eq!(room.scheduled().outcome, RemediationOutcome::BreakerOpen);
    room.pass(1);
    let kept = room.scheduled();
    assert_eq!((kept.outcome, kept.breaker_open, kept.alerts), (RemediationOutcome::Repaired, false, vec![]));
    room.assert_carries(FIRST);
    let watch = room.record().remediation;
    assert_eq!((watch.breaker, watch.repairs.len()), (None, 1), "the repair at the end counts");
    for _ in 1..LIMIT {
        assert_eq!(room.noticed(RIVAL).outcome, RemediationOutcome::Repaired);
    }
    assert_eq!(room.noticed(RIVAL).outcome, RemediationOutcome::BreakerOpen);
}

#[test]
fn nothing_but_the_schedule_ends_it() {
    let room = at_war();
    room.pass(61);
    for source in [
        ChangeSource::RecordChange,
        ChangeSource::DirectCall,
        ChangeSource::KeyCall,
        ChangeSource::ConfigCompliance,
    ] {
        assert_eq!(room.told(&event_of(source)).outcome, RemediationOutcome::BreakerOpen, "{source:?}");
        assert!(!wrote_the_document(&room), "{source:?}");
    }
    assert_eq!(room.scheduled().outcome, RemediationOutcome::Repaired);
}

#[test]
fn it_ends_quietly_where_the_other_party_put_the_key_back() {
    let room = at_war();
    room.noticed(Deed::Key { key: 0, promotes: true });
    room.pass(61);
    let kept = room.scheduled();
    assert_eq!((kept.outcome, kept.breaker_open), (RemediationOutcome::AsWanted, false));
    assert_eq!(room.writes(), [Write::Record]);
    assert_eq!(room.record().remediation, Default::default());
}

#[test]
fn repairs_far_apart_never_stop() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    for _ in 0..4 * LIMIT {
        room.pass(60 / u64::try_from(LIMIT).expect("a few") + 1);
        assert_eq!(room.noticed(RIVAL).outcome, RemediationOutcome::Repaired);
    }
}

#[test]
fn an_update_of_the_owners_begins_anew_and_a_duplicate_of_an_old_one_does_not() {
    let room = at_war();
    room.ask(&encrypted(FIRST)).expect("nothing is in the way");
    room.assert_carries(FIRST);
    assert!(room.record().remediation.breaker.is_some(), "the same request once more");
    assert_eq!(room.noticed(RIVAL).outcome, RemediationOutcome::BreakerOpen);
    room.ask(&encrypted(OTHER)).expect("nothing is in the way");
    assert_eq!(room.record().remediation, Default::default());
    assert_eq!(room.noticed(RIVAL).outcome, RemediationOutcome::Repaired);
    room.assert_carries(OTHER);
}

/// A key that is switched back and forth makes writes like any other, and they count.
#[test]
fn writes_to_the_standby_key_and_back_count_too() {
    use super::{in_trouble, standby};
    use crate::model::world::KeyState;
    let room = LibraryFixture::of(&in_trouble(standby(), encrypted(FIRST)));
    for turn in 0..LIMIT {
        let state = if turn % 2 == 0 { KeyState::Disabled } else { KeyState::Enabled };
        assert!(room.noticed(Deed::KeyState { key: 0, state }).changed, "turn {turn}");
    }
    let kept = room.noticed(Deed::KeyState { key: 0, state: KeyState::Enabled });
    assert_eq!((kept.outcome, wrote_the_document(&room)), (RemediationOutcome::BreakerOpen, false));
}

/// Somebody who answers at once, faster than events come: each repair counts, within one run too.
#[test]
fn a_rival_who_answers_at_once_is_not_fought_within_one_run() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    room.world.borrow_mut().answer = Some(RIVAL);
    let kept = room.noticed(RIVAL);
    assert_eq!((kept.outcome, kept.changed), (RemediationOutcome::Refused, true));
    assert_names(alert(&kept), &["kept changing"]);
    let writes = room.writes().iter().filter(|write| matches!(write, Write::Update { .. })).count();
    assert_eq!((writes, room.record().remediation.repairs.len()), (LIMIT, LIMIT));
    room.pass(1);
    assert_eq!(room.told(&event_of(ChangeSource::RecordChange)).outcome, RemediationOutcome::BreakerOpen);
    room.assert_settings_kept();
}

#[test]
fn an_owner_is_told_of_a_rival_who_answers_at_once() {
    let room = LibraryFixture::new();
    room.world.borrow_mut().answer = Some(RIVAL);
    let asked = room.ask(&encrypted(FIRST));
    assert!(matches!(asked, Err(ReconcileError::Contended { .. })), "{asked:?}");
    room.assert_settings_kept();
}
