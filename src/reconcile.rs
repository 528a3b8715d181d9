//! The one way through the house: observe, judge, plan, record, apply, verify.
//!
//! Decisions are values: a [`Plan`] is made by pure functions from an [`Observation`]. What touches the
//! outside does it through the traits of [`ports`], and every round begins with a fresh observation: the
//! last round, in which nothing is left to do, is the read-back that SUCCESS stands for.

mod converge;
mod error;
mod establish;
mod observe;
mod outcome;
mod plan;
mod record;
mod release;
mod run;
mod stored_record;

pub(crate) use converge::{Converged, Convergence, converge};
pub use error::ReconcileError;
pub use establish::{Establish, Preview, establish, preview, unchanged};
pub use observe::{Observation, ObservedDocument, ObservedVersion};
pub use outcome::Outcome;
pub use plan::{Goal, Plan, PlanError, Step, plan_establish, plan_release};
pub use record::{Breaker, HOUR, OnTrouble, Record, RecordError, There, Versions, Watch, digest};
pub use release::{Release, release};
pub(crate) use run::Run;
pub use stored_record::read_record;
