//! Integration tests, one crate: each further one is another link of the SDK.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` marks what tests use")]

mod adapters;
mod architecture;
mod care;
mod change_events;
mod cli;
mod cut_off;
mod document;
mod faults;
mod fixture;
mod golden;
mod keys;
mod model;
mod ownership;
mod policy;
mod proof;
mod read_only;
mod remediation;
mod report;
mod round_trip;
mod stub;
mod stub_proof;
mod traps;
