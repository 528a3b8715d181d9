//! The record as it is stored in its parameter, and writing over it.
//!
//! Parameter Store has no conditional write. Of two runs that write over the same record the later one would win, and
//! an intent that its owner was promised would be lost to an older one. So each record says which version of the
//! parameter it was written to become, and it counts only if it became that version. A run that was overtaken has then
//! written nothing that counts, wherever it is cut off.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ReconcileError;
use super::record::{Record, digest};
use crate::ports::{AwsError, ReadRecords, RecordReplacement, WriteRecords};
use crate::session::DocumentName;

/// The member that says which version a record was written to become. A record without it, as earlier versions of this
/// software wrote it, always counts.
const MEMBER: &str = "written";

/// The value of [`MEMBER`].
#[derive(Debug, Serialize, Deserialize)]
struct WrittenAs {
    /// The version of the parameter.
    version: u64,
    /// The digest of all other members. If it differs, somebody has edited the record since. Then the record is theirs,
    /// and counts.
    digest: String,
}

/// The record of a document, and the parameter that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredRecord {
    /// The record that counts, if there is one.
    pub record: Option<Record>,
    /// The newest version of the parameter, whatever it holds. `None` if there is no parameter.
    pub version: Option<u64>,
}

/// Reads the record of a document, if there is one. That there is none is believed if a second read agrees.
///
/// # Errors
/// If AWS refused or did not answer, and if the parameter holds no record.
pub async fn read_record<P: ReadRecords>(
    ports: &P,
    name: &DocumentName,
) -> Result<Option<Record>, ReconcileError> {
    let stored = match read_stored(ports, name).await? {
        StoredRecord { version: None, .. } => read_stored(ports, name).await?,
        stored => stored,
    };
    Ok(stored.record)
}

/// Reads the record of a document with the version of its parameter, which writing over it takes.
pub(super) async fn read_stored<P: ReadRecords>(
    ports: &P,
    name: &DocumentName,
) -> Result<StoredRecord, ReconcileError> {
    let Some(stored) = ports.read(name).await? else {
        return Ok(StoredRecord { record: None, version: None });
    };
    let newest = Record::from_text(name, &stored.text)?;
    let version = Some(stored.version);
    if counts(&stored.text, stored.version) {
        return Ok(StoredRecord { record: Some(newest), version });
    }
    // A run that had been overtaken wrote the newest version, so the one before counts, unless that is such a one too.
    for earlier in (1..stored.version).rev() {
        let Some(text) = ports.read_version(name, earlier).await? else { break };
        if let Ok(record) = Record::from_text(name, &text)
            && counts(&text, earlier)
        {
            tracing::info!(document = %name, newest = stored.version, counts = earlier, "the newest version of the record does not count");
            return Ok(StoredRecord { record: Some(record), version });
        }
    }
    Ok(StoredRecord { record: None, version })
}

/// A record as the text of the parameter's next version. `version` is the newest one, if there is a parameter.
pub(super) fn text_after(version: Option<u64>, record: &Record) -> String {
    let Ok(Value::Object(mut members)) = serde_json::to_value(record) else { return record.to_text() };
    let written = WrittenAs { version: version.unwrap_or_default() + 1, digest: digest(&members) };
    members.insert(MEMBER.to_owned(), serde_json::to_value(written).unwrap_or_default());
    Value::Object(members).to_string()
}

/// Writes a record over the version of its parameter that was read. The result is `false` if the parameter had changed:
/// then what was written does not count.
pub(crate) async fn rewrite_record<P: ReadRecords + WriteRecords>(
    ports: &P,
    name: &DocumentName,
    read: Option<u64>,
    record: &Record,
) -> Result<bool, AwsError> {
    write_over(ports, name, read, &text_after(read, record)).await
}

/// Writes a text over the version that was read, and returns whether the text became the next version. If it did not,
/// the parameter had changed, and what was written does not count.
pub(super) async fn write_over<P: ReadRecords + WriteRecords>(
    ports: &P,
    name: &DocumentName,
    read: Option<u64>,
    text: &str,
) -> Result<bool, AwsError> {
    let Some(read) = read else { return ports.create_record(name, text).await };
    match ports.replace_record(name, text).await? {
        RecordReplacement::Replaced { version } => Ok(version == read + 1),
        RecordReplacement::Busy => Ok(false),
        RecordReplacement::CreatedAnew => {
            // A Delete had removed the record, so none may be left.
            let left = ports.read(name).await?;
            if left.is_some_and(|left| left.text == text) {
                ports.delete_record(name).await?;
            }
            Ok(false)
        }
    }
}

/// Whether a version of the parameter is the one that its text was written to become. An earlier version that somebody
/// puts back untouched is not: it looks like a write that was sent twice and came late.
fn counts(text: &str, version: u64) -> bool {
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else { return false };
    let written =
        members.shift_remove(MEMBER).and_then(|written| serde_json::from_value::<WrittenAs>(written).ok());
    written.is_none_or(|written| written.version == version || written.digest != digest(&members))
}

#[cfg(test)]
#[path = "stored_record/tests.rs"]
mod tests;
