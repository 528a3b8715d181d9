//! The condition keys of a request: which have a value, which are absent, and which nobody knows.

use std::borrow::Cow;

use crate::condition_keys::is_multivalued;
use crate::condition_keys::present_name;
use crate::policy::{ConditionKey, Pools};
use crate::request::Request;
use crate::text::{folded, hash, same_folded};

/// The context of a request: the condition keys that are known to have a value or to be absent, and how it stands with
/// all others. Names are case-insensitive; a name said twice keeps the later word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    pub(crate) entries: Vec<ContextEntry>,
    /// Prefixes, in lower case, of names that are absent unless an entry says otherwise.
    absent_below: Vec<String>,
    pub(crate) others: OtherKeys,
}

/// How it stands with the keys that a [`Context`] does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OtherKeys {
    /// They may be absent or have any value.
    #[default]
    Unknown,
    /// They are absent.
    Absent,
}

impl Context {
    /// A context that says nothing yet.
    #[must_use]
    pub const fn new(others: OtherKeys) -> Self {
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

    pub(crate) fn with(mut self, key: &str, state: EntryState) -> Self {
        self.set(key, state);
        self
    }

    /// Sets a key and returns what was said of it before.
    pub(crate) fn set(&mut self, key: &str, state: EntryState) -> Option<EntryState> {
        self.put(ContextEntry::new(key, state))
    }

    /// Sets a key and returns what was said of it before.
    pub(crate) fn put(&mut self, entry: ContextEntry) -> Option<EntryState> {
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
    pub(crate) fn is_absent_by_prefix(&self, lower: &str) -> bool {
        self.absent_below.iter().any(|prefix| lower.starts_with(prefix.as_str()))
    }

    pub(crate) fn entry(&self, lower: &str) -> Option<&ContextEntry> {
        self.entries.iter().find(|entry| entry.lower == lower)
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new(OtherKeys::Unknown)
    }
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContextEntry {
    hash: u64,
    pub(crate) lower: Cow<'static, str>,
    /// The name as it was given: grants compare it case-sensitively.
    pub(crate) written: Cow<'static, str>,
    pub(crate) state: EntryState,
}

impl ContextEntry {
    pub(crate) fn new(key: &str, state: EntryState) -> Self {
        let lower = lower(key);
        Self { hash: hash(&lower), lower: lower.into(), written: key.to_owned().into(), state }
    }

    /// What follows from the request itself, of a key whose name is also given in lower case.
    pub(crate) fn derived(written: &'static str, lower: &'static str, state: EntryState) -> Self {
        Self { hash: hash(lower), lower: lower.into(), written: written.into(), state }
    }
}

/// The owned form of [`KeyState`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryState {
    Known { values: Vec<String>, list: bool },
    Absent,
    Present,
    SessionRole(SessionRole),
}

/// The role of a session, whose ARN is known but for its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRole {
    /// The ARN that the role has if it has no path.
    pub(crate) arn: String,
    /// `arn:aws:iam::111122223333:role/`.
    pub(crate) prefix: String,
    pub(crate) name: String,
}

/// What is known of a key in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyState<'a> {
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
pub(crate) struct RequestView<'a> {
    pub(crate) request: &'a Request,
    pub(crate) decided: &'a [&'a ContextEntry],
}

impl<'a> RequestView<'a> {
    pub(crate) const fn new(request: &'a Request) -> Self {
        Self { request, decided: &[] }
    }

    /// What is known of a policy's key.
    pub(crate) fn state(&self, key: &ConditionKey, pools: &Pools) -> KeyState<'a> {
        self.find(key.hash, key.lower.of(&pools.text)).1
    }

    /// What is known of a key by its lower-cased name, with its name as given where it was given.
    pub(crate) fn find(&self, hash: u64, lower: &str) -> (Option<&'a str>, KeyState<'a>) {
        let given = self.decided.iter().copied().chain(&self.request.context.entries);
        for entry in given {
            if entry.hash == hash && entry.lower == lower {
                return (Some(&entry.written), entry.state.view());
            }
        }
        let state = match self.request.context.others {
            OtherKeys::Absent => KeyState::Absent,
            OtherKeys::Unknown => self.request.unnamed(lower),
        };
        (None, state)
    }
}

/// The name of a key in lower case, and its present name where it has an old one.
pub(crate) fn lower(key: &str) -> String {
    match present_name(key) {
        Some(present) => present.to_owned(),
        None if key.is_ascii() => key.to_ascii_lowercase(),
        None => folded(key).collect(),
    }
}
