//! A JSON or YAML file as a tree in which each node knows its place.

use serde_json::{Map, Number, Value, json};

use crate::report::SourcePlace;

/// A value, and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct SourceNode {
    pub(in crate::cli) place: SourcePlace,
    pub(in crate::cli) value: SourceValue,
}

/// A value as the file writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum SourceValue {
    Null,
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    Text(String),
    /// A word without quotes that the versions of YAML read differently, such as `yes` and `0123`.
    Ambiguous(String),
    List(Vec<SourceNode>),
    Map(Vec<SourceMember>),
}

/// A member of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct SourceMember {
    pub(in crate::cli) name: String,
    /// The line of the name.
    pub(in crate::cli) line: u32,
    pub(in crate::cli) node: SourceNode,
}

impl SourceNode {
    /// The members, if it is a mapping.
    pub(super) fn members(&self) -> Option<&[SourceMember]> {
        match &self.value {
            SourceValue::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub(super) fn items(&self) -> Option<&[Self]> {
        match &self.value {
            SourceValue::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value of a member; `None` if it is no mapping or has no such member.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.members()?.iter().find(|member| member.name == name).map(|member| &member.node)
    }

    /// The node at the end of a path of members.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            SourceValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar that every version of YAML reads alike.
    pub(super) fn scalar(&self) -> Option<String> {
        match &self.value {
            SourceValue::Text(text) | SourceValue::Number(text) => Some(text.clone()),
            SourceValue::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// The only member, if it is a mapping with one.
    pub(super) fn only_member(&self) -> Option<&SourceMember> {
        match self.members()? {
            [member] => Some(member),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            SourceValue::Null => "nothing",
            SourceValue::Bool(_) => "true or false",
            SourceValue::Number(_) => "a number",
            SourceValue::Text(_) | SourceValue::Ambiguous(_) => "a text",
            SourceValue::List(_) => "a list",
            SourceValue::Map(_) => "a mapping",
        }
    }

    /// The value as JSON text, in which a word that can be read differently is no text.
    pub(super) fn canonical(&self) -> String {
        self.to_json().to_string()
    }

    fn to_json(&self) -> Value {
        match &self.value {
            SourceValue::Null => Value::Null,
            SourceValue::Bool(value) => Value::Bool(*value),
            SourceValue::Number(text) => number(text),
            SourceValue::Text(text) => Value::String(text.clone()),
            SourceValue::Ambiguous(word) => json!({ "ambiguous": word }),
            SourceValue::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            SourceValue::Map(members) => Value::Object(
                members
                    .iter()
                    .map(|member| (member.name.clone(), member.node.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

/// A number as JSON. One that JSON cannot hold stays a text.
pub(super) fn number(text: &str) -> Value {
    text.parse::<Number>().map_or_else(|_| Value::String(text.to_owned()), Value::Number)
}
