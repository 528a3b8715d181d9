//! The values that the test tries for an unknown key.

use serde_json::Value;

use super::generate::NAMES;

/// Values that are tried whatever the policy says.
const TEXTS: [&str; 12] = ["", "a", "b", "ab", "q", "r", "A", "AB", "Q", "qq", "true", "111111111111"];
/// ARNs, numbers and addresses that are tried if the policy compares with such values.
const ARNS: [&str; 2] = ["arn:q:s:::ab", "arn:q:q:::q"];
const NUMBERS: [&str; 6] = ["1", "2", "1.5", "0", "3", "-1"];
const ADDRESSES: [&str; 4] = ["10.0.0.1", "10.1.0.1", "11.0.0.0", "2001:db8::1"];
/// ARNs that the role of a session may have.
pub(crate) const ROLES: [&str; 5] = [
    "arn:aws:iam::111111111111:role/App",
    "arn:aws:iam::111111111111:role/a/App",
    "arn:aws:iam::111111111111:role/q/App",
    "arn:aws:iam::111111111111:role/a/q/App",
    "arn:aws:iam::111111111111:role/q/a/App",
];

/// A value that the test gives an unknown key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyValue {
    Absent,
    One(String),
    Many(Vec<String>),
}

/// At most `most` values of a key: those that the policy names, with everything that may stand for its variables and
/// wildcards, and some that it does not name.
pub(crate) fn values_to_try(policy: &Value, principal: &str, key: &str, most: usize) -> Vec<KeyValue> {
    let text = policy.to_string();
    let has = |part: &str| text.contains(part);
    let mut named = Vec::new();
    strings(policy, &mut named);
    let mut patterns: Vec<String> = Vec::new();
    for pattern in &named {
        for filled in fillings(pattern.rsplit(":key/").next().unwrap(), principal) {
            if !patterns.contains(&filled) {
                patterns.push(filled);
            }
        }
    }
    let with = |pattern: &str, star: &str| -> String {
        pattern.replace('*', star).replace('?', "q").replace('\u{1}', "*").replace('\u{2}', "?")
    };
    let mut texts: Vec<String> = ["", "q", "r", "a"].map(str::to_owned).to_vec();
    for pattern in &patterns {
        // Under some operators wildcards stand for themselves.
        texts.extend([
            with(pattern, ""),
            with(pattern, "q"),
            pattern.replace('\u{1}', "*").replace('\u{2}', "?"),
        ]);
        if has("IgnoreCase") || has("Bool") {
            texts.extend([with(pattern, "").to_uppercase(), with(pattern, "").to_lowercase()]);
        }
    }
    // Texts that two patterns match at once.
    let wild = || patterns.iter().filter(|pattern| pattern.contains(['*', '?']));
    texts.extend(wild().flat_map(|one| {
        patterns
            .iter()
            .flat_map(move |two| [with(&format!("{one}{two}"), ""), with(&format!("{two}{one}"), "")])
    }));
    if has("Arn") {
        texts.extend(ARNS.map(str::to_owned));
    }
    if has("Numeric") {
        texts.extend(NUMBERS.map(str::to_owned));
    }
    if has("Ip") {
        texts.extend(ADDRESSES.map(str::to_owned));
    }
    texts.extend(TEXTS.map(str::to_owned));
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once.truncate(most);
    if key != NAMES {
        return [KeyValue::Absent].into_iter().chain(once.into_iter().map(KeyValue::One)).collect();
    }
    let pairs = once
        .iter()
        .enumerate()
        .flat_map(|(n, one)| once[n + 1..].iter().map(|two| KeyValue::Many(vec![one.clone(), two.clone()])));
    let singles = once.iter().map(|one| KeyValue::Many(vec![one.clone()]));
    [KeyValue::Absent].into_iter().chain(singles).chain(pairs.take(most)).collect()
}

/// The values of conditions and the resources of a policy.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| strings(value, found)),
        Value::Object(members) => {
            let looked_at = members
                .iter()
                .filter(|(name, _)| !["Effect", "Principal", "Action", "Version"].contains(&name.as_str()));
            looked_at.for_each(|(_, value)| strings(value, found));
        }
        _ => {}
    }
}

/// The pattern with values for its variables: the value of a known key, and some values of each unknown key. The
/// characters U+0001 and U+0002 are a `*` and a `?` that stand for themselves.
fn fillings(pattern: &str, principal: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once("${") else { return vec![pattern.to_owned()] };
    let (name, after) = rest.split_once('}').unwrap();
    let (key, default) =
        name.split_once(", ").map_or((name, None), |(key, default)| (key, Some(default.trim_matches('\''))));
    let user = principal.split_once(":user/").map(|(_, user)| user);
    let values: Vec<&str> = match key {
        "*" => vec!["\u{1}"],
        "?" => vec!["\u{2}"],
        "aws:username" => user.into_iter().collect(),
        "aws:PrincipalAccount" => vec!["111111111111"],
        "aws:known" => vec!["ab"],
        "aws:yes" => vec!["TRUE"],
        "aws:gone" => default.into_iter().collect(),
        "aws:many" => Vec::new(),
        _ => ["", "a", "q"].into_iter().chain(default).collect(),
    };
    let filled = values.iter().map(|value| format!("{before}{value}{after}"));
    filled.flat_map(|filled| fillings(&filled, principal)).collect()
}
