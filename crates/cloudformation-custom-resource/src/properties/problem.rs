//! What can be wrong with a property, in words that say how to correct it.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// The longest part of a value or name that a message repeats, in characters.
const LONGEST_QUOTE: usize = 80;

/// How many problems a message names.
const MOST_NAMED: usize = 10;

/// One thing wrong with one property.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyProblem {
    /// The property is required, and is absent or empty.
    #[error("`{name}` is required")]
    Missing {
        /// The property's name.
        name: String,
    },
    /// The value is not allowed.
    #[error("`{name}` must be {allowed}{}", .value.as_ref().map(|value| format!(", and is {value}")).unwrap_or_default())]
    Unreadable {
        /// The property's name.
        name: String,
        /// What is allowed.
        allowed: String,
        /// The value as people see it; `None` if it is hidden.
        value: Option<String>,
    },
    /// The caller of the reader refused it.
    #[error("`{name}` {problem}")]
    Rejected {
        /// The property's name.
        name: String,
        /// What is wrong, in words that follow the name.
        problem: String,
    },
    /// No property has this name.
    #[error("`{name}` is not a property{}", .nearest.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
    Unknown {
        /// The name as given, shortened.
        name: String,
        /// The property with the most similar name, if one is similar enough.
        nearest: Option<String>,
    },
}

impl PropertyProblem {
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

    /// A property that is refused under the name in the values, which may be any text.
    pub(super) fn rejected(name: &str, problem: &str) -> Self {
        Self::Rejected { name: quotable(name), problem: problem.to_owned() }
    }

    pub(super) fn unknown(name: &str, known: &BTreeSet<String>) -> Self {
        let nearest = nearest(name, known.iter().map(String::as_str));
        Self::Unknown { name: quotable(name), nearest: nearest.map(str::to_owned) }
    }
}

/// All problems with a set of properties: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyProblems(Vec<PropertyProblem>);

impl PropertyProblems {
    pub(super) fn new(problems: Vec<PropertyProblem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The problems, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &PropertyProblem> {
        self.0.iter()
    }
}

impl fmt::Display for PropertyProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<_> = self.iter().take(MOST_NAMED).map(ToString::to_string).collect();
        f.write_str(&problems.join("; "))?;
        match self.0.len().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for PropertyProblems {}

/// A text on one line and of limited length.
pub(crate) fn quotable(text: &str) -> String {
    let mut quoted: String = text.chars().take(LONGEST_QUOTE).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        quoted.push('…');
    }
    quoted
}

/// The candidate that a word with a typing error stands for. Case makes no difference, and of equally similar candidates
/// the first one counts. `None` if no candidate is similar: if more than a third of its letters differ, it is another word.
///
/// ```
/// let names = ["Region", "Document"];
/// assert_eq!(cloudformation_custom_resource::nearest("regoin", names), Some("Region"));
/// assert_eq!(cloudformation_custom_resource::nearest("Key", names), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let with_distance = candidates.into_iter().map(|candidate| (edits(word, candidate), candidate));
    let (distance, candidate) = with_distance.min_by_key(|(distance, _)| *distance)?;
    (distance <= candidate.len().div_ceil(3)).then_some(candidate)
}

/// The number of letters that must be added, removed, replaced or swapped with the next one to turn one word into the
/// other, ignoring case.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut last_row: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    let mut last_letter = None;
    for (line, letter) in one.chars().take(LONGEST_QUOTE).enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        let mut next = vec![left];
        let mut last_candidate = None;
        for (at, (candidate, above)) in other.iter().zip(row.iter().skip(1)).enumerate() {
            let replaced = diagonal + usize::from(!candidate.eq_ignore_ascii_case(&letter));
            left = replaced.min(left + 1).min(above + 1);
            let is_swapped =
                last_letter.zip(last_candidate).is_some_and(|(letter_before, before): (char, char)| {
                    letter_before.eq_ignore_ascii_case(candidate) && letter.eq_ignore_ascii_case(&before)
                });
            if is_swapped && let Some(swapped) = at.checked_sub(1).and_then(|at| last_row.get(at)) {
                left = left.min(swapped + 1);
            }
            diagonal = *above;
            next.push(left);
            last_candidate = Some(*candidate);
        }
        last_row = std::mem::replace(&mut row, next);
        last_letter = Some(letter);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_by_letter() {
        for (one, other, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("Region", "region", 0),
            ("regoin", "region", 1),
            ("rgeoin", "region", 2),
            ("SourceVcpe", "SourceVpce", 1),
            ("SourceVcpe", "SourceVpc", 2),
            ("abc", "ca", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(one, other), count, "{one} {other}");
            assert_eq!(edits(other, one), count, "{other} {one}");
        }
    }

    #[test]
    fn the_nearest_word_is_the_first_of_the_most_similar_ones() {
        assert_eq!(nearest("abc", ["axy", "xby"]), None);
        assert_eq!(nearest("abc", ["abx", "aby"]), Some("abx"));
        assert_eq!(nearest("anything", []), None);
    }
}
