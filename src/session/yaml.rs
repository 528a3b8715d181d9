//! YAML sources, read as a value, and edited in place at the positions that the parser reports, so that comments and
//! layout stay. Anchors, block scalars and missing parents cannot be edited in place; then the caller asks AWS for the
//! document as JSON.

mod node;

use std::ops::Range;

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::content::{quoted, spliced};
use super::description::DescriptionSource;
pub(super) use node::YamlError;
use node::{YamlMember, YamlNode, YamlSource};

/// Reads one YAML document. Aliases become copies of what they stand for.
pub(super) fn read(text: &str) -> Result<Value, YamlError> {
    YamlSource::read(text).map(|source| source.root.value())
}

/// The text with the scalar at a path replaced, or added if only the last key of the path is missing.
///
/// `None` if that cannot be done in place. A node with an anchor may be part of another one, so nothing is edited in
/// place in a text with anchors.
pub(super) fn set(text: &str, path: &[&str], to: &str) -> Option<String> {
    let (last, parents) = path.split_last()?;
    let mut node = editable(text)?;
    for parent in parents {
        node = node.into_member(parent)?.value;
    }
    let YamlNode::Mapping { members, start } = node else { return None };
    let value = quoted(to);
    match members.into_iter().find(|member| member.name == *last) {
        Some(member) if member.value.is_nothing() => {
            let colon = after_colon(text, &member)?;
            spliced(text, colon..colon, &format!(" {value}"))
        }
        Some(member) => spliced(text, member.value.span_in(text)?, &value),
        None if text.get(start..)?.starts_with('{') => {
            let comma = if text.get(start + 1..)?.trim_start().starts_with('}') { "" } else { ", " };
            spliced(text, start + 1..start + 1, &format!("{last}: {value}{comma}"))
        }
        None => {
            let line = line_start(text, start)?;
            let indent = text.get(line..start)?;
            let blank = indent.chars().all(|c| c == ' ');
            blank.then(|| spliced(text, line..line, &format!("{indent}{last}: {value}\n")))?
        }
    }
}

/// How the text writes the member `description`.
pub(super) fn description(text: &str) -> DescriptionSource {
    described(text).unwrap_or(DescriptionSource::Other)
}

fn described(text: &str) -> Option<DescriptionSource> {
    let YamlNode::Mapping { members, start } = editable(text)? else { return None };
    let Some(member) = members.into_iter().find(|member| member.name == "description") else {
        return Some(DescriptionSource::Absent);
    };
    let colon = after_colon(text, &member)?;
    if member.value.is_nothing() {
        return Some(DescriptionSource::Null { replaced: colon..colon, before_text: " " });
    }
    let span = member.value.source_in(text)?;
    let end = match member.value {
        YamlNode::Scalar { style: ScalarStyle::Plain, .. } => span.end,
        YamlNode::Scalar { style: ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, .. } => {
            span.end.checked_sub(1)?
        }
        _ => return Some(DescriptionSource::Other),
    };
    let is_flow = text.get(start..)?.starts_with('{');
    let member = if is_flow {
        let after = text.get(span.end..)?;
        member.start..span.end + if after.starts_with(", ") { 2 } else { 0 }
    } else {
        let line_end = text.get(span.end..)?.find('\n').map_or(text.len(), |newline| span.end + newline + 1);
        line_start(text, member.start)?..line_end
    };
    Some(DescriptionSource::Text { end, null: (colon..span.end, ""), member })
}

fn editable(text: &str) -> Option<YamlNode> {
    YamlSource::read(text).ok().filter(|source| !source.has_anchors).map(|source| source.root)
}

/// The byte after the colon of a member.
fn after_colon(text: &str, member: &YamlMember) -> Option<usize> {
    // A key in quotes may hold a colon.
    let key = member.start + text.get(member.start..)?.find(&member.name)? + member.name.len();
    Some(key + text.get(key..)?.find(':')? + 1)
}

/// The first byte of the line that holds a byte. The byte-order mark belongs to no line.
fn line_start(text: &str, at: usize) -> Option<usize> {
    const MARK: char = '\u{feff}';
    let first = if text.starts_with(MARK) { MARK.len_utf8() } else { 0 };
    Some(text.get(..at)?.rfind('\n').map_or(first, |newline| newline + 1))
}

impl YamlNode {
    /// The bytes of a scalar on one line, quotes included.
    fn span_in(&self, text: &str) -> Option<Range<usize>> {
        let span = self.source_in(text)?;
        (!text.get(span.clone())?.contains('\n')).then_some(span)
    }

    /// The bytes of a scalar that is no block, quotes included. The parser's own span also covers the white space and the
    /// comment after a quoted scalar, so this function finds the end.
    fn source_in(&self, text: &str) -> Option<Range<usize>> {
        let Self::Scalar { text: scalar, style, start, end } = self else { return None };
        let source = text.get(*start..)?;
        let len = match style {
            ScalarStyle::Plain if source.starts_with(scalar.as_str()) => scalar.len(),
            // It runs over several lines.
            ScalarStyle::Plain => text.get(*start..*end)?.trim_end().len(),
            ScalarStyle::SingleQuoted => {
                let inside = source.strip_prefix('\'')?;
                let mut quotes = 0;
                let close = inside.char_indices().find(|(at, c)| {
                    quotes = if *c == '\'' { quotes + 1 } else { 0 };
                    let next = inside.get(at + 1..).is_some_and(|rest| rest.starts_with('\''));
                    quotes % 2 == 1 && !next
                });
                close?.0 + 2
            }
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
        Some(*start..*start + len)
    }
}
