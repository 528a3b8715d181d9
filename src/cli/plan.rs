//! `plan`: what would change, and who would be locked out. It writes nothing.

use clap::Args;

use super::change::{ConflictOptions, CreationOptions, RequestedChange};
use super::error::CliError;
use super::options::{Discovery, KeyOption, PreflightOptions, TargetOptions};
use super::{Connection, Console};
use crate::intent::Encryption;
use crate::ports::ReadPorts;
use crate::report::Report;

/// The options of `plan`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct PlanOptions {
    #[command(flatten)]
    key: KeyOption,
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    preflight: PreflightOptions,
    #[command(flatten)]
    discovery: Discovery,
    #[command(flatten)]
    conflict: ConflictOptions,
    #[command(flatten)]
    creation: CreationOptions,
}

impl PlanOptions {
    /// The change that the options ask for. `command` is its name in the report.
    pub(super) fn change(&self, command: &'static str) -> Result<RequestedChange<'_>, CliError> {
        let encryption = Encryption::with_key(self.key.key.clone());
        let safeguards = self.preflight.safeguards(&self.discovery)?;
        let (target, create) = (&self.target, self.creation.create_document);
        Ok(RequestedChange::new(command, target, encryption, &self.conflict, create, safeguards))
    }
}

pub(super) async fn run<P: ReadPorts>(
    options: &PlanOptions,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    options.change("plan")?.plan(console, connect).await
}
