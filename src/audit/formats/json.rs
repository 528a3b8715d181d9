//! The report over an audit as one JSON object, with one line for each account and Region.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::audit::{AuditLine, AuditReport, Rating};
#[cfg(feature = "cli")]
use crate::audit::{Changes, Totals};

/// The report over an audit of accounts and Regions. It is written line by line, so that a large one needs no memory, and
/// only the schema is made from this type; the schema is held by what is written.
#[cfg(feature = "cli")]
#[derive(schemars::JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "no report is held as a whole")]
pub(crate) struct AuditReportJson<'a> {
    /// When the report was made, in UTC, as RFC 3339 writes it.
    made_at: &'a str,
    /// Whether an account and Region fails.
    fails: bool,
    /// How many accounts and Regions are in which state.
    totals: Totals,
    /// What has changed since an earlier audit, if one was given.
    changes: Option<Changes>,
    /// What else the reader should know, one line each.
    notes: Vec<&'a str>,
    /// The accounts and Regions, those that need somebody first.
    rows: Vec<AuditRow<'a>>,
}

/// A line with what the whole audit knows of it.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(crate) struct AuditRow<'a> {
    /// What the state means.
    rating: Rating,
    /// When an audit first found it in this state, as far as the audits were compared with each other.
    since: &'a str,
    #[serde(flatten)]
    line: &'a AuditLine,
}

/// Writes the report.
pub(in crate::audit) fn write(report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"madeAt\":")?;
    value(out, &report.made_at())?;
    write!(out, ",\n\"fails\":{},\n\"totals\":", report.fails())?;
    value(out, report.totals())?;
    write!(out, ",\n\"changes\":")?;
    value(out, &report.changes())?;
    let notes: Vec<_> = report.audit().notes().collect();
    write!(out, ",\n\"notes\":")?;
    value(out, &notes)?;
    write!(out, ",\n\"rows\":[")?;
    for (number, (line, place)) in report.rows().enumerate() {
        out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
        value(out, &AuditRow { rating: place.rating(), since: &place.since, line })?;
    }
    out.write_all(b"\n]}\n")
}

/// Writes a value as JSON.
pub(super) fn value(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    // Through a buffer: a writer is asked for many small pieces otherwise.
    out.write_all(&serde_json::to_vec(value)?)
}

/// Adds the members of an object to another one.
pub(super) fn extend(value: &mut Value, parts: Value) {
    if let (Value::Object(value), Value::Object(parts)) = (value, parts) {
        value.extend(parts);
    }
}
