//! `status`: which key encrypts sessions in each Region, who owns the document, and what is not as wanted.

use clap::Args;

use super::Connection;
use super::error::CliError;
use super::options::DocumentOption;
use crate::operations;
use crate::ports::{Environment, ReadPorts};
use crate::report::Report;

/// The options of `status`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct StatusOptions {
    #[command(flatten)]
    document: DocumentOption,
    /// A Region, instead of the environment's; may be repeated.
    #[arg(long = "region", value_name = "REGION", value_parser = super::options::region)]
    regions: Vec<String>,
}

pub(super) async fn run<P: ReadPorts>(
    options: &StatusOptions,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let document = &options.document.document;
    let mut found = Vec::new();
    for region in distinct_regions(&options.regions) {
        let Connection { ports, location } = connect(region).await?;
        let status = operations::status(Environment::new(&ports, &location), document).await?;
        found.push((location, status));
    }
    Ok(operations::status_report(document, found))
}

/// The Regions named, each once. If none is named, it is one `None`, which stands for the environment's Region.
pub(super) fn distinct_regions(regions: &[String]) -> Vec<Option<&str>> {
    let mut distinct: Vec<Option<&str>> = Vec::new();
    for region in regions {
        if !distinct.contains(&Some(region)) {
            distinct.push(Some(region));
        }
    }
    if distinct.is_empty() { vec![None] } else { distinct }
}
