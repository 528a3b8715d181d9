//! A strict reader of a resource's properties, which reports every problem at once.
//!
//! CloudFormation turns scalars into text, so a number or a boolean is read like its text everywhere. The same
//! properties can also come from JSON that people write, with names in camelCase.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

#[cfg(any(test, feature = "descriptions"))]
mod description;
mod problem;

#[cfg(any(test, feature = "descriptions"))]
pub use description::{PropertyDescription, PropertyKind, described};
pub(crate) use problem::quotable;
pub use problem::{PropertyProblem, PropertyProblems, nearest};

/// Reads properties by name; [`finish`](Self::finish) then reports every problem at once.
///
/// A method returns a default (`None`, or an empty text) for a property that it could not read, so use the values
/// only if `finish` found no problem.
///
/// ```
/// use cloudformation_custom_resource::{Properties, UnknownProperties};
/// use serde_json::json;
///
/// let values = json!({"Nmae": "logs", "Versioned": "yes", "Password": ["s3cr3t"]});
/// let mut properties = Properties::new(values.as_object().unwrap()).hiding(&["Password"]);
/// let (_name, _versioned) = (properties.required_text("Name"), properties.flag("Versioned"));
/// let _password = properties.text("Password");
/// assert_eq!(
///     properties.finish(UnknownProperties::Refuse).unwrap_err().to_string(),
///     "`Name` is required; `Versioned` must be true or false, and is `yes`; `Password` must be text; \
///      `Nmae` is not a property, did you mean `Name`?",
/// );
/// ```
#[derive(Debug)]
pub struct Properties<'a> {
    values: &'a Map<String, Value>,
    hidden: &'static [&'static str],
    spelling: Spelling,
    /// The names that were read so far, as the values spell them.
    known: BTreeSet<String>,
    problems: Vec<PropertyProblem>,
}

/// How the values spell the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// `KmsKeyId`, as the methods take them.
    Pascal,
    /// `kmsKeyId`
    Camel,
}

/// What to do with properties that no method has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownProperties {
    /// Report each as a problem, so that a misspelt property is not silently without effect.
    Refuse,
    /// List and ignore them: properties of another schema can come back on Delete and on rollback.
    Ignore,
}

/// A value that may be given as an object or as text.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectOrText {
    /// An object.
    Object(Map<String, Value>),
    /// A text that is not empty. Whether it holds an object is for the caller to find out.
    Text(String),
}

impl<'a> Properties<'a> {
    /// Reads properties as CloudFormation sends them.
    pub fn new(values: &'a Map<String, Value>) -> Self {
        Self { values, hidden: &[], spelling: Spelling::Pascal, known: BTreeSet::new(), problems: Vec::new() }
    }

    /// Reads properties whose names begin with a small letter: a method that takes `KmsKeyId` reads `kmsKeyId`, and
    /// messages name `kmsKeyId`.
    pub fn camel_case(values: &'a Map<String, Value>) -> Self {
        Self { spelling: Spelling::Camel, ..Self::new(values) }
    }

    /// Keeps the values of these properties out of every message.
    #[must_use]
    pub fn hiding(self, names: &'static [&'static str]) -> Self {
        Self { hidden: names, ..self }
    }

    /// A name as the values spell it, for messages that mention another property.
    pub fn spelt(&self, name: &str) -> String {
        let mut letters = name.chars();
        match (self.spelling, letters.next()) {
            (Spelling::Camel, Some(first)) => first.to_lowercase().chain(letters).collect(),
            (Spelling::Pascal, _) | (Spelling::Camel, None) => name.to_owned(),
        }
    }

    /// A text. An empty text counts as absent, as templates pass on parameters that were left empty.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        #[cfg(any(test, feature = "descriptions"))]
        description::record(self.spelt(name), PropertyKind::Text);
        self.scalar(name, "text").filter(|text| !text.is_empty())
    }

    /// A text that must be there. It is empty if that is a problem.
    pub fn required_text(&mut self, name: &'static str) -> String {
        let before = self.problems.len();
        let text = self.text(name).unwrap_or_default();
        #[cfg(any(test, feature = "descriptions"))]
        description::require(&self.spelt(name));
        if text.is_empty() && self.problems.len() == before {
            self.problems.push(PropertyProblem::Missing { name: self.spelt(name) });
        }
        text
    }

    /// True or false, in any case.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        #[cfg(any(test, feature = "descriptions"))]
        description::record(self.spelt(name), PropertyKind::Flag);
        let allowed = "true or false";
        let text = self.scalar(name, allowed)?;
        let flag = text.to_ascii_lowercase().parse().ok();
        self.expect(flag, name, allowed)
    }

    /// One of some words, in any case, each with its meaning. No two of the words may differ in case only.
    pub fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        #[cfg(any(test, feature = "descriptions"))]
        description::record(self.spelt(name), PropertyKind::of_words(words));
        let list: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let allowed = format!("one of {}", list.join(", "));
        let text = self.scalar(name, &allowed)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
        self.expect(found.map(|(_, meaning)| *meaning), name, &allowed)
    }

    /// Texts: a list, or a single text. Empty texts are left out, as an empty parameter becomes a list of one empty
    /// text.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        #[cfg(any(test, feature = "descriptions"))]
        description::record(self.spelt(name), PropertyKind::Texts);
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

    /// An object or a text. An empty text counts as absent.
    pub fn object_or_text(&mut self, name: &'static str) -> Option<ObjectOrText> {
        #[cfg(any(test, feature = "descriptions"))]
        description::record(self.spelt(name), PropertyKind::ObjectOrText);
        match self.value(name)? {
            Value::Object(object) => Some(ObjectOrText::Object(object.clone())),
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(ObjectOrText::Text(text.clone())),
            _ => self.expect(None, name, "an object or text"),
        }
    }

    /// Adds a problem that the caller found, such as two properties that exclude each other. The message is the
    /// name and then `problem`.
    pub fn reject(&mut self, name: &'static str, problem: impl Into<String>) {
        let problem = problem.into();
        self.problems.push(PropertyProblem::Rejected { name: self.spelt(name), problem });
    }

    /// Refuses every property that has not been read so far, all for the same reason.
    pub fn reject_others(&mut self, problem: &str) {
        for name in self.values.keys() {
            if self.known.insert(name.clone()) {
                self.problems.push(PropertyProblem::rejected(name, problem));
            }
        }
    }

    /// Returns the names of the properties that were ignored.
    ///
    /// # Errors
    /// All problems, those with unknown properties last.
    pub fn finish(mut self, unknown: UnknownProperties) -> Result<Vec<String>, PropertyProblems> {
        let is_known = |name: &&String| self.known.contains(name.as_str());
        let unread: Vec<_> = self.values.keys().filter(|name| !is_known(name)).collect();
        if unknown == UnknownProperties::Refuse {
            let problem = |name: &&String| PropertyProblem::unknown(name, &self.known);
            self.problems.extend(unread.iter().map(problem));
        }
        match PropertyProblems::new(self.problems) {
            Some(problems) => Err(problems),
            None => Ok(unread.into_iter().cloned().collect()),
        }
    }

    /// A value that is there. Null counts as absent.
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

    /// Adds a problem if a value that is there could not be read.
    fn expect<T>(&mut self, read: Option<T>, name: &'static str, allowed: &str) -> Option<T> {
        if read.is_none() {
            let spelt = self.spelt(name);
            let value = self.values.get(&spelt).filter(|_| !self.hidden.contains(&name));
            self.problems.push(PropertyProblem::unreadable(spelt, allowed, value));
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
