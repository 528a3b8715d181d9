//! Which properties a reader reads, found by running it: for documentation and schemas that follow the code.

use std::cell::RefCell;

/// A property as a reader reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyDescription {
    /// The name, as the values spell it.
    pub name: String,
    /// What the reader takes.
    pub kind: PropertyKind,
    /// Whether it must be there whatever the other properties are.
    pub is_required: bool,
}

/// What a reader takes for a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyKind {
    /// A text, or a number or a boolean, which is read like its text.
    Text,
    /// True or false, also as text.
    Flag,
    /// One of these words, in any case.
    Word(Vec<String>),
    /// A list of texts, or a single text.
    Texts,
    /// An object, or a text.
    ObjectOrText,
}

thread_local! {
    /// What this thread reads. `None` while nobody asks.
    static READ: RefCell<Option<Vec<PropertyDescription>>> = const { RefCell::new(None) };
}

/// Runs a reader and returns the properties that it reads, each once, in the order of the first read. What a reader reads
/// may depend on the values, so give it values that lead it to everything.
///
/// ```
/// use cloudformation_custom_resource::{Properties, PropertyKind, described};
///
/// let values = serde_json::Map::new();
/// let read = described(|| {
///     let mut properties = Properties::new(&values);
///     let _ = (properties.required_text("Name"), properties.flag("Versioned"));
/// });
/// assert_eq!(read[0].name, "Name");
/// assert!(read[0].is_required);
/// assert_eq!(read[1].kind, PropertyKind::Flag);
/// ```
pub fn described(reader: impl FnOnce()) -> Vec<PropertyDescription> {
    let before = READ.replace(Some(Vec::new()));
    reader();
    READ.replace(before).unwrap_or_default()
}

pub(super) fn record(name: String, kind: PropertyKind) {
    READ.with_borrow_mut(|read| {
        if let Some(read) = read
            && !read.iter().any(|property| property.name == name)
        {
            read.push(PropertyDescription { name, kind, is_required: false });
        }
    });
}

/// Notes that a property which was read must be there.
pub(super) fn require(name: &str) {
    READ.with_borrow_mut(|read| {
        let found = read.iter_mut().flatten().find(|property| property.name == name);
        if let Some(property) = found {
            property.is_required = true;
        }
    });
}

impl PropertyKind {
    pub(super) fn of_words<T>(words: &[(&str, T)]) -> Self {
        Self::Word(words.iter().map(|(word, _)| (*word).to_owned()).collect())
    }
}
