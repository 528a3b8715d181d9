//! Reads the files that options name: policies and grants, which must be well-formed. `-` names standard input.

use std::fs;
use std::io::{self, BufRead};

use serde_json::Value;

use super::error::CliError;
use kms_key_policy::{Grants, Policy, PolicyKind};

/// The name of standard input.
const STANDARD_INPUT: &str = "-";

/// The files of a command, one of which may be standard input.
pub(super) struct Files<'a> {
    /// Standard input, until it has been read.
    input: Option<&'a mut (dyn BufRead + Send)>,
}

impl<'a> Files<'a> {
    /// The files of a command with this standard input.
    pub(super) fn new(input: &'a mut (dyn BufRead + Send)) -> Self {
        Self { input: Some(input) }
    }

    /// The files of a command whose standard input is for other things.
    pub(super) fn without_input() -> Self {
        Self { input: None }
    }

    /// A key policy as text. The file may hold the policy, or what `aws kms get-key-policy` prints around it.
    pub(super) fn key_policy(&mut self, path: &str) -> Result<String, CliError> {
        let text = self.read(path)?;
        let in_envelope =
            serde_json::from_str::<Value>(&text).ok().and_then(|value| match value.get("Policy") {
                Some(Value::String(policy)) if value.get("Statement").is_none() => Some(policy.clone()),
                _ => None,
            });
        let text = in_envelope.unwrap_or(text);
        match Policy::parse(PolicyKind::Key, &text) {
            Ok(_) => Ok(text),
            Err(error) => Err(CliError::Content { path: shown(path), what: "key policy", error }),
        }
    }

    /// An identity policy: a policy of a role or a user.
    pub(super) fn identity_policy(&mut self, path: &str) -> Result<Policy, CliError> {
        Policy::parse(PolicyKind::Identity, &self.read(path)?).map_err(|error| CliError::Content {
            path: shown(path),
            what: "policy of a role or a user",
            error,
        })
    }

    /// The grants. The file may hold what `aws kms list-grants` prints, or the list alone.
    pub(super) fn grants(&mut self, path: &str) -> Result<Vec<Value>, CliError> {
        let text = self.read(path)?;
        Grants::parse(&text).map_err(|error| CliError::Content {
            path: shown(path),
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

    /// The text of a file.
    pub(super) fn text(&mut self, path: &str) -> Result<String, CliError> {
        self.read(path)
    }

    fn read(&mut self, path: &str) -> Result<String, CliError> {
        if path != STANDARD_INPUT {
            return fs::read_to_string(path).map_err(|error| CliError::File { path: path.to_owned(), error });
        }
        let Some(input) = self.input.take() else { return Err(CliError::InputTwice) };
        io::read_to_string(input).map_err(CliError::Input)
    }
}

/// The name of a file in an error.
fn shown(path: &str) -> String {
    if path == STANDARD_INPUT { "standard input".to_owned() } else { path.to_owned() }
}
