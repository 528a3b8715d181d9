//! Preflight: finding out who can use a key. Everything here reads, and nothing can write: the ports that it takes have
//! no method that changes anything.

mod checks;
mod decision;
mod finding;
mod fleet;
mod gather;
mod judge;
mod judged;
mod key_access;
mod lookups;
mod observation;
mod own_side;
mod prove;

pub use crate::intent::Mode;
pub use checks::{assess_accounts, key_fitness};
pub use decision::{Access, Assessment, IdentityRemedy, Remedies, assess};
pub use finding::{Check, Finding, Verdict, summary};
pub use gather::gather;
pub use judge::judge_key;
pub use key_access::key_access;
pub(crate) use lookups::read_what_is_asked;
pub use observation::{
    AccessObservation, Agents, Attributes, DryRun, Nodes, OtherOwner, Read, Sessions, Subject,
};
pub use prove::{blocking, prove};
pub(crate) use prove::{check, log};
