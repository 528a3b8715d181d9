//! Integration tests, one crate: each further one is another link of the SDK.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` marks what tests use")]

mod architecture;
mod stub;
mod stub_proof;
