//! SSM documents, with aws-sdk-ssm: creating, reading and converting them.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{DocumentFormat, DocumentType};
use serde_json::json;

use super::versions::with_versions;
use super::{NAME, code, content, ssm};
use crate::stub::Stub;

async fn create(client: &Client, name: &str, text: &str) -> String {
    code(client.create_document().name(name).document_type(DocumentType::Session).content(text).send().await)
}

#[tokio::test]
async fn contents_are_validated() {
    let table = [
        (
            r#"{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"kmsKeyId":null,"runAsEnabled":"true","odd":1}}"#,
            "ok",
        ),
        ("[]", "InvalidDocumentContent"),
        ("schemaVersion: '1.0'", "InvalidDocumentContent"),
        (r#"{"schemaVersion":"2.2","sessionType":"Standard_Stream"}"#, "InvalidDocumentSchemaVersion"),
        (r#"{"sessionType":"Standard_Stream"}"#, "InvalidDocumentSchemaVersion"),
        (r#"{"schemaVersion":"1.0","sessionType":"Other"}"#, "InvalidDocumentContent"),
        (r#"{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":[]}"#, "InvalidDocumentContent"),
        (
            r#"{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"kmsKeyId":1}}"#,
            "InvalidDocumentContent",
        ),
    ];
    let stub = Stub::start().await;
    let client = ssm(&stub);
    for (index, (text, expected)) in table.into_iter().enumerate() {
        assert_eq!(create(&client, &format!("Doc-{index}"), text).await, expected, "{text}");
    }
    let padding = "x".repeat(64 * 1024);
    assert_eq!(create(&client, "Big", &content(&padding)).await, "MaxDocumentSizeExceeded");
    assert_eq!(create(&client, "no", &content("")).await, "ValidationException");
    assert_eq!(create(&client, "AWS-Mine", &content("")).await, "ValidationException");
    assert_eq!(create(&client, "Doc-0", &content("")).await, "DocumentAlreadyExists");
    stub.world(|world| world.documents.document_limit = 1);
    assert_eq!(create(&client, "Second", &content("")).await, "DocumentLimitExceeded");
}

#[tokio::test]
async fn get_returns_the_default_version_and_converts_yaml() {
    let stub = with_versions().await;
    let client = ssm(&stub);
    for (version, expected) in
        [(None, "a"), (Some("$DEFAULT"), "a"), (Some("$LATEST"), "c"), (Some("2"), "b")]
    {
        let got = client
            .get_document()
            .name(NAME)
            .set_document_version(version.map(str::to_owned))
            .send()
            .await
            .unwrap();
        assert_eq!(got.content(), Some(content(expected).as_str()), "{version:?}");
    }
    assert_eq!(
        code(client.get_document().name(NAME).document_version("9").send().await),
        "InvalidDocumentVersion"
    );

    let yaml = "schemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  runAsEnabled: true\n  idleSessionTimeout: 20\n  kmsKeyId: ''\n";
    let created = client.create_document().name("Yaml").content(yaml).document_type(DocumentType::Session);
    assert_eq!(code(created.document_format(DocumentFormat::Yaml).send().await), "ok");
    let converted = client.get_document().name("Yaml").send().await.unwrap();
    let value: serde_json::Value = serde_json::from_str(converted.content().unwrap()).unwrap();
    let inputs = json!({"runAsEnabled": true, "idleSessionTimeout": 20, "kmsKeyId": ""});
    assert_eq!(value, json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}));
    let verbatim =
        client.get_document().name("Yaml").document_format(DocumentFormat::Yaml).send().await.unwrap();
    assert_eq!(verbatim.content(), Some(yaml));
    let described = client.describe_document().name("Yaml").send().await.unwrap().document.unwrap();
    assert_eq!(
        described.document_format,
        Some(DocumentFormat::Yaml),
        "the format held, not the format converted to"
    );
}
