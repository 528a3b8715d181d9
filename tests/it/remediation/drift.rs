//! The document is not as its record wants it.

use session_kms::change_event::ChangeSource;
use session_kms::intent::{Encryption, Intent, Mode, Safeguards};
use session_kms::remediation::RemediationOutcome;
use session_kms::session::{Content, DocumentFormat};

use super::{FIRST, LibraryFixture, OTHER, alert, assert_names, encrypted, proven};
use crate::model::rival::{Deed, call_event, event_of};
use crate::model::world::{KeyState, Write, open_policy};

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
fn where_nothing_differs_nothing_is_written_whoever_says_so() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Strict));
    for source in SOURCES {
        let kept = room.told(&event_of(source));
        assert_eq!((kept.outcome, kept.changed), (RemediationOutcome::AsWanted, false), "{source:?}");
        assert_eq!((room.writes(), kept.alerts), (vec![], vec![]), "{source:?}");
    }
    assert_eq!(room.record().remediation, Default::default());
}

#[test]
fn another_key_is_put_right_and_the_repair_is_counted() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    let kept = room.noticed(Deed::Key { key: 1, promotes: true });
    assert_eq!(
        (kept.outcome, kept.changed, kept.kms_key_id.as_kms_key_id()),
        (RemediationOutcome::Repaired, true, FIRST)
    );
    assert_names(&kept.drift.join("; "), &["the latest", OTHER, FIRST]);
    room.assert_carries(FIRST);
    let watch = room.record().remediation;
    assert_eq!(watch.repairs.len(), 1);
    assert_eq!(watch.actor.expect("named").user_agent.as_deref(), Some("Terraform/1.9"));
}

#[test]
fn encryption_turned_off_in_any_way_is_turned_on_again() {
    // Left out, null, empty: the deed does one after the other.
    for way in 0..3 {
        let room = LibraryFixture::of(&encrypted(FIRST));
        room.world.borrow_mut().ticks += way;
        for promotes in [true, false] {
            assert_eq!(room.noticed(Deed::Off { promotes }).outcome, RemediationOutcome::Repaired);
            room.assert_carries(FIRST);
        }
    }
}

#[test]
fn a_default_version_moved_back_is_moved_on_and_no_version_is_written() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    let kept = room.noticed(Deed::MoveDefault(0));
    assert_eq!(kept.outcome, RemediationOutcome::Repaired);
    assert_names(&kept.drift.join("; "), &["version 1, the default"]);
    assert_eq!(room.writes(), [Write::Record, Write::Promote { key: FIRST.to_owned() }]);
    room.assert_carries(FIRST);
}

#[test]
fn other_settings_are_left_alone_and_nothing_is_written() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    for promotes in [true, false] {
        let kept = room.noticed(Deed::Setting { promotes });
        assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::AsWanted, vec![]));
        room.assert_carries(FIRST);
    }
}

#[test]
fn a_document_overwritten_whole_keeps_the_new_settings_and_gets_the_key() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    assert_eq!(room.noticed(Deed::Overwrite { promotes: false }).outcome, RemediationOutcome::Repaired);
    room.assert_carries(FIRST);
}

#[test]
fn a_document_deleted_is_made_anew_and_the_loss_is_told() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    let kept = room.noticed(Deed::Delete);
    assert_eq!((kept.outcome, kept.version), (RemediationOutcome::Repaired, Some(1)));
    assert_names(&kept.drift.join("; "), &["deleted", "lost"]);
    assert_names(
        alert(&kept),
        &["DeleteDocument", "assumed-role/Pipeline/deploy", "put back its other settings"],
    );
    room.assert_carries(FIRST);
    room.others(Deed::Delete);
    let told = alert(&room.scheduled()).to_owned();
    assert!(!told.contains("Schedule"), "the clock did not delete it: {told}");
}

#[test]
fn encryption_that_is_to_be_off_is_turned_off_again_and_a_deleted_document_stays_away() {
    let room = LibraryFixture::of(&Intent { encryption: Encryption::Disabled, ..encrypted(FIRST) });
    assert_eq!(room.noticed(Deed::Key { key: 1, promotes: true }).outcome, RemediationOutcome::Repaired);
    room.assert_carries("");
    let kept = room.noticed(Deed::Delete);
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::AsWanted, vec![]));
}

/// AWS takes a while with every version: what it says meanwhile counts for nothing.
#[test]
fn a_version_that_is_not_active_yet_is_waited_for_proven_and_counted() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Enforce));
    let event = room.others(Deed::Key { key: 1, promotes: false });
    let pend = |room: &LibraryFixture| {
        let mut world = room.world.borrow_mut();
        let document = world.document.as_mut().expect("a document");
        let latest = document.latest();
        document.versions.get_mut(&latest).expect("a version").pending = 3;
    };
    pend(&room);
    assert_eq!(room.told(&event).outcome, RemediationOutcome::Repaired);
    assert_eq!(room.record().remediation.repairs.len(), 1);
    room.others(Deed::LockOut { key: 0 });
    let event = room.others(Deed::Key { key: 1, promotes: false });
    pend(&room);
    let kept = room.told(&event);
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::Refused, vec![]));
}

#[test]
fn a_version_that_aws_failed_is_written_once_more_with_what_it_says() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    let event = room.others(Deed::Key { key: 1, promotes: false });
    room.world.borrow_mut().fail_next = true;
    let kept = room.told(&event);
    assert_eq!(kept.outcome, RemediationOutcome::Refused);
    assert_names(alert(&kept), &["Failed", "as it happens"]);
    assert_eq!(room.told(&event).outcome, RemediationOutcome::Repaired);
    room.assert_carries(FIRST);
}

#[test]
fn a_yaml_document_is_edited_in_place() {
    let yaml = |key: &str| {
        format!(
            "# ours\nschemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  idleSessionTimeout: 20 # minutes\n  kmsKeyId: {key}\n"
        )
    };
    let put = |room: &LibraryFixture, key: &str| {
        let mut world = room.world.borrow_mut();
        world.update(Content::new(yaml(key), DocumentFormat::Yaml), None).expect("a new version");
    };
    let room = LibraryFixture::new();
    put(&room, "''");
    room.ask(&encrypted(FIRST)).expect("nothing is in the way");
    put(&room, OTHER);
    assert_eq!(room.told(&call_event("UpdateDocument", None)).outcome, RemediationOutcome::Repaired);
    assert_eq!(room.keys(), [FIRST, FIRST]);
    let world = room.world.borrow();
    let text = world.document.as_ref().expect("a document").latest_content().text().to_owned();
    assert_names(&text, &["# ours\n", "idleSessionTimeout: 20 # minutes\n"]);
}

#[test]
fn a_document_whose_key_is_a_template_is_left_and_told() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    let kept = room.noticed(Deed::Template);
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::Refused, vec![]));
    assert_names(alert(&kept), &["template", "mend it by hand"]);
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_nothing_is_written() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    room.world.borrow_mut().put("{\"owner\": 1}", true).expect("it is there");
    let kept = room.noticed(Deed::Key { key: 1, promotes: true });
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::Refused, vec![]));
    assert_names(alert(&kept), &["/session-kms/", "is not one of session-kms"]);
}

#[test]
fn a_record_that_was_spoilt_is_mended_by_putting_back_an_earlier_version_of_the_parameter() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    room.noticed(Deed::Key { key: 1, promotes: true });
    let first = room.world.borrow().parameter.as_ref().expect("a record").history[0].clone();
    for text in ["{\"owner\": 1}", &first] {
        room.world.borrow_mut().put(text, true).expect("it is there");
    }
    assert_eq!(room.noticed(Deed::Key { key: 1, promotes: true }).outcome, RemediationOutcome::Repaired);
    room.assert_carries(FIRST);
}

#[test]
fn a_record_that_somebody_edited_counts() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    let text = room.world.borrow().parameter.as_ref().expect("a record").history[0].clone();
    room.world.borrow_mut().put(&text.replace(FIRST, OTHER), true).expect("it is there");
    assert_eq!(room.told(&event_of(ChangeSource::RecordChange)).outcome, RemediationOutcome::Repaired);
    room.assert_carries(OTHER);
}

#[test]
fn a_document_without_a_record_is_nobodys() {
    let room = LibraryFixture::new();
    let kept = room.noticed(Deed::Key { key: 1, promotes: true });
    assert_eq!((kept.outcome, room.writes(), kept.alerts), (RemediationOutcome::NotOurs, vec![], vec![]));
}

#[test]
fn a_key_that_the_document_has_nothing_to_do_with_is_no_concern() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    let kept = room.noticed(Deed::KeyState { key: 1, state: KeyState::Disabled });
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::NotConcerned, vec![]));
}

/// What was not remembered of a Strict request, the policy that was handed in, must not keep drift from being
/// put right for ever.
#[test]
fn drift_is_put_right_where_the_policy_had_been_handed_in() {
    let foreign = "arn:aws:kms:eu-west-1:444455556666:key/44444444-4444-4444-8444-444444444444";
    let room = LibraryFixture::new();
    let key = room.world.borrow().keys[FIRST].clone();
    room.world.borrow_mut().keys.insert(foreign.to_owned(), key);
    let intent = proven(foreign, Mode::Strict);
    let key_policy = Some(open_policy().replace(":root", ":role/Node"));
    let strict = Intent { safeguards: Safeguards { key_policy, ..intent.safeguards.clone() }, ..intent };
    room.ask(&strict).expect("the policy that is handed in lets the nodes in");
    room.assert_carries(foreign);
    assert_eq!(room.noticed(Deed::Key { key: 1, promotes: true }).outcome, RemediationOutcome::Repaired);
    room.assert_carries(foreign);
}

#[test]
fn a_record_of_the_previous_version_of_the_software_is_read() {
    let room = LibraryFixture::of(&encrypted(FIRST));
    let mut text: serde_json::Value = serde_json::from_str(&room.record().to_text()).expect("JSON");
    for field in ["watch", "onKeyTrouble", "safeguards"] {
        text.as_object_mut().expect("a record").remove(field);
    }
    room.world.borrow_mut().put(&text.to_string(), true).expect("it is there");
    assert_eq!(room.noticed(Deed::Key { key: 1, promotes: true }).outcome, RemediationOutcome::Repaired);
    room.assert_carries(FIRST);
}
