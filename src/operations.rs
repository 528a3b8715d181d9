//! What is asked about an account's Region and answered by a report, whoever asks: the command line and direct
//! calls. Asked the same, both get the same report.

mod change;
mod check;
mod status;

pub use change::{Proposal, Wanted, carry_out};
pub use check::{check, check_report, observe_key};
pub use status::{status, status_report};
