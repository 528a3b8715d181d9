use futures_util::FutureExt;

use super::*;
use crate::intent::{OnDelete, Owner, Safeguards};
use crate::reconcile::record::{OnTrouble, There, Watch};

fn record(wanted: &str) -> Record {
    Record {
        owner: Owner { stack_id: "stack".into(), logical_resource_id: "Key".into() },
        wanted: wanted.into(),
        before: String::new(),
        there: There::default(),
        on_delete: OnDelete::Restore,
        safeguards: Safeguards::default(),
        on_key_trouble: OnTrouble::Alert,
        watch: Watch::default(),
        accepted: vec!["a".into()],
    }
}

/// A parameter with its versions.
struct Parameter(Vec<String>);

impl Records for Parameter {
    async fn read(&self, _: &DocumentName) -> Result<Option<Stored>, AwsError> {
        let version = self.0.len() as u64;
        Ok(self.0.last().map(|text| Stored { text: text.clone(), version }))
    }

    async fn read_version(&self, _: &DocumentName, version: u64) -> Result<Option<String>, AwsError> {
        Ok(self.0.get(usize::try_from(version).unwrap() - 1).cloned())
    }

    async fn create_record(&self, _: &DocumentName, _: &str) -> Result<bool, AwsError> {
        panic!("nothing is written")
    }

    async fn replace_record(&self, _: &DocumentName, _: &str) -> Result<u64, AwsError> {
        panic!("nothing is written")
    }

    async fn delete_record(&self, _: &DocumentName) -> Result<(), AwsError> {
        panic!("nothing is written")
    }

    async fn recorded(&self) -> Result<Vec<DocumentName>, AwsError> {
        panic!("nobody asks")
    }
}

/// The key that is wanted by the record that counts, of these versions.
fn wanted(versions: &[String]) -> Option<String> {
    let parameter = Parameter(versions.to_vec());
    let recalled = recalled(&parameter, &DocumentName::default()).now_or_never().unwrap().unwrap();
    assert_eq!(recalled.version, versions.len() as u64);
    recalled.record.map(|record| record.wanted)
}

/// A record as a run writes it that has read this version.
fn after(version: u64, key: &str) -> String {
    text_after(version, &record(key))
}

#[test]
fn a_record_counts_as_the_version_that_it_was_written_to_become() {
    assert_eq!(Record::from_text(&DocumentName::default(), &after(6, "k")), Ok(record("k")));
    assert_eq!(wanted(&[after(0, "a"), after(1, "b")]).as_deref(), Some("b"));
    assert_eq!(
        wanted(&[after(0, "a"), after(1, "b"), after(1, "c")]).as_deref(),
        Some("b"),
        "another was first"
    );
    assert_eq!(wanted(&[after(6, "a")]), None, "it was removed meanwhile");
}

#[test]
fn what_a_person_or_an_earlier_version_wrote_counts_wherever_it_is() {
    let edited = after(0, "a").replace("\"a\"", "\"other\"");
    assert_ne!(edited, after(0, "a"));
    assert_eq!(wanted(&[after(0, "x"), after(1, "b"), edited]).as_deref(), Some("other"));
    let early = record("k").to_text();
    assert_eq!(wanted(&[after(0, "a"), early]).as_deref(), Some("k"), "says nothing of it");
}

#[test]
fn an_earlier_version_that_a_person_put_back_counts() {
    let versions = [after(0, "a"), after(1, "b"), after(0, "a")];
    assert_eq!(wanted(&versions).as_deref(), Some("a"));
    let overtaken = [versions.as_slice(), &[after(1, "c")]].concat();
    assert_eq!(wanted(&overtaken).as_deref(), Some("a"), "what came of nothing since does not");
}
