//! `status`: which key encrypts sessions in each Region, who owns the document, and what is not as wanted.

use clap::Args;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Connection;
use super::error::CliError;
use super::options::DocumentOption;
use crate::operations;
use crate::ports::{Environment, ReadPorts};
use crate::report::Report;

/// How many Regions are asked at a time.
const REGIONS_AT_A_TIME: usize = 8;

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
    let status_of = async |region| {
        let Connection { ports, location } = connect(region).await?;
        let status = operations::status(Environment::new(&ports, &location), document).await?;
        Ok::<_, CliError>((location, status))
    };
    let regions = distinct_regions(&options.regions);
    // Boxed: each call in flight has a large state.
    let found = stream::iter(regions.into_iter().map(|region| Box::pin(status_of(region))));
    let found = found.buffered(REGIONS_AT_A_TIME).try_collect().await?;
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
