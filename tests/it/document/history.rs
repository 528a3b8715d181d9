//! Existing versions: a content that an earlier version had, and a history that is full.

use crate::fixture::{Fixture, NAME, add_version, disabled, enabled, settings};
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
            // Under the other reading white space or a comment cannot make a version unique, so the description is changed.
            if reading != DuplicateReading::AnyVersionNormalised {
                fixture.assert_settings_kept();
            }
            fixture.assert_no_violations();
        }
    }
}

/// YAML whose description has forms that a mark cannot always stand in, and the shell profile of each ends the text.
const YAMLS: [&str; 9] = [
    "description: |\n  Ours\n",
    "description: >-\n  Ours\n  and yours\n",
    "description: 'Ours\n  and yours'\n",
    "description: Ours\n  and yours\n",
    "description: ''\n",
    "description:\n",
    "description: ~\n",
    "",
    "description: &a Ours\n",
];

fn yaml(begin: &str, description: &str, end: &str) -> String {
    format!(
        "{begin}schemaVersion: '1.0'\n{description}sessionType: Standard_Stream\ninputs:\n  kmsKeyId: alias/old\n{end}"
    )
}

#[tokio::test]
async fn yaml_of_every_form_goes_back_and_forth_and_is_repaired() {
    for reading in READINGS {
        for description in YAMLS {
            for (begin, end) in
                [("", ""), ("\u{feff}", ""), ("", "  shellProfile:\n    linux: |+\n      a\n\n")]
            {
                let content = yaml(begin, description, end);
                let case = format!("{reading:?} {content:?}");
                let fixture = Fixture::with_document(Document::session(Format::Yaml, &content)).await;
                fixture.stub.world(|world| world.documents.duplicates = reading);
                let run = async |payload| fixture.run(payload).await;
                let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
                for key in [&fixture.k2, &fixture.k1, &fixture.k2, &fixture.k1] {
                    assert_eq!(stack.update(&enabled(key), &run).await.reason(), "", "{case}");
                }
                assert_eq!(
                    fixture.state(),
                    "latest k1, default k1; demo wants k1, before alias/old",
                    "{case}"
                );
                // Somebody goes back to the first version.
                fixture.stub.world(|world| {
                    let first = world.document(NAME).unwrap().versions[0].clone();
                    add_version(world, first.format, &first.content);
                });
                fixture
                    .run(
                        serde_json::from_str(include_str!("../../../events/document-update-call.json"))
                            .unwrap(),
                    )
                    .await;
                assert_eq!(
                    fixture.state(),
                    "latest k1, default k1; demo wants k1, before alias/old",
                    "{case}"
                );
                assert_eq!(stack.delete(&run).await.reason(), "", "{case}");
                assert_eq!(fixture.state(), "latest alias/old, default alias/old; no record", "{case}");
                fixture.assert_no_violations();
            }
        }
    }
}

#[tokio::test]
async fn what_made_a_version_unique_is_gone_from_the_next() {
    for description in YAMLS {
        for reading in [DuplicateReading::AnyVersionBytes, DuplicateReading::AnyVersionNormalised] {
            let content = yaml("", description, "");
            let fixture = Fixture::with_document(Document::session(Format::Yaml, &content)).await;
            let latest =
                || fixture.stub.world(|world| world.document(NAME).unwrap().latest_content().to_owned());
            let run = async |payload| fixture.run(payload).await;
            let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
            let first = latest();
            stack.update(&enabled(&fixture.k2), &run).await;
            fixture.stub.world(|world| world.documents.duplicates = reading);
            stack.update(&enabled(&fixture.k1), &run).await;
            assert_ne!(latest(), first, "{content:?}");
            fixture.stub.world(|world| world.documents.duplicates = DuplicateReading::LatestOnly);
            stack.update(&enabled(&fixture.k2), &run).await;
            stack.update(&enabled(&fixture.k1), &run).await;
            let is_yaml =
                fixture.stub.world(|world| world.document(NAME).unwrap().latest().format) == Format::Yaml;
            if is_yaml {
                assert_eq!(latest(), first);
            } else {
                assert!(!latest().contains("session-kms"), "{}", latest());
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

#[tokio::test]
async fn a_description_that_is_no_text_and_a_byte_order_mark_are_no_obstacle() {
    let json = |description: &str, key: &str| {
        format!(
            "\u{feff}{{{description}\"schemaVersion\":\"1.0\",\"sessionType\":\"Standard_Stream\",\"inputs\":{{\"kmsKeyId\":\"{key}\"}}}}\n"
        )
    };
    for reading in READINGS {
        for description in
            ["", "\"description\": null,", "\"description\":[\"one\", 1.50],", "\"description\":5,"]
        {
            let text = json(description, "alias/old");
            let fixture = Fixture::with_document(Document::session(Format::Json, &text)).await;
            fixture.stub.world(|world| world.documents.duplicates = reading);
            let run = async |payload| fixture.run(payload).await;
            let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
            for key in [&fixture.k2, &fixture.k1] {
                assert_eq!(stack.update(&enabled(key), &run).await.reason(), "", "{reading:?} {description}");
            }
            fixture.stub.world(|world| world.documents.duplicates = DuplicateReading::LatestOnly);
            assert_eq!(stack.update(&enabled(&fixture.k2), &run).await.reason(), "");
            let latest =
                fixture.stub.world(|world| world.document(NAME).unwrap().latest_content().to_owned());
            assert_eq!(latest, json(description, &fixture.k2), "nothing is left of what made it unique");
            fixture.assert_no_violations();
        }
    }
}

#[tokio::test]
async fn yaml_whose_description_is_a_list_goes_back_as_json() {
    let text = "schemaVersion: '1.0'\ndescription: [one]\nsessionType: Standard_Stream\ninputs:\n  kmsKeyId: alias/old\n";
    let fixture = Fixture::with_document(Document::session(Format::Yaml, text)).await;
    fixture.stub.world(|world| world.documents.duplicates = DuplicateReading::AnyVersionNormalised);
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    for key in [&fixture.k2, &fixture.k1] {
        assert_eq!(stack.update(&enabled(key), &run).await.reason(), "");
    }
    let latest = fixture.stub.world(|world| world.document(NAME).unwrap().latest_content().to_owned());
    let latest: serde_json::Value = serde_json::from_str(&latest).unwrap();
    assert!(latest["description"].as_str().unwrap().starts_with("[session-kms version 4, in place of ["));
    fixture.stub.world(|world| world.documents.duplicates = DuplicateReading::LatestOnly);
    assert_eq!(stack.update(&enabled(&fixture.k2), &run).await.reason(), "");
    let latest = fixture.stub.world(|world| world.document(NAME).unwrap().latest_content().to_owned());
    let latest: serde_json::Value = serde_json::from_str(&latest).unwrap();
    assert_eq!(latest["description"], serde_json::json!(["one"]));
    fixture.assert_no_violations();
}
