//! YAML as a tree with positions, and why a text is none.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use serde_json::{Map, Number, Value};
use thiserror::Error;

/// No document that AWS accepts is deeper, and no stack overflows at this depth.
const MAX_DEPTH: usize = 64;
/// The most that a tree may hold, in bytes of its scalars and one for each node. A document has 64 KB at most; only copies
/// of what aliases stand for can make a tree larger than its text.
const MAX_SIZE: usize = 128 * 1024;

/// Why a text is not read as YAML.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(in crate::session) enum YamlError {
    /// It is malformed, or too deep.
    #[error("malformed")]
    Malformed,
    /// A mapping has a key twice.
    #[error("`{0}` is named twice")]
    NamedTwice(String),
    /// A mapping merges another one by `<<`. Not every parser does that.
    #[error("a merge key")]
    MergeKey,
    /// A node has a tag, such as `!!binary`.
    #[error("a tag")]
    Tag,
    /// Its aliases stand for more than a document holds.
    #[error("too large")]
    TooLarge,
}

/// A YAML document.
pub(super) struct YamlSource {
    pub(super) root: YamlNode,
    /// Whether a node has an anchor. Then another node may be the same.
    pub(super) has_anchors: bool,
}

#[derive(Clone)]
pub(super) enum YamlNode {
    Scalar {
        text: String,
        style: ScalarStyle,
        /// Its first byte.
        start: usize,
        /// The byte at which the parser ends it: after white space and comments that follow.
        end: usize,
    },
    Sequence(Vec<Self>),
    Mapping {
        members: Vec<YamlMember>,
        start: usize,
    },
}

#[derive(Clone)]
pub(super) struct YamlMember {
    pub(super) name: String,
    /// The byte at which the key starts.
    pub(super) start: usize,
    pub(super) value: YamlNode,
}

impl YamlSource {
    pub(super) fn read(text: &str) -> Result<Self, YamlError> {
        let mut events = Events {
            parser: Parser::new_from_str(text),
            bytes: byte_offsets(text),
            anchors: HashMap::new(),
            left: MAX_SIZE,
        };
        let mut event = events.next()?;
        while matches!(event.0, Event::StreamStart | Event::DocumentStart(_)) {
            event = events.next()?;
        }
        let root = events.node(event, 0)?;
        // A second document would be lost.
        if !matches!(events.next()?.0, Event::DocumentEnd) || !matches!(events.next()?.0, Event::StreamEnd) {
            return Err(YamlError::Malformed);
        }
        Ok(Self { root, has_anchors: !events.anchors.is_empty() })
    }
}

impl YamlNode {
    pub(super) fn into_member(self, name: &str) -> Option<YamlMember> {
        let Self::Mapping { members, .. } = self else { return None };
        members.into_iter().find(|member| member.name == name)
    }

    /// Whether nothing is written where the value would be, as in `description:`.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Scalar { text, style: ScalarStyle::Plain, .. } if text.is_empty())
    }

    pub(super) fn value(&self) -> Value {
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

    /// Its size, in the unit of [`MAX_SIZE`], and its depth.
    fn extent(&self) -> (usize, usize) {
        let inside = |extents: &mut dyn Iterator<Item = (usize, usize)>| {
            extents.fold((1, 1), |(size, depth), (more, deep)| (size + more, depth.max(deep + 1)))
        };
        match self {
            Self::Scalar { text, .. } => (text.len() + 1, 0),
            Self::Sequence(items) => inside(&mut items.iter().map(Self::extent)),
            Self::Mapping { members, .. } => inside(&mut members.iter().map(|member| {
                let (size, depth) = member.value.extent();
                (member.name.len() + 1 + size, depth)
            })),
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

/// The byte offset of each character, because the parser counts characters.
fn byte_offsets(text: &str) -> Vec<usize> {
    text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect()
}

struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    bytes: Vec<usize>,
    /// What aliases stand for, by the number of the anchor.
    anchors: HashMap<usize, YamlNode>,
    /// How much the tree may still grow, in the unit of [`MAX_SIZE`].
    left: usize,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        self.parser.next_event().and_then(Result::ok).ok_or(YamlError::Malformed)
    }

    /// The node that begins with an event.
    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<YamlNode, YamlError> {
        if depth > MAX_DEPTH {
            return Err(YamlError::Malformed);
        }
        let (start, end) = (self.byte(span.start.index())?, self.byte(span.end.index())?);
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, None) => {
                self.count(text.len() + 1)?;
                (YamlNode::Scalar { text: text.into_owned(), style, start, end }, anchor)
            }
            Event::SequenceStart(anchor, None) => {
                self.count(1)?;
                (YamlNode::Sequence(self.items(depth)?), anchor)
            }
            Event::MappingStart(anchor, None) => {
                self.count(1)?;
                (YamlNode::Mapping { members: self.members(depth)?, start }, anchor)
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or(YamlError::Malformed)?;
                let (size, deep) = node.extent();
                self.count(size)?;
                return if depth + deep > MAX_DEPTH { Err(YamlError::TooLarge) } else { Ok(node) };
            }
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                return Err(YamlError::Tag);
            }
            _ => return Err(YamlError::Malformed),
        };
        // The parser numbers anchors from 1.
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<YamlNode>, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                item => items.push(self.node(item, depth + 1)?),
            }
        }
    }

    fn members(&mut self, depth: usize) -> Result<Vec<YamlMember>, YamlError> {
        let mut members: Vec<YamlMember> = Vec::new();
        loop {
            let (name, span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(members),
                (Event::Scalar(name, style, 0, None), _) if name == "<<" && style == ScalarStyle::Plain => {
                    return Err(YamlError::MergeKey);
                }
                (Event::Scalar(name, _, 0, None), span) => (name.into_owned(), span),
                (Event::Scalar(_, _, _, Some(_)), _) => return Err(YamlError::Tag),
                _ => return Err(YamlError::Malformed),
            };
            if members.iter().any(|member| member.name == name) {
                return Err(YamlError::NamedTwice(name));
            }
            self.count(name.len() + 1)?;
            let start = self.byte(span.start.index())?;
            let value = self.next()?;
            members.push(YamlMember { name, start, value: self.node(value, depth + 1)? });
        }
    }

    fn byte(&self, character: usize) -> Result<usize, YamlError> {
        self.bytes.get(character).copied().ok_or(YamlError::Malformed)
    }

    fn count(&mut self, size: usize) -> Result<(), YamlError> {
        self.left = self.left.checked_sub(size).ok_or(YamlError::TooLarge)?;
        Ok(())
    }
}
