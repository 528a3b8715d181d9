//! The audit of many accounts and Regions: one line for each, and the report over all lines. Pure.

mod changes;
mod collected;
mod formats;
mod line;
mod rating;
mod report;
mod results;
mod summary;
mod totals;

pub use changes::{Changes, PlaceChange};
pub use collected::Audit;
#[cfg(feature = "cli")]
pub(crate) use formats::json::AuditReportJson;
pub use line::{
    AuditFinding, AuditLine, AuditState, AuditedDocument, AuditedKey, AuditedPlace, LockedOut, Unreadable,
    UnreadableReason,
};
pub use rating::Rating;
pub use report::{ASFF_BATCH, AuditFormat, AuditMaker, AuditReport};
pub use results::{ResultFile, ResultManifest, ResultProblem, ResultReader, StoredResult, read_results};
pub use summary::{AuditSummary, SummaryPlace};
pub use totals::{GroupTotals, Totals};
