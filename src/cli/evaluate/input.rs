//! A case as JSON.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use kms_key_policy::OtherKeys;

/// A case as it is written. Its text stays where it is: policies are read by their own reader.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) key_arn: Text<'a>,
    #[serde(borrow)]
    pub(super) key_policy: &'a RawValue,
    #[serde(borrow)]
    pub(super) principal: Text<'a>,
    #[serde(borrow)]
    pub(super) action: Text<'a>,
    #[serde(borrow, default)]
    pub(super) context: Known<'a>,
    #[serde(borrow, default)]
    pub(super) absent: Vec<Text<'a>>,
    #[serde(default)]
    pub(super) other_context: Unnamed,
    #[serde(borrow, default)]
    pub(super) identity_policies: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    pub(super) permissions_boundary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) session_policies: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    pub(super) service_control_policies: Option<Vec<Vec<&'a RawValue>>>,
    #[serde(borrow, default)]
    pub(super) resource_control_policies: Option<Vec<Vec<&'a RawValue>>>,
    #[serde(borrow, default)]
    pub(super) grants: Option<&'a RawValue>,
}

/// What a case asks, without its policies.
pub(super) struct Asked<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) key_arn: Text<'a>,
    pub(super) principal: Text<'a>,
    pub(super) action: Text<'a>,
    pub(super) context: Known<'a>,
    pub(super) absent: Vec<Text<'a>>,
    pub(super) other_context: Unnamed,
}

/// How it stands with the keys that the context does not name.
#[derive(Default, Clone, Copy)]
pub(super) enum Unnamed {
    #[default]
    Unknown,
    Absent,
}

impl<'de> Deserialize<'de> for Unnamed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = Unnamed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`unknown` or `absent`")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
                match word {
                    "unknown" => Ok(Unnamed::Unknown),
                    "absent" => Ok(Unnamed::Absent),
                    _ => Err(E::unknown_variant(word, &["unknown", "absent"])),
                }
            }
        }
        // A derived reader takes an object for the word as well.
        deserializer.deserialize_str(Word)
    }
}

/// What can be read of a line that is no case.
#[derive(Deserialize)]
pub(super) struct OnlyId<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
}

impl From<Unnamed> for OtherKeys {
    fn from(value: Unnamed) -> Self {
        match value {
            Unnamed::Unknown => Self::Unknown,
            Unnamed::Absent => Self::Absent,
        }
    }
}

/// The context's known values, in their order.
#[derive(Default)]
pub(super) struct Known<'a>(pub(super) Vec<(Cow<'a, str>, Values<'a>)>);

/// The most values that a context may have: many times what AWS puts there.
pub(super) const MOST_VALUES: usize = 2048;

/// One value or a list of them.
pub(super) enum Values<'a> {
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

impl Values<'_> {
    /// How much of a context it takes; an empty list takes its place too.
    fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(values) => values.len().max(1),
        }
    }
}

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Known<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Known<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of condition keys and their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut known = Vec::new();
                let mut room = MOST_VALUES;
                while let Some((Text(key), raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    let value = values(raw.get()).ok_or_else(|| {
                        let expected = "a text, a number, a boolean or a list of these";
                        A::Error::custom(format_args!("the context's `{key}` must be {expected}"))
                    })?;
                    room = room.checked_sub(value.count()).ok_or_else(|| {
                        A::Error::custom(format_args!("the context has more than {MOST_VALUES} values"))
                    })?;
                    known.push((key, value));
                }
                Ok(Known(known))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn values(json: &str) -> Option<Values<'_>> {
    if !json.starts_with('[') {
        return scalar(json).map(Values::One);
    }
    let raw: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    raw.into_iter().map(|raw| scalar(raw.get())).collect::<Option<_>>().map(Values::Many)
}

/// A text, or a number or boolean as it is written.
fn scalar(json: &str) -> Option<Cow<'_, str>> {
    match json.bytes().next()? {
        b'"' => serde_json::from_str::<Text<'_>>(json).ok().map(|Text(text)| text),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}
