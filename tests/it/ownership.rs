//! Ownership of the document: several stacks, and one stack whose requests are concurrent, fail and are rolled back.

mod concurrent_requests;
mod two_stacks;
mod updates;
