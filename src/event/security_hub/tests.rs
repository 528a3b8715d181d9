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

/// The sample of an OCSF finding with other resources.
fn ocsf_with_resources(ids: &[&str]) -> Value {
    let mut event = parsed(sample!("security-hub-imported-v2"));
    let resources: Vec<_> = ids.iter().map(|id| json!({"type": "Other", "uid": id})).collect();
    event["detail"]["findings"][0]["resources"] = resources.into();
    event
}

/// The sample of an OCSF finding with other values, by their JSON pointers. Null removes the value.
fn ocsf_with(mut event: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let finding = event.pointer_mut("/detail/findings/0").unwrap();
        let parent = finding.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(name);
        } else {
            parent.insert(name.to_owned(), value.clone());
        }
    }
    event
}

/// The same event with the finding itself as its detail.
fn unlisted(mut event: Value) -> Value {
    event["detail"] = event["detail"]["findings"][0].take();
    event
}

#[test]
fn an_ocsf_finding_is_about_its_document_whether_it_is_listed_or_the_detail_itself() {
    let expected = ChangeEvent {
        source: ChangeSource::SecurityHub,
        what: "finding: Session Manager sessions are not encrypted with a KMS key".to_owned(),
        scope: default_document(),
        actor: None,
        at: Some("2026-03-04T07:30:04Z".to_owned()),
        detail: None,
    };
    let listed = parsed(sample!("security-hub-imported-v2"));
    let mut object = listed.clone();
    object["detail"]["findings"] = object["detail"]["findings"][0].take();
    for event in [listed.clone(), unlisted(listed), object] {
        assert_eq!(change(&event.to_string()), expected, "{event}");
    }
}

#[test]
fn the_resources_of_an_ocsf_finding_decide_as_those_of_the_older_form_do() {
    let (key, document) = (key(), "arn:aws:ssm:eu-west-1:123456789012:document/SSM-SessionManagerRunShell");
    let other_key = key.as_str().replace("1234abcd", "99999999");
    let two = "arn:aws:ssm:eu-west-1:123456789012:document/Two";
    for (ids, expected) in [
        (&[document][..], default_document()),
        (&[document, two], Scope::Everything),
        (&[key.as_str()], Scope::Key(key.clone())),
        (&["123456789012", key.as_str()], Scope::Key(key.clone())),
        (&[key.as_str(), &other_key], Scope::Everything),
        (&[key.as_str(), document], default_document()),
        (&["AWS::::Account:123456789012"], Scope::Everything),
        (&["AWS::::Account"], Scope::Everything),
        (&["123456789012"], Scope::Everything),
    ] {
        let event = ocsf_with_resources(ids);
        assert_eq!(scope_of(&event), expected, "{ids:?}");
        assert_eq!(scope_of(&unlisted(event)), expected, "{ids:?}");
    }
    for ids in [
        &["arn:aws:ssm:eu-west-1:222222222222:document/SSM-SessionManagerRunShell"][..],
        &["arn:aws:ssm:us-east-1:123456789012:document/SSM-SessionManagerRunShell"],
        &["arn:aws:s3:::bucket"],
        &["AWS::::Account:222222222222"],
        &["222222222222"],
        &["1234567890123", "AWS::EC2::Instance:123456789012"],
        &[],
    ] {
        let why = "is about neither a document, nor a key, nor the account of this function";
        assert!(ignored(&ocsf_with_resources(ids)).ends_with(why), "{ids:?}");
    }
}

#[test]
fn an_ocsf_finding_counts_if_it_is_open_by_its_word_or_else_by_its_number() {
    let sample = || parsed(sample!("security-hub-imported-v2"));
    for (changes, is_open) in [
        (vec![("/status", json!("In Progress")), ("/status_id", json!(2))], true),
        (vec![("/status", json!("NEW")), ("/status_id", json!(4))], true),
        (vec![("/status", json!("Suppressed"))], false),
        (vec![("/status", json!("Resolved"))], false),
        (vec![("/status", json!("ARCHIVED")), ("/status_id", json!(1))], false),
        (vec![("/status", json!("Deleted"))], false),
        (vec![("/status", Value::Null), ("/status_id", json!(3))], false),
        (vec![("/status", json!("Other")), ("/status_id", json!("4"))], false),
        (vec![("/status", json!("?")), ("/status_id", json!(5))], false),
        (vec![("/status", Value::Null), ("/status_id", json!(2))], true),
        (vec![("/status", json!("Other")), ("/status_id", json!(99))], true),
        (vec![("/status", Value::Null), ("/status_id", Value::Null)], true),
        (vec![("/compliance/status", json!("Pass"))], false),
        (vec![("/compliance/status", json!("PASSED"))], false),
        (vec![("/compliance/status", json!("Fail")), ("/compliance/status_id", json!(1))], true),
        (vec![("/compliance/status", Value::Null), ("/compliance/status_id", json!(1))], false),
        (vec![("/compliance/status", json!("Warning"))], true),
        // A finding of another class is no check.
        (vec![("/compliance", Value::Null), ("/class_uid", json!(2004))], true),
    ] {
        let event = ocsf_with(sample(), &changes);
        if is_open {
            assert_eq!(scope_of(&event), default_document(), "{changes:?}");
        } else {
            assert!(ignored(&event).ends_with("is passed, settled or archived"), "{changes:?}");
        }
    }
}

#[test]
fn an_ocsf_finding_on_the_account_counts_if_its_check_failed_in_this_account_and_region() {
    for (id, changes, counts) in [
        ("AWS::::Account", vec![("/cloud/account/uid", json!("222222222222"))], false),
        ("AWS::::Account", vec![("/cloud/account/uid", Value::Null)], true),
        ("123456789012", vec![("/cloud/region", json!("us-east-1"))], false),
        ("123456789012", vec![("/cloud/region", Value::Null)], true),
        ("123456789012", vec![("/compliance/status", json!("Warning"))], false),
        ("123456789012", vec![("/compliance/status", json!("Unknown"))], false),
        ("123456789012", vec![("/compliance/status", json!("other"))], true),
        ("123456789012", vec![("/compliance", json!({"status_id": 3}))], true),
        ("123456789012", vec![("/compliance", Value::Null)], false),
    ] {
        let event = ocsf_with(ocsf_with_resources(&[id]), &changes);
        if counts {
            assert_eq!(scope_of(&event), Scope::Everything, "{id} {changes:?}");
        } else {
            assert!(ignored(&event).contains("neither"), "{id} {changes:?}");
        }
    }
    let mut event = with_resources(sample!("security-hub-imported"), &["AWS::::Account:123456789012"]);
    event["detail"]["findings"][0]["Region"] = "us-east-1".into();
    assert!(ignored(&event).contains("neither"), "another Region's finding in the Region of aggregation");
}

#[test]
fn an_event_without_a_finding_is_ignored() {
    for text in [sample!("security-hub-imported"), sample!("security-hub-imported-v2")] {
        for detail in [json!(null), json!({}), json!({"findings": []}), json!({"findings": "x"}), json!("x")]
        {
            let mut event = parsed(text);
            event["detail"] = detail;
            assert_eq!(ignored(&event), "finding has no content");
        }
    }
    let mut event = parsed(sample!("security-hub-imported-v2"));
    event["detail"] = json!({"findings": [7, {"resources": [7, {"uid": 7}], "finding_info": []}]});
    assert!(ignored(&event).starts_with("finding is about neither"), "{}", ignored(&event));
}

#[test]
fn an_ocsf_finding_without_a_title_is_named_by_its_id() {
    let event = ocsf_with(ocsf_with_resources(&[]), &[("/finding_info", json!({"uid": "f\n1"}))]);
    assert!(ignored(&event).starts_with("finding: f1 is about neither"), "{}", ignored(&event));
}
