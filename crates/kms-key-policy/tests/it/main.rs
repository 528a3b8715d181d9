//! The integration tests of the crate, all in one test binary.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

mod callers;
mod corpus;
mod fuzz;
mod key_side;
mod limits;
mod properties;
mod source_files;
mod unknown_keys;
mod wildcard_definition;
