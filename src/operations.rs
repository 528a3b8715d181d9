//! The operations that the command line and direct calls ask for: status, check, plan, apply and release. Each is asked of an
//! account and Region, and is answered by a report. Both get the same report for the same question.

mod change;
mod check;
mod release;
mod status;

pub use change::{ChangeRequest, Proposal, apply};
pub use check::{check, check_report, observe_key};
pub use release::{Release, ReleaseProposal};
pub use status::{status, status_report};
