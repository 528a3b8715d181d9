//! `check`: who can use a key. If the key policy is given as a file, a template or a plan, it needs no network and no
//! credentials.

mod between;
mod merged;
mod offline;
mod options;

use super::error::CliError;
use super::input::InputError;
use super::{Connection, Console};
use crate::access::{PrincipalArn, PrincipalArnError};
use crate::operations;
use crate::ports::{Environment, FleetMemory, PreflightPorts};
use crate::preflight::{AccessObservation, Assessment, assess, assess_accounts};
use crate::reconcile::ReconcileError;
use crate::report::{Report, ReportHeader};

/// The options of `check`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct CheckOptions {
    #[command(flatten)]
    key: KeyOption,
    #[command(flatten)]
    document: DocumentOption,
    /// The Region, instead of the environment's.
    #[arg(long, conflicts_with = "offline_key_policy", value_parser = options::region)]
    region: Option<String>,
    #[command(flatten)]
    preflight: PreflightOptions,
    /// An account that must be admitted as such, for its own policies to decide; may be repeated.
    #[arg(long = "account", value_name = "ID", value_parser = account)]
    accounts: Vec<AccountId>,
    /// A file with the key policy, or `-` for standard input: nothing is asked of AWS, and only what is given counts.
    #[arg(long = "policy", value_name = "FILE", conflicts_with_all = ["reader_role", "key_policy"])]
    offline_key_policy: Option<String>,
    /// Read the policies of more than 100 roles and users at once (iam:GetAccountAuthorizationDetails), instead of asking
    /// IAM's simulator about each; control policies of the organization are unknown then.
    #[arg(long, conflicts_with = "offline_key_policy")]
    list_policies: bool,
    /// A file with the key's grants, as `aws kms list-grants` prints them, or `-` for standard input; without it there are
    /// none.
    #[arg(long, value_name = "FILE", requires = "offline_key_policy")]
    grants: Option<String>,
    /// A file with a policy of a role or user, or `-` for standard input; the role or user then has those given and no
    /// others; may be repeated.
    #[arg(long = "identity-policy", value_name = "ARN=FILE", requires = "offline_key_policy", value_parser = PrincipalAndFile::parse)]
    identity_policies: Vec<PrincipalAndFile>,
    #[command(flatten)]
    discovery: Discovery,
}

pub(super) async fn run<P: PreflightPorts>(
    options: &CheckOptions,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    if options.account_id.is_some() && options.template.is_none() && options.plan.is_none() {
        let what =
            "--account-id says where a template or a plan is deployed to; give it with --template or --plan";
        return Err(InputError::Options(what.to_owned()).into());
    }
    match (&options.offline_key_policy, &options.template, &options.plan) {
        (Some(key_policy), ..) => offline::run(options, key_policy, console),
        (None, Some(template), _) => between::template(options, template, console),
        (None, None, Some(plan)) => between::plan(options, plan, console),
        (None, None, None) => online(options, connect).await,
    }
}

async fn online<P: PreflightPorts>(
    options: &CheckOptions,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let Connection { ports, location } = connect(options.region.as_deref()).await?;
    let safeguards = options.preflight.safeguards(&options.discovery)?;
    let memory = FleetMemory::default();
    let environment =
        Environment::new(&ports, &location).with_memory(&memory).with_listed_policies(options.list_policies);
    let observation =
        operations::observe_key(environment, options.key()?, &options.document.document, &safeguards)
            .await
            .map_err(ReconcileError::from)?;
    let header = ReportHeader {
        account: Some(location.account),
        regions: vec![location.region],
        ..ReportHeader::default()
    };
    let assessment = assess_all(options, &observation);
    Ok(report(options, header, &observation, assessment))
}

fn assess_all(options: &CheckOptions, observation: &AccessObservation) -> Assessment {
    let mut assessment = assess(observation, &options.preflight.exempt);
    let accounts = assess_accounts(observation, &options.accounts);
    assessment.findings.extend(accounts.findings);
    assessment.remedies.key_policy_statements.extend(accounts.remedies.key_policy_statements);
    assessment
}

fn report(
    options: &CheckOptions,
    header: ReportHeader,
    observation: &AccessObservation,
    assessment: Assessment,
) -> Report {
    let nobody = assessment.access.is_empty() && options.accounts.is_empty();
    let mut report = operations::check_report(header, observation, assessment, options.preflight.mode());
    if nobody {
        report.notes.push(
            "nobody was asked about; name users, nodes or accounts with --user, --node or --account"
                .to_owned(),
        );
    }
    report
}

fn account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).ok_or_else(|| format!("`{text}` is no account; it has twelve digits"))
}

/// A principal and a file, `ARN=FILE`. An ARN may hold `=`, so there may be several ways to take the text apart.
#[derive(Clone, Debug)]
struct PrincipalAndFile(Vec<(PrincipalArn, String)>);

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
    fn resolve(&self, is_named: impl Fn(&PrincipalArn) -> bool) -> Option<(&PrincipalArn, &str)> {
        let named = self.0.iter().find(|(principal, _)| is_named(principal));
        named.or(self.0.first()).map(|(principal, file)| (principal, file.as_str()))
    }
}
