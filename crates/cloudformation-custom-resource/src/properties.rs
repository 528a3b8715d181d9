//! A strict reader of a resource's properties, which collects every problem before it gives up.
//!
//! CloudFormation turns scalars into text, so a number or a boolean reads like its text everywhere. The same
//! properties also come in JSON that people write, spelt in camelCase.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

mod problem;

pub use problem::{Problem, Problems};

/// Reads properties by name; [`finish`](Self::finish) then tells every problem at once.
///
/// A reader gives a stand-in (`None`, or an empty text) for what it could not read, and what is built of it must be
/// used only if `finish` found nothing.
#[derive(Debug)]
pub struct Properties<'a> {
    values: &'a Map<String, Value>,
    sensitive: &'static [&'static str],
    spelling: Spelling,
    /// Names that were asked for, as they are spelt in the values.
    known: BTreeSet<String>,
    problems: Vec<Problem>,
}

/// How the values spell the names that the reader is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// `KmsKeyId`, as they are asked for.
    Pascal,
    /// `kmsKeyId`
    Camel,
}

/// What becomes of properties that nothing has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Each is a problem, so that a misspelt property is not silently without effect.
    Refused,
    /// They are listed and ignored: properties of another schema can come back on Delete and on rollback.
    Ignored,
}

/// A value that may be given as an object or as text.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectOrText {
    /// An object.
    Object(Map<String, Value>),
    /// A text, not empty, that presumably holds one.
    Text(String),
}

impl<'a> Properties<'a> {
    /// Starts to read. No message repeats the value of a property named in `sensitive`.
    pub fn new(values: &'a Map<String, Value>, sensitive: &'static [&'static str]) -> Self {
        Self { values, sensitive, spelling: Spelling::Pascal, known: BTreeSet::new(), problems: Vec::new() }
    }

    /// The same for values whose names begin with a small letter: `KmsKeyId` is asked for, `kmsKeyId` is read and
    /// named in messages.
    pub fn camel_case(values: &'a Map<String, Value>, sensitive: &'static [&'static str]) -> Self {
        Self { spelling: Spelling::Camel, ..Self::new(values, sensitive) }
    }

    /// A name as the values spell it, for messages that mention another property.
    pub fn spelt(&self, name: &str) -> String {
        let mut letters = name.chars();
        match (self.spelling, letters.next()) {
            (Spelling::Camel, Some(first)) => first.to_lowercase().chain(letters).collect(),
            (Spelling::Pascal, _) | (Spelling::Camel, None) => name.to_owned(),
        }
    }

    /// A text; an empty one counts as absent, as templates pass on parameters that were left empty.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.scalar(name, "text").filter(|text| !text.is_empty())
    }

    /// A text that must be there; empty where that is a problem.
    pub fn required_text(&mut self, name: &'static str) -> String {
        let before = self.problems.len();
        let text = self.text(name).unwrap_or_default();
        if text.is_empty() && self.problems.len() == before {
            self.problems.push(Problem::Missing { name: self.spelt(name) });
        }
        text
    }

    /// True or false, in any case.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        let allowed = "true or false";
        let text = self.scalar(name, allowed)?;
        let flag = text.to_ascii_lowercase().parse().ok();
        self.expect(flag, name, allowed)
    }

    /// One of some words, spelt exactly so, each with its meaning.
    pub fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let list: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let allowed = format!("one of {}", list.join(", "));
        let text = self.scalar(name, &allowed)?;
        let found = words.iter().find(|(word, _)| *word == text);
        self.expect(found.map(|(_, meaning)| *meaning), name, &allowed)
    }

    /// Texts: a list, or a single one. Empty ones are left out, as an empty parameter becomes a list of one empty text.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let value = self.value(name)?;
        let items = match value {
            Value::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let texts: Option<Vec<_>> = items.iter().map(scalar_text).collect();
        let mut texts = self.expect(texts, name, "a list of texts")?;
        texts.retain(|text| !text.is_empty());
        Some(texts)
    }

    /// An object or a text; an empty text counts as absent.
    pub fn object_or_text(&mut self, name: &'static str) -> Option<ObjectOrText> {
        match self.value(name)? {
            Value::Object(object) => Some(ObjectOrText::Object(object.clone())),
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(ObjectOrText::Text(text.clone())),
            _ => self.expect(None, name, "an object or text"),
        }
    }

    /// Adds a problem that the caller found, such as two properties that exclude each other.
    pub fn reject(&mut self, name: &'static str, problem: impl Into<String>) {
        let problem = problem.into();
        self.problems.push(Problem::Rejected { name: self.spelt(name), problem });
    }

    /// Refuses, with one reason, every property that has not been read so far.
    pub fn reject_others(&mut self, problem: &str) {
        for name in self.values.keys() {
            if self.known.insert(name.clone()) {
                self.problems.push(Problem::rejected(name, problem));
            }
        }
    }

    /// Ends the reading, and gives the names of the properties that were ignored.
    ///
    /// # Errors
    /// All problems found, those with unknown properties last.
    pub fn finish(mut self, unknown: Unknown) -> Result<Vec<String>, Problems> {
        let is_known = |name: &&String| self.known.contains(name.as_str());
        let strangers: Vec<_> = self.values.keys().filter(|name| !is_known(name)).collect();
        if unknown == Unknown::Refused {
            let problem = |name: &&String| Problem::unknown(name, &self.known);
            self.problems.extend(strangers.iter().map(problem));
        }
        match Problems::new(self.problems) {
            Some(problems) => Err(problems),
            None => Ok(strangers.into_iter().cloned().collect()),
        }
    }

    /// A value that is there; null counts as absent.
    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        let name = self.spelt(name);
        let value = self.values.get(&name).filter(|value| !value.is_null());
        self.known.insert(name);
        value
    }

    fn scalar(&mut self, name: &'static str, allowed: &str) -> Option<String> {
        let text = scalar_text(self.value(name)?);
        self.expect(text, name, allowed)
    }

    /// Notes a problem where a value that is there could not be read.
    fn expect<T>(&mut self, read: Option<T>, name: &'static str, allowed: &str) -> Option<T> {
        if read.is_none() {
            let spelt = self.spelt(name);
            let value = self.values.get(&spelt).filter(|_| !self.sensitive.contains(&name));
            self.problems.push(Problem::unreadable(spelt, allowed, value));
        }
        read
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
