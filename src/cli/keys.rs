//! `keys`: the keys of the account and Region, as a list to choose from.

use clap::Args;
use futures_util::stream::{self, StreamExt};

use super::Connection;
use super::error::CliError;
use crate::key::{KeyArn, fitness};
use crate::ports::AccessPorts;
use crate::report::{KeyList, ListedKey, Report, ReportHeader};

/// How many keys are described at a time.
const AT_A_TIME: usize = 8;

/// The options.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// A Region, instead of the environment's; may be repeated.
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
}

pub(super) async fn run<P: AccessPorts>(
    options: &Options,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let mut report = Report {
        header: ReportHeader { command: "keys".to_owned(), ..ReportHeader::default() },
        ..Report::default()
    };
    for region in super::status::each(&options.regions) {
        let Connection { ports, location } = connect(region).await?;
        let listed = ports.keys().await?;
        let mut keys: Vec<ListedKey> = stream::iter(listed)
            .map(|(arn, aliases)| described(&ports, arn, aliases))
            .buffered(AT_A_TIME)
            .collect()
            .await;
        // Those to choose come first, and of them those with a name.
        keys.sort_by_key(|key| (!key.is_fit(), key.aliases.is_empty(), key.aliases.clone(), key.arn.clone()));
        report.header.account = Some(location.account);
        report.header.regions.push(location.region.clone());
        report.keys.push(KeyList { region: location.region, keys });
    }
    Ok(report)
}

async fn described<P: AccessPorts>(ports: &P, arn: KeyArn, aliases: Vec<String>) -> ListedKey {
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
