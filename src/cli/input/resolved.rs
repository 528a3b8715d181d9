//! A value of a template with its intrinsic functions resolved. What cannot be known stays in it, with the reason.

use kms_key_policy::matches_wildcards;
use serde_json::{Map, Value};

use super::node::{SourceNode, SourceValue, number};
use crate::report::SourcePlace;

/// Something in a template that cannot be known: an intrinsic function, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Unknown {
    /// The line in the file.
    pub(in crate::cli) line: u32,
    /// The function as people write it: `!Ref AdminRole`.
    pub(in crate::cli) what: String,
    /// Why it cannot be known, or how to say it; empty if the function itself says it.
    pub(in crate::cli) hint: String,
}

/// A value, and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Resolved {
    pub(super) place: SourcePlace,
    pub(super) value: ResolvedValue,
}

/// A value without intrinsic functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ResolvedValue {
    Null,
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    Text(PartialText),
    List(Vec<Resolved>),
    Map(Vec<(String, Resolved)>),
    /// Any value, for these reasons.
    Unknown(Vec<Unknown>),
    /// Nothing: `AWS::NoValue`.
    Absent,
}

/// A text of which parts may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartialText {
    parts: Vec<TextPart>,
    /// Whether it ends inside of a dynamic reference, which what is added may end.
    is_in_reference: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TextPart {
    Known(String),
    /// Any text, the empty one too.
    Unknown(Unknown),
}

/// The beginning and the end of a dynamic reference, which CloudFormation replaces when it deploys.
const DYNAMIC: (&str, &str) = ("{{resolve:", "}}");

impl PartialText {
    /// A text that is known, except for its dynamic references. `line` is where it stands.
    pub(super) fn known(text: &str, line: u32) -> Self {
        let mut whole = Self::default();
        whole.push(text, line);
        whole
    }

    /// A text of which nothing is known.
    pub(super) fn unknown(unknown: Unknown) -> Self {
        Self { parts: vec![TextPart::Unknown(unknown)], is_in_reference: false }
    }

    /// Adds a known text, which may begin or end a dynamic reference.
    pub(super) fn push(&mut self, text: &str, line: u32) {
        let text = match text.split_once(DYNAMIC.1) {
            Some((_, after)) if self.is_in_reference => after,
            None if self.is_in_reference => return,
            _ => text,
        };
        self.is_in_reference = false;
        match self.parts.last_mut() {
            Some(TextPart::Known(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.parts.push(TextPart::Known(text.to_owned())),
        }
        self.hide_dynamic_reference(line);
    }

    /// Adds another text.
    pub(super) fn append(&mut self, other: &Self, line: u32) {
        for part in &other.parts {
            match part {
                TextPart::Known(text) => self.push(text, line),
                TextPart::Unknown(unknown) => self.parts.push(TextPart::Unknown(unknown.clone())),
            }
        }
        self.is_in_reference |= other.is_in_reference;
    }

    /// The text, if it is known whole.
    pub(super) fn as_known(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [TextPart::Known(text)] => Some(text),
            _ => None,
        }
    }

    /// What of it is unknown.
    pub(super) fn unknowns(&self) -> impl Iterator<Item = &Unknown> {
        self.parts.iter().filter_map(|part| match part {
            TextPart::Unknown(unknown) => Some(unknown),
            TextPart::Known(_) => None,
        })
    }

    /// Whether a known part holds this text.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, TextPart::Known(known) if known.contains(text)))
    }

    /// Whether it may be this text, or a pattern with `*` and `?` that matches it. Case does not matter. It may say yes
    /// although it is not so, and never no although it is so.
    pub(super) fn may_match(&self, text: &str) -> bool {
        let pattern: String = self
            .parts
            .iter()
            .map(|part| match part {
                TextPart::Known(known) => known.as_str(),
                TextPart::Unknown(_) => "*",
            })
            .collect();
        matches_wildcards(&pattern.to_lowercase(), &text.to_lowercase())
    }

    /// The text for people, with `${…}` where it is unknown.
    pub(super) fn shown(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                TextPart::Known(known) => known.clone(),
                TextPart::Unknown(unknown) => format!("${{{}}}", unknown.what),
            })
            .collect()
    }

    /// Makes the first dynamic reference of the last known part unknown.
    fn hide_dynamic_reference(&mut self, line: u32) {
        let Some(TextPart::Known(last)) = self.parts.last() else { return };
        let Some((before, rest)) = last.split_once(DYNAMIC.0) else { return };
        let (name, after) = match rest.split_once(DYNAMIC.1) {
            Some((name, after)) => (name.to_owned(), Some(after.to_owned())),
            None => (rest.to_owned(), None),
        };
        let unknown = Unknown {
            line,
            what: format!("{}{name}{}", DYNAMIC.0, DYNAMIC.1),
            hint: "CloudFormation resolves it when it deploys".to_owned(),
        };
        let before = before.to_owned();
        self.parts.pop();
        if !before.is_empty() {
            self.parts.push(TextPart::Known(before));
        }
        self.parts.push(TextPart::Unknown(unknown));
        match after {
            Some(after) => self.push(&after, line),
            None => self.is_in_reference = true,
        }
    }
}

impl Resolved {
    pub(super) fn new(place: SourcePlace, value: ResolvedValue) -> Self {
        Self { place, value }
    }

    /// A value that intrinsic functions are not looked for in: a policy that is a text in the template.
    pub(super) fn literal(node: &SourceNode, place: SourcePlace) -> Self {
        let value = match &node.value {
            SourceValue::Null => ResolvedValue::Null,
            SourceValue::Bool(value) => ResolvedValue::Bool(*value),
            SourceValue::Number(text) => ResolvedValue::Number(text.clone()),
            SourceValue::Text(text) | SourceValue::Ambiguous(text) => {
                ResolvedValue::Text(PartialText::known(text, place.line))
            }
            SourceValue::List(items) => {
                ResolvedValue::List(items.iter().map(|item| Self::literal(item, place)).collect())
            }
            SourceValue::Map(members) => ResolvedValue::Map(
                members
                    .iter()
                    .map(|member| (member.name.clone(), Self::literal(&member.node, place)))
                    .collect(),
            ),
        };
        Self { place, value }
    }

    /// The value of a member; `None` if it is no mapping or has no such member.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match &self.value {
            ResolvedValue::Map(members) => {
                members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The items of a list. Anything else is a list of itself, as in a policy.
    pub(super) fn one_or_many(&self) -> &[Self] {
        match &self.value {
            ResolvedValue::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The value as a text, if it is a scalar.
    pub(super) fn as_text(&self) -> Option<PartialText> {
        Some(match &self.value {
            ResolvedValue::Text(text) => text.clone(),
            ResolvedValue::Number(text) => PartialText::known(text, self.place.line),
            ResolvedValue::Bool(value) => PartialText::known(&value.to_string(), self.place.line),
            ResolvedValue::Unknown(unknowns) => PartialText::unknown(unknowns.first()?.clone()),
            ResolvedValue::Null | ResolvedValue::List(_) | ResolvedValue::Map(_) | ResolvedValue::Absent => {
                return None;
            }
        })
    }

    /// The known text, if it is a scalar that is known whole.
    pub(super) fn as_known(&self) -> Option<String> {
        match &self.value {
            ResolvedValue::Unknown(_) => None,
            _ => self.as_text()?.as_known().map(str::to_owned),
        }
    }

    /// Everything in it that is unknown, each once.
    pub(super) fn unknowns(&self) -> Vec<Unknown> {
        let mut all = Vec::new();
        self.add_unknowns(&mut all);
        let mut once = Vec::new();
        for unknown in all {
            if !once.contains(&unknown) {
                once.push(unknown);
            }
        }
        once
    }

    fn add_unknowns(&self, all: &mut Vec<Unknown>) {
        match &self.value {
            ResolvedValue::Text(text) => all.extend(text.unknowns().cloned()),
            ResolvedValue::List(items) => items.iter().for_each(|item| item.add_unknowns(all)),
            ResolvedValue::Map(members) => members.iter().for_each(|(_, value)| value.add_unknowns(all)),
            ResolvedValue::Unknown(unknowns) => all.extend(unknowns.iter().cloned()),
            ResolvedValue::Null
            | ResolvedValue::Bool(_)
            | ResolvedValue::Number(_)
            | ResolvedValue::Absent => {}
        }
    }

    /// The value as JSON, with what is unknown as people write it. What is absent is left out.
    pub(super) fn to_json(&self) -> Value {
        let is_there = |value: &Self| value.value != ResolvedValue::Absent;
        match &self.value {
            ResolvedValue::Null | ResolvedValue::Absent => Value::Null,
            ResolvedValue::Bool(value) => Value::Bool(*value),
            ResolvedValue::Number(text) => number(text),
            ResolvedValue::Text(text) => Value::String(text.shown()),
            ResolvedValue::List(items) => {
                Value::Array(items.iter().filter(|item| is_there(item)).map(Self::to_json).collect())
            }
            ResolvedValue::Map(members) => {
                let members = members.iter().filter(|(_, value)| is_there(value));
                Value::Object(
                    members.map(|(name, value)| (name.clone(), value.to_json())).collect::<Map<_, _>>(),
                )
            }
            ResolvedValue::Unknown(unknowns) => {
                let what: Vec<_> = unknowns.iter().map(|unknown| unknown.what.as_str()).collect();
                Value::String(format!("${{{}}}", what.join(", ")))
            }
        }
    }

    /// Whether a text in it, or the name of a member, holds this.
    pub(super) fn holds(&self, text: &str) -> bool {
        match &self.value {
            ResolvedValue::Text(known) => known.holds(text),
            ResolvedValue::List(items) => items.iter().any(|item| item.holds(text)),
            ResolvedValue::Map(members) => {
                members.iter().any(|(name, value)| name.contains(text) || value.holds(text))
            }
            ResolvedValue::Null
            | ResolvedValue::Bool(_)
            | ResolvedValue::Number(_)
            | ResolvedValue::Unknown(_)
            | ResolvedValue::Absent => false,
        }
    }
}
