//! What is true of every source, and what the tests of the sources share.

mod aws_types;
mod foreign_events;

use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::change_event::{Actor, ChangeDetail, Scope};
use crate::key::KeyArn;

/// The text of a sample event.
macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/events/", $name, ".json"))
    };
}
pub(super) use sample;

const ROLE: &str = "arn:aws:iam::123456789012:role/session-kms-FunctionRole";

pub(super) fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The function of the samples.
pub(super) fn function() -> FunctionIdentity<'static> {
    static LOCATION: std::sync::LazyLock<Location> = std::sync::LazyLock::new(|| Location {
        partition: "aws".into(),
        region: "eu-west-1".into(),
        account: "123456789012".into(),
    });
    FunctionIdentity { role_arn: Some(ROLE), location: Some(&LOCATION) }
}

/// The key of the samples.
pub(super) fn key() -> KeyArn {
    KeyArn::parse("arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab").unwrap()
}

pub(super) fn change(text: &str) -> ChangeEvent {
    match read(&parsed(text), function()) {
        Event::ChangeEvent(change) => change,
        other => panic!("{other:?}"),
    }
}

pub(super) fn ignored(event: &Value) -> String {
    match read(event, function()) {
        Event::Ignored(why) => why,
        other => panic!("{other:?}"),
    }
}

/// The samples, each with the name of the event that it is.
const SAMPLES: [(&str, &str, &str); 55] = [
    ("config-compliance-change", sample!("config-compliance-change"), "change event"),
    ("config-rule-change", sample!("config-rule-change"), "config rule"),
    ("config-rule-scheduled", sample!("config-rule-scheduled"), "config rule"),
    ("custom-resource-create", sample!("custom-resource-create"), "custom resource"),
    ("custom-resource-delete", sample!("custom-resource-delete"), "custom resource"),
    ("custom-resource-update", sample!("custom-resource-update"), "custom resource"),
    ("direct-audit", sample!("direct-audit"), "direct"),
    ("direct-audit-pairs", sample!("direct-audit-pairs"), "direct"),
    ("direct-audit-report", sample!("direct-audit-report"), "direct"),
    ("direct-check", sample!("direct-check"), "direct"),
    ("direct-plan", sample!("direct-plan"), "direct"),
    ("direct-reconcile", sample!("direct-reconcile"), "change event"),
    ("direct-release", sample!("direct-release"), "direct"),
    ("direct-status", sample!("direct-status"), "direct"),
    ("direct-terraform-create", sample!("direct-terraform-create"), "direct"),
    ("direct-terraform-delete", sample!("direct-terraform-delete"), "direct"),
    ("direct-terraform-update", sample!("direct-terraform-update"), "direct"),
    ("document-create-call", sample!("document-create-call"), "change event"),
    ("document-default-version-call", sample!("document-default-version-call"), "change event"),
    ("document-delete-call", sample!("document-delete-call"), "change event"),
    ("document-update-call", sample!("document-update-call"), "change event"),
    ("document-update-call-by-function", sample!("document-update-call-by-function"), "ignored"),
    ("document-update-call-failed", sample!("document-update-call-failed"), "ignored"),
    ("key-access-create", sample!("key-access-create"), "custom resource"),
    ("key-access-delete", sample!("key-access-delete"), "custom resource"),
    ("key-access-update", sample!("key-access-update"), "custom resource"),
    ("key-alias-update-call", sample!("key-alias-update-call"), "change event"),
    ("key-cancel-deletion-call", sample!("key-cancel-deletion-call"), "change event"),
    ("key-create-grant-call", sample!("key-create-grant-call"), "change event"),
    ("key-delete-imported-material-call", sample!("key-delete-imported-material-call"), "change event"),
    ("key-deleted-service-event", sample!("key-deleted-service-event"), "change event"),
    ("key-deletion-event", sample!("key-deletion-event"), "change event"),
    ("key-disable-call", sample!("key-disable-call"), "change event"),
    ("key-disable-call-forwarded", sample!("key-disable-call-forwarded"), "change event"),
    ("key-enable-call", sample!("key-enable-call"), "change event"),
    ("key-import-material-call", sample!("key-import-material-call"), "change event"),
    ("key-material-expiration-event", sample!("key-material-expiration-event"), "change event"),
    ("key-put-policy-call", sample!("key-put-policy-call"), "change event"),
    ("key-retire-grant-call", sample!("key-retire-grant-call"), "change event"),
    ("key-revoke-grant-call", sample!("key-revoke-grant-call"), "change event"),
    ("key-schedule-deletion-call", sample!("key-schedule-deletion-call"), "change event"),
    ("key-tag-resource-call", sample!("key-tag-resource-call"), "change event"),
    ("key-untag-resource-call", sample!("key-untag-resource-call"), "change event"),
    ("record-change", sample!("record-change"), "change event"),
    ("record-delete-call", sample!("record-delete-call"), "change event"),
    ("schedule", sample!("schedule"), "change event"),
    ("scheduler", sample!("scheduler"), "change event"),
    ("security-hub-custom-action", sample!("security-hub-custom-action"), "change event"),
    ("security-hub-imported", sample!("security-hub-imported"), "change event"),
    ("security-hub-imported-v2", sample!("security-hub-imported-v2"), "change event"),
    ("session-key-create", sample!("session-key-create"), "custom resource"),
    ("session-key-delete", sample!("session-key-delete"), "custom resource"),
    ("session-key-update", sample!("session-key-update"), "custom resource"),
    ("sns-custom-resource-create", sample!("sns-custom-resource-create"), "SNS messages"),
    ("sns-document-update-call", sample!("sns-document-update-call"), "SNS messages"),
];

#[test]
fn each_sample_is_read_as_the_event_that_it_is() {
    for (name, text, kind) in SAMPLES {
        let found = match read(&parsed(text), function()) {
            Event::ChangeEvent(_) => "change event",
            Event::ConfigRule(_) => "config rule",
            Event::CustomResource(_) => "custom resource",
            Event::SnsMessages(_) => "SNS messages",
            Event::DirectCall { call: Ok(_), .. } => "direct",
            Event::DirectCall { call: Err(problems), .. } => panic!("{name}: {problems}"),
            Event::Ignored(_) => "ignored",
            Event::Unknown => "unknown",
        };
        assert_eq!(found, kind, "{name}");
    }
}

#[test]
fn each_sample_has_a_test_and_a_description() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/events");
    let readme = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".json") else { continue };
        files += 1;
        assert!(readme.contains(&format!("| `{file}` |")), "{file} is not in the README");
        let known = SAMPLES.iter().any(|(sample, ..)| *sample == name);
        assert!(known, "{file} is in no test");
    }
    assert_eq!(readme.matches("\n| `").count(), files, "the README describes files that are not there");
}

#[test]
fn unknown_json_is_unknown_and_events_of_other_services_are_ignored() {
    for event in
        [json!(null), json!([]), json!("x"), json!({}), json!({"key": "value"}), json!({"Records": []})]
    {
        assert_eq!(read(&event, function()), Event::Unknown, "{event}");
    }
    let event = json!({"source": "aws.ec2", "detail-type": "EC2 Instance State-change\nNotification"});
    assert_eq!(
        ignored(&event),
        "`EC2 Instance State-changeNotification` of aws.ec2 says nothing of session documents and their keys"
    );
}

#[test]
fn the_identity_of_the_function_may_be_unknown() {
    for (name, text, _) in SAMPLES {
        let event = read(&parsed(text), FunctionIdentity::default());
        assert!(!matches!(event, Event::DirectCall { call: Err(_), .. } | Event::Unknown), "{name}");
    }
    let by_function = read(&parsed(sample!("document-update-call-by-function")), FunctionIdentity::default());
    assert!(matches!(by_function, Event::ChangeEvent(_)), "{by_function:?}");
}

/// Any JSON, with the names and words that the sources read among its texts.
fn any_json() -> impl Strategy<Value = Value> {
    let words = [
        "",
        "a\nb\u{202E}",
        "alias/x",
        "arn:aws:kms:eu-west-1:222222222222:key/1-2",
        "arn:aws:ssm:eu-west-1:123456789012:document/abc",
        "PutKeyPolicy",
        "{\"messageType\":\"ScheduledNotification\"}",
        "Disabled",
        "reconcile",
        "aws.kms",
    ];
    let text = prop_oneof![proptest::sample::select(words.to_vec()).prop_map(str::to_owned), ".{0,400}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let names = proptest::sample::select(vec![
            "name", "keyId", "ARN", "arn", "Id", "uid", "findings", "status", "x",
        ]);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            hash_map(names, inner, 0..4).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

/// Replaces a part of a value by another value. The path also leads into text that holds JSON.
fn graft(into: Value, path: &[usize], value: Value) -> Value {
    let Some((step, rest)) = path.split_first() else { return value };
    match into {
        Value::Object(mut fields) if !fields.is_empty() => {
            let name = fields.keys().nth(step % fields.len()).unwrap().clone();
            let inner = fields.remove(&name).unwrap();
            fields.insert(name, graft(inner, rest, value));
            Value::Object(fields)
        }
        Value::Array(mut items) if !items.is_empty() => {
            let index = step % items.len();
            let inner = items[index].take();
            items[index] = graft(inner, rest, value);
            Value::Array(items)
        }
        Value::String(text) => match serde_json::from_str::<Map<String, Value>>(&text) {
            Ok(inner) => Value::String(graft(Value::Object(inner), path, value).to_string()),
            Err(_) => value,
        },
        _ => value,
    }
}

fn is_fit_for_a_log(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || ('\u{2028}'..='\u{202E}').contains(&c))
        && text.chars().count() <= 700
}

fn check(event: &Event) {
    match event {
        Event::Ignored(why) => assert!(is_fit_for_a_log(why) && !why.is_empty(), "{why:?}"),
        Event::ChangeEvent(change) => {
            assert!(is_fit_for_a_log(&change.what) && !change.what.is_empty(), "{change}");
            assert!(is_fit_for_a_log(change.at.as_deref().unwrap_or_default()), "{change}");
            if let Some(Actor { principal, user_agent }) = &change.actor {
                assert!(is_fit_for_a_log(principal) && principal.chars().count() <= 256);
                let user_agent = user_agent.as_deref().unwrap_or_default();
                assert!(is_fit_for_a_log(user_agent) && user_agent.chars().count() <= 256);
            }
            if let Some(ChangeDetail::DeletionDate(date)) = &change.detail {
                assert!(is_fit_for_a_log(date));
            }
            if change.detail.is_some() {
                assert!(matches!(change.scope, Scope::Key(_)), "a detail of no key: {change:?}");
            }
        }
        Event::DirectCall { call: Err(problems), .. } => assert!(problems.iter().count() > 0),
        Event::ConfigRule(evaluation) => {
            let shown = format!("{evaluation:?}");
            let token = evaluation.result_token.as_str();
            assert!(token.len() < 20 || !shown.contains(token), "{shown}");
        }
        Event::SnsMessages(messages) => {
            for message in messages {
                match message {
                    Ok(message) => check(&message.event),
                    Err(why) => assert!(is_fit_for_a_log(why), "{why:?}"),
                }
            }
        }
        Event::CustomResource(_) | Event::DirectCall { .. } | Event::Unknown => {}
    }
}

proptest! {
    #[test]
    fn a_broken_event_never_panics_and_never_reaches_the_log_as_it_is(
        sample in 0..SAMPLES.len(),
        grafts in vec((vec(0_usize..64, 1..7), any_json()), 1..4),
    ) {
        let mut event = parsed(SAMPLES[sample].1);
        for (path, value) in grafts {
            event = graft(event, &path, value);
        }
        check(&read(&event, function()));
        check(&read(&event, FunctionIdentity::default()));
    }

    #[test]
    fn any_json_at_all_is_read(event in any_json()) {
        check(&read(&event, function()));
    }
}
