//! Reads the files that options name: policies and grants, which must be well-formed. `-` names standard input.
//!
//! People have these files from the AWS CLI and from editors, so each may be in UTF-8 or UTF-16, with a byte order mark or
//! without, and may hold what a command of the AWS CLI prints around the policy.

mod printed;

use std::fs;
use std::io::BufRead;

use serde_json::Value;

use super::error::CliError;
use crate::text_encoding::decode;
use kms_key_policy::{Grants, ParseError, Policy, PolicyKind};
use printed::{DocumentText, GRANTS, IDENTITY_POLICY, KEY_POLICY};

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
        let document = DocumentText::inside(self.read(path)?, KEY_POLICY);
        match Policy::parse(PolicyKind::Key, &document.text) {
            Ok(_) => Ok(document.text),
            Err(error) => Err(malformed(path, "key policy", &document, error)),
        }
    }

    /// An identity policy: a policy of a role or a user. The file may hold what `aws iam get-role-policy` or
    /// `aws iam get-policy-version` prints around it.
    pub(super) fn identity_policy(&mut self, path: &str) -> Result<Policy, CliError> {
        let document = DocumentText::inside(self.read(path)?, IDENTITY_POLICY);
        let read = Policy::parse(PolicyKind::Identity, &document.text);
        read.map_err(|error| malformed(path, "policy of a role or a user", &document, error))
    }

    /// The grants. The file may hold what `aws kms list-grants` prints, or the list alone.
    pub(super) fn grants(&mut self, path: &str) -> Result<Vec<Value>, CliError> {
        let document = DocumentText::inside(self.read(path)?, GRANTS);
        if let Err(error) = Grants::parse(&document.text) {
            return Err(malformed(path, "list of grants", &document, error));
        }
        // This is JSON, since the evaluator has read it. One grant alone stands for a list of one.
        let mut value = serde_json::from_str(&document.text).unwrap_or_default();
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
        let mut bytes = Vec::new();
        if path == STANDARD_INPUT {
            let Some(input) = self.input.take() else { return Err(CliError::InputTwice) };
            input.read_to_end(&mut bytes).map_err(CliError::Input)?;
        } else {
            bytes = fs::read(path).map_err(|error| CliError::File { path: path.to_owned(), error })?;
        }
        text_of(path, bytes)
    }
}

/// The text that the bytes of a file stand for.
pub(super) fn text_of(path: &str, bytes: Vec<u8>) -> Result<String, CliError> {
    decode(bytes).map_err(|error| CliError::Encoding { path: shown(path), error })
}

fn malformed(path: &str, what: &'static str, document: &DocumentText, error: ParseError) -> CliError {
    let place = document.is_inside.then_some("; places are counted in the text of the JSON string");
    CliError::Content { path: shown(path), what, error, place: place.unwrap_or_default() }
}

/// The name of a file in an error.
pub(super) fn shown(path: &str) -> String {
    if path == STANDARD_INPUT { "standard input".to_owned() } else { path.to_owned() }
}
