//! The condition keys that a session's calls really have (amazon-ssm-agent and session-manager-plugin sources).
//!
//! Both calls are made directly, so what speaks of another service is absent: an Allow that demands
//! `kms:ViaService` grants nothing here. What depends on where and how somebody works stays unknown.

use super::call::Side;
use crate::key::{KeyDescription, MultiRegion};
use crate::policy::{Context, Others};

/// What conditions may ask of the key, where it has been described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    spec: Option<String>,
    usage: Option<String>,
    origin: Option<String>,
    multi_region: Option<bool>,
    known: Vec<(String, Vec<String>)>,
}

impl KeyFacts {
    /// With further condition keys that are known to hold in every call.
    #[must_use]
    pub fn knowing(self, known: &[(String, Vec<String>)]) -> Self {
        Self { known: known.to_vec(), ..self }
    }
}

impl From<&KeyDescription> for KeyFacts {
    fn from(key: &KeyDescription) -> Self {
        // Empty where nobody said.
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            spec: known(&key.spec),
            usage: known(&key.usage),
            origin: known(&key.origin),
            multi_region: Some(key.multi_region != MultiRegion::No),
            known: Vec::new(),
        }
    }
}

const SESSION_ID: &str = "aws:ssm:SessionId";
const TARGET_ID: &str = "aws:ssm:TargetId";
const RANDOM_CHALLENGE: &str = "aws:ssm:RandomChallenge";

/// Speaks of another service, or of an alias, and is in no call of a session.
const ABSENT: [&str; 9] = [
    "kms:ViaService",
    "kms:RequestAlias",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
];
/// A role of a node has no second factor.
const ABSENT_ON_NODES: [&str; 2] = ["aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"];

/// The contexts that a side's call can have; each of them must be allowed.
#[must_use]
pub fn session_contexts(side: Side, key: &KeyFacts) -> Vec<Context> {
    encryption_contexts(side).iter().map(|names| context(side, key, names)).collect()
}

/// The names in the encryption contexts that a side's call can have. Agents from 3.3.808.0 on may add a third,
/// so a node has two encryption contexts.
#[must_use]
pub fn encryption_contexts(side: Side) -> &'static [&'static [&'static str]] {
    match side {
        Side::User => &[&[SESSION_ID, TARGET_ID]],
        Side::Node => &[&[SESSION_ID, TARGET_ID], &[SESSION_ID, TARGET_ID, RANDOM_CHALLENGE]],
    }
}

/// Whether a side's call never has this condition key, whose name is case-insensitive.
#[must_use]
pub fn is_absent(side: Side, key: &str) -> bool {
    absent(side).any(|name| name.eq_ignore_ascii_case(key))
}

fn absent(side: Side) -> impl Iterator<Item = &'static str> {
    let of_nodes = ABSENT_ON_NODES.into_iter().filter(move |_| side == Side::Node);
    ABSENT.into_iter().chain(of_nodes)
}

fn context(side: Side, key: &KeyFacts, encryption_context: &[&str]) -> Context {
    let mut context = Context::new(Others::Unknown);
    for name in encryption_context {
        context = context.present(&format!("kms:EncryptionContext:{name}"));
    }
    for (name, values) in &key.known {
        context = context.values(name, values);
    }
    // What every call of a session has, or has not, is so whatever else is said to be known.
    context = context
        .values("kms:EncryptionContextKeys", encryption_context.iter().copied())
        .value("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
        .value("aws:SecureTransport", "true")
        .value("aws:ViaAWSService", "false");
    for name in absent(side) {
        context = context.absent(name);
    }
    for (name, value) in
        [("kms:KeySpec", &key.spec), ("kms:KeyUsage", &key.usage), ("kms:KeyOrigin", &key.origin)]
    {
        if let Some(value) = value {
            context = context.value(name, value);
        }
    }
    match key.multi_region {
        Some(multi_region) => context.value("kms:MultiRegion", multi_region.to_string()),
        None => context,
    }
}

#[cfg(test)]
#[path = "context/tests.rs"]
mod tests;
