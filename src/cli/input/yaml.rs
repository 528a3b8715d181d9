//! Reads YAML as a tree with places: anchors, aliases and merge keys are resolved, and the short forms of intrinsic
//! functions (`!Sub`) become the long ones (`Fn::Sub`).
//!
//! CloudFormation itself takes neither aliases nor merge keys. The tools that package templates resolve both, and each
//! has one meaning.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};

use super::error::SyntaxProblem;
use super::json::MAX_DEPTH;
use super::node::{SourceMember, SourceNode, SourceValue};
use crate::report::SourcePlace;

/// The most nodes that a tree may have. A template has at most 1 MB; only aliases can make its tree larger.
const MAX_NODES: usize = 1 << 20;

/// Reads a text that is one YAML document.
pub(super) fn read(text: &str) -> Result<SourceNode, SyntaxProblem> {
    let mut reader = YamlReader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        left: MAX_NODES,
        end: (1, 1),
    };
    let mut event = reader.next()?;
    while matches!(event.0, Event::StreamStart | Event::DocumentStart(_)) {
        event = reader.next()?;
    }
    if matches!(event.0, Event::StreamEnd) {
        return Err(problem(event.1.start, "the text holds no value"));
    }
    let node = reader.node(event, 0)?;
    let (end, _) = reader.next()?;
    let (after, span) = reader.next()?;
    if !matches!((end, after), (Event::DocumentEnd, Event::StreamEnd)) {
        return Err(problem(span.start, "there is a second document; a template is one"));
    }
    Ok(node)
}

struct YamlReader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// What aliases stand for, by the number of the anchor, and how many nodes that is.
    anchors: HashMap<usize, (SourceNode, usize)>,
    left: usize,
    /// The line after which the last scalar or collection ended.
    end: (u32, u32),
}

type YamlEvent<'a> = (Event<'a>, Span);

impl<'a> YamlReader<'a> {
    fn next(&mut self) -> Result<YamlEvent<'a>, SyntaxProblem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(problem(*error.marker(), error.info())),
            None => {
                Err(SyntaxProblem { line: self.end.0, column: 1, what: "the text ends early".to_owned() })
            }
        }
    }

    /// The node that begins with an event.
    fn node(&mut self, (event, span): YamlEvent<'a>, depth: usize) -> Result<SourceNode, SyntaxProblem> {
        if depth > MAX_DEPTH {
            return Err(problem(span.start, format!("values are nested more than {MAX_DEPTH} deep")));
        }
        let before = self.left;
        self.count(1, span)?;
        let (line, column) = position(span.start);
        let (value, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.end = position(span.end);
                // The parser begins a block with its text, and ends it at the line behind it and behind empty lines.
                if style == ScalarStyle::Literal {
                    let lines = u32::try_from(text.trim_end().lines().count()).unwrap_or(u32::MAX);
                    self.end = (line.saturating_add(lines.saturating_sub(1)), 1);
                } else if style == ScalarStyle::Folded && self.end.0 > line {
                    self.end.0 -= 1;
                }
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                let value = if is_plain { plain(&text) } else { SourceValue::Text(text.into_owned()) };
                (value, anchor, tag)
            }
            Event::SequenceStart(anchor, tag) => (SourceValue::List(self.items(depth)?), anchor, tag),
            Event::MappingStart(anchor, tag) => (SourceValue::Map(self.members(depth)?), anchor, tag),
            Event::Alias(anchor) => {
                let found = self.anchors.get(&anchor).cloned();
                let Some((node, size)) = found else {
                    return Err(problem(span.start, "an alias stands inside of what it stands for"));
                };
                self.count(size, span)?;
                self.end = position(span.end);
                let place = SourcePlace { line, column, end_line: line };
                return Ok(SourceNode { place, ..node });
            }
            _ => return Err(problem(span.start, "a value should be here")),
        };
        let place = SourcePlace { line, column, end_line: self.end.0.max(line) };
        let node = tagged(SourceNode { place, value }, tag.as_deref(), span)?;
        // The parser numbers anchors from 1.
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), before - self.left));
        }
        Ok(node)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<SourceNode>, SyntaxProblem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, span) => {
                    self.end_of_flow(span);
                    return Ok(items);
                }
                item => items.push(self.node(item, depth + 1)?),
            }
        }
    }

    fn members(&mut self, depth: usize) -> Result<Vec<SourceMember>, SyntaxProblem> {
        let mut members: Vec<SourceMember> = Vec::new();
        let mut merged: Vec<SourceMember> = Vec::new();
        loop {
            let (name, style, span) = match self.next()? {
                (Event::MappingEnd, span) => {
                    self.end_of_flow(span);
                    break;
                }
                (Event::Scalar(name, style, _, None), span) => (name.into_owned(), style, span),
                (_, span) => {
                    return Err(problem(span.start, "the name of a member should be here: one text"));
                }
            };
            let (line, _) = position(span.start);
            let value = self.next()?;
            let node = self.node(value, depth + 1)?;
            if name == "<<" && style == ScalarStyle::Plain {
                merged.extend(merge(node, span)?);
                continue;
            }
            if members.iter().any(|member| member.name == name) {
                return Err(problem(span.start, format!("`{name}` is named twice in one mapping")));
            }
            members.push(SourceMember { name, line, node });
        }
        // What a mapping has itself wins over what it merges, and of that the first.
        for member in merged {
            if !members.iter().any(|own| own.name == member.name) {
                members.push(member);
            }
        }
        Ok(members)
    }

    /// Notes where a collection in brackets ends. One without brackets ends with its last scalar.
    fn end_of_flow(&mut self, span: Span) {
        let (line, column) = position(span.end);
        if span.end.index() > span.start.index() {
            self.end = (line, column);
        }
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), SyntaxProblem> {
        let left = self.left.checked_sub(nodes);
        self.left = left.ok_or_else(|| problem(span.start, "the aliases stand for too many values"))?;
        Ok(())
    }
}

/// What a merge key brings into a mapping: the members of a mapping, or those of several.
fn merge(node: SourceNode, span: Span) -> Result<Vec<SourceMember>, SyntaxProblem> {
    let wrong = || problem(span.start, "`<<` merges a mapping or a list of mappings");
    match node.value {
        SourceValue::Map(members) => Ok(members),
        SourceValue::List(items) => {
            let mut members = Vec::new();
            for item in items {
                match item.value {
                    SourceValue::Map(more) => members.extend(more),
                    _ => return Err(wrong()),
                }
            }
            Ok(members)
        }
        _ => Err(wrong()),
    }
}

/// A node with its tag as the long form of an intrinsic function.
fn tagged(node: SourceNode, tag: Option<&Tag>, span: Span) -> Result<SourceNode, SyntaxProblem> {
    let Some(tag) = tag else { return Ok(node) };
    let place = node.place;
    if tag.is_yaml_core_schema() {
        let value = match (tag.suffix.as_str(), node.value) {
            ("str" | "seq" | "map", value) => value,
            // What these make of a text is a number, a truth value or nothing.
            ("int" | "float" | "bool" | "null", SourceValue::Text(text)) => plain(&text),
            (suffix, _) => {
                return Err(problem(
                    span.start,
                    format!("CloudFormation does not know the tag `!!{suffix}`"),
                ));
            }
        };
        return Ok(SourceNode { place, value });
    }
    if tag.handle != "!" || tag.suffix.is_empty() {
        return Err(problem(span.start, format!("`{tag}` is no intrinsic function of CloudFormation")));
    }
    let name = match tag.suffix.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    };
    let member = SourceMember { name, line: place.line, node };
    Ok(SourceNode { place, value: SourceValue::Map(vec![member]) })
}

/// The value of a scalar without quotes, where YAML 1.1 and 1.2 agree.
fn plain(text: &str) -> SourceValue {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return SourceValue::Null,
        "true" | "True" | "TRUE" => return SourceValue::Bool(true),
        "false" | "False" | "FALSE" => return SourceValue::Bool(false),
        _ => {}
    }
    let lower = text.to_ascii_lowercase();
    if matches!(lower.as_str(), "y" | "n" | "yes" | "no" | "on" | "off") {
        return SourceValue::Ambiguous(text.to_owned());
    }
    let is_decimal = is_digits(unsigned) && (unsigned.len() == 1 || !unsigned.starts_with('0'));
    if is_decimal && !text.starts_with('+') {
        return SourceValue::Number(text.to_owned());
    }
    if may_be_number(unsigned) || matches!(lower.trim_start_matches(['-', '+']), ".inf" | ".nan") {
        return SourceValue::Ambiguous(text.to_owned());
    }
    SourceValue::Text(text.to_owned())
}

/// Whether a version of YAML reads a text without its sign as a number: octal, hexadecimal, sexagesimal, with underscores,
/// a fraction or an exponent.
fn may_be_number(text: &str) -> bool {
    let only = |text: &str, may_be: fn(u8) -> bool| !text.is_empty() && text.bytes().all(may_be);
    let is_digit_or_line = |b: u8| b.is_ascii_digit() || b == b'_';
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    if let Some(digits) = ["0x", "0o", "0b"].iter().find_map(|prefix| text.strip_prefix(prefix)) {
        return only(digits, |b| b.is_ascii_hexdigit() || b == b'_');
    }
    if text.contains(':') {
        return text.split(':').all(|part| only(part, |b| b.is_ascii_digit() || matches!(b, b'_' | b'.')));
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    [whole, fraction].iter().all(|part| part.is_empty() || only(part, is_digit_or_line))
        && mantissa.bytes().any(|b| b.is_ascii_digit())
        && exponent.is_none_or(|digits| only(digits.trim_start_matches(['-', '+']), |b| b.is_ascii_digit()))
}

fn position(marker: Marker) -> (u32, u32) {
    // The parser counts lines from 1 and columns from 0.
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    (number(marker.line()), number(marker.col()).saturating_add(1))
}

fn problem(marker: Marker, what: impl Into<String>) -> SyntaxProblem {
    let (line, column) = position(marker);
    SyntaxProblem { line, column, what: what.into() }
}

#[cfg(test)]
#[path = "yaml/tests.rs"]
mod tests;
