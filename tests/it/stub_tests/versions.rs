//! The versions of an SSM document, with aws-sdk-ssm: the optimistic lock, duplicates, limits and status.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::DocumentStatus;

use super::{NAME, code, content, ssm};
use crate::stub::{Document, DuplicateReading, Format, Stub};

/// A stub with the document in three versions, the first being the default: keys a, b, c.
pub async fn with_versions() -> Stub {
    let stub = Stub::start().await;
    let document = Document::session(Format::Json, &content("a"))
        .with_version(Format::Json, &content("b"))
        .with_version(Format::Json, &content("c"));
    stub.world(|world| world.put_document(NAME, document));
    stub
}

async fn update(client: &Client, version: &str, text: &str) -> String {
    code(client.update_document().name(NAME).document_version(version).content(text).send().await)
}

#[tokio::test]
async fn only_the_latest_version_can_be_updated() {
    let stub = with_versions().await;
    let client = ssm(&stub);
    for (version, expected) in [
        ("1", "InvalidDocumentVersion"),
        ("4", "InvalidDocumentVersion"),
        ("$DEFAULT", "InvalidDocumentVersion"),
        ("03", "ValidationException"),
        ("3", "ok"),
        ("3", "InvalidDocumentVersion"),
        ("$LATEST", "ok"),
    ] {
        let key = format!("key-{}", stub.calls().len());
        assert_eq!(update(&client, version, &content(&key)).await, expected, "{version}");
    }
    let missing = client.update_document().name("Missing").content(content("")).send().await;
    assert_eq!(code(missing), "InvalidDocument");
}

#[tokio::test]
async fn duplicate_content_has_three_readings() {
    let spaced = content("a").replace(':', ": ");
    for (reading, same, older, other_spacing) in [
        (DuplicateReading::LatestOnly, false, true, true),
        (DuplicateReading::AnyVersionBytes, false, false, true),
        (DuplicateReading::AnyVersionNormalised, false, false, false),
    ] {
        for (text, accepted) in [(content("c"), same), (content("a"), older), (spaced.clone(), other_spacing)]
        {
            let stub = with_versions().await;
            stub.world(|world| world.documents.duplicates = reading);
            let expected = if accepted { "ok" } else { "DuplicateDocumentContent" };
            assert_eq!(update(&ssm(&stub), "3", &text).await, expected, "{reading:?} {text}");
        }
    }
}

#[tokio::test]
async fn versions_are_limited_named_and_deleted_one_by_one() {
    let stub = with_versions().await;
    stub.world(|world| world.documents.version_limit = 4);
    let client = ssm(&stub);
    let named = |text: &str| client.update_document().name(NAME).content(text).version_name("release").send();
    assert_eq!(code(named(&content("d")).await), "ok");
    assert_eq!(code(named(&content("e")).await), "DuplicateDocumentVersionName");
    assert_eq!(update(&client, "4", &content("e")).await, "DocumentVersionLimitExceeded");

    let delete = |version: &str| client.delete_document().name(NAME).document_version(version).send();
    assert_eq!(code(delete("1").await), "InvalidDocumentOperation", "the default version");
    assert_eq!(code(delete("9").await), "InvalidDocumentVersion");
    assert_eq!(code(delete("2").await), "ok");
    assert_eq!(update(&client, "4", &content("e")).await, "ok");

    assert_eq!(code(delete("5").await), "ok");
    assert_eq!(update(&client, "4", &content("e")).await, "ok");

    stub.world(|world| world.page_size = Some(3));
    let mut pages = client.list_document_versions().name(NAME).into_paginator().send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        seen.push(
            page.unwrap()
                .document_versions()
                .iter()
                .filter_map(|version| version.document_version.clone())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(seen, [vec!["6", "4", "3"], vec!["1"]], "newest first, no number twice");
    assert_eq!(
        code(client.list_document_versions().name(NAME).next_token("page-99").send().await),
        "InvalidNextToken"
    );
    assert_eq!(code(client.delete_document().name(NAME).send().await), "ok");
    assert_eq!(code(client.get_document().name(NAME).send().await), "InvalidDocument");
}

#[tokio::test]
async fn a_version_becomes_active_by_being_read_and_only_then_the_default() {
    let stub = with_versions().await;
    let client = ssm(&stub);
    stub.world(|world| world.documents.settle_after = 2);
    assert_eq!(update(&client, "3", &content("d")).await, "ok");
    let promote =
        |version: &str| client.update_document_default_version().name(NAME).document_version(version).send();
    assert_eq!(code(promote("4").await), "InvalidDocumentVersion", "not Active");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let described = client.describe_document().name(NAME).document_version("4").send().await.unwrap();
        seen.push(described.document.unwrap().status.unwrap());
    }
    assert_eq!(seen, [DocumentStatus::Updating, DocumentStatus::Updating, DocumentStatus::Active]);
    assert_eq!(code(promote("$LATEST").await), "ValidationException", "numbers only");
    assert_eq!(code(promote("7").await), "InvalidDocumentVersion");
    assert_eq!(code(promote("4").await), "ok");
    stub.world(|world| {
        assert_eq!(world.document(NAME).unwrap().default_content(), content("d"));
    });

    stub.world(|world| {
        world.documents.settle_after = 0;
        world.documents.fail_next = Some("it broke".to_owned());
    });
    assert_eq!(update(&client, "4", &content("e")).await, "ok");
    let described =
        client.describe_document().name(NAME).document_version("5").send().await.unwrap().document.unwrap();
    assert_eq!(
        (described.status, described.status_information.as_deref()),
        (Some(DocumentStatus::Failed), Some("it broke"))
    );
    assert_eq!(code(promote("5").await), "InvalidDocumentVersion");
}
