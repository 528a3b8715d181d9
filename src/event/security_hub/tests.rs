use serde_json::json;

use super::*;
use crate::event::tests::{change, function, ignored, key, parsed, sample};

fn scope_of(event: &Value) -> Scope {
    match crate::event::read(event, function()) {
        Event::ChangeEvent(change) => change.scope,
        other => panic!("{other:?}"),
    }
}

fn default_document() -> Scope {
    Scope::Document(DocumentName::default())
}

fn with_resources(text: &str, ids: &[&str]) -> Value {
    let mut event = parsed(text);
    let resources: Vec<_> = ids.iter().map(|id| json!({"Type": "Other", "Id": id})).collect();
    event["detail"]["findings"][0]["Resources"] = resources.into();
    event
}

#[test]
fn a_custom_action_is_about_the_document_of_its_finding() {
    let expected = ChangeEvent {
        source: ChangeSource::SecurityHub,
        what: "custom action RepairSessionKey".to_owned(),
        scope: default_document(),
        actor: None,
        at: Some("2026-03-04T07:41:09Z".to_owned()),
        detail: None,
    };
    assert_eq!(change(sample!("security-hub-custom-action")), expected);
}

#[test]
fn an_imported_finding_is_about_its_document() {
    let expected = ChangeEvent {
        source: ChangeSource::SecurityHub,
        what: "finding: Session Manager sessions are not encrypted with a KMS key".to_owned(),
        scope: default_document(),
        actor: None,
        at: Some("2026-03-04T07:30:02Z".to_owned()),
        detail: None,
    };
    assert_eq!(change(sample!("security-hub-imported")), expected);
}

#[test]
fn a_custom_action_on_several_documents_or_none_is_about_everything() {
    let text = sample!("security-hub-custom-action");
    let one = "arn:aws:ssm:eu-west-1:123456789012:document/One";
    let two = "arn:aws:ssm:eu-west-1:123456789012:document/Two";
    assert_eq!(scope_of(&with_resources(text, &[one, two])), Scope::Everything);
    assert_eq!(
        scope_of(&with_resources(text, &[one, one])),
        Scope::Document(DocumentName::parse("One").unwrap())
    );
    assert_eq!(scope_of(&with_resources(text, &["i-0123456789abcdef0"])), Scope::Everything);
    let mut event = parsed(text);
    event["detail"] = json!(null);
    assert_eq!(scope_of(&event), Scope::Everything);
}

#[test]
fn a_custom_action_counts_in_every_state_of_its_finding() {
    let mut event = parsed(sample!("security-hub-custom-action"));
    event["detail"]["findings"][0]["Workflow"]["Status"] = "SUPPRESSED".into();
    assert_eq!(scope_of(&event), default_document());
}

#[test]
fn documents_of_other_accounts_and_regions_are_ignored() {
    let foreign = "arn:aws:ssm:eu-west-1:222222222222:document/SSM-SessionManagerRunShell";
    let event = with_resources(sample!("security-hub-custom-action"), &[foreign]);
    assert_eq!(
        ignored(&event),
        "custom action RepairSessionKey is about documents of another account or Region"
    );
    let event = with_resources(sample!("security-hub-imported"), &[foreign]);
    assert!(
        ignored(&event).ends_with("is about neither a document, nor a key, nor the account of this function")
    );
}

#[test]
fn an_imported_finding_on_a_key_is_about_that_key() {
    let text = sample!("security-hub-imported");
    let key = key();
    assert_eq!(scope_of(&with_resources(text, &[key.as_str()])), Scope::Key(key.clone()));
    assert_eq!(
        scope_of(&with_resources(text, &["AWS::::Account:222222222222", key.as_str()])),
        Scope::Key(key.clone())
    );
    let other = key.as_str().replace("1234abcd", "99999999");
    assert_eq!(scope_of(&with_resources(text, &[key.as_str(), &other])), Scope::Everything);
    let document = "arn:aws:ssm:eu-west-1:123456789012:document/SSM-SessionManagerRunShell";
    assert_eq!(scope_of(&with_resources(text, &[key.as_str(), document])), default_document());
}

#[test]
fn findings_that_are_not_open_are_ignored() {
    for (pointer, word) in [
        ("/Compliance/Status", "PASSED"),
        ("/Workflow/Status", "RESOLVED"),
        ("/Workflow/Status", "SUPPRESSED"),
        ("/RecordState", "ARCHIVED"),
    ] {
        let mut event = parsed(sample!("security-hub-imported"));
        *event["detail"]["findings"][0].pointer_mut(pointer).unwrap() = word.into();
        assert!(ignored(&event).ends_with("is passed, settled or archived"), "{word}");
    }
}

#[test]
fn a_failed_check_of_the_account_is_about_everything_and_other_resources_are_ignored() {
    let text = sample!("security-hub-imported");
    let account = "AWS::::Account:123456789012";
    assert_eq!(scope_of(&with_resources(text, &[account])), Scope::Everything);
    assert!(ignored(&with_resources(text, &["AWS::::Account:222222222222"])).contains("neither"));
    assert!(ignored(&with_resources(text, &["arn:aws:s3:::bucket"])).contains("neither"));
    let mut event = with_resources(text, &[account]);
    event["detail"]["findings"][0]["Compliance"] = json!({"Status": "WARNING"});
    assert!(ignored(&event).contains("neither"));
}
