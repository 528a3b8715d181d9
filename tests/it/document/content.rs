//! What is written: the whole document if there is none, one value if there is one, and nothing if the function must
//! not edit the document or if nothing differs.

use serde_json::{Value, json};

use crate::fixture::{Fixture, NAME, SECRET, and, enabled, id_of, resource, settings};
use crate::stub::{ACCOUNT, Document, Format, ReceivedResponse, StackStatus};

#[tokio::test]
async fn an_absent_document_is_created_as_the_console_does_it() {
    let fixture = Fixture::empty().await;
    let answer = create(&fixture).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before none");
    let (kind, content) = fixture.stub.world(|world| {
        let document = world.document(NAME).unwrap();
        (document.kind.clone(), document.latest_content().to_owned())
    });
    assert_eq!(kind, "Session");
    let content: Value = serde_json::from_str(&content).unwrap();
    assert_eq!(content["description"], "Document to hold regional settings for Session Manager");
    assert_eq!(
        content["inputs"],
        json!({
            "s3BucketName": "",
            "s3KeyPrefix": "",
            "s3EncryptionEnabled": true,
            "cloudWatchLogGroupName": "",
            "cloudWatchEncryptionEnabled": true,
            "cloudWatchStreamingEnabled": true,
            "idleSessionTimeout": "20",
            "maxSessionDuration": "",
            "kmsKeyId": fixture.k1,
            "runAsEnabled": false,
            "runAsDefaultUser": "",
            "shellProfile": {"windows": "", "linux": ""},
        })
    );
    assert_eq!(answer.physical_resource_id, id_of(NAME));
    assert_eq!(
        Value::Object(answer.data),
        json!({
            "KeyArn": fixture.k1,
            "KeyAccount": ACCOUNT,
            "DocumentName": NAME,
            "DocumentVersion": "1",
            "PreviousKmsKeyId": "",
            "Changed": "true",
            "Findings": "1 passed",
        })
    );
    fixture.assert_no_violations();
}

#[tokio::test]
async fn encryption_off_without_a_document_creates_none() {
    let fixture = Fixture::empty().await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.stack("demo");
    let created = stack.create(&json!({"Encryption": "Disabled"}), &run).await;
    let answer = created.last_answer().unwrap();
    assert!(answer.success && answer.reason.contains("password reset"), "{}", answer.reason);
    assert_eq!((&answer.data["KeyArn"], &answer.data["DocumentVersion"]), (&json!(""), &json!("")));
    assert_eq!(fixture.state(), "no document; demo wants none, before none");
    assert_eq!(stack.delete(&run).await.reason(), "");
    assert_eq!(fixture.state(), "no document; no record");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn an_adopted_json_document_keeps_every_byte_but_the_key() {
    let fixture = Fixture::with_settings().await;
    let answer = create(&fixture).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(latest(&fixture), (settings(&fixture.k1), Format::Json));
    assert_eq!(
        (&answer.data["PreviousKmsKeyId"], &answer.data["DocumentVersion"]),
        (&json!("alias/old"), &json!("2"))
    );
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn an_adopted_yaml_document_keeps_every_byte_but_the_key() {
    let yaml = |key: &str| {
        format!(
            "# ours\nschemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  \
             # by the platform team: ü\n  s3BucketName: logs\n  idleSessionTimeout: 20\n  kmsKeyId: {key}  # rotated\n  \
             shellProfile:\n    linux: |\n      export TOKEN={SECRET}\n      cd\n"
        )
    };
    let fixture = Fixture::with_document(Document::session(Format::Yaml, &yaml("'alias/old'"))).await;
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    assert_eq!(latest(&fixture), (yaml(&format!("\"{}\"", fixture.k1)), Format::Yaml));
    assert_eq!(stack.update(&enabled(&fixture.k2), &run).await.status, StackStatus::UpdateComplete);
    assert_eq!(stack.delete(&run).await.status, StackStatus::DeleteComplete);
    assert_eq!(latest(&fixture), (yaml("\"alias/old\""), Format::Yaml));
    fixture.assert_no_violations();
}

#[tokio::test]
async fn yaml_that_cannot_be_edited_in_place_becomes_json_and_the_answer_says_so() {
    let yaml = "schemaVersion: '1.0'\nsessionType: Standard_Stream\ndescription: Ours\n";
    let fixture = Fixture::with_document(Document::session(Format::Yaml, yaml)).await;
    let answer = create(&fixture).await;
    assert!(answer.success && answer.reason.contains("is JSON now"), "{}", answer.reason);
    let (content, format) = latest(&fixture);
    assert_eq!(format, Format::Json);
    assert_eq!(
        serde_json::from_str::<Value>(&content).unwrap(),
        json!({
            "schemaVersion": "1.0",
            "sessionType": "Standard_Stream",
            "description": "Ours",
            "inputs": {"kmsKeyId": fixture.k1},
        })
    );
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before none");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn content_that_must_not_be_edited_is_refused_and_left() {
    let inputs = |key: &str| format!(r#""inputs":{{"kmsKeyId":{key}}}"#);
    for (content, why) in [
        (
            format!(
                r#"{{"schemaVersion":"1.0","sessionType":"Standard_Stream",{}}}"#,
                inputs("\"{{ key }}\"")
            ),
            "a template",
        ),
        (
            format!(r#"{{"schemaVersion":"1.0","sessionType":"InteractiveCommands",{}}}"#, inputs("\"\"")),
            "sessionType",
        ),
        (
            format!(r#"{{"schemaVersion":"2.2","sessionType":"Standard_Stream",{}}}"#, inputs("\"\"")),
            "schemaVersion",
        ),
        (format!(r#"{{"schemaVersion":"1.0","sessionType":"Standard_Stream",{}}}"#, inputs("7")), "a number"),
        (r#"["schemaVersion"]"#.to_owned(), "not an object"),
    ] {
        let fixture = Fixture::with(&content).await;
        let run = async |payload| fixture.run(payload).await;
        let created = fixture.stack("demo").create(&enabled(&fixture.k1), &run).await;
        assert!(created.reason().contains("is left as it is") && created.reason().contains(why), "{why}");
        assert_eq!(created.status, StackStatus::RollbackComplete);
        assert_eq!(fixture.stub.writes().len(), 0, "{why}");
        assert_eq!(latest(&fixture).0, content);
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_document_too_long_for_the_key_is_left_and_the_stack_rolls_back() {
    let short = settings("");
    let content = short.replace("logs", &"x".repeat(64 * 1024 - short.len() + "logs".len()));
    assert_eq!(content.len(), 64 * 1024);
    let fixture = Fixture::with(&content).await;
    let run = async |payload| fixture.run(payload).await;
    let created = fixture.stack("demo").create(&enabled(&fixture.k1), &run).await;
    assert!(created.reason().contains("MaxDocumentSizeExceeded"), "{}", created.reason());
    assert_eq!(created.status, StackStatus::RollbackComplete);
    assert_eq!(fixture.state(), "latest none, default none; no record");
    assert_eq!(latest(&fixture).0, content);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn nothing_is_written_if_nothing_differs() {
    let fixture = Fixture::with_settings().await;
    let resource = resource("demo");
    let create = resource.create(&fixture.stub, &enabled(&fixture.k1));
    assert!(fixture.send(&create).await.success);
    fixture.stub.forget_calls();

    fixture.stub.redelivered(&create.url);
    let again = fixture.send(&create).await;
    assert_eq!((again.success, &again.data["Changed"]), (true, &json!("false")));
    assert_eq!(fixture.stub.writes().len(), 0, "a duplicate Create");

    let revised = and(enabled(&fixture.k1), "Revision", "2");
    let update = resource.update(&fixture.stub, &id_of(NAME), &revised, &enabled(&fixture.k1));
    assert!(fixture.send(&update).await.success);
    assert_eq!(fixture.written(), ["PutParameter"], "another Revision: what was accepted is remembered");
    fixture.stub.forget_calls();

    fixture.stub.redelivered(&update.url);
    assert!(fixture.send(&update).await.success);
    assert_eq!(fixture.stub.writes().len(), 0, "a duplicate Update");
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_document_that_carries_the_key_already_is_only_adopted() {
    let fixture = Fixture::empty().await;
    let content = settings(&fixture.k1);
    fixture.stub.world(|world| world.put_document(NAME, Document::session(Format::Json, &content)));
    let run = async |payload| fixture.run(payload).await;
    let mut stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    assert_eq!(fixture.written(), ["PutParameter"]);
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before k1");
    assert_eq!(stack.delete(&run).await.reason(), "");
    assert_eq!(fixture.state(), "latest k1, default k1; no record");
    fixture.assert_no_violations();
}

async fn create(fixture: &Fixture) -> ReceivedResponse {
    fixture.send(&resource("demo").create(&fixture.stub, &enabled(&fixture.k1))).await
}

fn latest(fixture: &Fixture) -> (String, Format) {
    fixture.stub.world(|world| {
        let latest = world.document(NAME).unwrap().latest();
        (latest.content.clone(), latest.format)
    })
}
