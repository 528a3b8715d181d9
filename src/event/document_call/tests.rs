use serde_json::{Value, json};

use super::*;
use crate::change_event::Actor;
use crate::event::tests::{change, function, ignored, parsed, sample};
use crate::session::DocumentName;

fn scope_of(event: &Value) -> Scope {
    match crate::event::read(event, function()) {
        Event::ChangeEvent(change) => change.scope,
        other => panic!("{other:?}"),
    }
}

fn made_by(principal: &str, event: &str) -> Actor {
    let user_agent =
        parsed(event)["detail"]["userAgent"].as_str().map(|text| text.chars().take(256).collect());
    Actor { principal: principal.to_owned(), user_agent }
}

#[test]
fn each_call_that_changes_a_document_is_a_change_event() {
    let alice = "arn:aws:iam::123456789012:user/Alice";
    let deploy = "arn:aws:sts::123456789012:assumed-role/Deploy/terraform";
    for (text, what, actor, at) in [
        (sample!("document-update-call"), "UpdateDocument", deploy, "2026-03-02T09:14:05Z"),
        (
            sample!("document-default-version-call"),
            "UpdateDocumentDefaultVersion",
            deploy,
            "2026-03-02T09:14:06Z",
        ),
        (sample!("document-delete-call"), "DeleteDocument", alice, "2026-03-02T10:30:11Z"),
        (sample!("document-create-call"), "CreateDocument", alice, "2026-03-02T10:31:52Z"),
    ] {
        let expected = ChangeEvent {
            source: ChangeSource::DocumentCall,
            what: what.to_owned(),
            scope: Scope::Document(DocumentName::default()),
            actor: Some(made_by(actor, text)),
            at: Some(at.to_owned()),
            detail: None,
        };
        assert_eq!(change(text), expected);
    }
}

#[test]
fn the_users_tool_is_named() {
    let actor = change(sample!("document-update-call")).actor.unwrap();
    assert!(actor.user_agent.unwrap().contains("Terraform/1.9.8"));
}

#[test]
fn own_calls_are_known_by_the_role_or_its_session_and_ignored() {
    let mut event = parsed(sample!("document-update-call-by-function"));
    assert_eq!(ignored(&event), "UpdateDocument is a call of this function's own");
    event["detail"]["userIdentity"]["sessionContext"] = json!(null);
    assert_eq!(ignored(&event), "UpdateDocument is a call of this function's own");
    event["detail"]["userIdentity"]["arn"] =
        "arn:aws:sts::123456789012:assumed-role/session-kms-FunctionRoleOther/x".into();
    assert_eq!(scope_of(&event), Scope::Document(DocumentName::default()));
}

#[test]
fn failed_calls_are_ignored_with_their_code() {
    let event = parsed(sample!("document-update-call-failed"));
    assert_eq!(ignored(&event), "UpdateDocument failed with AccessDenied, so nothing has changed");
}

#[test]
fn calls_that_only_read_are_ignored() {
    let mut event = parsed(sample!("document-update-call"));
    event["detail"]["eventName"] = "DescribeDocument".into();
    event["detail"]["readOnly"] = true.into();
    assert_eq!(ignored(&event), "DescribeDocument changes no document");
    event["detail"]["eventName"] = json!(null);
    assert_eq!(ignored(&event), "the record names no call");
}

#[test]
fn the_deletion_of_a_version_is_a_change_event_too() {
    let mut event = parsed(sample!("document-delete-call"));
    event["detail"]["requestParameters"]["documentVersion"] = "3".into();
    assert_eq!(scope_of(&event), Scope::Document(DocumentName::default()));
}

#[test]
fn the_document_may_be_named_by_its_arn() {
    let mut event = parsed(sample!("document-update-call"));
    event["detail"]["requestParameters"]["name"] =
        "arn:aws:ssm:eu-west-1:123456789012:document/Other-Document".into();
    assert_eq!(scope_of(&event), Scope::Document(DocumentName::parse("Other-Document").unwrap()));
}

#[test]
fn without_parameters_the_answer_names_the_document_or_everything_is_meant() {
    let mut event = parsed(sample!("document-update-call"));
    event["detail"]["requestParameters"] = json!(null);
    assert_eq!(scope_of(&event), Scope::Document(DocumentName::default()));
    event["detail"]["responseElements"] = json!(null);
    assert_eq!(scope_of(&event), Scope::Everything);
}

#[test]
fn documents_of_other_accounts_and_regions_are_ignored() {
    for (field, value) in [("account", "222222222222"), ("region", "us-east-1")] {
        let mut event = parsed(sample!("document-update-call"));
        event[field] = value.into();
        assert_eq!(ignored(&event), "UpdateDocument was made in another account or Region");
    }
    let mut event = parsed(sample!("document-update-call"));
    event.as_object_mut().unwrap().remove("account");
    event["detail"]["recipientAccountId"] = "222222222222".into();
    assert_eq!(ignored(&event), "UpdateDocument was made in another account or Region");

    let mut event = parsed(sample!("document-update-call"));
    event["detail"]["requestParameters"]["name"] =
        "arn:aws:ssm:eu-west-1:222222222222:document/Shared".into();
    assert_eq!(ignored(&event), "UpdateDocument is about a document of another account or Region");
    event["detail"]["requestParameters"]["name"] = "a/b\n".into();
    assert_eq!(ignored(&event), "UpdateDocument is about `a/b`, which is no document of an account");
}
