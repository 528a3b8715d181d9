//! `release`: gives a document back that the command line owns, as the deletion of a stack does it.

use clap::{Args, ValueEnum};

use super::change::ConfirmationOptions;
use super::error::CliError;
use super::options::TargetOptions;
use super::{Connection, Console};
use crate::intent::{OnDelete, Owner};
use crate::operations::{Release, ReleaseProposal};
use crate::ports::{Environment, WritePorts};
use crate::report::{Report, ReportFormat};

/// The options of `release`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct ReleaseOptions {
    #[command(flatten)]
    target: TargetOptions,
    /// Put back the key from before, turn encryption off, or leave the document as it is.
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    on_delete: OnDeleteOption,
    #[command(flatten)]
    confirmation: ConfirmationOptions,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum OnDeleteOption {
    #[default]
    Restore,
    Clear,
    Retain,
}

pub(super) async fn run<P: WritePorts>(
    options: &ReleaseOptions,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let Connection { ports, location } = connect(options.target.region.as_deref()).await?;
    let on_delete = match options.on_delete {
        OnDeleteOption::Restore => OnDelete::Restore,
        OnDeleteOption::Clear => OnDelete::Clear,
        OnDeleteOption::Retain => OnDelete::Retain,
    };
    let document = options.target.document.document.clone();
    let release = Release { document, owner: Owner::command_line(), on_delete: Some(on_delete) };
    let environment = Environment::new(&ports, &location);
    let planned = match release.planned(environment.with_progress(&console.progress())).await? {
        ReleaseProposal::Final(report) => return Ok(*report),
        ReleaseProposal::Applicable(planned) => *planned,
    };
    if !options.confirmation.yes {
        let shown = planned.render(ReportFormat::Text { colour: console.colour });
        console.confirm(&shown, "Give the document back?")?;
    }
    let progress = console.progress();
    Ok(release.apply(environment.with_progress(&progress), planned).await?)
}
