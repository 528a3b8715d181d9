//! The preflight: finding out who can use a key. It only reads: the ports that it takes have no method that changes
//! anything.
//!
//! Observing reads what there is to know ([`observe_access`]). Assessing is pure: it makes findings of what was observed
//! ([`assess`]), one check a file under `checks/`. Checking does both ([`check_key()`],
//! [`check_access()`], [`check_key_access()`]).

mod assessment;
mod assessor;
mod check_access;
mod check_key;
mod check_key_access;
mod checks;
mod finding;
mod key_error;
mod listed_policies;
mod lookups;
mod network;
mod observation;
mod observe;
mod own_side;
mod principals;
mod remedies;
mod unread;

pub use assessment::{Assessment, PrincipalAccess, assess};
pub use check_access::{blocking, check_access};
pub(crate) use check_access::{log_assessment, refuse_if_blocked};
pub use check_key::{KeyUsability, check_key, describe_key, key_usability, refuse_if_unfit};
pub use check_key_access::check_key_access;
pub use checks::assess_accounts;
pub(crate) use checks::key_fitness;
pub use finding::{Check, Finding, Verdict, summary};
pub use key_error::{KeyError, KeyFault, KeyStanding};
pub(crate) use lookups::read_attributes;
pub use network::NetworkObservation;
pub use observation::{
    AccessObservation, AccessQuestion, Attributes, InstanceNode, LeftOut, Need, NodeCount, Nodes, OtherOwner,
    Read, Sessions, Subject, UnknownDocument,
};
pub use observe::observe_access;
pub(crate) use remedies::listed;
pub use remedies::{IdentityRemedy, Remedies, ResourceRemedy, key_policy_title};
pub use unread::Unread;

/// How many reads of one kind run at a time.
const READS_AT_A_TIME: usize = 8;
