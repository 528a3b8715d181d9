//! Reads JSON as a tree with places. serde_json says where an error is, and not where a value stands.

use super::error::SyntaxProblem;
use super::node::{SourceMember, SourceNode, SourceValue};
use crate::report::SourcePlace;

/// Deeper than any policy, and not deep enough to overflow a stack.
pub(super) const MAX_DEPTH: usize = 64;

/// Reads one JSON value that ends with the text.
pub(super) fn read(text: &str) -> Result<SourceNode, SyntaxProblem> {
    let mut reader = JsonSource { rest: text, line: 1, column: 1 };
    let node = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.problem("there is more text behind the end of the JSON value")),
    }
}

/// What is left of a JSON text, and where it begins.
struct JsonSource<'a> {
    rest: &'a str,
    line: u32,
    column: u32,
}

impl<'a> JsonSource<'a> {
    fn problem(&self, what: impl Into<String>) -> SyntaxProblem {
        SyntaxProblem { line: self.line, column: self.column, what: what.into() }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes so many bytes, which end between two characters.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        for c in taken.chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.rest = rest;
        taken
    }

    fn space(&mut self) {
        let space = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.take(space);
    }

    /// Takes a character after white space, if it comes next.
    fn comes(&mut self, c: char) -> bool {
        self.space();
        let comes = self.rest.starts_with(c);
        if comes {
            self.take(c.len_utf8());
        }
        comes
    }

    fn value(&mut self, depth: usize) -> Result<SourceNode, SyntaxProblem> {
        self.space();
        if depth > MAX_DEPTH {
            return Err(self.problem(format!("values are nested more than {MAX_DEPTH} deep")));
        }
        let (line, column) = (self.line, self.column);
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => SourceValue::Text(self.text()?),
            Some(_) => self.word()?,
            None => return Err(self.problem("the text ends where a value should be")),
        };
        Ok(SourceNode { place: SourcePlace { line, column, end_line: self.line }, value })
    }

    fn object(&mut self, depth: usize) -> Result<SourceValue, SyntaxProblem> {
        self.take(1);
        let mut members: Vec<SourceMember> = Vec::new();
        if self.comes('}') {
            return Ok(SourceValue::Map(members));
        }
        loop {
            self.space();
            let line = self.line;
            if self.peek() != Some('"') {
                return Err(self.problem("the name of a member, in double quotes, should be here"));
            }
            let named = (self.line, self.column);
            let name = self.text()?;
            if members.iter().any(|member| member.name == name) {
                let what = format!("`{name}` is named twice in one object");
                return Err(SyntaxProblem { line: named.0, column: named.1, what });
            }
            if !self.comes(':') {
                return Err(self.problem("a colon should be here"));
            }
            members.push(SourceMember { name, line, node: self.value(depth + 1)? });
            if self.comes('}') {
                return Ok(SourceValue::Map(members));
            }
            if !self.comes(',') {
                return Err(self.problem("a comma or `}` should be here"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<SourceValue, SyntaxProblem> {
        self.take(1);
        let mut items = Vec::new();
        if self.comes(']') {
            return Ok(SourceValue::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.comes(']') {
                return Ok(SourceValue::List(items));
            }
            if !self.comes(',') {
                return Err(self.problem("a comma or `]` should be here"));
            }
        }
    }

    fn text(&mut self) -> Result<String, SyntaxProblem> {
        let mut is_escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let is_end = *c == '"' && !is_escaped;
            is_escaped = *c == '\\' && !is_escaped;
            is_end
        });
        let Some((end, _)) = end else { return Err(self.problem("a text has no closing quote")) };
        let raw = self.rest.get(..=end).unwrap_or_default();
        // serde_json knows the escapes.
        let text = serde_json::from_str(raw)
            .map_err(|_| self.problem("the text has a line end, a control character or a wrong escape"))?;
        self.take(end + 1);
        Ok(text)
    }

    fn word(&mut self) -> Result<SourceValue, SyntaxProblem> {
        let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let word = self.rest.get(..self.rest.find(|c| !is_of_word(c)).unwrap_or(self.rest.len()));
        let word = word.unwrap_or_default();
        let value = match word {
            "null" => SourceValue::Null,
            "true" => SourceValue::Bool(true),
            "false" => SourceValue::Bool(false),
            _ if serde_json::from_str::<serde_json::Number>(word).is_ok() => {
                SourceValue::Number(word.to_owned())
            }
            _ => return Err(self.problem("a JSON value should be here")),
        };
        self.take(word.len());
        Ok(value)
    }
}

#[cfg(test)]
#[path = "json/tests.rs"]
mod tests;
