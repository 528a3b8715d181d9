use super::*;
use crate::intent::{OnDelete, Owner, Safeguards};
use crate::reconcile::record::{BeforeChange, RecordedKeyTrouble, RemediationState};
use crate::session::Target;

fn record(wanted: &str) -> Record {
    Record {
        releasing: None,
        owner: Owner { stack_id: "stack".into(), logical_resource_id: "Key".into() },
        wanted: wanted.into(),
        before_adoption: Target::Off,
        before_change: BeforeChange::default(),
        on_delete: OnDelete::Restore,
        safeguards: Safeguards::default(),
        on_key_trouble: RecordedKeyTrouble::Alert,
        remediation: RemediationState::default(),
        accepted: vec!["a".into()],
    }
}

#[test]
fn a_record_counts_as_the_version_that_it_was_written_to_become() {
    let text = text_after(Some(6), &record("k"));
    assert_eq!(Record::from_text(&DocumentName::default(), &text), Ok(record("k")));
    assert!(counts(&text, 7));
    assert!(!counts(&text, 8), "another was first");
    assert!(!counts(&text, 1), "it was removed meanwhile");
}

#[test]
fn what_a_person_or_an_earlier_version_wrote_counts_wherever_it_is() {
    let text = text_after(Some(6), &record("k"));
    assert!(counts(&text.replace("\"k\"", "\"other\""), 9), "edited since");
    assert!(counts(&record("k").to_text(), 9), "says nothing of it");
}
