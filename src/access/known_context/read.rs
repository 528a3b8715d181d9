//! Reads the property Context from an object or from the options of the command line, and names every mistake.

use std::fmt;
use std::net::IpAddr;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use thiserror::Error;

use super::{KnownContext, KnownContextKey, KnownState};
use crate::access::facts::contradiction;
use crate::quote::quoted;

/// What is wrong with a condition key of Context.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KnownContextError {
    /// The text is not a JSON object.
    #[error("is no JSON object of condition keys: {0}")]
    NoObject(String),
    /// No condition key has this name.
    #[error(
        "names `{0}`, which is no condition key; a name has a prefix, such as `aws:SourceVpce` or \
         `kms:EncryptionContext:aws:ssm:TargetId`, and no wildcards"
    )]
    Name(String),
    /// Two names differ in case at most.
    #[error("names `{0}` twice, by `{1}` too; case makes no difference in the names of condition keys")]
    Twice(String, String),
    /// The condition key cannot have this value.
    #[error("has {value} for `{name}`; {allowed}")]
    Value {
        /// The condition key.
        name: String,
        /// The value, as it was given.
        value: String,
        /// The values that it can have.
        allowed: &'static str,
    },
    /// No call of a session has it so.
    #[error("says of `{name}` what is not so in any session: {fact}")]
    Contradiction {
        /// The condition key.
        name: String,
        /// What is so in every session.
        fact: String,
    },
}

/// The values that every condition key can have.
const ALLOWED: &str =
    "a value is a text, a list of texts that is not empty, or null for a key that is absent";

impl KnownContext {
    /// Reads an object: each member names a condition key and has its value, a list of values, or null if the
    /// condition key is absent. The text `null` means the same, since CloudFormation's templates cannot hold null.
    ///
    /// # Errors
    /// All mistakes.
    pub fn from_object(members: &Map<String, Value>) -> Result<Self, Vec<KnownContextError>> {
        Self::from_members(members.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Reads the text of such an object.
    ///
    /// # Errors
    /// All mistakes.
    pub fn from_text(text: &str) -> Result<Self, Vec<KnownContextError>> {
        match serde_json::from_str::<ContextMembers>(text) {
            Ok(ContextMembers(members)) => Self::from_members(members),
            Err(error) => Err(vec![KnownContextError::NoObject(error.to_string())]),
        }
    }

    /// Reads options of the command line, each `KEY=VALUE`. Several options for the same condition key are a list;
    /// `KEY=null` states that it is absent, and `KEY=["a","b"]` is a list.
    ///
    /// # Errors
    /// All mistakes.
    pub fn from_options(options: &[(String, String)]) -> Result<Self, Vec<KnownContextError>> {
        let mut members: Vec<(String, Value)> = Vec::new();
        for (name, text) in options {
            let value = match text.as_str() {
                "null" => Value::Null,
                list if list.starts_with('[') => match serde_json::from_str::<Vec<String>>(list) {
                    Ok(list) => Value::from(list),
                    // It is not a list, but a text that begins with a bracket.
                    Err(_) => Value::from(list),
                },
                text => Value::from(text),
            };
            match members.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((known, before)) => match (&*before, &value) {
                    (Value::Null, _) | (_, Value::Null) => {
                        return Err(vec![KnownContextError::Value {
                            name: known.clone(),
                            value: "null beside another value".to_owned(),
                            allowed: "a key is absent or has values",
                        }]);
                    }
                    _ => *before = Value::Array([listed(before), listed(&value)].concat()),
                },
                None => members.push((name.clone(), value)),
            }
        }
        Self::from_members(members)
    }

    fn from_members(members: Vec<(String, Value)>) -> Result<Self, Vec<KnownContextError>> {
        let (mut known, mut problems) = (Self::default(), Vec::new());
        for (name, value) in members {
            if !is_name(&name) {
                problems.push(KnownContextError::Name(quoted(&name)));
            } else if let Some(twin) = known.get(&name) {
                problems.push(KnownContextError::Twice(quoted(&twin.name), quoted(&name)));
            } else {
                match checked(&name, &value) {
                    Ok(state) => known.0.push(KnownContextKey { name, state }),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        if problems.is_empty() { Ok(known) } else { Err(problems) }
    }
}

fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        single => vec![single.clone()],
    }
}

fn checked(name: &str, value: &Value) -> Result<KnownState, KnownContextError> {
    let state = state(name, value)?;
    match contradiction(name, &state) {
        Some(fact) => Err(KnownContextError::Contradiction { name: quoted(name), fact }),
        None => Ok(state),
    }
}

/// The state that a value stands for.
pub(super) fn state(name: &str, value: &Value) -> Result<KnownState, KnownContextError> {
    let wrong =
        |allowed| KnownContextError::Value { name: quoted(name), value: quoted(&value.to_string()), allowed };
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let values: Option<Vec<String>> = match value {
        Value::Null => return Ok(KnownState::Absent),
        // CloudFormation's templates cannot hold null.
        Value::String(text) if text == "null" => return Ok(KnownState::Absent),
        Value::Array(values) => values.iter().map(text).collect(),
        single => text(single).map(|text| vec![text]),
    };
    let values = values.filter(|values| !values.is_empty()).ok_or_else(|| wrong(ALLOWED))?;
    match wrong_type(name, &values) {
        Some(allowed) => Err(wrong(allowed)),
        None => Ok(KnownState::Values(values)),
    }
}

/// The values that a global condition key of another type than text can have, if one of `values` is none of them.
fn wrong_type(name: &str, values: &[String]) -> Option<&'static str> {
    type Is = fn(&str) -> bool;
    let (is, allowed): (Is, _) = match name.to_ascii_lowercase().as_str() {
        "aws:sourceip" | "aws:vpcsourceip" => {
            (|value| value.parse::<IpAddr>().is_ok(), "its value is one IP address")
        }
        "aws:multifactorauthpresent" | "aws:securetransport" | "aws:viaawsservice" => {
            (|value| ["true", "false"].contains(&value), "its value is `true` or `false`")
        }
        "aws:multifactorauthage" | "aws:epochtime" => {
            (|value| value.parse::<u64>().is_ok(), "its value is a number of seconds")
        }
        _ => return None,
    };
    (!values.iter().all(|value| is(value)) || values.len() != 1).then_some(allowed)
}

/// Whether a condition key can have this name: a prefix and a rest, both in the characters that tags allow.
fn is_name(name: &str) -> bool {
    let Some((prefix, rest)) = name.split_once(':') else { return false };
    let of_rest = |letter: char| letter.is_alphanumeric() || " _.:/=+-@".contains(letter);
    !prefix.is_empty()
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !rest.is_empty()
        && rest == rest.trim()
        && !rest.ends_with(['/', ':'])
        && rest.chars().all(of_rest)
}

/// The members of an object in their order, duplicates included.
struct ContextMembers(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for ContextMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = ContextMembers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ContextMembers, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(ContextMembers(members))
            }
        }
        deserializer.deserialize_map(Reads)
    }
}
