//! The operations that the command line and direct calls ask for: status, check, plan, apply, release and audit, each of an
//! account and Region, and the list and the report of an audit of many. Both get the same answer to the same question.

mod audit;
mod audit_failure;
mod audit_pairs;
#[cfg(feature = "cli")]
mod audit_places;
mod audit_report;
mod change;
mod check;
#[cfg(feature = "cli")]
mod key_report;
mod release;
mod status;
mod stored_objects;
mod utc_time;

pub use audit::{audit, unreadable_line};
pub use audit_failure::AuditFailure;
#[cfg(feature = "cli")]
pub(crate) use audit_pairs::PairsAnswer;
pub use audit_pairs::audit_pairs;
#[cfg(feature = "cli")]
pub use audit_places::{AuditPlaces, PlacesQuestion, audit_places};
#[cfg(feature = "cli")]
pub(crate) use audit_report::AuditReportAnswer;
pub use audit_report::audit_report;
pub use change::{ChangeRequest, Proposal, apply};
pub use check::{check, check_report, observe_key};
#[cfg(feature = "cli")]
pub use key_report::{KeyQuestion, KeyReportError, key_report};
pub use release::{Release, ReleaseProposal};
pub use status::{status, status_report};
pub use stored_objects::{required_object, stored_audit};
