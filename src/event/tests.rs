//! What holds for every source, and what the tests of each share.

use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::change_event::{Actor, ChangeDetail};
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
    static PLACE: std::sync::LazyLock<Location> = std::sync::LazyLock::new(|| Location {
        partition: "aws".into(),
        region: "eu-west-1".into(),
        account: "123456789012".into(),
    });
    FunctionIdentity { role_arn: Some(ROLE), location: Some(&PLACE) }
}

/// The key of the samples.
pub(super) fn key() -> KeyArn {
    KeyArn::parse("arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab").unwrap()
}

pub(super) fn change(text: &str) -> ChangeEvent {
    match read(&parsed(text), function()) {
        Arrival::ChangeEvent(change) => change,
        other => panic!("{other:?}"),
    }
}

pub(super) fn ignored(event: &Value) -> String {
    match read(event, function()) {
        Arrival::Ignored(why) => why,
        other => panic!("{other:?}"),
    }
}

/// The samples that reach a source, each with the word for what it becomes.
const SAMPLES: [(&str, &str, &str); 34] = [
    ("config-compliance-change", sample!("config-compliance-change"), "notice"),
    ("config-rule-change", sample!("config-rule-change"), "config rule"),
    ("config-rule-scheduled", sample!("config-rule-scheduled"), "config rule"),
    ("direct-check", sample!("direct-check"), "direct"),
    ("direct-plan", sample!("direct-plan"), "direct"),
    ("direct-reconcile", sample!("direct-reconcile"), "notice"),
    ("direct-status", sample!("direct-status"), "direct"),
    ("document-create-call", sample!("document-create-call"), "notice"),
    ("document-default-version-call", sample!("document-default-version-call"), "notice"),
    ("document-delete-call", sample!("document-delete-call"), "notice"),
    ("document-update-call", sample!("document-update-call"), "notice"),
    ("document-update-call-by-function", sample!("document-update-call-by-function"), "ignored"),
    ("document-update-call-failed", sample!("document-update-call-failed"), "ignored"),
    ("key-alias-update-call", sample!("key-alias-update-call"), "ignored"),
    ("key-cancel-deletion-call", sample!("key-cancel-deletion-call"), "notice"),
    ("key-create-grant-call", sample!("key-create-grant-call"), "notice"),
    ("key-delete-imported-material-call", sample!("key-delete-imported-material-call"), "notice"),
    ("key-deleted-service-event", sample!("key-deleted-service-event"), "notice"),
    ("key-deletion-event", sample!("key-deletion-event"), "notice"),
    ("key-disable-call", sample!("key-disable-call"), "notice"),
    ("key-disable-call-forwarded", sample!("key-disable-call-forwarded"), "notice"),
    ("key-enable-call", sample!("key-enable-call"), "notice"),
    ("key-import-material-call", sample!("key-import-material-call"), "notice"),
    ("key-material-expiration-event", sample!("key-material-expiration-event"), "notice"),
    ("key-put-policy-call", sample!("key-put-policy-call"), "notice"),
    ("key-retire-grant-call", sample!("key-retire-grant-call"), "notice"),
    ("key-revoke-grant-call", sample!("key-revoke-grant-call"), "notice"),
    ("key-schedule-deletion-call", sample!("key-schedule-deletion-call"), "notice"),
    ("record-change", sample!("record-change"), "notice"),
    ("schedule", sample!("schedule"), "notice"),
    ("scheduler", sample!("scheduler"), "notice"),
    ("security-hub-custom-action", sample!("security-hub-custom-action"), "notice"),
    ("security-hub-imported", sample!("security-hub-imported"), "notice"),
    ("sns-document-update-call", sample!("sns-document-update-call"), "unknown"),
];

#[test]
fn each_sample_becomes_what_it_should() {
    for (name, text, kind) in SAMPLES {
        let found = match read(&parsed(text), function()) {
            Arrival::ChangeEvent(_) => "notice",
            Arrival::ConfigRule(_) => "config rule",
            Arrival::Direct(Ok(_)) => "direct",
            Arrival::Direct(Err(problems)) => panic!("{name}: {problems}"),
            Arrival::Ignored(_) => "ignored",
            Arrival::Unknown => "unknown",
        };
        assert_eq!(found, kind, "{name}");
    }
}

#[test]
fn no_sample_is_without_a_test_and_each_is_described() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/events");
    let readme = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".json") else { continue };
        files += 1;
        assert!(readme.contains(&format!("| `{file}` |")), "{file} is not in the README");
        let of_cloudformation = ["custom-resource-", "key-access-", "sns-custom-resource-"];
        let known = SAMPLES.iter().any(|(sample, ..)| *sample == name)
            || of_cloudformation.iter().any(|start| name.starts_with(start));
        assert!(known, "{file} is in no test");
    }
    assert_eq!(readme.matches("\n| `").count(), files, "the README describes files that are not there");
}

#[test]
fn what_no_source_sends_is_unknown_and_what_others_send_is_ignored() {
    for event in
        [json!(null), json!([]), json!("x"), json!({}), json!({"key": "value"}), json!({"Records": []})]
    {
        assert_eq!(read(&event, function()), Arrival::Unknown, "{event}");
    }
    let event = json!({"source": "aws.ec2", "detail-type": "EC2 Instance State-change\nNotification"});
    assert_eq!(
        ignored(&event),
        "`EC2 Instance State-changeNotification` of aws.ec2 says nothing of session documents and their keys"
    );
}

#[test]
fn nothing_needs_to_be_known_of_the_function_itself() {
    for (name, text, _) in SAMPLES {
        let arrival = read(&parsed(text), FunctionIdentity::default());
        assert!(!matches!(arrival, Arrival::Direct(Err(_))), "{name}");
    }
    let by_function = read(&parsed(sample!("document-update-call-by-function")), FunctionIdentity::default());
    assert!(matches!(by_function, Arrival::ChangeEvent(_)), "{by_function:?}");
}

/// Any JSON, with the names and words that the sources look for among its texts.
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
        let names = proptest::sample::select(vec!["name", "keyId", "ARN", "arn", "Id", "findings", "x"]);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            hash_map(names, inner, 0..4).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

/// Puts a value at some place within another; text that holds JSON is opened.
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

fn check(arrival: &Arrival) {
    match arrival {
        Arrival::Ignored(why) => assert!(is_fit_for_a_log(why) && !why.is_empty(), "{why:?}"),
        Arrival::ChangeEvent(change) => {
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
                assert!(
                    matches!(change.scope, crate::change_event::Scope::Key(_)),
                    "news of no key: {change:?}"
                );
            }
        }
        Arrival::Direct(Err(problems)) => assert!(problems.iter().count() > 0),
        Arrival::ConfigRule(evaluation) => {
            let shown = format!("{evaluation:?}");
            let token = evaluation.result_token.as_str();
            assert!(token.len() < 20 || !shown.contains(token), "{shown}");
        }
        Arrival::Direct(Ok(_)) | Arrival::Unknown => {}
    }
}

proptest! {
    #[test]
    fn no_event_whatever_is_wrong_with_it_panics_or_reaches_the_log_raw(
        sample in 0..SAMPLES.len(),
        grafts in vec((vec(0_usize..64, 1..7), any_json()), 1..4),
    ) {
        let mut event = parsed(SAMPLES[sample].1);
        for (path, value) in grafts {
            event = graft(event, &path, value);
        }
        check(&read(&event, function()));
        check(&read(&event, FunctionIdentity::default()));
        for message in sns::messages(&event).into_iter().flatten() {
            match message {
                Ok(event) => check(&read(&event, function())),
                Err(why) => prop_assert!(is_fit_for_a_log(&why)),
            }
        }
    }

    #[test]
    fn any_json_at_all_is_read(event in any_json()) {
        check(&read(&event, function()));
    }
}
