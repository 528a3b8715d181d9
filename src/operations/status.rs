//! The operation status: which key encrypts sessions, who owns the document, and what is not as wanted.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;

use crate::location::Location;
use crate::ports::{Clock, DocumentVersion, Environment, ReadDocuments, ReadPorts, VersionStatus};
use crate::preflight::{KeyUsability, key_usability};
use crate::reconcile::{ReconcileError, Record, read_record};
use crate::report::{RegionStatus, Report, ReportHeader, VersionSummary};
use crate::session::{DocumentFormat, DocumentName, Target};

/// How many times a document is read again if it changes while it is read.
const READS: u32 = 5;

/// Reads the document, its record and the key that it has.
///
/// # Errors
/// If AWS refuses to show the document or the record, or does not answer. A document that is not as wanted is no error,
/// nor is a key that cannot be described.
pub async fn status<P: ReadPorts>(
    environment: Environment<'_, P>,
    document: &DocumentName,
) -> Result<RegionStatus, ReconcileError> {
    let Environment { ports, location, .. } = environment;
    let (found, record) = tokio::join!(read_versions(ports, document), read_record(ports, document));
    let (record, problem) = match record {
        Ok(record) => (record, None),
        Err(ReconcileError::Record(error)) => (None, Some(error.to_string())),
        Err(error) => return Err(error),
    };
    let mut status = of_owner(location, document, record.as_ref());
    status.problems.extend(problem);
    if let Some(found) = found? {
        of_document(&mut status, &found);
        of_keys(&mut status, environment).await;
    }
    if let Some(record) = record {
        of_record(&mut status, &record, ports.now());
    }
    Ok(status)
}

/// The report on some Regions, in their order.
#[must_use]
pub fn status_report(document: &DocumentName, found: Vec<(Location, RegionStatus)>) -> Report {
    let header = ReportHeader {
        command: "status".to_owned(),
        account: found.last().map(|(location, _)| location.account.clone()),
        regions: found.iter().map(|(location, _)| location.region.clone()).collect(),
        document: Some(document.to_string()),
        key: None,
        origin: None,
    };
    let status = found.into_iter().map(|(_, status)| status).collect();
    Report { header, status, ..Report::default() }
}

/// The status with what the record says of the owner, and nothing else.
pub(super) fn of_owner(
    location: &Location,
    document: &DocumentName,
    record: Option<&Record>,
) -> RegionStatus {
    RegionStatus {
        region: location.region.clone(),
        document: document.to_string(),
        versions: None,
        default_kms_key_id: None,
        owner: record.map(|record| record.owner.to_string()),
        wanted: record.map(|record| record.asked_for().into()),
        sessions_fail: false,
        problems: Vec::new(),
        unknown: Vec::new(),
    }
}

/// Adds what the latest and default versions say.
pub(super) fn of_document(status: &mut RegionStatus, ReadVersions { latest, default }: &ReadVersions) {
    let [(latest, latest_key), (default, default_key)] = [latest, default].map(|(number, version)| {
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
    status.versions = Some(VersionSummary { latest, default, kms_key_id: latest_key });
}

/// Adds what is wrong with the keys that sessions use now.
async fn of_keys<P: ReadPorts>(status: &mut RegionStatus, environment: Environment<'_, P>) {
    let latest = status.versions.as_ref().map(|versions| versions.kms_key_id.clone());
    let keys = latest.into_iter().chain(status.default_kms_key_id.clone()).filter(|key| !key.is_empty());
    // Boxed: each call in flight has a large state.
    let described = keys.map(|key| {
        Box::pin(async move {
            let usability = key_usability(environment, &key).await;
            (key, usability)
        })
    });
    for (key, usability) in join_all(described).await {
        match usability {
            Ok(KeyUsability::Usable(_)) => {}
            Ok(KeyUsability::Unusable(fault)) => {
                status.sessions_fail = true;
                status.problems.push(format!("sessions fail: {fault}"));
            }
            Ok(KeyUsability::Unknown(error)) | Err(error) => {
                status.unknown.push(format!("it is not known whether key {key} can be used: {error}"));
            }
        }
    }
}

/// Adds what the record says: drift, a key that stands in, an open breaker.
pub(super) fn of_record(status: &mut RegionStatus, record: &Record, now: SystemTime) {
    let there = status.versions.as_ref().map_or("", |versions| versions.kms_key_id.as_str());
    if record.wanted.as_kms_key_id() != there {
        status.problems.push(format!("the document does not have the key that {} wants", record.owner));
    }
    if let Some(first) = &record.remediation.replaced_key {
        status.problems.push(match &record.wanted {
            Target::Off => format!(
                "encryption is off, since key {first} cannot be used; it is turned on again when the key can"
            ),
            Target::Key(standby) => format!(
                "key {standby} stands in for key {first}, which cannot be used, until it can be used again"
            ),
        });
    }
    if record.releasing.is_some() {
        status
            .problems
            .push(format!("{} is giving the document back, and has not come to the end", record.owner));
    }
    if let Some(breaker) = &record.remediation.breaker {
        let by = record.remediation.actor.as_ref().map_or("somebody".to_owned(), ToString::to_string);
        status.problems.push(format!(
            "the breaker is open: {by} kept changing the document, and it has not been repaired for {}; it \
             closes when nobody has changed the document for an hour",
            ago(breaker.opened, now)
        ));
    }
}

/// How long ago a moment was. The moment is in seconds since 1970.
fn ago(moment: u64, now: SystemTime) -> String {
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(moment);
    match now.duration_since(moment).unwrap_or_default().as_secs() / 60 {
        0 => "less than a minute".to_owned(),
        1 => "a minute".to_owned(),
        minutes @ 2..120 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes / 60),
    }
}

/// The latest and the default version, each with its number.
pub(super) struct ReadVersions {
    pub(super) latest: (u64, DocumentVersion),
    pub(super) default: (u64, DocumentVersion),
}

/// Reads the two versions that sessions may use. `None` if there is no document.
pub(super) async fn read_versions<P: ReadDocuments + Clock>(
    ports: &P,
    name: &DocumentName,
) -> Result<Option<ReadVersions>, ReconcileError> {
    for attempt in 1..=READS {
        // Read as JSON, whatever the document is stored in: nobody edits this text.
        let (head, found) = tokio::join!(ports.head(name), ports.latest(name, DocumentFormat::Json));
        let Some(head) = head? else {
            // One answer that says there is none may be wrong.
            if found?.is_none() {
                return Ok(None);
            }
            ports.pause(attempt).await;
            continue;
        };
        let found = found.ok().flatten().filter(|found| found.number == Some(head.latest));
        let read = async |number| match &found {
            Some(found) if number == head.latest => Ok(Some(found.version.clone())),
            _ => ports.version(name, number, DocumentFormat::Json).await,
        };
        let (latest, default) = tokio::join!(read(head.latest), read(head.default));
        if let (Some(latest), Some(default)) = (latest?, default?) {
            return Ok(Some(ReadVersions {
                latest: (head.latest, latest),
                default: (head.default, default),
            }));
        }
        ports.pause(attempt).await;
    }
    Err(ReconcileError::Overtaken { document: name.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_moment_is_in_words() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (seconds, expected) in [
            (0, "less than a minute"),
            (59, "less than a minute"),
            (60, "a minute"),
            (3_540, "59 minutes"),
            (7_200, "2 hours"),
            (90_000, "25 hours"),
        ] {
            assert_eq!(ago(1_000_000 - seconds, now), expected, "{seconds}");
        }
        assert_eq!(ago(1_000_001, now), "less than a minute", "clocks differ");
    }
}
