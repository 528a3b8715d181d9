//! What can be wrong with a property, said so that it can be put right.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// The longest part of a value or name that a message repeats, in characters.
const LONGEST_QUOTE: usize = 80;

/// One thing wrong with one property.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It must be there, and is absent or empty.
    #[error("`{name}` is required")]
    Missing {
        /// The property's name.
        name: String,
    },
    /// Its value is none of those allowed.
    #[error("`{name}` must be {allowed}{}", .value.as_ref().map(|value| format!(", and is {value}")).unwrap_or_default())]
    Unreadable {
        /// The property's name.
        name: String,
        /// What is allowed.
        allowed: String,
        /// The value as shown to people; none where it is sensitive.
        value: Option<String>,
    },
    /// The reader's caller refused it.
    #[error("`{name}` {problem}")]
    Rejected {
        /// The property's name.
        name: String,
        /// What is wrong, following the name in a sentence.
        problem: String,
    },
    /// No property has this name.
    #[error("`{name}` is not a property{}", .nearest.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
    Unknown {
        /// The name as given, shortened.
        name: String,
        /// The property whose name is nearest to it, if one is near.
        nearest: Option<String>,
    },
}

impl Problem {
    pub(super) fn unreadable(name: String, allowed: &str, value: Option<&Value>) -> Self {
        let value = value.map(|value| match value {
            Value::Object(_) => "an object".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::String(text) => format!("`{}`", quotable(text)),
            other => format!("`{other}`"),
        });
        let allowed = allowed.to_owned();
        Self::Unreadable { name, allowed, value }
    }

    /// A property refused under the name that somebody gave it, which may be any text.
    pub(super) fn rejected(name: &str, problem: &str) -> Self {
        Self::Rejected { name: quotable(name), problem: problem.to_owned() }
    }

    pub(super) fn unknown(name: &str, known: &BTreeSet<String>) -> Self {
        let distance = |candidate: &&String| edits(name, candidate);
        let nearest = known.iter().min_by_key(distance);
        // With more than a third of the letters wrong it is another word, not a slip.
        let near = |candidate: &&String| edits(name, candidate) <= candidate.len().div_ceil(3);
        Self::Unknown { name: quotable(name), nearest: nearest.filter(near).cloned() }
    }
}

/// All problems of a set of properties: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn new(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The problems, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<_> = self.iter().map(ToString::to_string).collect();
        f.write_str(&problems.join("; "))
    }
}

impl std::error::Error for Problems {}

/// A text on one line and of bearable length.
fn quotable(text: &str) -> String {
    let mut quoted: String = text.chars().take(LONGEST_QUOTE).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        quoted.push('…');
    }
    quoted
}

/// How many letters must be added, left out or replaced to make one word of the other; the case does not count.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().take(LONGEST_QUOTE).enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (candidate, above) in other.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(!candidate.eq_ignore_ascii_case(&letter));
            left = replaced.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
