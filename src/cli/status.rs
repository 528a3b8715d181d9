//! `status`: which key encrypts sessions in each Region, who owns the document, and what is not as wanted.

use clap::Args;

use super::Connection;
use super::error::CliError;
use super::options::DocumentOption;
use crate::reconcile::Record;
use crate::reconcile::ports::{AccessPorts, AwsError, DocumentVersion, VersionStatus};
use crate::report::{Asked, Report, Status, Version};
use crate::session::{DocumentName, Format};

/// How often a document that changes while it is read is read again.
const READS: u32 = 5;

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

pub(super) async fn run<P: AccessPorts>(
    options: &Options,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let document = &options.document.document;
    let asked =
        Asked { command: "status".to_owned(), document: Some(document.to_string()), ..Asked::default() };
    let mut report = Report { asked, ..Report::default() };
    for region in each(&options.regions) {
        let Connection { ports, home } = connect(region).await?;
        let status = status(&ports, document, &home.region).await?;
        report.asked.account = Some(home.account);
        report.asked.regions.push(home.region);
        report.status.push(status);
    }
    Ok(report)
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

async fn status<P: AccessPorts>(ports: &P, name: &DocumentName, region: &str) -> Result<Status, CliError> {
    let (found, record) = tokio::join!(found(ports, name), ports.read(name));
    let mut problems = Vec::new();
    let record = record?.and_then(|text| match Record::from_text(name, &text) {
        Ok(record) => Some(record),
        Err(error) => {
            problems.push(error.to_string());
            None
        }
    });
    let mut status = Status {
        region: region.to_owned(),
        document: name.to_string(),
        versions: None,
        default_kms_key_id: None,
        owner: record.as_ref().map(|record| record.owner.to_string()),
        wanted: record.as_ref().map(|record| record.wanted.clone()),
        problems,
    };
    if let Some(Found { latest, default }) = found? {
        let [(latest, latest_key), (default, default_key)] = [&latest, &default].map(|(number, version)| {
            let key = version.content.kms_key_id().unwrap_or_else(|error| {
                status.problems.push(format!("version {number} cannot be edited: {error}"));
                String::new()
            });
            if let VersionStatus::Failed(reason) = &version.status {
                status.problems.push(format!("AWS reports version {number} as Failed: {reason}"));
            }
            (*number, key)
        });
        status.problems.dedup();
        if latest_key != default_key {
            status.problems.push(format!(
                "version {default}, the default, has another key than version {latest}, the latest; which of \
                 them a session takes is not sure"
            ));
            status.default_kms_key_id = Some(default_key);
        }
        status.versions = Some(Version { latest, default, kms_key_id: latest_key });
    }
    let there = status.versions.as_ref().map_or("", |versions| versions.kms_key_id.as_str());
    if let Some(record) = record.filter(|record| record.wanted != there) {
        status.problems.push(format!("the document does not have the key that {} wants", record.owner));
    }
    Ok(status)
}

struct Found {
    latest: (u64, DocumentVersion),
    default: (u64, DocumentVersion),
}

async fn found<P: AccessPorts>(ports: &P, name: &DocumentName) -> Result<Option<Found>, AwsError> {
    for attempt in 1..=READS {
        let Some(head) = ports.head(name).await? else { return Ok(None) };
        // Asked for as JSON, whatever it is stored as: it is only read.
        let (latest, default) = tokio::join!(
            ports.version(name, head.latest, Format::Json),
            ports.version(name, head.default, Format::Json)
        );
        if let (Some(latest), Some(default)) = (latest?, default?) {
            return Ok(Some(Found { latest: (head.latest, latest), default: (head.default, default) }));
        }
        ports.pause(attempt).await;
    }
    Ok(None)
}
