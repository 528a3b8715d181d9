//! The checks that come before any write: one file each, from what was observed to findings.

mod accounts;
mod decision;
mod dry_run;
mod finding;
mod identities;
mod judged;
mod key_fitness;
mod key_policy;
mod nodes;
mod observation;
mod unread;
mod users;

pub use crate::intent::Mode;
pub use accounts::assess_accounts;
pub use decision::{Access, Assessment, IdentityRemedy, Remedies, assess};
pub use finding::{Check, Finding, Verdict, summary};
pub use key_fitness::key_fitness;
pub use observation::{
    AccessObservation, Agents, Attributes, DryRun, Nodes, OtherOwner, Read, Sessions, Subject,
};
