//! The integration tests. They are one crate, because each further crate would link the SDK once more.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics has failed"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` marks what tests use")]

mod adapters;
mod architecture;
mod audit;
mod audit_pairs;
mod audit_report;
mod audit_run;
mod bad_input;
mod change_events;
mod cli;
mod clients;
mod custom_resource_pitfalls;
mod cut_off;
mod document;
mod document_permissions;
mod effort;
mod fault_matrix;
mod faults;
mod fixture;
mod golden;
mod hand_runs;
mod histories;
mod keys;
mod kills;
mod log_lines;
mod model;
mod ownership;
mod policy;
mod preflight;
mod read_only;
mod reference;
mod remediation;
mod report;
mod round_trip;
mod rounds;
mod schemas;
mod security;
mod session_key;
mod start;
mod stub;
mod stub_tests;
mod terraform;
mod told_faults;
