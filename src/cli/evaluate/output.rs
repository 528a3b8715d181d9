//! An answer as it is written in JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::value::RawValue;

use kms_key_policy::{Answer, Case, Decider, PolicyKind, RequiredValue};

/// The answer to a case.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output<'a> {
    /// The id of the case; null without one.
    #[schemars(with = "Option<serde_json::Value>")]
    id: Option<&'a RawValue>,
    /// `allowed`, `denied`, or `depends` on condition keys or policies that are not known.
    #[schemars(extend("enum" = ["allowed", "denied", "depends"]))]
    decision: String,
    /// Whether a Deny decided.
    explicit: bool,
    /// The statements and grants that decided.
    statements: Vec<StatementOutput<'a>>,
    /// What the decision depends on.
    depends_on: Vec<String>,
    /// Cases each of which is enough for `allowed`, as values of these condition keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<BTreeMap<String, ShownValue<'_>>>")]
    allowed_if: Vec<ShownCase<'a>>,
    /// What is missing, if nothing allows the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    /// What is wrong with the policies, and what the answer leaves out.
    warnings: Vec<Cow<'a, str>>,
}

/// The answer to a line that cannot be read.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ErrorOutput<'a> {
    /// The id of the case, if it can be read.
    #[schemars(with = "Option<serde_json::Value>")]
    pub(super) id: Option<&'a RawValue>,
    /// Why the line could not be read. It stands in the place of all members but `id`.
    pub(super) error: String,
}

/// A statement with its Sid, or a grant with its id.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StatementOutput<'a> {
    /// The kind of the policy: `key`, `identity`, `boundary`, `session`, `scp`, `rcp` or `grant`.
    #[schemars(extend("enum" = ["key", "identity", "boundary", "session", "scp", "rcp", "grant"]))]
    policy: &'static str,
    /// The level of a service or resource control policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<usize>,
    /// The index of the policy in its list, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_index: Option<usize>,
    /// The index of the statement in its policy, or of the grant in its list, from 0.
    index: usize,
    /// The Sid of the statement.
    sid: Option<&'a str>,
    /// The id of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<&'a str>,
}

impl<'a> Output<'a> {
    pub(super) fn new(id: Option<&'a RawValue>, answer: &'a Answer<'a>, warnings: Vec<Cow<'a, str>>) -> Self {
        let missing: Vec<String> = answer.missing.iter().map(ToString::to_string).collect();
        Self {
            id,
            decision: answer.decision.to_string(),
            explicit: answer.explicit,
            statements: answer.statements.iter().map(StatementOutput::from).collect(),
            depends_on: answer.depends_on.iter().map(ToString::to_string).collect(),
            allowed_if: answer.allowed_if.iter().map(ShownCase).collect(),
            missing: (!missing.is_empty()).then(|| missing.join("; ")),
            warnings,
        }
    }
}

impl<'a> From<&Decider<'a>> for StatementOutput<'a> {
    fn from(decider: &Decider<'a>) -> Self {
        match *decider {
            Decider::Statement { layer, level, policy, index, sid } => {
                let leveled = matches!(layer, PolicyKind::ServiceControl | PolicyKind::ResourceControl);
                let listed = leveled || matches!(layer, PolicyKind::Identity | PolicyKind::Session);
                Self {
                    policy: layer.short_name(),
                    level: leveled.then_some(level),
                    policy_index: listed.then_some(policy),
                    index,
                    sid,
                    grant_id: None,
                }
            }
            Decider::Grant { index, id } => {
                Self { policy: "grant", level: None, policy_index: None, index, sid: None, grant_id: id }
            }
        }
    }
}

/// A case as an object with a member for each key.
struct ShownCase<'a>(&'a Case);

/// What a condition key is to be.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum ShownValue<'a> {
    /// The key is absent.
    Absent,
    /// The key has this value.
    Value(&'a str),
    /// The key has these values.
    Values(&'a [String]),
    /// The key has one of many values.
    Pattern(ShownPattern<'a>),
}

/// The values that a condition key may have.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ShownPattern<'a> {
    /// A value that this pattern or range covers.
    Like(&'a str),
    /// Any value that the policies neither name nor match.
    Other(bool),
    /// The value of this other key.
    SameAs(&'a str),
    /// A value other than that of this other key, which has one.
    OtherThan(&'a str),
}

impl Serialize for ShownCase<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter().map(|(key, value)| (key, ShownValue::from(value))))
    }
}

impl<'a> From<&'a RequiredValue> for ShownValue<'a> {
    fn from(value: &'a RequiredValue) -> Self {
        match value {
            RequiredValue::Absent => Self::Absent,
            RequiredValue::Value(value) => Self::Value(value),
            RequiredValue::Values(values) => Self::Values(values),
            RequiredValue::Like(pattern) => Self::Pattern(ShownPattern::Like(pattern)),
            RequiredValue::Other => Self::Pattern(ShownPattern::Other(true)),
            RequiredValue::SameAs(other) => Self::Pattern(ShownPattern::SameAs(other)),
            RequiredValue::OtherThan(other) => Self::Pattern(ShownPattern::OtherThan(other)),
        }
    }
}
