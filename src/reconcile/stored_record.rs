//! Recall: the record, as it stands in its parameter, and writing over it.
//!
//! Parameter Store knows no conditional write: of two runs that write over the same record the later would win,
//! and an intent that its owner was promised would be lost to an older one. So each record says which version of
//! the parameter it was written to become, and counts only where it became that. A run that was overtaken has
//! written nothing that anybody heeds, wherever it is cut off.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ReconcileError;
use super::record::{Record, digest};
use crate::ports::{AwsError, Records};
use crate::session::DocumentName;

/// The member that says what a record was written to become. A record without it, as an earlier version of this
/// software wrote it, counts wherever it is.
const MEMBER: &str = "written";

/// What a record was written to become.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    /// The version of the parameter.
    version: u64,
    /// The digest of all else: a record that somebody has edited since is theirs, and counts.
    digest: String,
}

/// What is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredRecord {
    /// The record that counts, if any does.
    pub record: Option<Record>,
    /// The version of the parameter, whatever it holds; 0 where there is no parameter.
    pub version: u64,
}

/// The record of a document, if there is one.
///
/// # Errors
/// Where AWS refused or did not answer, and where the parameter holds no record.
pub async fn read_record<P: Records>(
    ports: &P,
    name: &DocumentName,
) -> Result<Option<Record>, ReconcileError> {
    Ok(read_stored(ports, name).await?.record)
}

/// The same, with what it takes to write over it.
pub(super) async fn read_stored<P: Records>(
    ports: &P,
    name: &DocumentName,
) -> Result<StoredRecord, ReconcileError> {
    let Some(stored) = ports.read(name).await? else { return Ok(StoredRecord { record: None, version: 0 }) };
    let version = stored.version;
    let newest = Record::from_text(name, &stored.text)?;
    if counts(&stored.text, version) {
        return Ok(StoredRecord { record: Some(newest), version });
    }
    // Written by a run that had been overtaken: the one before counts, unless it is such a one too.
    for earlier in (1..version).rev() {
        let Some(text) = ports.read_version(name, earlier).await? else { break };
        if let Ok(record) = Record::from_text(name, &text)
            && counts(&text, earlier)
        {
            tracing::info!(document = %name, newest = version, counts = earlier, "the newest version of the record does not count");
            return Ok(StoredRecord { record: Some(record), version });
        }
    }
    Ok(StoredRecord { record: None, version })
}

/// A record as the text of the parameter's version after this one; 0 where there is no parameter.
pub(super) fn text_after(version: u64, record: &Record) -> String {
    let Ok(Value::Object(mut members)) = serde_json::to_value(record) else { return record.to_text() };
    let written = Written { version: version + 1, digest: digest(&members) };
    members.insert(MEMBER.to_owned(), serde_json::to_value(written).unwrap_or_default());
    Value::Object(members).to_string()
}

/// Writes a text over what was read as this version. `false`: it was not that any more, and nothing was done.
pub(super) async fn write_over<P: Records>(
    ports: &P,
    name: &DocumentName,
    version: u64,
    text: &str,
) -> Result<bool, AwsError> {
    if version == 0 {
        return ports.create_record(name, text).await;
    }
    let became = ports.replace_record(name, text).await?;
    if became == 1 {
        // A Delete removed it meanwhile; nothing is to be left where there is nothing.
        let left = ports.read(name).await?;
        if left.is_some_and(|left| left.text == text) {
            ports.delete_record(name).await?;
        }
    }
    Ok(became == version + 1)
}

/// Whether a version of the parameter with this text is what it was written to become. An earlier version that
/// somebody puts back untouched is not: it cannot be told from a write that was sent twice and came late.
fn counts(text: &str, version: u64) -> bool {
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else { return false };
    let written =
        members.shift_remove(MEMBER).and_then(|written| serde_json::from_value::<Written>(written).ok());
    written.is_none_or(|written| written.version == version || written.digest != digest(&members))
}

#[cfg(test)]
#[path = "stored_record/tests.rs"]
mod tests;
