//! Existing versions: a content that an earlier version had, and a history that is full.

use crate::fixture::{Fixture, NAME, disabled, enabled, settings};
use crate::stub::{Document, DuplicateReading, Format, StackStatus};

const READINGS: [DuplicateReading; 3] =
    [DuplicateReading::LatestOnly, DuplicateReading::AnyVersionBytes, DuplicateReading::AnyVersionNormalised];

#[tokio::test]
async fn going_back_and_forth_takes_effect_under_every_reading_of_duplicates() {
    for reading in READINGS {
        for format in [Format::Json, Format::Yaml] {
            let fixture = Fixture::with_document(Document::session(format, &settings("alias/old"))).await;
            fixture.stub.world(|world| world.documents.duplicates = reading);
            let run = async |payload| fixture.run(payload).await;
            let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
            for (properties, key) in [
                (enabled(&fixture.k2), "k2"),
                (enabled(&fixture.k1), "k1"),
                (enabled(&fixture.k2), "k2"),
                (disabled(), "none"),
                (enabled(&fixture.k1), "k1"),
                (disabled(), "none"),
            ] {
                let updated = stack.update(&properties, &run).await;
                assert_eq!(updated.reason(), "", "{reading:?}");
                let state = format!("latest {key}, default {key}; demo wants {key}, before alias/old");
                assert_eq!(fixture.state(), state, "{reading:?}");
            }
            assert_eq!(stack.delete(&run).await.reason(), "", "{reading:?}");
            assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "{reading:?}");
            // Under the other readings white space cannot make a version unique, so the description is changed.
            if reading == DuplicateReading::LatestOnly
                || (reading, format) == (DuplicateReading::AnyVersionBytes, Format::Json)
            {
                fixture.assert_settings_kept();
            }
            fixture.assert_no_violations();
        }
    }
}

#[tokio::test]
async fn the_mark_that_made_a_version_unique_is_removed_with_the_next_version() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(|world| world.documents.duplicates = DuplicateReading::AnyVersionNormalised);
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    stack.update(&enabled(&fixture.k2), &run).await;
    stack.update(&enabled(&fixture.k1), &run).await;
    let latest = || fixture.stub.world(|world| world.document(NAME).unwrap().latest_content().to_owned());
    assert!(latest().contains(r#""Ours [session-kms version 4]""#), "{}", latest());
    fixture.stub.world(|world| world.documents.duplicates = DuplicateReading::LatestOnly);
    stack.update(&enabled(&fixture.k2), &run).await;
    assert_eq!(latest().trim_end(), settings(&fixture.k2).trim_end());
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_full_history_loses_its_oldest_versions_and_never_latest_or_default() {
    for reading in READINGS {
        let fixture = Fixture::with_settings().await;
        fixture.stub.world(|world| {
            (world.documents.version_limit, world.documents.duplicates) = (3, reading);
            world.page_size = Some(2);
        });
        let run = async |payload| fixture.run(payload).await;
        let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
        for key in [&fixture.k2, &fixture.k1, &fixture.k2, &fixture.k1] {
            assert_eq!(stack.update(&enabled(key), &run).await.reason(), "");
        }
        assert_eq!(stack.delete(&run).await.status, StackStatus::DeleteComplete);
        assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "{reading:?}");
        let deleted = fixture.stub.calls_of("DeleteDocument");
        assert!(!deleted.is_empty());
        for (call, version) in deleted.iter().zip(1..) {
            assert_eq!(call.body["DocumentVersion"], format!("{version}"), "oldest first, one at a time");
        }
        assert_eq!(fixture.stub.world(|world| world.document(NAME).unwrap().versions.len()), 3);
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_full_history_without_a_version_to_delete_is_reported() {
    let document = Document::session(Format::Json, &settings("console"))
        .with_version(Format::Json, &settings("alias/old"));
    let fixture = Fixture::with_document(document).await;
    fixture.stub.world(|world| world.documents.version_limit = 2);
    let run = async |payload| fixture.run(payload).await;
    let created = fixture.stack("demo").create(&enabled(&fixture.k1), &run).await;
    assert!(created.reason().contains("DocumentVersionLimitExceeded"), "{}", created.reason());
    assert_eq!(created.status, StackStatus::RollbackComplete);
    assert_eq!(fixture.state(), "latest alias/old, default console; no record");
    assert_eq!(fixture.stub.calls_of("DeleteDocument").len(), 0);
    fixture.assert_no_violations();
}
