//! The report over an audit as CSV (RFC 4180), one row for each account and Region.

use std::io::{self, Write};

use crate::audit::{AuditLine, AuditReport, Rating, SummaryPlace};
use crate::preflight::Verdict;

/// The columns. Others may be added behind them; none changes its name or its place.
const COLUMNS: [&str; 25] = [
    "account",
    "accountName",
    "organizationalUnit",
    "region",
    "state",
    "rating",
    "since",
    "auditedAt",
    "unreadableReason",
    "unreadableMessage",
    "document",
    "latestVersion",
    "defaultVersion",
    "kmsKeyId",
    "defaultKmsKeyId",
    "keyArn",
    "keyAccount",
    "keyIsFit",
    "owner",
    "wanted",
    "drifted",
    "lockedOut",
    "network",
    "problems",
    "findings",
];
/// How many characters a cell has at most: that is the limit of spreadsheets.
const LONGEST_CELL: usize = 32_000;

/// Writes the report.
pub(in crate::audit) fn write(report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
    let mut row = COLUMNS.join(",");
    row.push_str("\r\n");
    out.write_all(row.as_bytes())?;
    for (line, kept) in report.rows() {
        row.clear();
        for cell in cells(line, kept) {
            if !row.is_empty() {
                row.push(',');
            }
            push(&mut row, &cell);
        }
        row.push_str("\r\n");
        out.write_all(row.as_bytes())?;
    }
    Ok(())
}

fn cells(line: &AuditLine, kept: &SummaryPlace) -> [String; COLUMNS.len()] {
    let place = &line.place;
    let rating = line.rating();
    let state = if rating == Rating::NotEnabled { "regionNotEnabled" } else { line.state.name() };
    let document = line.document.as_ref();
    let key = line.keys.first();
    let locked_out =
        line.locked_out.iter().map(|locked_out| format!("{} ({})", locked_out.principal, locked_out.side));
    let others = line.problems.iter().chain(&line.unknown).cloned();
    [
        place.account.clone(),
        place.account_name.clone().unwrap_or_default(),
        place.organizational_unit.clone().unwrap_or_default(),
        place.region.clone(),
        state.to_owned(),
        rating.name().to_owned(),
        kept.since.clone(),
        line.audited_at.clone(),
        line.reason().map(|reason| reason.name().to_owned()).unwrap_or_default(),
        line.unreadable.as_ref().map(|unreadable| unreadable.message.clone()).unwrap_or_default(),
        document.map(|document| document.name.clone()).unwrap_or_default(),
        document.map(|document| document.latest.to_string()).unwrap_or_default(),
        document.map(|document| document.default.to_string()).unwrap_or_default(),
        document.map(|document| document.kms_key_id.clone()).unwrap_or_default(),
        document.and_then(|document| document.default_kms_key_id.clone()).unwrap_or_default(),
        key.and_then(|key| key.arn.clone()).unwrap_or_default(),
        key.and_then(|key| key.account.clone()).unwrap_or_default(),
        key.and_then(|key| key.is_fit).map(|is_fit| is_fit.to_string()).unwrap_or_default(),
        line.owner.clone().unwrap_or_default(),
        line.wanted.clone().unwrap_or_default(),
        line.drifted.to_string(),
        locked_out.collect::<Vec<_>>().join("\n"),
        line.network.map(network).unwrap_or_default().to_owned(),
        others.collect::<Vec<_>>().join("\n"),
        (line.findings.len() + line.findings_left_out).to_string(),
    ]
}

fn network(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warning => "warning",
        Verdict::Unknown => "unknown",
        Verdict::Fail => "fail",
    }
}

/// Adds a cell. A spreadsheet takes a cell with one of these first signs for a formula; an apostrophe before it makes it
/// a text. A text that has an apostrophe there gets another one, so that the cell can be read back.
fn push(row: &mut String, cell: &str) {
    let is_guarded = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'', '＝', '＋', '－', '＠']);
    let is_quoted =
        is_guarded || cell.contains([',', '"', '\r', '\n']) || cell.starts_with(' ') || cell.ends_with(' ');
    if !is_quoted {
        row.push_str(cell);
        return;
    }
    row.push('"');
    if is_guarded {
        row.push('\'');
    }
    for c in cell.chars().take(LONGEST_CELL) {
        if c == '"' {
            row.push('"');
        }
        row.push(c);
    }
    row.push('"');
}
