//! The report over an audit: its lines, its counts, and what has changed since the last one.

use std::io;

use super::formats::{asff, csv, html, json, ocsf, text};
use super::{Audit, AuditLine, AuditState, AuditSummary, Changes, Rating, SummaryPlace, Totals};

/// How many findings `BatchImportFindings` of Security Hub takes at a time.
pub const ASFF_BATCH: usize = 100;
/// The document, if no line of the audit names one.
const USUAL_DOCUMENT: &str = "SSM-SessionManagerRunShell";

/// The report over an audit.
#[derive(Clone, Debug)]
pub struct AuditReport {
    audit: Audit,
    /// When the report was made, in UTC, as RFC 3339 writes it.
    made_at: String,
    made_by: AuditMaker,
    totals: Totals,
    summary: AuditSummary,
    changes: Option<Changes>,
    /// The states of the rows in the last audit, in the order of the rows.
    before: Vec<Option<AuditState>>,
    /// The places that had a finding in the last audit and have no state now: they are not in this audit, or their
    /// Region is no longer enabled.
    closed: Vec<(String, String)>,
    /// The name of the document of all lines.
    document: String,
}

/// Who made the report: Security Hub takes findings of its own account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditMaker {
    /// The account that imports the findings.
    pub account: String,
    /// The Region whose Security Hub gets the findings.
    pub region: String,
    /// The partition, such as `aws`.
    pub partition: String,
}

/// The formats of the report over an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFormat {
    /// For a terminal.
    Text {
        /// Whether escape sequences for colour may be written.
        colour: bool,
    },
    /// For programs: one JSON object.
    Json,
    /// For spreadsheets: one row for each account and Region.
    Csv,
    /// For a browser: one file that loads nothing else.
    Html,
    /// For AWS Security Hub: one finding a line.
    Asff,
    /// For other tools: one Compliance Finding of OCSF a line.
    Ocsf,
}

impl AuditReport {
    /// The report over an audit, compared with the summary of the last one if there is one.
    ///
    /// The time is in UTC, as RFC 3339 writes it: `2026-03-01T12:00:00Z`.
    #[must_use]
    pub fn new(audit: Audit, previous: Option<&AuditSummary>, made_at: String, made_by: AuditMaker) -> Self {
        let summary = audit.summary(&made_at, previous);
        let changes = previous.map(|previous| Changes::between(previous, &summary));
        let before = summary.places.iter().map(|place| {
            previous?
                .place(&place.account, &place.region)
                .filter(|place| has_finding(place))
                .map(|place| place.state)
        });
        let before = before.collect();
        let closed = previous.iter().flat_map(|previous| &previous.places).filter(|place| {
            let now = summary.place(&place.account, &place.region);
            has_finding(place) && !now.is_some_and(has_finding)
        });
        let closed = closed.map(|place| (place.account.clone(), place.region.clone())).collect();
        let document = audit.lines().find_map(|line| line.document.as_ref());
        let document = document.map_or_else(|| USUAL_DOCUMENT.to_owned(), |document| document.name.clone());
        Self { totals: audit.totals(), audit, made_at, made_by, summary, changes, before, closed, document }
    }

    /// Writes the report in a format. It ends with a line end.
    ///
    /// # Errors
    ///
    /// If the writer fails.
    pub fn write(&self, format: AuditFormat, out: &mut impl io::Write) -> io::Result<()> {
        let out: &mut dyn io::Write = out;
        match format {
            AuditFormat::Text { colour } => text::write(self, colour, out),
            AuditFormat::Json => json::write(self, out),
            AuditFormat::Csv => csv::write(self, out),
            AuditFormat::Html => html::write(self, out),
            AuditFormat::Asff => asff::write(self, out),
            AuditFormat::Ocsf => ocsf::write(self, out),
        }
    }

    /// The findings for `BatchImportFindings` of Security Hub: each text is a JSON array of at most [`ASFF_BATCH`]
    /// findings and 200 KB, so that a state of Step Functions can carry it.
    pub fn asff_batches(&self) -> impl Iterator<Item = Vec<u8>> {
        asff::batches(self)
    }

    /// The lines of the audit.
    #[must_use]
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The counts.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What has changed since the last audit; `None` if there is no last one.
    #[must_use]
    pub fn changes(&self) -> Option<&Changes> {
        self.changes.as_ref()
    }

    /// What the next audit is compared with.
    #[must_use]
    pub fn summary(&self) -> &AuditSummary {
        &self.summary
    }

    /// Whether an account and Region fails or is not known.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.audit.fails()
    }

    /// When the report was made.
    pub(super) fn made_at(&self) -> &str {
        &self.made_at
    }

    /// Who made the report.
    pub(super) fn made_by(&self) -> &AuditMaker {
        &self.made_by
    }

    /// The name of the document.
    pub(super) fn document(&self) -> &str {
        &self.document
    }

    /// The places whose finding of the last audit is to be closed, and that have none now.
    pub(super) fn closed(&self) -> &[(String, String)] {
        &self.closed
    }

    /// The lines that are a finding, good ones included, each with what is kept of it and its state in the last audit.
    pub(super) fn findings(&self) -> impl Iterator<Item = (&AuditLine, &SummaryPlace, Option<AuditState>)> {
        let rows = self.rows().zip(&self.before).filter(|((_, kept), _)| has_finding(kept));
        rows.map(|((line, kept), before)| (line, kept, *before))
    }

    /// The lines with what is kept of each. Both are in the order of accounts and Regions.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&AuditLine, &SummaryPlace)> {
        self.audit.lines().zip(&self.summary.places)
    }
}

/// Whether a place is a finding. A Region that is not enabled is none.
fn has_finding(place: &SummaryPlace) -> bool {
    place.rating() != Rating::NotEnabled
}
