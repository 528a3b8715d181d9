//! An answer as it is written in JSON.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use kms_key_policy::{Answer, Case, Decider, PolicyKind, RequiredValue};

/// The answer to a case.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output<'a> {
    id: Option<&'a RawValue>,
    decision: String,
    explicit: bool,
    statements: Vec<StatementOutput<'a>>,
    depends_on: Vec<String>,
    /// Values of unknown keys with which the call would be allowed; each entry is enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_if: Vec<ShownCase<'a>>,
    /// The layers that lack an Allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    warnings: Vec<Cow<'a, str>>,
}

/// A statement with its Sid, or a grant with its id.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatementOutput<'a> {
    policy: &'static str,
    /// The level of a service or resource control policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<usize>,
    /// The index of the policy in its list, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_index: Option<usize>,
    index: usize,
    sid: Option<&'a str>,
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

/// A case as an object with a member for each key: a text is its value, null means that the key is absent, and a list is
/// a list of values. An object stands for a pattern (`like`), for any value that the policies do not name (`other`), or for
/// the value of another key (`sameAs`, `otherThan`).
struct ShownCase<'a>(&'a Case);

impl Serialize for ShownCase<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        enum Shown<'a> {
            Like(&'a str),
            Other(bool),
            SameAs(&'a str),
            OtherThan(&'a str),
        }
        let mut map = serializer.serialize_map(Some(self.0.0.len()))?;
        for (key, completion) in &self.0.0 {
            match completion {
                RequiredValue::Absent => map.serialize_entry(key, &()),
                RequiredValue::Value(value) => map.serialize_entry(key, value),
                RequiredValue::Like(pattern) => map.serialize_entry(key, &Shown::Like(pattern)),
                RequiredValue::Values(values) => map.serialize_entry(key, values),
                RequiredValue::Other => map.serialize_entry(key, &Shown::Other(true)),
                RequiredValue::SameAs(other) => map.serialize_entry(key, &Shown::SameAs(other)),
                RequiredValue::OtherThan(other) => map.serialize_entry(key, &Shown::OtherThan(other)),
            }?;
        }
        map.end()
    }
}
