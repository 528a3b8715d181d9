//! `apply`: encrypts sessions with a key as the Lambda does, after somebody has confirmed it.

use clap::Args;

use super::change::ConfirmationOptions;
use super::error::CliError;
use super::plan::PlanOptions;
use super::{Connection, Console};
use crate::ports::WritePorts;
use crate::report::Report;

/// The options of `apply`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct ApplyOptions {
    #[command(flatten)]
    plan: PlanOptions,
    #[command(flatten)]
    confirmation: ConfirmationOptions,
}

pub(super) async fn run<P: WritePorts>(
    options: &ApplyOptions,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let change = options.plan.change("apply")?;
    change.make("Encrypt sessions with this key?", &options.confirmation, console, connect).await
}
