//! The byte spans of the members of an object in a JSON text, so that one value can be replaced without touching
//! anything else.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

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
    /// `None` if there is no object, or if it names a member twice: then its meaning is open.
    pub(super) fn read(text: &str, span: Range<usize>) -> Option<Self> {
        let offset = span.start;
        let source = text.get(span)?;
        let ObjectMembers(raw) = serde_json::from_str(source).ok()?;
        let mut members: Vec<(String, Range<usize>)> = Vec::with_capacity(raw.len());
        for (name, value) in raw {
            if members.iter().any(|(other, _)| *other == name) {
                return None;
            }
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

    /// The byte at which a new member goes, after the last member, and the new member's text.
    pub(super) fn insertion(&self, name: &str, value: &str) -> (usize, String) {
        match self.members.last() {
            Some((_, last)) => (last.end, format!(",{}\"{name}\": {value}", self.gap)),
            None => (self.start, format!("\"{name}\": {value}")),
        }
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
