//! The checks that come before any write: one file each, from what was observed to findings.

mod finding;
mod key_fitness;

pub use finding::{Check, Finding, Verdict, summary};
pub use key_fitness::key_fitness;
