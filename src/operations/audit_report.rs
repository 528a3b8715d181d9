//! The operation auditReport: the report over all results of an audit, in all formats, and what has changed since the
//! audit before.
//!
//! INVARIANT: the same results make the same files in the same folder, whenever and however often the report is made. So
//! the folder's name is the time of the newest result, and the audit before is the newest one with an earlier time.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::AuditFailure;
use super::stored_objects::{required_object, stored_audit, whole_object};
use super::utc_time::utc_time;
use crate::audit::{
    Audit, AuditFormat, AuditMaker, AuditReport, AuditState, AuditSummary, AuditedPlace, Changes, Rating,
    Totals, UnreadableReason,
};
use crate::intent::{ObjectAddress, ReportQuestion};
use crate::ports::{Clock, Environment, ReadObjects, WriteObjects};

/// The files of a report besides the batches for Security Hub.
const FILES: [(&str, &str, AuditFormat); 6] = [
    ("report.txt", "text/plain; charset=utf-8", AuditFormat::Text { colour: false }),
    ("report.json", "application/json", AuditFormat::Json),
    ("report.csv", "text/csv; charset=utf-8", AuditFormat::Csv),
    ("report.html", "text/html; charset=utf-8", AuditFormat::Html),
    ("asff.jsonl", "application/x-ndjson", AuditFormat::Asff),
    ("ocsf.jsonl", "application/x-ndjson", AuditFormat::Ocsf),
];
/// What the next audit is compared with.
const SUMMARY: &str = "summary.json";
/// Names the newest report.
const LATEST: &str = "latest.json";
/// How many batches are written at a time.
const BATCHES_AT_A_TIME: usize = 8;
/// How many earlier folders are looked into for a summary: that of a report that was cut off has none.
const MOST_LOOKS: usize = 10;

/// Makes the report and writes its files, and says what is in it.
///
/// # Errors
/// See [`AuditFailure`].
pub async fn audit_report<P: ReadObjects + WriteObjects + Clock>(
    environment: Environment<'_, P>,
    question: &ReportQuestion,
) -> Result<Value, AuditFailure> {
    let Environment { ports, location, .. } = environment;
    environment.progress("reading the results");
    let mut audit = stored_audit(ports, &question.manifest).await?;
    if let Some(pairs) = &question.pairs {
        environment.progress("reading the list of the accounts and Regions");
        let text = required_object(ports, pairs, "the list of the accounts and Regions").await?;
        let places: Vec<AuditedPlace> = serde_json::from_slice(&text).map_err(|error| {
            let why = format!("it is no list of accounts and Regions: {error}");
            AuditFailure::NotReadable { object: pairs.clone(), why }
        })?;
        places.into_iter().for_each(|place| audit.expect(place));
    }
    let made_at = newest(&audit).unwrap_or_else(|| utc_time(ports.now()));
    let name = folder_name(&made_at);
    let folder = question.output.below(&name);
    environment.progress("reading the summary of the audit before");
    let before = match &question.compare_with {
        Some(object) => {
            let text = required_object(ports, object, "the summary to compare with").await?;
            Some((object.clone(), summary(object, &text)?))
        }
        None => earlier_summary(ports, &question.output, &name).await?,
    };
    let (previous, before) = before.unzip();
    let maker = AuditMaker {
        account: location.account.clone(),
        region: location.region.clone(),
        partition: location.partition.clone(),
    };
    let report = AuditReport::new(audit, before.as_ref(), made_at, maker);
    drop(before);
    environment.progress("writing the report");
    for (name, content_type, format) in FILES {
        let content = written(&report, format)?;
        ports.put_object(&folder.below(name), content_type, content).await?;
    }
    let batches = write_batches(ports, &report, &folder).await?;
    // The summary is the last file of a folder: where it is, the others are.
    let summary =
        serde_json::to_vec(report.summary()).map_err(|error| AuditFailure::Format(error.to_string()))?;
    let summary_object = folder.below(SUMMARY);
    ports.put_object(&summary_object, "application/json", summary).await?;
    write_latest(ports, &question.output, &summary_object, previous.as_ref()).await?;
    let answer = AuditReportAnswer {
        summary: AuditCounts::of(report.totals()),
        fails: report.fails(),
        report: folder.below("report.html").to_string(),
        changes: report.changes().map(ChangeCounts::of),
        asff_batches: batches,
    };
    Ok(serde_json::to_value(answer).unwrap_or_default())
}

/// What a report over an audit says in short, and where it was written.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditReportAnswer<'a> {
    /// How many accounts and Regions are in which state.
    summary: AuditCounts<'a>,
    /// Whether an account and Region fails.
    fails: bool,
    /// The address of the page.
    report: String,
    /// How many accounts and Regions have changed, by the lists of the report. Null if there is no earlier audit.
    changes: Option<ChangeCounts>,
    /// How many batches for Security Hub were written.
    asff_batches: usize,
}

/// The counts without those of groups, of which an organization may have thousands.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct AuditCounts<'a> {
    /// All pairs of an account and a Region.
    places: usize,
    /// The accounts.
    accounts: usize,
    /// The Regions.
    regions: usize,
    /// By what the state means. Every rating is there.
    ratings: &'a BTreeMap<Rating, usize>,
    /// By state. Every state is there; a Region that is not enabled counts as unreadable here.
    states: &'a BTreeMap<AuditState, usize>,
    /// Those that could not be looked at, by reason. Only reasons that occur are there.
    unreadable: &'a BTreeMap<UnreadableReason, usize>,
    /// The keys of the documents, each once.
    keys: usize,
    /// Those who need a key and cannot use it, one for each place.
    locked_out: usize,
}

/// How many accounts and Regions have changed.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct ChangeCounts {
    /// Sessions are not encrypted now, and were, or nobody knew.
    newly_unencrypted: usize,
    /// Somebody cannot use the key now who could, or of whom nobody knew; or every session fails now.
    newly_locked_out: usize,
    /// It fails now, and did not.
    newly_failing: usize,
    /// It failed, and is good now.
    recovered: usize,
    /// It cannot be looked at now, and could be.
    newly_unreadable: usize,
    /// It has another key now, and had a key.
    other_key: usize,
    /// It was in the earlier audit, and is not in this one.
    gone: usize,
    /// It is in this audit, and was not in the earlier one.
    new: usize,
}

/// The time of the newest line, in whole seconds.
fn newest(audit: &Audit) -> Option<String> {
    audit.lines().filter_map(|line| in_seconds(&line.audited_at)).max()
}

/// A time in UTC in whole seconds. Step Functions writes milliseconds.
fn in_seconds(time: &str) -> Option<String> {
    let (seconds, rest) = time.split_at_checked(19)?;
    let has_form = seconds.bytes().zip(*b"0000-00-00T00:00:00").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == form,
    });
    (has_form && rest.ends_with('Z')).then(|| format!("{seconds}Z"))
}

/// The name of a report's folder: its time, without the characters that some tools do not take in a file's name.
fn folder_name(made_at: &str) -> String {
    format!("{}/", made_at.replace(['-', ':'], ""))
}

/// Whether a name is one of a report's folder.
fn is_folder_name(name: &str) -> bool {
    name.len() == "20260301T120000Z/".len()
        && name.bytes().zip(*b"00000000T000000Z/").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        })
}

/// The summary of the newest report that is earlier than this one.
async fn earlier_summary<P: ReadObjects>(
    ports: &P,
    output: &ObjectAddress,
    name: &str,
) -> Result<Option<(ObjectAddress, AuditSummary)>, AuditFailure> {
    let mut folders = ports.folder(output).await?;
    folders.retain(|folder| is_folder_name(folder) && folder.as_str() < name);
    folders.sort_unstable();
    for folder in folders.iter().rev().take(MOST_LOOKS) {
        let object = output.below(folder).below(SUMMARY);
        if let Some(text) = whole_object(ports, &object).await? {
            let summary = summary(&object, &text)?;
            return Ok(Some((object, summary)));
        }
    }
    Ok(None)
}

fn summary(object: &ObjectAddress, text: &[u8]) -> Result<AuditSummary, AuditFailure> {
    AuditSummary::parse(text).map_err(|error| AuditFailure::NotReadable {
        object: object.clone(),
        why: format!("it is no summary of an audit: {error}"),
    })
}

fn written(report: &AuditReport, format: AuditFormat) -> Result<Vec<u8>, AuditFailure> {
    let mut content = Vec::new();
    report.write(format, &mut content).map_err(|error| AuditFailure::Format(error.to_string()))?;
    Ok(content)
}

/// Writes the batches for Security Hub, and returns how many they are.
async fn write_batches<P: WriteObjects>(
    ports: &P,
    report: &AuditReport,
    folder: &ObjectAddress,
) -> Result<usize, AuditFailure> {
    let batches = (1_usize..).zip(report.asff_batches()).map(|(number, batch)| {
        let object = folder.below(&format!("asff/{number:05}.json"));
        Box::pin(async move { ports.put_object(&object, "application/json", batch).await })
    });
    let mut writes = stream::iter(batches).buffer_unordered(BATCHES_AT_A_TIME);
    let mut written = 0;
    while let Some(write) = writes.next().await {
        write?;
        written += 1;
    }
    Ok(written)
}

/// Names the newest report. If a newer one is named there, this report is of older results, and it stays.
async fn write_latest<P: ReadObjects + WriteObjects>(
    ports: &P,
    output: &ObjectAddress,
    summary: &ObjectAddress,
    previous: Option<&ObjectAddress>,
) -> Result<(), AuditFailure> {
    let object = output.below(LATEST);
    let summary = summary.to_string();
    if let Some(text) = whole_object(ports, &object).await? {
        let latest: Map<String, Value> = serde_json::from_slice(&text).unwrap_or_default();
        let named = latest.get("summary").and_then(Value::as_str).unwrap_or_default();
        if named.starts_with(&output.to_string()) && named > summary.as_str() {
            return Ok(());
        }
    }
    let latest = json!({"summary": summary, "previous": previous.map(ToString::to_string)});
    Ok(ports.put_object(&object, "application/json", format!("{latest}\n").into_bytes()).await?)
}

impl<'a> AuditCounts<'a> {
    fn of(totals: &'a Totals) -> Self {
        let Totals { ratings, states, unreadable, .. } = totals;
        let Totals { places, accounts, regions, keys, locked_out, .. } = *totals;
        Self { places, accounts, regions, ratings, states, unreadable, keys, locked_out }
    }
}

impl ChangeCounts {
    fn of(changes: &Changes) -> Self {
        Self {
            newly_unencrypted: changes.newly_unencrypted.len(),
            newly_locked_out: changes.newly_locked_out.len(),
            newly_failing: changes.newly_failing.len(),
            recovered: changes.recovered.len(),
            newly_unreadable: changes.newly_unreadable.len(),
            other_key: changes.other_key.len(),
            gone: changes.gone.len(),
            new: changes.new.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_cut_to_seconds_and_becomes_a_folder() {
        for (time, expected) in [
            ("2026-03-01T12:00:00Z", Some("20260301T120000Z/")),
            ("2026-03-01T12:00:00.338Z", Some("20260301T120000Z/")),
            ("2026-03-01T12:00:00+01:00", None),
            ("", None),
            ("yesterday at about noon.Z", None),
        ] {
            let folder = in_seconds(time).map(|time| folder_name(&time));
            assert_eq!(folder.as_deref(), expected, "{time}");
            assert!(folder.is_none_or(|name| is_folder_name(&name)));
        }
        assert!(!is_folder_name("latest.json") && !is_folder_name("20260301T120000Z"));
    }
}
