//! The document is not as its record wants it.

use session_kms::change_event::ChangeSource;
use session_kms::intent::{Encryption, Intent, PreflightMode, Safeguards};
use session_kms::reconcile::RemediationState;
use session_kms::remediation::RemediationOutcome;
use session_kms::session::{Content, DocumentFormat};

use super::{FIRST, LibraryFixture, OTHER, assert_mentions, encrypted, only_alert, with_nodes};
use crate::model::in_memory_aws::{KeyState, Write, open_policy};
use crate::model::outside_change::{OutsideChange, call_event, event_of};

const SOURCES: [ChangeSource; 8] = [
    ChangeSource::DocumentCall,
    ChangeSource::KeyCall,
    ChangeSource::KeyEvent,
    ChangeSource::Schedule,
    ChangeSource::ConfigCompliance,
    ChangeSource::SecurityHub,
    ChangeSource::RecordChange,
    ChangeSource::DirectCall,
];

#[test]
fn nothing_is_written_if_nothing_differs_whatever_the_source() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Strict));
    for source in SOURCES {
        let remediation = fixture.remediate(&event_of(source));
        assert_eq!(
            (remediation.outcome, remediation.changed),
            (RemediationOutcome::AsWanted, false),
            "{source:?}"
        );
        assert_eq!((fixture.writes(), remediation.alerts), (vec![], vec![]), "{source:?}");
    }
    // The owner's request could read everything.
    let nothing_to_remember = RemediationState { unread: Some(vec![]), ..RemediationState::default() };
    assert_eq!(fixture.record().remediation, nothing_to_remember);
}

#[test]
fn another_key_is_repaired_and_the_repair_is_counted() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    let remediation = fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true });
    assert_eq!(
        (remediation.outcome, remediation.changed, remediation.kms_key_id.as_kms_key_id()),
        (RemediationOutcome::Repaired, true, FIRST)
    );
    assert_mentions(&remediation.drift.join("; "), &["the latest", OTHER, FIRST]);
    fixture.assert_carries(FIRST);
    let recorded = fixture.record().remediation;
    assert_eq!(recorded.repairs.len(), 1);
    assert_eq!(recorded.actor.expect("named").user_agent.as_deref(), Some("Terraform/1.9"));
}

#[test]
fn encryption_turned_off_in_any_way_is_turned_on_again() {
    // The change removes the key, sets it to null, or empties it, in turn.
    for offset in 0..3 {
        let fixture = LibraryFixture::of(&encrypted(FIRST));
        fixture.aws.borrow_mut().ticks += offset;
        for promotes in [true, false] {
            assert_eq!(
                fixture.remediate_after(OutsideChange::Off { promotes }).outcome,
                RemediationOutcome::Repaired
            );
            fixture.assert_carries(FIRST);
        }
    }
}

#[test]
fn a_default_version_moved_back_is_moved_on_and_no_version_is_written() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    let remediation = fixture.remediate_after(OutsideChange::MoveDefault(0));
    assert_eq!(remediation.outcome, RemediationOutcome::Repaired);
    assert_mentions(&remediation.drift.join("; "), &["version 1, the default"]);
    // The last write notes that the repair has been told.
    let promotion = Write::Promote { key: FIRST.to_owned() };
    assert_eq!(fixture.writes(), [Write::Record, promotion, Write::Record]);
    fixture.assert_carries(FIRST);
}

#[test]
fn other_settings_are_left_alone_and_nothing_is_written() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    for promotes in [true, false] {
        let remediation = fixture.remediate_after(OutsideChange::Setting { promotes });
        assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::AsWanted, vec![]));
        fixture.assert_carries(FIRST);
    }
}

#[test]
fn a_document_overwritten_whole_keeps_the_new_settings_and_gets_the_key() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    assert_eq!(
        fixture.remediate_after(OutsideChange::Overwrite { promotes: false }).outcome,
        RemediationOutcome::Repaired
    );
    fixture.assert_carries(FIRST);
}

#[test]
fn a_deleted_document_is_created_again_and_an_alert_names_the_loss() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    let remediation = fixture.remediate_after(OutsideChange::Delete);
    assert_eq!((remediation.outcome, remediation.version), (RemediationOutcome::Repaired, Some(1)));
    assert_mentions(&remediation.drift.join("; "), &["deleted", "lost"]);
    assert_mentions(
        only_alert(&remediation),
        &["DeleteDocument", "assumed-role/Pipeline/deploy", "put back its other settings"],
    );
    fixture.assert_carries(FIRST);
    fixture.change(OutsideChange::Delete);
    let alert = only_alert(&fixture.remediate_on_schedule()).to_owned();
    assert!(!alert.contains("Schedule"), "the clock did not delete it: {alert}");
}

#[test]
fn encryption_that_must_be_off_is_turned_off_again_and_a_deleted_document_stays_deleted() {
    let fixture = LibraryFixture::of(&Intent { encryption: Encryption::Disabled, ..encrypted(FIRST) });
    assert_eq!(
        fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true }).outcome,
        RemediationOutcome::Repaired
    );
    fixture.assert_carries("");
    let remediation = fixture.remediate_after(OutsideChange::Delete);
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::AsWanted, vec![]));
}

/// AWS takes time to activate a version. The status until then decides nothing.
#[test]
fn a_version_that_is_not_active_yet_is_waited_for_checked_and_counted() {
    let fixture = LibraryFixture::of(&with_nodes(FIRST, PreflightMode::Enforce));
    let event = fixture.change(OutsideChange::Key { key: 1, promotes: false });
    let pend = |fixture: &LibraryFixture| {
        let mut aws = fixture.aws.borrow_mut();
        let document = aws.document.as_mut().expect("a document");
        let latest = document.latest();
        document.versions.get_mut(&latest).expect("a version").pending = 3;
    };
    pend(&fixture);
    assert_eq!(fixture.remediate(&event).outcome, RemediationOutcome::Repaired);
    assert_eq!(fixture.record().remediation.repairs.len(), 1);
    fixture.change(OutsideChange::LockOut { key: 0 });
    let event = fixture.change(OutsideChange::Key { key: 1, promotes: false });
    pend(&fixture);
    let remediation = fixture.remediate(&event);
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::Refused, vec![]));
}

#[test]
fn a_version_that_aws_failed_is_written_once_more_and_the_alert_says_why() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    let event = fixture.change(OutsideChange::Key { key: 1, promotes: false });
    fixture.aws.borrow_mut().fail_next = true;
    let remediation = fixture.remediate(&event);
    assert_eq!(remediation.outcome, RemediationOutcome::Refused);
    assert_mentions(only_alert(&remediation), &["Failed", "as it happens"]);
    assert_eq!(fixture.remediate(&event).outcome, RemediationOutcome::Repaired);
    fixture.assert_carries(FIRST);
}

#[test]
fn a_yaml_document_is_edited_in_place() {
    let yaml = |key: &str| {
        format!(
            "# ours\nschemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  idleSessionTimeout: 20 # minutes\n  kmsKeyId: {key}\n"
        )
    };
    let put = |fixture: &LibraryFixture, key: &str| {
        let mut aws = fixture.aws.borrow_mut();
        aws.update(Content::new(yaml(key), DocumentFormat::Yaml), None).expect("a new version");
    };
    let fixture = LibraryFixture::new();
    put(&fixture, "''");
    fixture.establish(&encrypted(FIRST)).expect("nothing is in the way");
    put(&fixture, OTHER);
    assert_eq!(fixture.remediate(&call_event("UpdateDocument", None)).outcome, RemediationOutcome::Repaired);
    assert_eq!(fixture.keys(), [FIRST, FIRST]);
    let aws = fixture.aws.borrow();
    let text = aws.document.as_ref().expect("a document").latest_content().text().to_owned();
    assert_mentions(&text, &["# ours\n", "idleSessionTimeout: 20 # minutes\n"]);
}

#[test]
fn a_document_whose_key_is_a_template_is_left_and_an_alert_says_so() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    let remediation = fixture.remediate_after(OutsideChange::Template);
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::Refused, vec![]));
    assert_mentions(only_alert(&remediation), &["template", "mend it by hand"]);
}

#[test]
fn a_record_that_cannot_be_read_is_an_alert_and_nothing_is_written() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    fixture.aws.borrow_mut().put("{\"owner\": 1}", true).expect("it is there");
    let remediation = fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true });
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::Refused, vec![]));
    assert_mentions(only_alert(&remediation), &["/session-kms/", "is not one of session-kms"]);
}

#[test]
fn a_broken_record_is_mended_by_restoring_an_earlier_version_of_the_parameter() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true });
    let first = fixture.aws.borrow().parameter.as_ref().expect("a record").history[0].clone();
    for text in ["{\"owner\": 1}", &first] {
        fixture.aws.borrow_mut().put(text, true).expect("it is there");
    }
    assert_eq!(
        fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true }).outcome,
        RemediationOutcome::Repaired
    );
    fixture.assert_carries(FIRST);
}

#[test]
fn a_record_that_somebody_edited_counts() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    let text = fixture.aws.borrow().parameter.as_ref().expect("a record").history[0].clone();
    fixture.aws.borrow_mut().put(&text.replace(FIRST, OTHER), true).expect("it is there");
    assert_eq!(
        fixture.remediate(&event_of(ChangeSource::RecordChange)).outcome,
        RemediationOutcome::Repaired
    );
    fixture.assert_carries(OTHER);
}

#[test]
fn a_document_without_a_record_is_not_ours() {
    let fixture = LibraryFixture::new();
    let remediation = fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true });
    assert_eq!(
        (remediation.outcome, fixture.writes(), remediation.alerts),
        (RemediationOutcome::NotOurs, vec![], vec![])
    );
}

#[test]
fn a_key_that_the_document_has_nothing_to_do_with_is_no_concern() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    let remediation = fixture.remediate_after(OutsideChange::KeyState { key: 1, state: KeyState::Disabled });
    assert_eq!((remediation.outcome, fixture.writes()), (RemediationOutcome::NotConcerned, vec![]));
}

/// The record does not remember the policy that a Strict request brought. That must not block the repair of drift
/// for ever.
#[test]
fn drift_is_repaired_after_a_request_that_brought_the_policy() {
    let foreign = "arn:aws:kms:eu-west-1:444455556666:key/44444444-4444-4444-8444-444444444444";
    let fixture = LibraryFixture::new();
    let key = fixture.aws.borrow().keys[FIRST].clone();
    fixture.aws.borrow_mut().keys.insert(foreign.to_owned(), key);
    let intent = with_nodes(foreign, PreflightMode::Strict);
    let key_policy = Some(open_policy().replace(":root", ":role/Node"));
    let strict = Intent { safeguards: Safeguards { key_policy, ..intent.safeguards.clone() }, ..intent };
    fixture.establish(&strict).expect("the policy that is handed in lets the nodes in");
    fixture.assert_carries(foreign);
    assert_eq!(
        fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true }).outcome,
        RemediationOutcome::Repaired
    );
    fixture.assert_carries(foreign);
}

#[test]
fn a_record_of_the_previous_version_of_the_program_is_read() {
    let fixture = LibraryFixture::of(&encrypted(FIRST));
    let mut text: serde_json::Value = serde_json::from_str(&fixture.record().to_text()).expect("JSON");
    for field in ["watch", "onKeyTrouble", "safeguards"] {
        text.as_object_mut().expect("a record").remove(field);
    }
    fixture.aws.borrow_mut().put(&text.to_string(), true).expect("it is there");
    assert_eq!(
        fixture.remediate_after(OutsideChange::Key { key: 1, promotes: true }).outcome,
        RemediationOutcome::Repaired
    );
    fixture.assert_carries(FIRST);
}
