//! Condition keys that the owner says are known: the property Context.

mod read;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use read::KnownContextError;

/// Condition keys of every call that somebody knows. No name is there twice, whatever its case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownContext(Vec<KnownContextKey>);

/// A condition key that somebody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownContextKey {
    name: String,
    state: KnownState,
}

/// What is known of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownState {
    /// It has this value, or these, of which there is at least one.
    Values(Vec<String>),
    /// No call has it.
    Absent,
}

impl KnownContextKey {
    /// Its name, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is known of it.
    #[must_use]
    pub fn state(&self) -> &KnownState {
        &self.state
    }
}

impl KnownContext {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &KnownContextKey> {
        self.0.iter()
    }

    /// What is known of a condition key, whose name is case-insensitive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&KnownContextKey> {
        self.0.iter().find(|known| known.name.eq_ignore_ascii_case(name))
    }

    /// The same without the key of this name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|known| !known.name.eq_ignore_ascii_case(name)).cloned().collect())
    }

    /// As JSON: a value, a list of values, or null for a key that is absent.
    fn to_map(&self) -> Map<String, Value> {
        let value = |state: &KnownState| match state {
            KnownState::Absent => Value::Null,
            KnownState::Values(values) => match values.as_slice() {
                // As a text it would say that the key is absent.
                [value] if value != "null" => Value::from(value.as_str()),
                values => Value::from(values),
            },
        };
        self.0.iter().map(|known| (known.name.clone(), value(&known.state))).collect()
    }
}

impl fmt::Display for KnownContextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            KnownState::Absent => write!(f, "{} is absent", self.name),
            KnownState::Values(values) => write!(f, "{} is {}", self.name, values.join(", ")),
        }
    }
}

impl Serialize for KnownContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_map().serialize(serializer)
    }
}

/// Reads what was remembered, which was accepted once: what a later version does not accept any more is passed over,
/// so that a record stays readable.
impl<'de> Deserialize<'de> for KnownContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::<String, Value>::deserialize(deserializer)?;
        let mut known = Self::default();
        for (name, value) in members {
            if known.get(&name).is_none()
                && let Ok(state) = read::state(&name, &value)
            {
                known.0.push(KnownContextKey { name, state });
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
#[path = "known_context/tests.rs"]
mod tests;
