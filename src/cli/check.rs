//! `check`: who can use a key. With the key's policy as a file it needs no network and no credentials.

mod offline;

use clap::Args;

use super::Connection;
use super::error::CliError;
use super::options::{Discovery, KeyOption, Weighing};
use crate::access::PrincipalArn;
use crate::operations;
use crate::ports::AccessPorts;
use crate::preflight::{AccessObservation, Assessment, assess, assess_accounts};
use crate::report::{Report, ReportHeader};
use kms_key_policy::AccountId;

/// The options.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    #[command(flatten)]
    key: KeyOption,
    /// The Region, instead of the environment's.
    #[arg(long, conflicts_with = "policy")]
    region: Option<String>,
    #[command(flatten)]
    weighing: Weighing,
    /// An account that must be admitted as such, for its own policies to decide; may be repeated.
    #[arg(long = "account", value_name = "ID", value_parser = account)]
    accounts: Vec<AccountId>,
    /// A file with the key's policy: nothing is asked of AWS, and only what is given counts.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reader_role", "key_policy"])]
    policy: Option<String>,
    /// A file with the key's grants, as `aws kms list-grants` prints them; without it there are none.
    #[arg(long, value_name = "FILE", requires = "policy")]
    grants: Option<String>,
    /// A file with a policy of a role or user, who then has those given and no others; may be repeated.
    #[arg(long = "identity-policy", value_name = "ARN=FILE", requires = "policy", value_parser = given)]
    identity_policies: Vec<(PrincipalArn, String)>,
    #[command(flatten)]
    discovery: Discovery,
}

pub(super) async fn run<P: AccessPorts>(
    options: &Options,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    match &options.policy {
        Some(policy) => offline::run(options, policy),
        None => online(options, connect).await,
    }
}

async fn online<P: AccessPorts>(
    options: &Options,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let Connection { ports, location } = connect(options.region.as_deref()).await?;
    let safeguards = options.weighing.safeguards(&options.discovery)?;
    let observation = operations::observed(&ports, &location, &options.key.key, &safeguards).await?;
    let header = ReportHeader {
        account: Some(location.account),
        regions: vec![location.region],
        ..ReportHeader::default()
    };
    let assessment = assessed(options, &observation);
    Ok(report(options, header, &observation, assessment))
}

fn assessed(options: &Options, observation: &AccessObservation) -> Assessment {
    let mut assessment = assess(observation, &options.weighing.exempt);
    let accounts = assess_accounts(observation, &options.accounts);
    assessment.findings.extend(accounts.findings);
    assessment.remedies.key_policy_statements.extend(accounts.remedies.key_policy_statements);
    assessment
}

fn report(
    options: &Options,
    header: ReportHeader,
    observation: &AccessObservation,
    assessment: Assessment,
) -> Report {
    let nobody = assessment.access.is_empty() && options.accounts.is_empty();
    let mut report = operations::check_report(header, observation, assessment, options.weighing.mode());
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

fn given(text: &str) -> Result<(PrincipalArn, String), String> {
    // An ARN may hold `=` in its name, so the file begins at the first that leaves an ARN before it.
    let mut places = text.match_indices('=').filter_map(|(at, _)| text.split_at_checked(at));
    let found = places.find_map(|(arn, file)| {
        let file = file.strip_prefix('=').filter(|file| !file.is_empty())?;
        PrincipalArn::parse(arn).ok().map(|arn| (arn, file.to_owned()))
    });
    found.ok_or_else(|| format!("`{text}` is not of the form ARN=FILE, with the ARN of a role or a user"))
}
