//! `clear`: turns the encryption of sessions with a key off as the Lambda does, after somebody has confirmed it.

use clap::Args;

use super::change::{ConfirmationOptions, ConflictOptions, RequestedChange};
use super::error::CliError;
use super::options::TargetOptions;
use super::{Connection, Console};
use crate::intent::{Encryption, Safeguards};
use crate::ports::WritePorts;
use crate::report::Report;

/// The options of `clear`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct ClearOptions {
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    conflict: ConflictOptions,
    #[command(flatten)]
    confirmation: ConfirmationOptions,
}

pub(super) async fn run<P: WritePorts>(
    options: &ClearOptions,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let off = Encryption::Disabled;
    let change =
        RequestedChange::new("clear", &options.target, off, &options.conflict, false, Safeguards::default());
    let question = "Turn the encryption of sessions with a key off?";
    change.make(question, &options.confirmation, console, connect).await
}
