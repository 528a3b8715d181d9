//! Somebody else keeps changing the document.

use session_kms::change_event::ChangeSource;
use session_kms::reconcile::ReconcileError;
use session_kms::remediation::RemediationOutcome;

use super::{FIRST, LibraryFixture, OTHER, assert_mentions, encrypted, only_alert};
use crate::model::in_memory_aws::Write;
use crate::model::outside_change::{OutsideChange, event_of};
use crate::model::run::LIMIT;

const RIVAL: OutsideChange = OutsideChange::Overwrite { promotes: true };

/// A rival has overwritten the document until the breaker opened.
fn with_open_breaker() -> LibraryFixture {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    for repair in 1..=LIMIT {
        assert_eq!(fixture.remediate_after(RIVAL).outcome, RemediationOutcome::Repaired, "repair {repair}");
    }
    let remediation = fixture.remediate_after(RIVAL);
    assert_eq!(
        (remediation.outcome, remediation.breaker_open, remediation.changed),
        (RemediationOutcome::BreakerOpen, true, false)
    );
    assert_mentions(
        only_alert(&remediation),
        &["assumed-role/Pipeline/deploy", "Terraform/1.9", "left alone"],
    );
    fixture
}

fn wrote_the_document(fixture: &LibraryFixture) -> bool {
    fixture.writes().iter().any(|write| !matches!(write, Write::Record))
}

#[test]
fn the_breaker_opens_after_the_limit_and_one_alert_names_the_other_writer() {
    let fixture = with_open_breaker();
    for _ in 0..4 {
        let remediation = fixture.remediate_after(RIVAL);
        assert_eq!(
            (remediation.outcome, wrote_the_document(&fixture)),
            (RemediationOutcome::BreakerOpen, false)
        );
        assert_eq!(remediation.alerts, Vec::<String>::new(), "the alert came already");
    }
    assert_eq!(fixture.keys(), ["", ""]);
}

/// A rival may delete the document, so that versions count from 1 again, or move the default to and fro. It all counts.
#[test]
fn every_repair_counts_whatever_the_rival_wrote() {
    let rivals: [&[OutsideChange]; 3] = [
        &[OutsideChange::MoveDefault(0)],
        &[OutsideChange::Delete],
        &[OutsideChange::Delete, OutsideChange::Create],
    ];
    for rival in rivals {
        for source in [None, Some(ChangeSource::Schedule), Some(ChangeSource::RecordChange)] {
            let fixture = LibraryFixture::of(&encrypted(FIRST));
            let once = || {
                let event = rival.iter().map(|change| fixture.change(*change)).last().expect("a change");
                fixture.remediate(&source.map_or(event, event_of)).outcome
            };
            for repair in 1..=LIMIT {
                assert_eq!(once(), RemediationOutcome::Repaired, "{rival:?}, {source:?}, repair {repair}");
            }
            assert_eq!(once(), RemediationOutcome::BreakerOpen, "{rival:?}, {source:?}");
        }
    }
}

#[test]
fn the_schedule_alerts_waits_for_a_quiet_hour_and_then_repairs() {
    let fixture = with_open_breaker();
    fixture.advance_minutes(59);
    let remediation = fixture.remediate_on_schedule();
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::BreakerOpen, vec![]));
    assert_mentions(only_alert(&remediation), &["Terraform/1.9"]);
    fixture.change(RIVAL);
    fixture.advance_minutes(30);
    assert_eq!(
        fixture.remediate_on_schedule().outcome,
        RemediationOutcome::BreakerOpen,
        "the document was seen to change"
    );
    fixture.advance_minutes(59);
    assert_eq!(fixture.remediate_on_schedule().outcome, RemediationOutcome::BreakerOpen);
    fixture.advance_minutes(1);
    let remediation = fixture.remediate_on_schedule();
    assert_eq!(
        (remediation.outcome, remediation.breaker_open, remediation.alerts),
        (RemediationOutcome::Repaired, false, vec![])
    );
    fixture.assert_carries(FIRST);
    let recorded = fixture.record().remediation;
    assert_eq!((recorded.breaker, recorded.repairs.len()), (None, 1), "the repair at the end counts");
    for _ in 1..LIMIT {
        assert_eq!(fixture.remediate_after(RIVAL).outcome, RemediationOutcome::Repaired);
    }
    assert_eq!(fixture.remediate_after(RIVAL).outcome, RemediationOutcome::BreakerOpen);
}

#[test]
fn only_the_schedule_closes_the_breaker() {
    let fixture = with_open_breaker();
    fixture.advance_minutes(61);
    for source in [
        ChangeSource::RecordChange,
        ChangeSource::DirectCall,
        ChangeSource::KeyCall,
        ChangeSource::ConfigCompliance,
    ] {
        assert_eq!(
            fixture.remediate(&event_of(source)).outcome,
            RemediationOutcome::BreakerOpen,
            "{source:?}"
        );
        assert!(!wrote_the_document(&fixture), "{source:?}");
    }
    assert_eq!(fixture.remediate_on_schedule().outcome, RemediationOutcome::Repaired);
}

#[test]
fn the_breaker_closes_without_an_alert_if_the_other_writer_restored_the_key() {
    let fixture = with_open_breaker();
    fixture.remediate_after(OutsideChange::Key { key: 0, promotes: true });
    fixture.advance_minutes(61);
    let remediation = fixture.remediate_on_schedule();
    assert_eq!((remediation.outcome, remediation.breaker_open), (RemediationOutcome::AsWanted, false));
    assert_eq!(fixture.writes(), [Write::Record]);
    assert_eq!(fixture.record().remediation, Default::default());
}

#[test]
fn repairs_far_apart_never_open_the_breaker() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    for _ in 0..4 * LIMIT {
        fixture.advance_minutes(60 / u64::try_from(LIMIT).expect("a few") + 1);
        assert_eq!(fixture.remediate_after(RIVAL).outcome, RemediationOutcome::Repaired);
    }
}

#[test]
fn an_update_of_the_owner_closes_the_breaker_and_a_duplicate_of_an_old_one_does_not() {
    let fixture = with_open_breaker();
    fixture.establish(&encrypted(FIRST)).expect("nothing is in the way");
    fixture.assert_carries(FIRST);
    assert!(fixture.record().remediation.breaker.is_some(), "the same request once more");
    assert_eq!(fixture.remediate_after(RIVAL).outcome, RemediationOutcome::BreakerOpen);
    fixture.establish(&encrypted(OTHER)).expect("nothing is in the way");
    assert_eq!(fixture.record().remediation, Default::default());
    assert_eq!(fixture.remediate_after(RIVAL).outcome, RemediationOutcome::Repaired);
    fixture.assert_carries(OTHER);
}

/// Switching to the standby key and back writes the document like any repair, so it counts.
#[test]
fn writes_to_the_standby_key_and_back_count_too() {
    use super::{standby, with_key_trouble};
    use crate::model::in_memory_aws::KeyState;
    let fixture = LibraryFixture::of(&with_key_trouble(standby(), encrypted(FIRST)));
    for turn in 0..LIMIT {
        let state = if turn % 2 == 0 { KeyState::Disabled } else { KeyState::Enabled };
        assert!(fixture.remediate_after(OutsideChange::KeyState { key: 0, state }).changed, "turn {turn}");
    }
    let remediation = fixture.remediate_after(OutsideChange::KeyState { key: 0, state: KeyState::Enabled });
    assert_eq!((remediation.outcome, wrote_the_document(&fixture)), (RemediationOutcome::BreakerOpen, false));
}

/// A rival may overwrite each write at once, faster than events come. Each repair counts, within one run too.
#[test]
fn a_rival_who_overwrites_at_once_opens_the_breaker_within_one_run() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    fixture.aws.borrow_mut().rival_overwrite = Some(RIVAL);
    let remediation = fixture.remediate_after(RIVAL);
    assert_eq!((remediation.outcome, remediation.changed), (RemediationOutcome::Refused, true));
    assert_mentions(only_alert(&remediation), &["kept changing"]);
    let writes = fixture.writes().iter().filter(|write| matches!(write, Write::Update { .. })).count();
    assert_eq!((writes, fixture.record().remediation.repairs.len()), (LIMIT, LIMIT));
    fixture.advance_minutes(1);
    assert_eq!(
        fixture.remediate(&event_of(ChangeSource::RecordChange)).outcome,
        RemediationOutcome::BreakerOpen
    );
    fixture.assert_settings_kept();
}

#[test]
fn an_owners_request_fails_on_a_rival_who_overwrites_at_once() {
    let fixture = LibraryFixture::new();
    fixture.aws.borrow_mut().rival_overwrite = Some(RIVAL);
    let asked = fixture.establish(&encrypted(FIRST));
    assert!(matches!(asked, Err(ReconcileError::Contended { .. })), "{asked:?}");
    fixture.assert_settings_kept();
}
