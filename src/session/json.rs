//! The byte spans of the members of an object in a JSON text, so that one value can be replaced without touching
//! anything else.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::description::DescriptionSource;

/// An object in a JSON text: its members in order, each with the span of its value.
pub(super) struct Object {
    members: Vec<(String, Range<usize>)>,
    /// The byte after the opening brace.
    start: usize,
    /// The white space between the brace and the first member, which shows how the author lays out members.
    gap: String,
}

impl Object {
    /// Reads the object at `span` of `text`.
    ///
    /// # Errors
    /// If there is no object, or if it names a member twice: then its meaning is open.
    pub(super) fn read(text: &str, span: Range<usize>) -> Result<Self, ObjectError> {
        let offset = span.start;
        let source = text.get(span).ok_or(ObjectError::NotAnObject)?;
        let ObjectMembers(raw) = serde_json::from_str(source).map_err(|_| ObjectError::NotAnObject)?;
        if let Some(name) = named_twice(&raw) {
            return Err(ObjectError::NamedTwice(name.to_owned()));
        }
        Self::located(text, source, offset, raw).ok_or(ObjectError::NotAnObject)
    }

    fn located(text: &str, source: &str, offset: usize, raw: Vec<(String, &RawValue)>) -> Option<Self> {
        let mut members: Vec<(String, Range<usize>)> = Vec::with_capacity(raw.len());
        for (name, value) in raw {
            let start = offset + (value.get().as_ptr() as usize).checked_sub(source.as_ptr() as usize)?;
            members.push((name, start..start + value.get().len()));
        }
        let start = offset + source.find('{')? + 1;
        let inside = text.get(start..)?;
        let gap = inside.get(..inside.len() - inside.trim_start().len())?.to_owned();
        Some(Self { members, start, gap })
    }

    /// The span of a member's value.
    pub(super) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, span)| span.clone())
    }

    /// The bytes of a member with its comma.
    fn member(&self, name: &str, text: &str) -> Option<Range<usize>> {
        let at = self.members.iter().position(|(member, _)| member == name)?;
        let (_, value) = self.members.get(at)?;
        if let Some((_, before)) = at.checked_sub(1).and_then(|before| self.members.get(before)) {
            return Some(before.end..value.end);
        }
        let after = text.get(value.end..)?;
        let next = after.trim_start().strip_prefix(',').map_or(after, str::trim_start);
        Some(self.start + self.gap.len()..value.end + (after.len() - next.len()))
    }

    /// The byte at which a new member goes, after the last member, and the new member's text.
    pub(super) fn insertion(&self, name: &str, value: &str) -> (usize, String) {
        match self.members.last() {
            Some((_, last)) => (last.end, format!(",{}\"{name}\": {value}", self.gap)),
            None => (self.start, format!("\"{name}\": {value}")),
        }
    }
}

/// The bytes of a text without its byte-order mark.
pub(super) fn whole(text: &str) -> Range<usize> {
    const MARK: char = '\u{feff}';
    let start = if text.starts_with(MARK) { MARK.len_utf8() } else { 0 };
    start..text.len()
}

/// Why a text is not read as an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ObjectError {
    /// It is no object.
    NotAnObject,
    /// It names this member twice.
    NamedTwice(String),
}

fn named_twice<'a>(members: &'a [(String, &RawValue)]) -> Option<&'a str> {
    let mut names = HashSet::new();
    members.iter().map(|(name, _)| name.as_str()).find(|name| !names.insert(*name))
}

/// How a JSON text writes the member `description`.
pub(super) fn description(text: &str) -> DescriptionSource {
    described(text).unwrap_or(DescriptionSource::Other)
}

fn described(text: &str) -> Option<DescriptionSource> {
    let root = Object::read(text, whole(text)).ok()?;
    let Some(span) = root.span("description") else { return Some(DescriptionSource::Absent) };
    match text.get(span.clone())? {
        "null" => Some(DescriptionSource::Null { replaced: span, before_text: "" }),
        value if value.starts_with('"') => {
            let member = root.member("description", text)?;
            Some(DescriptionSource::Text { end: span.end.checked_sub(1)?, null: (span, "null"), member })
        }
        _ => Some(DescriptionSource::NotText(span)),
    }
}

/// An object's members, with the source text of their values.
struct ObjectMembers<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for ObjectMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = ObjectMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(ObjectMembers(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
