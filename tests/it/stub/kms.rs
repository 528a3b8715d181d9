//! The KMS of the stub: keys of several accounts and Regions, who may use them, and what dry runs answer.

mod changes;
mod crypto;
mod keys;
mod lists;
mod lookup;
mod metadata;

pub use keys::{DryRunOrder, Keys};

use super::services::Operation;

/// The operations, a table for each subject.
pub const OPERATIONS: &[&[Operation]] =
    &[metadata::OPERATIONS, lists::OPERATIONS, crypto::OPERATIONS, changes::OPERATIONS];
