//! The one way through the house: observe, judge, plan, record, apply, verify.
//!
//! Decisions are values: a [`Plan`] is made by pure functions from an [`Observation`]. What touches the
//! outside does it through the traits of [`ports`], and every round begins with a fresh observation: the
//! last round, in which nothing is left to do, is the read-back that SUCCESS stands for.

mod apply;
mod drive;
mod error;
mod establish;
mod fleet;
mod gather;
mod judge;
mod keep;
mod key_access;
mod lookups;
mod observe;
mod outcome;
mod own_side;
mod plan;
pub mod ports;
mod prove;
mod recall;
mod record;
mod release;

pub use error::ReconcileError;
pub use establish::{Establish, Preview, establish, preview, unchanged};
pub use gather::gather;
pub use judge::judge_key;
pub use keep::{Keep, KeepResult, Kept, keep};
pub use key_access::key_access;
pub use observe::{Observation, ObservedDocument, ObservedVersion};
pub use outcome::Outcome;
pub use plan::{Goal, Plan, PlanError, Step, plan_establish, plan_release};
pub use prove::{blocking, prove};
pub use recall::recall;
pub use record::{Breaker, HOUR, OnTrouble, Record, RecordError, There, Versions, Watch, digest};
pub use release::{Release, release};
