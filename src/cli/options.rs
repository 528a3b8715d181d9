//! The options that several commands take.

use clap::{Args, ValueEnum, ValueHint};

use super::error::{CliError, not_a_region};
use super::files::Files;
use super::suggestions::condition_key;
use crate::access::{KnownContext, KnownContextError, PrincipalArn, parse_principal_pattern};
use crate::intent::{KeyPolicyReader, PreflightMode, Safeguards};
use crate::key::KeyRef;
use crate::location::Location;
use crate::session::DocumentName;

/// The document.
#[derive(Debug, Args)]
pub(super) struct DocumentOption {
    /// The preferences document.
    #[arg(long, value_name = "NAME", default_value_t, value_parser = DocumentName::parse)]
    pub(super) document: DocumentName,
}

/// The document and its Region.
#[derive(Debug, Args)]
pub(super) struct TargetOptions {
    #[command(flatten)]
    pub(super) document: DocumentOption,
    /// The Region, instead of the environment's.
    #[arg(long, value_parser = region)]
    pub(super) region: Option<String>,
}

/// The key.
#[derive(Debug, Args)]
pub(super) struct KeyOption {
    /// The key: its ARN, id, alias name or alias ARN; another account's by its ARN.
    #[arg(long, value_parser = KeyRef::parse)]
    pub(super) key: KeyRef,
}

/// For whom the preflight is made, and which of its findings block.
#[derive(Debug, Args)]
pub(super) struct PreflightOptions {
    /// What blocks: failures and what is unknown, failures, or nothing.
    #[arg(long, value_enum, value_name = "MODE", default_value_t, ignore_case = true)]
    preflight: ModeOption,
    /// A role or user that starts sessions and must be able to use the key; may be repeated.
    #[arg(long = "user", value_name = "ARN", value_parser = PrincipalArn::parse)]
    pub(super) users: Vec<PrincipalArn>,
    /// A role of nodes that must be able to use the key; may be repeated.
    #[arg(long = "node", value_name = "ARN", value_parser = PrincipalArn::parse)]
    pub(super) nodes: Vec<PrincipalArn>,
    /// A pattern of ARNs, with * and ?, whose failure is reported and does not block; may be repeated.
    #[arg(long, value_name = "PATTERN", value_parser = parse_principal_pattern)]
    pub(super) exempt: Vec<String>,
    /// A condition key that is known of every call; may be repeated. The same key given several times is a list, as
    /// KEY=["a","b"] is, and KEY=null says that no call has the key.
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = key_and_value)]
    context: Vec<(String, String)>,
}

/// What the preflight reads from AWS to find users, nodes and the key policy.
#[derive(Debug, Args)]
pub(super) struct Discovery {
    /// Do not take further users from the session history.
    #[arg(long)]
    no_discover_users: bool,
    /// Do not take further nodes from the managed nodes.
    #[arg(long)]
    no_discover_nodes: bool,
    /// A role in the key's account that may read the key's policy and grants.
    #[arg(long, value_name = "ARN", value_parser = PrincipalArn::parse_role)]
    reader_role: Option<PrincipalArn>,
    /// The external id that the reader role asks for.
    #[arg(long, value_name = "ID", requires = "reader_role")]
    reader_external_id: Option<String>,
    /// A file with the key policy, used if it cannot be read from AWS.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key_policy: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ModeOption {
    Strict,
    #[default]
    Enforce,
    Warn,
    Off,
}

impl PreflightOptions {
    /// The mode, which says which findings block.
    pub(super) fn mode(&self) -> PreflightMode {
        match self.preflight {
            ModeOption::Strict => PreflightMode::Strict,
            ModeOption::Enforce => PreflightMode::Enforce,
            ModeOption::Warn => PreflightMode::Warn,
            ModeOption::Off => PreflightMode::Off,
        }
    }

    /// The condition keys that are known of every call.
    pub(super) fn context(&self) -> Result<KnownContext, CliError> {
        known_context(&self.context)
    }

    /// The safeguards of an intent.
    pub(super) fn safeguards(&self, discovery: &Discovery) -> Result<Safeguards, CliError> {
        Ok(Safeguards {
            mode: self.mode(),
            users: self.users.clone(),
            nodes: self.nodes.clone(),
            exempt: self.exempt.clone(),
            discover_users: !discovery.no_discover_users,
            discover_nodes: !discovery.no_discover_nodes,
            reader: discovery.reader_role.as_ref().map(|role| KeyPolicyReader {
                role_arn: role.to_string(),
                external_id: discovery.reader_external_id.clone(),
            }),
            context: self.context()?,
            key_policy: discovery
                .key_policy
                .as_deref()
                .map(|path| Files::without_input().key_policy(path))
                .transpose()?,
        })
    }
}

/// The name of a Region.
pub(super) fn region(text: &str) -> Result<String, String> {
    if Location::is_region(text) { Ok(text.to_owned()) } else { Err(not_a_region(text)) }
}

/// What the options `--context` say.
pub(super) fn known_context(options: &[(String, String)]) -> Result<KnownContext, CliError> {
    KnownContext::from_options(options).map_err(|problems| {
        let text = |problem: &KnownContextError| match problem {
            KnownContextError::Name(name) => match condition_key(name) {
                Some(near) => format!("{problem}; did you mean `{near}`?"),
                None => problem.to_string(),
            },
            _ => problem.to_string(),
        };
        CliError::Context(problems.iter().map(text).collect::<Vec<_>>().join("; "))
    })
}

/// A condition key and its value.
pub(super) fn key_and_value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let pair = pair.map(|(key, value)| (key.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("`{text}` is not of the form KEY=VALUE, with the name of a condition key"))
}
