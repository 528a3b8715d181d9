//! A case as it is written in JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use kms_key_policy::OtherKeys;

/// A case: one call of KMS, and the policies that decide on it.
// The texts of its policies are borrowed: the reader of policies reads them.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Input<'a> {
    /// What the answer repeats, such as a text or a number.
    #[serde(borrow, default)]
    #[schemars(with = "Option<serde_json::Value>")]
    pub(super) id: Option<&'a RawValue>,
    /// The key's ARN.
    #[serde(borrow)]
    #[schemars(with = "String")]
    pub(super) key_arn: BorrowedText<'a>,
    /// The key's policy; like every policy here an object, or its text.
    #[serde(borrow)]
    #[schemars(with = "ObjectOrItsText")]
    pub(super) key_policy: &'a RawValue,
    /// The ARN of the role, user or session that calls.
    #[serde(borrow)]
    #[schemars(with = "String")]
    pub(super) principal: BorrowedText<'a>,
    /// The call: `kms:GenerateDataKey`, `kms:Decrypt`, …
    #[serde(borrow)]
    #[schemars(with = "String")]
    pub(super) action: BorrowedText<'a>,
    /// The condition keys that the call has: `{"aws:SourceIp": "10.0.0.1"}`; a list for several values.
    #[serde(borrow, default)]
    #[schemars(with = "BTreeMap<String, OneOrMany>")]
    pub(super) context: CaseContext<'a>,
    /// The names of condition keys that the call does not have.
    #[serde(borrow, default)]
    #[schemars(with = "Vec<String>")]
    pub(super) absent: Vec<BorrowedText<'a>>,
    /// What is so of all other condition keys: they are `unknown`, which is the default, or `absent`.
    #[serde(default)]
    pub(super) other_context: OtherContext,
    /// All policies of the principal; `[]` if it has none. Without this member they are unknown.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<ObjectOrItsText>>")]
    pub(super) identity_policies: Option<Vec<&'a RawValue>>,
    /// The principal's permissions boundary.
    #[serde(borrow, default)]
    #[schemars(with = "Option<ObjectOrItsText>")]
    pub(super) permissions_boundary: Option<&'a RawValue>,
    /// The policies of the principal's session.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<ObjectOrItsText>>")]
    pub(super) session_policies: Option<Vec<&'a RawValue>>,
    /// A list of service control policies for each level, from the root of the organization down.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<Vec<ObjectOrItsText>>>")]
    pub(super) service_control_policies: Option<Vec<Vec<&'a RawValue>>>,
    /// A list of resource control policies for each level, from the root of the organization down.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<Vec<ObjectOrItsText>>>")]
    pub(super) resource_control_policies: Option<Vec<Vec<&'a RawValue>>>,
    /// The key's grants, as `aws kms list-grants` prints them.
    #[serde(borrow, default)]
    #[schemars(with = "Option<GrantsOrText>")]
    pub(super) grants: Option<&'a RawValue>,
}

/// An object, or its text. Only the schema is made from this type.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the reader of policies reads the text")]
enum ObjectOrItsText {
    /// The object.
    Object(Map<String, Value>),
    /// Its text.
    Text(String),
}

/// Grants. Only the schema is made from this type.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the reader of grants reads the text")]
enum GrantsOrText {
    /// The object with the list `Grants`.
    Object(Map<String, Value>),
    /// The list.
    List(Vec<Value>),
    /// The text of either.
    Text(String),
}

/// The value of a condition key. Only the schema is made from this type.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the reader of contexts reads the text")]
enum OneOrMany {
    /// One value.
    One(OneValue),
    /// Several values.
    Many(Vec<OneValue>),
}

/// A text, or a number or a boolean as it is written. Only the schema is made from this type.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the reader of contexts reads the text")]
enum OneValue {
    Text(String),
    Number(f64),
    Flag(bool),
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
#[derive(Default, Clone, Copy, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum OtherContext {
    /// Nothing is known of them.
    #[default]
    Unknown,
    /// The call does not have them.
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
