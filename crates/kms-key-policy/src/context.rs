//! The condition keys of a request: which of them have a value, which are absent, and which are unknown.

use std::borrow::Cow;

use crate::condition_keys::is_multivalued;
use crate::condition_keys::present_name;
use crate::policy::{ConditionKey, Pools};
use crate::request::Request;
use crate::text::{folded, hash, same_folded};

/// The context of a request: the condition keys whose values are known, those that are known to be absent, and what is
/// assumed of all others.
///
/// The names of keys are case-insensitive. If a key is named twice, the later call counts.
///
/// ```
/// use kms_key_policy::{Context, OtherKeys};
///
/// let context = Context::new(OtherKeys::Unknown)
///     .value("aws:SourceIp", "10.0.0.1")
///     .values("kms:EncryptionContextKeys", ["aws:ssm:SessionId", "aws:ssm:TargetId"])
///     .present("kms:EncryptionContext:aws:ssm:SessionId")
///     .absent("kms:ViaService")
///     .absent_below("aws:PrincipalTag/");
/// assert!(context.names("AWS:sourceip"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    pub(crate) entries: Vec<ContextEntry>,
    /// Prefixes, in lower case, of names that are absent unless an entry has the name.
    absent_below: Vec<String>,
    pub(crate) others: OtherKeys,
}

/// What is assumed of the keys that a [`Context`] does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OtherKeys {
    /// Each of them may be absent or have any value.
    #[default]
    Unknown,
    /// All of them are absent.
    Absent,
}

impl Context {
    /// A context that names no key yet.
    #[must_use]
    pub const fn new(others: OtherKeys) -> Self {
        Self { entries: Vec::new(), absent_below: Vec::new(), others }
    }

    /// Sets one value for the key.
    #[must_use]
    pub fn value(self, key: &str, value: impl Into<String>) -> Self {
        self.with(key, EntryState::Known { values: vec![value.into()], list: is_multivalued(&lower(key)) })
    }

    /// Sets a list of values for the key. A list of one value is the same as [`Context::value`].
    #[must_use]
    pub fn values(self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        let list = values.len() != 1 || is_multivalued(&lower(key));
        self.with(key, EntryState::Known { values, list })
    }

    /// Says that the key is absent.
    #[must_use]
    pub fn absent(self, key: &str) -> Self {
        self.with(key, EntryState::Absent)
    }

    /// Says that all keys whose names begin with `prefix` are absent, except those that the context names. An example
    /// is `aws:PrincipalTag/`, if all tags of the caller are known.
    #[must_use]
    pub fn absent_below(mut self, prefix: &str) -> Self {
        self.absent_below.push(lower(prefix));
        self
    }

    /// Says that the key is present with an unknown value.
    #[must_use]
    pub fn present(self, key: &str) -> Self {
        self.with(key, EntryState::Present)
    }

    pub(crate) fn with(mut self, key: &str, state: EntryState) -> Self {
        self.set(key, state);
        self
    }

    /// Sets a key and returns what was known of it before.
    pub(crate) fn set(&mut self, key: &str, state: EntryState) -> Option<EntryState> {
        self.put(ContextEntry::new(key, state))
    }

    /// Sets an entry and returns what was known of its key before.
    pub(crate) fn put(&mut self, entry: ContextEntry) -> Option<EntryState> {
        match self.entries.iter_mut().find(|e| e.hash == entry.hash && e.lower == entry.lower) {
            Some(known) => Some(std::mem::replace(known, entry).state),
            None => {
                self.entries.push(entry);
                None
            }
        }
    }

    /// Whether the context names the key.
    #[must_use]
    pub fn names(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| same_folded(&entry.written, key))
    }

    /// Whether a key that the context does not name is absent because of a prefix.
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
    /// The name as it was given. Grants compare it case-sensitively.
    pub(crate) written: Cow<'static, str>,
    pub(crate) state: EntryState,
}

impl ContextEntry {
    pub(crate) fn new(key: &str, state: EntryState) -> Self {
        let lower = lower(key);
        Self { hash: hash(&lower), lower: lower.into(), written: key.to_owned().into(), state }
    }

    /// An entry that follows from the request itself. The name is also given in lower case, which saves an allocation.
    pub(crate) fn derived(written: &'static str, lower: &'static str, state: EntryState) -> Self {
        Self { hash: hash(lower), lower: lower.into(), written: written.into(), state }
    }
}

/// What is known of a key, as an owned value. [`KeyState`] borrows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryState {
    Known { values: Vec<String>, list: bool },
    Absent,
    Present,
    SessionRole(SessionRole),
}

/// The role of a session. Its ARN is known except for the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRole {
    /// The ARN that the role has if it has no path.
    pub(crate) arn: String,
    /// The text in front of path and name: `arn:aws:iam::111122223333:role/`.
    pub(crate) prefix: String,
    pub(crate) name: String,
}

/// What is known of a key in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyState<'a> {
    /// The key has these values. `list` is true if there is more than one value, or if the key holds a list by its
    /// nature.
    Known {
        values: &'a [String],
        list: bool,
    },
    Absent,
    /// The key has an unknown value.
    Present,
    /// The key is absent or has an unknown value.
    Unknown,
    /// The key is the ARN of a session's role, whose path is unknown.
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

/// A request, with values chosen for some of its unknown keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestView<'a> {
    pub(crate) request: &'a Request,
    pub(crate) decided: &'a [&'a ContextEntry],
}

impl<'a> RequestView<'a> {
    pub(crate) const fn new(request: &'a Request) -> Self {
        Self { request, decided: &[] }
    }

    /// What is known of a key that a policy names.
    pub(crate) fn state(&self, key: &ConditionKey, pools: &Pools) -> KeyState<'a> {
        self.find(key.hash, key.lower.of(&pools.text)).1
    }

    /// What is known of a key by its name in lower case. If the context names the key, its name as it was given comes
    /// with it.
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

/// The name of a key in lower case. An old name is replaced by the present one.
pub(crate) fn lower(key: &str) -> String {
    match present_name(key) {
        Some(present) => present.to_owned(),
        None if key.is_ascii() => key.to_ascii_lowercase(),
        None => folded(key).collect(),
    }
}
