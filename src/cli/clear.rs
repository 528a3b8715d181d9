//! `clear`: turns the encryption of sessions with a key off, the same way as the Lambda.

use clap::Args;

use super::change::{carry_out, wanted};
use super::error::CliError;
use super::options::Target;
use super::plan::on_conflict;
use super::{Connection, Console};
use crate::intent::{Encryption, Safeguards};
use crate::ports::WritePorts;
use crate::report::Report;

/// The options.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    #[command(flatten)]
    target: Target,
    /// Take the document over where a stack owns it.
    #[arg(long)]
    take_over: bool,
    /// Do not ask for confirmation.
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run<P: WritePorts>(
    options: &Options,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let on_conflict = on_conflict(options.take_over);
    let wanted = wanted("clear", &options.target, Encryption::Disabled, on_conflict, Safeguards::default());
    let connection = connect(options.target.region.as_deref()).await?;
    carry_out(&wanted, options.yes, "Turn the encryption of sessions with a key off?", console, &connection)
        .await
}
