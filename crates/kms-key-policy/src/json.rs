//! A strict JSON reader for short documents of a known structure.
//!
//! The reader borrows from the text, allocates only for strings with escapes, and never recurses. The grammar of the
//! caller says which values may be nested, so no input can nest deeper than the grammar does.

use std::borrow::Cow;

use crate::error::{JsonPath, ParseError, ParseProblem, ParseResult};

/// A position in a JSON text, which moves forward.
#[derive(Debug)]
pub(crate) struct JsonReader<'t> {
    text: &'t str,
    at: usize,
}

/// The type of the next value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonKind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
    Other,
}

/// The length of a JSON text without the white space between its values. Of a text that is not JSON it is the length
/// without some of its white space.
pub(crate) fn compact_length(text: &str) -> usize {
    let (mut length, mut in_string, mut is_escaped) = (0, false, false);
    for byte in text.bytes() {
        length += usize::from(in_string || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
        in_string = if byte == b'"' && !is_escaped { !in_string } else { in_string };
        is_escaped = in_string && byte == b'\\' && !is_escaped;
    }
    length
}

impl JsonKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Null => "null",
            Self::Other => "something that is not JSON",
        }
    }
}

impl<'t> JsonReader<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The type of the next value, which stays unread.
    pub(crate) fn peek(&mut self) -> JsonKind {
        match self.next_byte() {
            Some(b'{') => JsonKind::Object,
            Some(b'[') => JsonKind::Array,
            Some(b'"') => JsonKind::String,
            Some(b'-' | b'0'..=b'9') => JsonKind::Number,
            Some(b't' | b'f') => JsonKind::Bool,
            Some(b'n') => JsonKind::Null,
            _ => JsonKind::Other,
        }
    }

    /// Reads an object, and calls `member` with each name. INVARIANT: `member` reads the value.
    pub(crate) fn object(
        &mut self,
        path: &JsonPath<'_>,
        expected: &'static str,
        mut member: impl FnMut(&mut Self, Cow<'t, str>) -> ParseResult<()>,
    ) -> ParseResult<()> {
        if self.next_byte() != Some(b'{') {
            return Err(self.wrong_type(path, expected));
        }
        self.at += 1;
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            if self.next_byte() != Some(b'"') {
                return Err(self.broken(path, "a member's name in quotes is missing"));
            }
            let name = self.string(path)?;
            if !self.eat(b':') {
                return Err(self.broken(path, "`:` is missing"));
            }
            member(self, name)?;
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.broken(path, "`,` or `}` is missing"));
            }
        }
    }

    /// Reads one value, or each value of an array, and calls `element` with its path. INVARIANT: `element` reads the
    /// value.
    pub(crate) fn one_or_many(
        &mut self,
        path: &JsonPath<'_>,
        mut element: impl FnMut(&mut Self, &JsonPath<'_>) -> ParseResult<()>,
    ) -> ParseResult<()> {
        if self.next_byte() != Some(b'[') {
            return element(self, path);
        }
        self.at += 1;
        if self.eat(b']') {
            return Ok(());
        }
        let mut index = 0;
        loop {
            element(self, &path.element(index))?;
            index += 1;
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.broken(path, "`,` or `]` is missing"));
            }
        }
    }

    /// Reads a string.
    pub(crate) fn text(&mut self, path: &JsonPath<'_>) -> ParseResult<Cow<'t, str>> {
        if self.next_byte() == Some(b'"') {
            self.string(path)
        } else {
            Err(self.wrong_type(path, "a string"))
        }
    }

    /// Reads a string, a number or a boolean as text.
    pub(crate) fn scalar(&mut self, path: &JsonPath<'_>) -> ParseResult<Cow<'t, str>> {
        match self.peek() {
            JsonKind::String => self.string(path),
            JsonKind::Number => self.number(path).map(Cow::Borrowed),
            JsonKind::Bool => self.word(path, &["true", "false"]).map(Cow::Borrowed),
            _ => Err(self.wrong_type(path, "a string, a number or a boolean")),
        }
    }

    /// Reads a value of any type and ignores it.
    pub(crate) fn skip(&mut self, path: &JsonPath<'_>) -> ParseResult<()> {
        self.raw(path).map(drop)
    }

    /// Reads a value of any type as its text.
    pub(crate) fn raw(&mut self, path: &JsonPath<'_>) -> ParseResult<&'t str> {
        self.next_byte();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde::de::IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let start = self.at;
                self.at += values.byte_offset();
                self.between(path, start, self.at)
            }
            _ => Err(self.broken(path, "a value is missing, malformed, or nested too deeply")),
        }
    }

    /// Ends the document. Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> ParseResult<()> {
        match self.next_byte() {
            None => Ok(()),
            Some(_) => Err(self
                .broken(&JsonPath::Root, "nothing may follow the end of the document, but something does")),
        }
    }

    /// The error that the next value has another type than the grammar expects.
    pub(crate) fn wrong_type(&mut self, path: &JsonPath<'_>, expected: &'static str) -> ParseError {
        match self.peek() {
            JsonKind::Other => self.broken(path, "a value is missing"),
            found => path.error(ParseProblem::Type { expected, found: found.name() }),
        }
    }

    fn broken(&self, path: &JsonPath<'_>, what: &'static str) -> ParseError {
        path.error(ParseProblem::Json { what, at: self.at })
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The next byte that is no white space. The byte stays unread.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            match self.byte(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let there = self.next_byte() == Some(wanted);
        if there {
            self.at += 1;
        }
        there
    }

    fn between(&self, path: &JsonPath<'_>, from: usize, to: usize) -> ParseResult<&'t str> {
        self.text.get(from..to).ok_or_else(|| self.broken(path, "a character is cut"))
    }

    /// Moves to the next byte of a string that ends it or needs care, and returns that byte.
    fn skip_plain(&mut self, path: &JsonPath<'_>) -> ParseResult<u8> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let plain = rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20);
        match plain.and_then(|n| rest.get(n).map(|b| (n, *b))) {
            Some((n, byte)) => {
                self.at += n;
                Ok(byte)
            }
            None => Err(self.broken(path, "the closing quote is missing")),
        }
    }

    /// Reads a string whose opening quote is next.
    fn string(&mut self, path: &JsonPath<'_>) -> ParseResult<Cow<'t, str>> {
        self.at += 1;
        let start = self.at;
        match self.skip_plain(path)? {
            b'"' => {
                let text = self.between(path, start, self.at)?;
                self.at += 1;
                return Ok(Cow::Borrowed(text));
            }
            b'\\' => {}
            _ => return Err(self.broken(path, "a control character stands unescaped")),
        }
        let mut text = self.between(path, start, self.at)?.to_owned();
        loop {
            let from = self.at;
            let stop = self.skip_plain(path)?;
            text.push_str(self.between(path, from, self.at)?);
            match stop {
                b'"' => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                b'\\' => {
                    self.at += 1;
                    text.push(self.escape(path)?);
                }
                _ => return Err(self.broken(path, "a control character stands unescaped")),
            }
        }
    }

    /// Reads the character that follows a backslash.
    fn escape(&mut self, path: &JsonPath<'_>) -> ParseResult<char> {
        let byte = self.byte(self.at);
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(path),
            _ => return Err(self.broken(path, "an unknown escape")),
        })
    }

    /// Reads the digits of a `\u` escape, and those of the second half of a surrogate pair.
    fn unicode(&mut self, path: &JsonPath<'_>) -> ParseResult<char> {
        let first = self.hex(path)?;
        let code = if (0xD800..0xDC00).contains(&first) {
            if self.text.as_bytes().get(self.at..self.at + 2) != Some(b"\\u") {
                return Err(self.broken(path, "half a surrogate pair"));
            }
            self.at += 2;
            let second = self.hex(path)?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(self.broken(path, "half a surrogate pair"));
            }
            0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.broken(path, "half a surrogate pair"))
    }

    fn hex(&mut self, path: &JsonPath<'_>) -> ParseResult<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.byte(self.at).and_then(|b| char::from(b).to_digit(16));
            code = code * 16
                + digit.ok_or_else(|| self.broken(path, "a `\\u` escape needs four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self, path: &JsonPath<'_>) -> ParseResult<&'t str> {
        let start = self.at;
        if self.byte(self.at) == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.byte(self.at) == Some(b'0');
        if self.digits() == 0 || (leading_zero && self.at > start + 1 && self.two_digits(start)) {
            return Err(self.broken(path, "a number is malformed"));
        }
        if self.byte(self.at) == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.broken(path, "a number is malformed"));
            }
        }
        if let Some(b'e' | b'E') = self.byte(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte(self.at) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.broken(path, "a number is malformed"));
            }
        }
        self.between(path, start, self.at)
    }

    /// Whether the whole part of the number that starts at `start` has more than one digit.
    fn two_digits(&self, start: usize) -> bool {
        let sign = usize::from(self.byte(start) == Some(b'-'));
        self.at - start - sign > 1
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.byte(self.at).is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, path: &JsonPath<'_>, words: &[&'static str]) -> ParseResult<&'static str> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match words.iter().find(|w| rest.starts_with(**w)) {
            Some(word) => {
                self.at += word.len();
                Ok(word)
            }
            None => Err(self.broken(path, "an unknown word")),
        }
    }
}

#[cfg(test)]
mod tests;
