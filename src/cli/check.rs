//! `check`: who can use a key. If the key policy is given as a file, a template or a plan, it needs no network and no
//! credentials.

mod between;
mod merged;
mod offline;
mod options;

use super::error::CliError;
use super::input::InputError;
use super::{Connection, Console};
use crate::operations;
use crate::ports::{Environment, FleetMemory, PreflightPorts};
use crate::preflight::{AccessObservation, Assessment, assess, assess_accounts};
use crate::reconcile::ReconcileError;
use crate::report::{Report, ReportHeader};

pub(super) use options::CheckOptions;

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
