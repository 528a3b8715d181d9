//! Random policies with variables of known and unknown keys: with defaults and with text around the variables, in every
//! operator that takes variables and in Resource, beside typed values and lists.

use fastrand::Rng;
use kms_key_policy::{Policy, PolicyKind};
use serde_json::{Value, json};

use super::values::{KeyValue, ROLES, values_to_try};

const PRINCIPALS: [&str; 3] = [
    "arn:aws:iam::111111111111:user/ab",
    "arn:aws:iam::111111111111:role/App",
    "arn:aws:sts::111111111111:assumed-role/App/one",
];
/// The keys that may be unknown.
const KEYS: [&str; 3] = ["aws:x", "aws:y", "aws:z"];
/// The key that lists the names of the encryption context; it may be unknown in place of the last of [`KEYS`].
pub(crate) const NAMES: &str = "kms:EncryptionContextKeys";

/// What cases to generate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// How many keys may be unknown.
    pub(crate) keys: usize,
    /// Whether policies compare single texts only. The values that are tried then tell apart all that the policy does.
    pub(crate) plain: bool,
    /// The most values that are tried for a key.
    pub(crate) most: usize,
}

/// A policy, a caller, and the keys that are unknown.
pub(crate) struct GeneratedCase {
    pub(crate) text: String,
    pub(crate) policy: Policy,
    pub(crate) principal: &'static str,
    /// The unknown keys, each with the values to try for it.
    pub(crate) unknown: Vec<(&'static str, Vec<KeyValue>)>,
}

pub(crate) fn generate(rng: &mut Rng, settings: Settings) -> GeneratedCase {
    let principals = if settings.plain { &PRINCIPALS[..2] } else { &PRINCIPALS };
    let principal = principals[rng.usize(..principals.len())];
    let mut keys = KEYS[..settings.keys].to_vec();
    if !settings.plain && rng.u8(..6) == 0 {
        keys[settings.keys - 1] = NAMES;
    }
    let count = 1 + rng.usize(..3);
    let statements: Vec<Value> =
        (0..count).map(|_| statement(rng, &keys, principal, settings.plain)).collect();
    let json = json!({ "Version": "2012-10-17", "Statement": statements });
    let text = json.to_string();
    let policy = Policy::parse(PolicyKind::Key, &text).unwrap();
    let used: Vec<&str> = policy.condition_keys().collect();
    let used_keys = keys.iter().filter(|key| used.contains(key));
    let mut unknown: Vec<(&'static str, Vec<KeyValue>)> =
        used_keys.map(|key| (*key, values_to_try(&json, principal, key, settings.most))).collect();
    if principal.contains("assumed-role") && used.contains(&"aws:PrincipalArn") {
        unknown.push(("aws:PrincipalArn", ROLES.map(|role| KeyValue::One(role.to_owned())).to_vec()));
    }
    GeneratedCase { text, policy, principal, unknown }
}

fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

/// A text with or without a variable. The variable may be of one of the keys in `others`.
fn text(rng: &mut Rng, others: &[&str]) -> String {
    let variable = match rng.u8(..8) {
        0..3 => {
            pick(rng, &["${aws:username}", "${aws:PrincipalAccount}", "${aws:known}", "${aws:known, 'b'}"])
                .to_owned()
        }
        3 => pick(rng, &["${aws:gone}", "${aws:gone, 'b'}", "${aws:gone, 'a'}", "${aws:many}"]).to_owned(),
        4 if !others.is_empty() => {
            let key = pick(rng, others);
            if rng.bool() { format!("${{{key}}}") } else { format!("${{{key}, 'b'}}") }
        }
        _ => return pick(rng, &["a", "b", "ab", "A", "", "${*}", "a${?}"]).to_owned(),
    };
    match rng.u8(..6) {
        0 => format!("a-{variable}"),
        1 => format!("{variable}-"),
        _ => variable,
    }
}

/// A [`text`] with or without wildcards.
fn pattern(rng: &mut Rng, others: &[&str]) -> String {
    let text = text(rng, others);
    match rng.u8(..6) {
        0 => format!("{text}*"),
        1 => format!("*{text}"),
        2 => format!("{text}-?"),
        3 => pick(rng, &["*", "?", "a*b", "a?"]).to_owned(),
        _ => text,
    }
}

fn arn(rng: &mut Rng, others: &[&str]) -> String {
    match rng.u8(..6) {
        0 => "arn:aws:iam::${aws:PrincipalAccount}:role/a/*".to_owned(),
        1 => "arn:*:s:*:*:ab".to_owned(),
        2 => format!("arn:aws:s:*:{}:*", text(rng, &[])),
        3 => pick(rng, &["arn:aws:iam::111111111111:role/App", "arn:aws:iam::*:role/*/App", "a"]).to_owned(),
        _ => format!("arn:aws:s:::{}", pattern(rng, others)),
    }
}

/// A condition on one of `keys`.
fn condition(rng: &mut Rng, keys: &[&str], principal: &str, plain: bool) -> Value {
    let key = match rng.u8(..10) {
        0 => "aws:username",
        1 if principal.contains("assumed-role") => "aws:PrincipalArn",
        _ => pick(rng, keys),
    };
    let others: Vec<&str> = keys.iter().copied().filter(|other| *other != key && *other != NAMES).collect();
    let several = |rng: &mut Rng, make: &dyn Fn(&mut Rng) -> String| -> Vec<String> {
        (0..1 + rng.usize(..2)).map(|_| make(rng)).collect()
    };
    if key == NAMES {
        let quantifier = pick(rng, &["ForAllValues:", "ForAnyValue:"]);
        let base = pick(
            rng,
            &["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"],
        );
        return json!({ format!("{quantifier}{base}"): { key: several(rng, &|rng| pattern(rng, &others)) } });
    }
    let (operator, values) = match if plain { [0, 4, 7, 7, 11, 15][rng.usize(..6)] } else { rng.u8(..16) } {
        0..4 => (pick(rng, &["StringEquals", "StringNotEquals"]), several(rng, &|rng| text(rng, &others))),
        4..7 => (pick(rng, &["StringLike", "StringNotLike"]), several(rng, &|rng| pattern(rng, &others))),
        7..9 => (
            pick(rng, &["StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"]),
            several(rng, &|rng| text(rng, &others)),
        ),
        9..11 => (
            pick(rng, &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]),
            several(rng, &|rng| arn(rng, &others)),
        ),
        11 | 12 => {
            let words = ["true", "false", "${aws:yes}", "${aws:gone, 'false'}", "${aws:known}"];
            ("Bool", several(rng, &|rng| pick(rng, &words).to_owned()))
        }
        13 => (
            pick(rng, &["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals"]),
            several(rng, &|rng| pick(rng, &["1", "2"]).to_owned()),
        ),
        14 => (
            pick(rng, &["IpAddress", "NotIpAddress"]),
            several(rng, &|rng| pick(rng, &["10.0.0.0/8", "10.0.0.0/16", "2001:db8::/32"]).to_owned()),
        ),
        _ => ("Null", vec![rng.bool().to_string()]),
    };
    let if_exists = if operator != "Null" && rng.u8(..5) == 0 { "IfExists" } else { "" };
    json!({ format!("{operator}{if_exists}"): { key: values } })
}

fn statement(rng: &mut Rng, keys: &[&str], principal: &str, plain: bool) -> Value {
    let mut conditions = serde_json::Map::new();
    for _ in 0..rng.usize(..3) {
        for (operator, block) in condition(rng, keys, principal, plain).as_object().unwrap() {
            conditions.entry(operator.clone()).or_insert_with(|| block.clone());
        }
    }
    let others: Vec<&str> = keys.iter().copied().filter(|key| *key != NAMES).collect();
    let (element, resource) = match rng.u8(..8) {
        0 => ("Resource", format!("arn:aws:kms:*:*:key/{}", pattern(rng, &others))),
        1 => ("NotResource", format!("arn:aws:kms:*:*:key/{}", text(rng, &others))),
        _ => ("Resource", "*".to_owned()),
    };
    json!({
        "Effect": if rng.u8(..3) == 0 { "Deny" } else { "Allow" },
        "Principal": "*", "Action": "kms:*", element: resource, "Condition": conditions,
    })
}
