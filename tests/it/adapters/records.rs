//! The list of the records.

use session_kms::ports::ReadRecords as _;
use session_kms::session::DocumentName;

use super::aws;
use crate::stub::{Fault, Location, Refusal, Stub, When};

fn put(stub: &Stub, name: &str, kind: &str) {
    let body = serde_json::json!({"Name": name, "Value": "{}", "Type": kind});
    stub.world(|world| world.ask("ssm", "PutParameter", body).unwrap());
}

async fn recorded(stub: &Stub) -> Vec<String> {
    let mut names: Vec<_> = aws(stub).recorded().await.unwrap().iter().map(DocumentName::to_string).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn every_document_with_a_record_is_listed_and_nothing_else() {
    let stub = Stub::start().await;
    assert_eq!(recorded(&stub).await, Vec::<String>::new());
    for name in ["/session-kms/Doc", "/session-kms/SSM-SessionManagerRunShell", "/session-kms/a.b_c-d"] {
        put(&stub, name, "String");
    }
    put(&stub, "/session-kms/Secure", "SecureString");
    // The first is too short for a document's name, and the others are not directly under the path.
    for name in ["/session-kms/no", "/session-kms/Doc/deeper", "/session-kms-2/Doc", "/other/Doc", "Doc"] {
        put(&stub, name, "String");
    }
    stub.world(|world| world.location = Location::new("210987654321", "eu-west-1"));
    put(&stub, "/session-kms/Theirs", "String");
    stub.world(|world| world.location = Location::new("123456789012", "eu-west-1"));
    stub.forget_calls();
    assert_eq!(recorded(&stub).await, ["Doc", "SSM-SessionManagerRunShell", "Secure", "a.b_c-d"]);
    let call = stub.calls().remove(0);
    assert_eq!((call.operation.as_str(), call.body.get("WithDecryption")), ("GetParametersByPath", None));
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn all_pages_of_the_list_are_read() {
    let stub = Stub::start().await;
    let all: Vec<_> = (0..23).map(|number| format!("Doc-{number:02}")).collect();
    for name in &all {
        put(&stub, &format!("/session-kms/{name}"), "String");
    }
    for (page_size, calls) in [(None, 3), (Some(4), 6), (Some(1), 23)] {
        stub.world(|world| world.page_size = page_size);
        stub.forget_calls();
        assert_eq!(recorded(&stub).await, all, "{page_size:?}");
        assert_eq!(stub.calls_of("GetParametersByPath").len(), calls);
    }
}

#[tokio::test]
async fn an_error_on_a_later_page_is_an_error() {
    let stub = Stub::start().await;
    for number in 0..12 {
        put(&stub, &format!("/session-kms/Doc-{number}"), "String");
    }
    let second = When::operation("ssm", "GetParametersByPath").nth(2);
    stub.fault(
        second,
        Fault::Refuse(Refusal::client("InvalidNextToken", "The specified token is not valid")),
    );
    let error = aws(&stub).recorded().await.unwrap_err();
    assert_eq!((error.operation, error.code()), ("ssm:GetParametersByPath", "InvalidNextToken"));
    assert_eq!(error.on, "/session-kms");
}
