//! What can be wrong with one member of an event.

use std::fmt;

use serde_json::{Map, Value, json};

/// Where a value stands. It may be within JSON that is a text of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
    /// Into a text that holds JSON.
    Text,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Member(name) => write!(f, "/{name}")?,
                Step::Item(index) => write!(f, "/{index}")?,
                Step::Text => f.write_str("!")?,
            }
        }
        Ok(())
    }
}

/// What becomes of a value; `None` if it is removed.
type Change = fn(&Value) -> Option<Value>;

const MEGABYTE: usize = 1 << 20;

/// All kinds of damage by name.
pub const DAMAGES: &[(&str, Change)] = &[
    ("it is removed", |_| None),
    ("it is null", |_| Some(Value::Null)),
    ("it is a boolean", |_| Some(json!(true))),
    ("it is a number", |_| Some(json!(7))),
    ("it is a huge number", |_| Some(json!(-1e308))),
    ("it is an empty text", |_| Some(json!(""))),
    ("it is another text", |_| Some(json!("x"))),
    ("it is an empty list", |_| Some(json!([]))),
    ("it is an empty object", |_| Some(json!({}))),
    ("it is in a list", |value| Some(json!([value]))),
    ("it is in a list twice", |value| Some(json!([value, value]))),
    ("it is in an object", |value| Some(json!({"Value": value}))),
    ("it is in a hundred lists", |value| Some(nested(value, |inner| json!([inner])))),
    ("it is in a hundred objects", |value| Some(nested(value, |inner| json!({"a": inner})))),
    ("it is a text of a megabyte", |value| Some(json!(grown(value, MEGABYTE)))),
    ("it is a text of 5000 bytes", |value| Some(json!(grown(value, 5000)))),
    ("it is a long list", |value| Some(Value::Array(vec![value.clone(); most(value)]))),
    ("it is a large object", |value| {
        Some(
            (0..most(value))
                .map(|number| (format!("m{number}"), value.clone()))
                .collect::<Map<_, _>>()
                .into(),
        )
    }),
    ("a line feed follows", |value| texted(value, |text| format!("{text}\n"))),
    ("a space comes first", |value| texted(value, |text| format!(" {text}"))),
    ("a NUL is inside", |value| texted(value, |text| inside(text, "\0"))),
    ("an escape sequence is inside", |value| {
        texted(value, |text| inside(text, "\u{1b}[2J\r\n{\"level\":\"INFO\"}"))
    }),
    ("the direction of writing turns", |value| texted(value, |text| inside(text, "\u{202e}\u{2066}"))),
    ("a letter looks alike", |value| texted(value, |text| text.replace('s', "ѕ").replace('a', "а"))),
    ("its digits are full-width", |value| texted(value, full_width)),
    ("it is in another partition", |value| texted(value, |text| text.replace(":aws:", ":aws-cn:"))),
    ("it is in another account", |value| texted(value, |text| text.replace("123456789012", "210987654321"))),
    ("it is in another Region", |value| texted(value, |text| text.replace("eu-west-1", "us-east-1"))),
    ("it is in capitals", |value| texted(value, str::to_uppercase)),
    ("it is in small letters", |value| texted(value, str::to_lowercase)),
    ("it is a path", |value| texted(value, |text| format!("../../{text}"))),
    ("it is a pattern", |value| texted(value, |text| format!("*{text}*"))),
    ("it is a variable", |value| texted(value, |text| format!("${{aws:username}}{text}"))),
    ("it is a template", |value| texted(value, |text| format!("{{{{ {text} }}}}"))),
    ("it is cut off", |value| texted(value, |text| text.chars().take(text.chars().count() / 2).collect())),
    ("its neighbours have changed places", |value| Some(value.clone())),
    ("it is there twice", |value| Some(value.clone())),
];

fn nested(value: &Value, around: fn(Value) -> Value) -> Value {
    (0..100).fold(value.clone(), |inner, _| around(inner))
}

/// How often a value is in a megabyte, which is the longest event that Lambda takes without a waiting caller.
fn most(value: &Value) -> usize {
    (MEGABYTE / (value.to_string().len() + 10)).clamp(2, 10_000)
}

/// A text of some length that begins as the value does.
fn grown(value: &Value, length: usize) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text + &"A".repeat(length)
}

/// Only a text can have this damage. Another value stays as it is.
fn texted(value: &Value, change: impl Fn(&str) -> String) -> Option<Value> {
    Some(value.as_str().map_or_else(|| value.clone(), |text| json!(change(text))))
}

fn inside(text: &str, piece: &str) -> String {
    let middle = text.chars().count() / 2;
    let (before, after): (String, String) =
        (text.chars().take(middle).collect(), text.chars().skip(middle).collect());
    format!("{before}{piece}{after}")
}

fn full_width(text: &str) -> String {
    let wide = |c: char| c.to_digit(10).and_then(|digit| char::from_u32(0xFF10 + digit)).unwrap_or(c);
    text.chars().map(wide).collect()
}

/// The places of all members and items of a value, and of the JSON in its texts. Places of a response URL are left
/// out: what a damaged one leads to is tested apart.
pub fn places(value: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &Value, path: &mut Vec<Step>, found: &mut Vec<Place>) {
    let mut visit = |step: Step, inner: &Value, is_place: bool| {
        path.push(step);
        if is_place {
            found.push(Place(path.clone()));
        }
        walk(inner, path, found);
        path.pop();
    };
    match value {
        Value::Object(members) => {
            for (name, inner) in members.iter().filter(|(name, _)| *name != "ResponseURL") {
                visit(Step::Member(name.clone()), inner, true);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                visit(Step::Item(index), inner, true);
            }
        }
        Value::String(text) if text.starts_with('{') => {
            if let Ok(inner) = serde_json::from_str(text) {
                visit(Step::Text, &inner, false);
            }
        }
        _ => {}
    }
}

/// The event with a damage at a place, as bytes.
pub fn damaged(event: &Value, place: &Place, damage: &str) -> Vec<u8> {
    let mut event = event.clone();
    edit(&mut event, &place.0, damage);
    let text = event.to_string();
    match place.0.last() {
        // In a text within the event, the backslash is escaped once more.
        Some(Step::Member(name)) => {
            text.replace(r"\\u0001twin", name).replace(r"\u0001twin", name).into_bytes()
        }
        _ => text.into_bytes(),
    }
}

/// The name of the member that is renamed when the event is text.
const TWIN: &str = "\u{1}twin";

fn edit(value: &mut Value, path: &[Step], damage: &str) {
    let change = DAMAGES.iter().find(|(name, _)| *name == damage).unwrap().1;
    match (path, value) {
        ([Step::Text, rest @ ..], Value::String(text)) => {
            let mut inner: Value = serde_json::from_str(text).unwrap();
            edit(&mut inner, rest, damage);
            *text = inner.to_string();
        }
        ([Step::Member(name)], Value::Object(members)) => {
            let at = members.keys().position(|key| key == name).unwrap();
            match (damage, change(&members[name])) {
                (_, None) => {
                    members.shift_remove(name);
                }
                ("its neighbours have changed places", _) => change_places(members, at),
                ("it is there twice", _) => {
                    members.insert(TWIN.to_owned(), json!("another"));
                }
                (_, Some(changed)) => members[name] = changed,
            }
        }
        ([Step::Item(index)], Value::Array(items)) => match change(&items[*index]) {
            Some(changed) => items[*index] = changed,
            None => {
                items.remove(*index);
            }
        },
        ([Step::Member(name), rest @ ..], Value::Object(members)) => edit(&mut members[name], rest, damage),
        ([Step::Item(index), rest @ ..], Value::Array(items)) => edit(&mut items[*index], rest, damage),
        (path, value) => assert!(path.is_empty(), "{path:?} is no place in {value}"),
    }
}

/// Exchanges the values of a member and of the next one.
fn change_places(members: &mut Map<String, Value>, at: usize) {
    let names: Vec<String> = members.keys().filter(|name| *name != "ResponseURL").cloned().collect();
    let (one, other) = (names[at % names.len()].clone(), names[(at + 1) % names.len()].clone());
    let held = members[&one].take();
    let other_held = std::mem::replace(&mut members[&other], held);
    if one == other {
        return;
    }
    members[&one] = other_held;
}
