//! `keys`: lists the keys of an account in each Region, from which to choose one.

use clap::Args;
use futures_util::stream::{self, StreamExt};

use super::Connection;
use super::error::CliError;
use crate::key::{KeyArn, fitness};
use crate::ports::PreflightPorts;
use crate::report::{KeyList, ListedKey, Report, ReportHeader};

/// How many DescribeKey calls run at a time.
const AT_A_TIME: usize = 8;

/// The options of `keys`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct KeysOptions {
    /// A Region, instead of the environment's; may be repeated.
    #[arg(long = "region", value_name = "REGION", value_parser = super::options::region)]
    regions: Vec<String>,
}

pub(super) async fn run<P: PreflightPorts>(
    options: &KeysOptions,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let mut report = Report {
        header: ReportHeader { command: "keys".to_owned(), ..ReportHeader::default() },
        ..Report::default()
    };
    for region in super::status::distinct_regions(&options.regions) {
        let Connection { ports, location } = connect(region).await?;
        let listed = ports.keys().await?;
        let mut keys: Vec<ListedKey> = stream::iter(listed)
            .map(|(arn, aliases)| describe(&ports, arn, aliases))
            .buffered(AT_A_TIME)
            .collect()
            .await;
        // The keys that can be chosen come first, and of them those with an alias.
        keys.sort_by_key(|key| (!key.is_fit(), key.aliases.is_empty(), key.aliases.clone(), key.arn.clone()));
        report.header.account = Some(location.account);
        report.header.regions.push(location.region.clone());
        report.keys.push(KeyList { region: location.region, keys });
    }
    Ok(report)
}

async fn describe<P: PreflightPorts>(ports: &P, arn: KeyArn, aliases: Vec<String>) -> ListedKey {
    let (faults, cautions) = match ports.describe(arn.as_str()).await {
        Ok(Some(key)) => {
            let fitness = fitness(&key);
            let faults = fitness.faults.iter().map(ToString::to_string).collect();
            (faults, fitness.cautions.iter().map(ToString::to_string).collect())
        }
        Ok(None) => (vec!["it is gone".to_owned()], Vec::new()),
        Err(error) => (vec![format!("it is not known whether it can: {error}")], Vec::new()),
    };
    ListedKey { arn: arn.to_string(), aliases, faults, cautions }
}
