//! The condition keys of a request: which have a value, which are absent, and which nobody knows.

use std::borrow::Cow;

use super::condition_keys::present_name;
use super::document::{Key, Pools, folded, hash, is_multivalued, same_folded};
use super::request::Request;

/// The context of a request: the condition keys that are known to have a value or to be absent, and how it stands with
/// all others. Names are case-insensitive; a name said twice keeps the later word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    pub(super) entries: Vec<Entry>,
    /// Prefixes, in lower case, of names that are absent unless an entry says otherwise.
    absent_below: Vec<String>,
    pub(super) others: Others,
}

/// How it stands with the keys that a [`Context`] does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Others {
    /// They may be absent or have any value.
    #[default]
    Unknown,
    /// They are absent.
    Absent,
}

impl Context {
    /// A context that says nothing yet.
    #[must_use]
    pub const fn new(others: Others) -> Self {
        Self { entries: Vec::new(), absent_below: Vec::new(), others }
    }

    /// The key has this one value.
    #[must_use]
    pub fn value(self, key: &str, value: impl Into<String>) -> Self {
        self.with(key, EntryState::Known { values: vec![value.into()], list: is_multivalued(&lower(key)) })
    }

    /// The key has these values. One value is the same as [`Context::value`].
    #[must_use]
    pub fn values(self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        let list = values.len() != 1 || is_multivalued(&lower(key));
        self.with(key, EntryState::Known { values, list })
    }

    /// The key is absent.
    #[must_use]
    pub fn absent(self, key: &str) -> Self {
        self.with(key, EntryState::Absent)
    }

    /// All keys whose names begin with `prefix` are absent, except those that the context names: what is said of
    /// `aws:PrincipalTag/` where all tags of the caller are known.
    #[must_use]
    pub fn absent_below(mut self, prefix: &str) -> Self {
        self.absent_below.push(lower(prefix));
        self
    }

    /// The key is there, but nobody knows its value.
    #[must_use]
    pub fn present(self, key: &str) -> Self {
        self.with(key, EntryState::Present)
    }

    pub(super) fn with(mut self, key: &str, state: EntryState) -> Self {
        self.set(key, state);
        self
    }

    /// Sets a key and returns what was said of it before.
    pub(super) fn set(&mut self, key: &str, state: EntryState) -> Option<EntryState> {
        self.put(Entry::new(key, state))
    }

    /// Sets a key and returns what was said of it before.
    pub(super) fn put(&mut self, entry: Entry) -> Option<EntryState> {
        match self.entries.iter_mut().find(|e| e.hash == entry.hash && e.lower == entry.lower) {
            Some(known) => Some(std::mem::replace(known, entry).state),
            None => {
                self.entries.push(entry);
                None
            }
        }
    }

    /// Whether anything has been said of the key by this name.
    #[must_use]
    pub fn names(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| same_folded(&entry.written, key))
    }

    /// Whether a key that the context does not name is known to be absent by its prefix.
    pub(super) fn is_absent_by_prefix(&self, lower: &str) -> bool {
        self.absent_below.iter().any(|prefix| lower.starts_with(prefix.as_str()))
    }

    pub(super) fn entry(&self, lower: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.lower == lower)
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new(Others::Unknown)
    }
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    hash: u64,
    pub(super) lower: Cow<'static, str>,
    /// The name as it was given: grants compare it case-sensitively.
    pub(super) written: Cow<'static, str>,
    pub(super) state: EntryState,
}

impl Entry {
    pub(super) fn new(key: &str, state: EntryState) -> Self {
        let lower = lower(key);
        Self { hash: hash(&lower), lower: lower.into(), written: key.to_owned().into(), state }
    }

    /// What follows from the request itself, of a key whose name is also given in lower case.
    pub(super) fn derived(written: &'static str, lower: &'static str, state: EntryState) -> Self {
        Self { hash: hash(lower), lower: lower.into(), written: written.into(), state }
    }
}

/// The owned form of [`KeyState`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryState {
    Known { values: Vec<String>, list: bool },
    Absent,
    Present,
    SessionRole(SessionRole),
}

/// The role of a session, whose ARN is known but for its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionRole {
    /// The ARN that the role has if it has no path.
    pub(super) arn: String,
    /// `arn:aws:iam::111122223333:role/`.
    pub(super) prefix: String,
    pub(super) name: String,
}

/// What is known of a key in a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyState<'a> {
    /// It has these values. `list`: more than one, or a key that is multivalued by nature.
    Known {
        values: &'a [String],
        list: bool,
    },
    Absent,
    /// It has an unknown value.
    Present,
    /// It is absent or has an unknown value.
    Unknown,
    /// It is the ARN of a session's role, whose path is not known.
    SessionRole(&'a SessionRole),
}

impl EntryState {
    const fn view(&self) -> KeyState<'_> {
        match self {
            Self::Known { values, list } => KeyState::Known { values: values.as_slice(), list: *list },
            Self::Absent => KeyState::Absent,
            Self::Present => KeyState::Present,
            Self::SessionRole(role) => KeyState::SessionRole(role),
        }
    }
}

/// A request with some of its unknown keys decided.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) request: &'a Request,
    pub(super) decided: &'a [&'a Entry],
}

impl<'a> View<'a> {
    pub(super) const fn new(request: &'a Request) -> Self {
        Self { request, decided: &[] }
    }

    /// What is known of a policy's key.
    pub(super) fn state(&self, key: &Key, pools: &Pools) -> KeyState<'a> {
        self.find(key.hash, key.lower.of(&pools.text)).1
    }

    /// What is known of a key by its lower-cased name, with its name as given where it was given.
    pub(super) fn find(&self, hash: u64, lower: &str) -> (Option<&'a str>, KeyState<'a>) {
        let given = self.decided.iter().copied().chain(&self.request.context.entries);
        for entry in given {
            if entry.hash == hash && entry.lower == lower {
                return (Some(&entry.written), entry.state.view());
            }
        }
        let state = match self.request.context.others {
            Others::Absent => KeyState::Absent,
            Others::Unknown => self.request.unnamed(lower),
        };
        (None, state)
    }
}

/// The name of a key in lower case, and its present name where it has an old one.
pub(super) fn lower(key: &str) -> String {
    match present_name(key) {
        Some(present) => present.to_owned(),
        None if key.is_ascii() => key.to_ascii_lowercase(),
        None => folded(key).collect(),
    }
}
