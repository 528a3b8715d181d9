//! The condition keys that the owner states: the property Context.

mod read;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use read::KnownContextError;

/// Condition keys that hold in every call, as the owner states them. No name comes twice, whatever its case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownContext(Vec<KnownContextKey>);

/// One condition key that the owner states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownContextKey {
    name: String,
    state: KnownState,
}

/// What the owner states of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownState {
    /// It has these values, at least one.
    Values(Vec<String>),
    /// It is absent from every call.
    Absent,
}

impl KnownContextKey {
    /// The name, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values, or that it is absent.
    #[must_use]
    pub fn state(&self) -> &KnownState {
        &self.state
    }
}

impl KnownContext {
    /// Whether the owner states nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All condition keys, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &KnownContextKey> {
        self.0.iter()
    }

    /// The condition key of this name, which is case-insensitive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&KnownContextKey> {
        self.0.iter().find(|known| known.name.eq_ignore_ascii_case(name))
    }

    /// The same without the condition key of this name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|known| !known.name.eq_ignore_ascii_case(name)).cloned().collect())
    }

    /// The JSON form: a value, a list of values, or null for a condition key that is absent.
    fn to_map(&self) -> Map<String, Value> {
        let value = |state: &KnownState| match state {
            KnownState::Absent => Value::Null,
            KnownState::Values(values) => match values.as_slice() {
                // The text `null` would state that the condition key is absent, and a list of it does not.
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

/// Reads the JSON form from a record, which holds only what was accepted once. An entry that this version does not
/// accept is skipped, so that the record stays readable.
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
