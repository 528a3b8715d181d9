//! `apply`: encrypts sessions with a key, the same way as the Lambda, once somebody has said yes.

use clap::Args;

use super::change::carry_out;
use super::error::CliError;
use super::plan;
use super::{Connection, Console};
use crate::ports::WritePorts;
use crate::report::Report;

/// The options.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    #[command(flatten)]
    plan: plan::Options,
    /// Do not ask for confirmation.
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run<P: WritePorts>(
    options: &Options,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let wanted = options.plan.wanted("apply")?;
    let connection = connect(options.plan.region()).await?;
    carry_out(&wanted, options.yes, "Encrypt sessions with this key?", console, &connection).await
}
