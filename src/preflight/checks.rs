//! The checks, one file each: from what was observed to findings. Pure.

mod accounts;
pub(super) mod dry_run;
pub(super) mod identities;
pub(super) mod just_in_time;
mod key_fitness;
pub(super) mod key_policy;
pub(super) mod network;
pub(super) mod nodes;
mod unread;
pub(super) mod users;

pub use accounts::assess_accounts;
pub(crate) use key_fitness::key_fitness;
