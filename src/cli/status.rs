//! `status`: which key encrypts sessions in each Region, who owns the document, and what is not as wanted.

use clap::Args;

use super::Connection;
use super::error::CliError;
use super::options::DocumentOption;
use crate::operations;
use crate::ports::{Environment, ReadPorts};
use crate::report::Report;

/// The options.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    #[command(flatten)]
    document: DocumentOption,
    /// A Region, instead of the environment's; may be repeated.
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
}

pub(super) async fn run<P: ReadPorts>(
    options: &Options,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let document = &options.document.document;
    let mut found = Vec::new();
    for region in each(&options.regions) {
        let Connection { ports, location } = connect(region).await?;
        let status = operations::status(Environment::new(&ports, &location), document).await?;
        found.push((location, status));
    }
    Ok(operations::status_report(document, found))
}

/// The Regions named, each once; that of the environment where none is.
pub(super) fn each(regions: &[String]) -> Vec<Option<&str>> {
    let mut each: Vec<Option<&str>> = Vec::new();
    for region in regions {
        if !each.contains(&Some(region)) {
            each.push(Some(region));
        }
    }
    if each.is_empty() { vec![None] } else { each }
}
