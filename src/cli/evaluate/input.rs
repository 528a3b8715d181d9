//! A case as it is written in JSON.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use kms_key_policy::OtherKeys;

/// A case. The texts of its policies are borrowed: the reader of policies reads them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) key_arn: BorrowedText<'a>,
    #[serde(borrow)]
    pub(super) key_policy: &'a RawValue,
    #[serde(borrow)]
    pub(super) principal: BorrowedText<'a>,
    #[serde(borrow)]
    pub(super) action: BorrowedText<'a>,
    #[serde(borrow, default)]
    pub(super) context: CaseContext<'a>,
    #[serde(borrow, default)]
    pub(super) absent: Vec<BorrowedText<'a>>,
    #[serde(default)]
    pub(super) other_context: OtherContext,
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

/// The request of a case, without its policies and grants.
pub(super) struct CaseRequest<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) key_arn: BorrowedText<'a>,
    pub(super) principal: BorrowedText<'a>,
    pub(super) action: BorrowedText<'a>,
    pub(super) context: CaseContext<'a>,
    pub(super) absent: Vec<BorrowedText<'a>>,
    pub(super) other_context: OtherContext,
}

/// What is true of the condition keys that the context does not name.
#[derive(Default, Clone, Copy)]
pub(super) enum OtherContext {
    #[default]
    Unknown,
    Absent,
}

impl<'de> Deserialize<'de> for OtherContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OtherContextVisitor;
        impl Visitor<'_> for OtherContextVisitor {
            type Value = OtherContext;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`unknown` or `absent`")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
                match word {
                    "unknown" => Ok(OtherContext::Unknown),
                    "absent" => Ok(OtherContext::Absent),
                    _ => Err(E::unknown_variant(word, &["unknown", "absent"])),
                }
            }
        }
        // A derived reader would accept an object too.
        deserializer.deserialize_str(OtherContextVisitor)
    }
}

/// The id alone, which an error names if the line is no case.
#[derive(Deserialize)]
pub(super) struct OnlyId<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
}

impl From<OtherContext> for OtherKeys {
    fn from(value: OtherContext) -> Self {
        match value {
            OtherContext::Unknown => Self::Unknown,
            OtherContext::Absent => Self::Absent,
        }
    }
}

/// The condition keys of the context with their values, in the order of the text.
#[derive(Default)]
pub(super) struct CaseContext<'a>(pub(super) Vec<(Cow<'a, str>, ContextValue<'a>)>);

/// The most values that a context may have: many times as many as AWS sends.
pub(super) const MOST_VALUES: usize = 2048;

/// The value of a condition key: one text or a list.
pub(super) enum ContextValue<'a> {
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

impl ContextValue<'_> {
    /// How many values it counts as. An empty list counts as one, so that the number of keys is bounded too.
    fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(values) => values.len().max(1),
        }
    }
}

/// A text, borrowed if it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct BorrowedText<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for CaseContext<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContextVisitor;
        impl<'de> Visitor<'de> for ContextVisitor {
            type Value = CaseContext<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of condition keys and their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut known = Vec::new();
                let mut left = MOST_VALUES;
                while let Some((BorrowedText(key), raw)) =
                    map.next_entry::<BorrowedText<'de>, &'de RawValue>()?
                {
                    let value = values(raw.get()).ok_or_else(|| {
                        let expected = "a text, a number, a boolean or a list of these";
                        A::Error::custom(format_args!("the context's `{key}` must be {expected}"))
                    })?;
                    left = left.checked_sub(value.count()).ok_or_else(|| {
                        A::Error::custom(format_args!("the context has more than {MOST_VALUES} values"))
                    })?;
                    known.push((key, value));
                }
                Ok(CaseContext(known))
            }
        }
        deserializer.deserialize_map(ContextVisitor)
    }
}

fn values(json: &str) -> Option<ContextValue<'_>> {
    if !json.starts_with('[') {
        return scalar(json).map(ContextValue::One);
    }
    let raw: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    raw.into_iter().map(|raw| scalar(raw.get())).collect::<Option<_>>().map(ContextValue::Many)
}

/// A text, or a number or a boolean as it is written.
fn scalar(json: &str) -> Option<Cow<'_, str>> {
    match json.bytes().next()? {
        b'"' => serde_json::from_str::<BorrowedText<'_>>(json).ok().map(|BorrowedText(text)| text),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}
