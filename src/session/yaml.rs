//! YAML sources, read as a value, and edited in place at the positions that the parser reports, so that comments and
//! layout stay. Anchors, block scalars and missing parents cannot be edited in place; then the caller asks AWS for the
//! document as JSON.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use super::content::{quoted, spliced};

/// No document that AWS accepts is deeper, and no stack overflows at this depth.
const MAX_DEPTH: usize = 64;

/// Reads one YAML document. `None` if it is malformed, or has anchors or duplicate keys.
pub(super) fn read(text: &str) -> Option<Value> {
    root(text).map(|node| node.value())
}

/// The text with the scalar at a path replaced, or added if only the last key of the path is missing.
///
/// `None` if that cannot be done in place.
pub(super) fn set(text: &str, path: &[&str], to: &str) -> Option<String> {
    let (last, parents) = path.split_last()?;
    let mut node = root(text)?;
    for parent in parents {
        node = node.into_member(parent)?;
    }
    let YamlNode::Mapping { members, start } = node else { return None };
    let value = quoted(to);
    match members.into_iter().find(|member| member.name == *last) {
        Some(YamlMember {
            start,
            value: YamlNode::Scalar { text: was, style: ScalarStyle::Plain, .. },
            ..
        }) if was.is_empty() => {
            let colon = start + text.get(start..)?.find(':')? + 1;
            spliced(text, colon..colon, &format!(" {value}"))
        }
        Some(YamlMember { value: scalar, .. }) => spliced(text, scalar.span_in(text)?, &value),
        None if text.get(start..)?.starts_with('{') => {
            let comma = if text.get(start + 1..)?.trim_start().starts_with('}') { "" } else { ", " };
            spliced(text, start + 1..start + 1, &format!("{last}: {value}{comma}"))
        }
        None => {
            let line = text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
            let indent = text.get(line..start)?;
            let blank = indent.chars().all(|c| c == ' ');
            blank.then(|| spliced(text, line..line, &format!("{indent}{last}: {value}\n")))?
        }
    }
}

enum YamlNode {
    Scalar { text: String, style: ScalarStyle, start: usize },
    Sequence(Vec<Self>),
    Mapping { members: Vec<YamlMember>, start: usize },
}

struct YamlMember {
    name: String,
    /// The byte at which the key starts.
    start: usize,
    value: YamlNode,
}

impl YamlNode {
    fn into_member(self, name: &str) -> Option<Self> {
        let Self::Mapping { members, .. } = self else { return None };
        members.into_iter().find(|member| member.name == name).map(|member| member.value)
    }

    /// The bytes of a scalar on one line, quotes included. The parser's own span also covers the white space and the
    /// comment after a quoted scalar, so this function finds the end.
    fn span_in(&self, text: &str) -> Option<Range<usize>> {
        let Self::Scalar { text: scalar, style, start } = self else { return None };
        let source = text.get(*start..)?;
        let len = match style {
            ScalarStyle::Plain => source.starts_with(scalar.as_str()).then_some(scalar.len())?,
            ScalarStyle::SingleQuoted => 2 + scalar.len() + scalar.matches('\'').count(),
            ScalarStyle::DoubleQuoted => {
                let mut escaped = false;
                let inside = source.strip_prefix('"')?;
                let close = inside.find(|c| {
                    let closes = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    closes
                })?;
                close + 2
            }
            ScalarStyle::Literal | ScalarStyle::Folded => return None,
        };
        (!source.get(..len)?.contains('\n')).then(|| *start..start + len)
    }

    fn value(&self) -> Value {
        match self {
            Self::Scalar { text, style: ScalarStyle::Plain, .. } => plain(text),
            Self::Scalar { text, .. } => Value::String(text.clone()),
            Self::Sequence(items) => Value::Array(items.iter().map(Self::value).collect()),
            Self::Mapping { members, .. } => Value::Object(
                members
                    .iter()
                    .map(|member| (member.name.clone(), member.value.value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

/// The value of a plain scalar in YAML's core schema.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match text.parse::<i64>().map(Number::from) {
            Ok(number) => Value::Number(number),
            Err(_)
                if text
                    .bytes()
                    .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E')) =>
            {
                text.parse()
                    .ok()
                    .and_then(Number::from_f64)
                    .map_or_else(|| Value::String(text.to_owned()), Value::Number)
            }
            Err(_) => Value::String(text.to_owned()),
        },
    }
}

fn root(text: &str) -> Option<YamlNode> {
    let mut events = Events { parser: Parser::new_from_str(text), bytes: byte_offsets(text) };
    let mut event = events.next()?;
    while matches!(event.0, Event::StreamStart | Event::DocumentStart(_)) {
        event = events.next()?;
    }
    let node = events.node(event, 0)?;
    // A second document would be lost.
    matches!(events.next()?.0, Event::DocumentEnd).then_some(())?;
    matches!(events.next()?.0, Event::StreamEnd).then_some(node)
}

/// The byte offset of each character, because the parser counts characters.
fn byte_offsets(text: &str) -> Vec<usize> {
    text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect()
}

struct Events<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    bytes: Vec<usize>,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Span)> {
        self.parser.next_event()?.ok()
    }

    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Option<YamlNode> {
        if depth > MAX_DEPTH {
            return None;
        }
        let start = *self.bytes.get(span.start.index())?;
        match event {
            Event::Scalar(text, style, 0, None) => {
                Some(YamlNode::Scalar { text: text.into_owned(), style, start })
            }
            Event::SequenceStart(0, None) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Some(YamlNode::Sequence(items)),
                        item => items.push(self.node(item, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(0, None) => {
                let mut members: Vec<YamlMember> = Vec::new();
                loop {
                    let (name, span) = match self.next()? {
                        (Event::MappingEnd, _) => return Some(YamlNode::Mapping { members, start }),
                        (Event::Scalar(name, _, 0, None), span) => (name.into_owned(), span),
                        _ => return None,
                    };
                    if members.iter().any(|member| member.name == name) {
                        return None;
                    }
                    let start = *self.bytes.get(span.start.index())?;
                    let value = self.next()?;
                    members.push(YamlMember { name, start, value: self.node(value, depth + 1)? });
                }
            }
            // Aliases, anchors, tags.
            _ => None,
        }
    }
}
