//! The options of `check`.

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};

use super::super::error::CliError;
use super::super::input::{InputError, PolicyKeyQuestion};
use super::super::options::{self, Discovery, DocumentOption, PreflightOptions};
use crate::access::{PrincipalArn, PrincipalArnError};
use crate::key::{KeyArn, KeyRef};
use kms_key_policy::AccountId;

/// The options of `check`.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("offline").args(["offline_key_policy", "template", "plan"]))]
pub(in crate::cli) struct CheckOptions {
    /// The key: its ARN, id, alias name or alias ARN; another account's by its ARN. A key of a template or a plan need not
    /// exist yet: then leave it out and give --account-id and --region.
    #[arg(long, value_parser = KeyRef::parse, required_unless_present_any = ["template", "plan"])]
    pub(super) key: Option<KeyRef>,
    #[command(flatten)]
    pub(super) document: DocumentOption,
    /// The Region, instead of the environment's; with --template and --plan, the Region that they are deployed to.
    #[arg(long, conflicts_with = "offline_key_policy", value_parser = options::region)]
    pub(super) region: Option<String>,
    #[command(flatten)]
    pub(super) preflight: PreflightOptions,
    /// An account that must be admitted as such, for its own policies to decide; may be repeated.
    #[arg(long = "account", value_name = "ID", value_parser = account)]
    pub(super) accounts: Vec<AccountId>,
    /// A file with the key policy, or `-` for standard input: nothing is asked of AWS, and only what is given counts.
    #[arg(long = "policy", value_name = "FILE", conflicts_with_all = ["reader_role", "key_policy"])]
    pub(super) offline_key_policy: Option<String>,
    /// A template of CloudFormation or SAM in JSON or YAML, or `-` for standard input, whose key is checked. Nothing is
    /// asked of AWS. What an intrinsic function becomes that nobody can know yet is unknown, and unknown is no pass.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reader_role", "key_policy"])]
    pub(super) template: Option<String>,
    /// The logical id of the key in the template; it may be left out if the template has one key.
    #[arg(long, value_name = "ID", requires = "template", value_parser = NonEmptyStringValueParser::new())]
    pub(super) logical_id: Option<String>,
    /// The value of a parameter of the template, instead of its default; may be repeated. For a parameter that names an
    /// entry of Parameter Store, it is the value that is stored there.
    #[arg(long = "parameter", value_name = "NAME=VALUE", requires = "template", value_parser = options::key_and_value)]
    pub(super) parameters: Vec<(String, String)>,
    /// A plan of Terraform or OpenTofu as `terraform show -json PLAN` prints it, or `-` for standard input, whose key is
    /// checked; a state will do too. Nothing is asked of AWS.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reader_role", "key_policy"])]
    pub(super) plan: Option<String>,
    /// The address of the key, or of the aws_kms_key_policy, in the plan: module.keys.aws_kms_key.this["a"]; it may be left
    /// out if the plan has one key policy.
    #[arg(long, value_name = "ADDRESS", requires = "plan", value_parser = NonEmptyStringValueParser::new())]
    pub(super) address: Option<String>,
    /// The account that the template or the plan is deployed to, if --key does not say it.
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(super) account_id: Option<AccountId>,
    /// Read the policies of more than 100 roles and users at once (iam:GetAccountAuthorizationDetails), instead of asking
    /// IAM's simulator about each; control policies of the organization are unknown then.
    #[arg(long, conflicts_with = "offline")]
    pub(super) list_policies: bool,
    /// A file with the key's grants, as `aws kms list-grants` prints them, or `-` for standard input; without it there are
    /// none.
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub(super) grants: Option<String>,
    /// A file with a policy of a role or user, or `-` for standard input; the role or user then has those given and no
    /// others; may be repeated.
    #[arg(long = "identity-policy", value_name = "ARN=FILE", requires = "offline", value_parser = PrincipalAndFile::parse)]
    pub(super) identity_policies: Vec<PrincipalAndFile>,
    #[command(flatten)]
    pub(super) discovery: Discovery,
}

impl CheckOptions {
    /// The key, without which nothing is asked of AWS. The parser of the options holds that it is there.
    pub(super) fn key(&self) -> Result<&KeyRef, CliError> {
        let missing = || InputError::Options("the key is missing; give it by --key".to_owned());
        self.key.as_ref().ok_or_else(|| missing().into())
    }

    /// The ARN of the key, if one is given. Without AWS nothing else says which key is meant.
    pub(super) fn key_arn(&self) -> Result<Option<&KeyArn>, CliError> {
        match &self.key {
            None => Ok(None),
            Some(KeyRef::Arn(key)) => Ok(Some(key)),
            Some(other) => Err(CliError::KeyArnNeeded(other.to_string())),
        }
    }

    /// What is known of the key of a template or a plan, and who is asked about.
    pub(super) fn question(&self) -> Result<PolicyKeyQuestion<'_>, CliError> {
        Ok(PolicyKeyQuestion {
            key: self.key_arn()?,
            account: self.account_id,
            region: self.region.as_deref(),
            principals: self.preflight.users.iter().chain(&self.preflight.nodes).collect(),
            accounts: &self.accounts,
        })
    }
}

fn account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).ok_or_else(|| format!("`{text}` is no account; it has twelve digits"))
}

/// A principal and a file, `ARN=FILE`. An ARN may hold `=`, so there may be several ways to take the text apart.
#[derive(Clone, Debug)]
pub(super) struct PrincipalAndFile(Vec<(PrincipalArn, String)>);

impl PrincipalAndFile {
    fn parse(text: &str) -> Result<Self, String> {
        let places = text.match_indices('=').filter_map(|(at, _)| text.split_at_checked(at));
        let ways: Vec<_> = places
            .filter_map(|(arn, file)| {
                let file = file.strip_prefix('=').filter(|file| !file.is_empty())?;
                PrincipalArn::parse(arn).ok().map(|arn| (arn, file.to_owned()))
            })
            .collect();
        if !ways.is_empty() {
            return Ok(Self(ways));
        }
        let arn = text.split_once('=').map_or(text, |(arn, _)| arn);
        match PrincipalArn::parse(arn) {
            Err(error) if !matches!(error, PrincipalArnError::Other(_)) => Err(error.to_string()),
            _ => Err(format!("`{text}` is not of the form ARN=FILE, with the ARN of a role or a user")),
        }
    }

    /// The principal and the file: the way in which `is_named` knows the principal, or else the first one.
    pub(super) fn resolve(&self, is_named: impl Fn(&PrincipalArn) -> bool) -> Option<(&PrincipalArn, &str)> {
        let named = self.0.iter().find(|(principal, _)| is_named(principal));
        named.or(self.0.first()).map(|(principal, file)| (principal, file.as_str()))
    }
}
