//! Reads the files that options name: policies and grants, which must be well-formed.

use std::fs;

use serde_json::Value;

use super::error::CliError;
use kms_key_policy::{Grants, Policy, PolicyKind};

/// A key policy as text. The file may hold the policy, or what `aws kms get-key-policy` prints around it.
pub(super) fn key_policy(path: &str) -> Result<String, CliError> {
    let text = read(path)?;
    let in_envelope = serde_json::from_str::<Value>(&text).ok().and_then(|value| match value.get("Policy") {
        Some(Value::String(policy)) if value.get("Statement").is_none() => Some(policy.clone()),
        _ => None,
    });
    let text = in_envelope.unwrap_or(text);
    match Policy::parse(PolicyKind::Key, &text) {
        Ok(_) => Ok(text),
        Err(error) => Err(CliError::Content { path: path.to_owned(), what: "key policy", error }),
    }
}

/// An identity policy: a policy of a role or a user.
pub(super) fn identity_policy(path: &str) -> Result<Policy, CliError> {
    Policy::parse(PolicyKind::Identity, &read(path)?).map_err(|error| CliError::Content {
        path: path.to_owned(),
        what: "policy of a role or a user",
        error,
    })
}

/// The grants. The file may hold what `aws kms list-grants` prints, or the list alone.
pub(super) fn grants(path: &str) -> Result<Vec<Value>, CliError> {
    let text = read(path)?;
    Grants::parse(&text).map_err(|error| CliError::Content {
        path: path.to_owned(),
        what: "list of grants",
        error,
    })?;
    // This is JSON, since the evaluator has read it. One grant alone stands for a list of one.
    let mut value = serde_json::from_str(&text).unwrap_or_default();
    if let Value::Object(object) = &mut value {
        value = object.remove("Grants").unwrap_or_default();
    }
    Ok(match value {
        Value::Array(grants) => grants,
        one => vec![one],
    })
}

fn read(path: &str) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|error| CliError::File { path: path.to_owned(), error })
}
