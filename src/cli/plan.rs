//! `plan`: what would change, and who would be locked out. Writes nothing.

use clap::Args;

use super::change;
use super::error::CliError;
use super::options::{Discovery, KeyOption, Target, Weighing};
use super::{Connection, Console};
use crate::intent::{Encryption, OnConflict};
use crate::operations::Wanted;
use crate::ports::{Environment, ReadPorts};
use crate::report::Report;

/// The options.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    #[command(flatten)]
    key: KeyOption,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    weighing: Weighing,
    #[command(flatten)]
    discovery: Discovery,
    /// Take the document over where a stack owns it.
    #[arg(long)]
    take_over: bool,
}

impl Options {
    /// The change that is asked for, and where.
    pub(super) fn wanted(&self, command: &'static str) -> Result<Wanted, CliError> {
        let encryption = Encryption::with_key(self.key.key.clone());
        let safeguards = self.weighing.safeguards(&self.discovery)?;
        Ok(change::wanted(command, &self.target, encryption, on_conflict(self.take_over), safeguards))
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.target.region.as_deref()
    }
}

pub(super) async fn run<P: ReadPorts>(
    options: &Options,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let wanted = options.wanted("plan")?;
    let Connection { ports, location } = connect(options.region()).await?;
    let progress = console.progress();
    let environment = Environment::new(&ports, &location).with_progress(&progress);
    let preview = wanted.preview(environment).await?;
    Ok(wanted.planned(&location, &preview))
}

pub(super) fn on_conflict(take_over: bool) -> OnConflict {
    if take_over { OnConflict::TakeOver } else { OnConflict::Fail }
}
