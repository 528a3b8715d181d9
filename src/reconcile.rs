//! Reconciliation, as far as it writes: observe, plan, write the record, write the document, read back, until nothing
//! differs.
//!
//! Decisions are values: pure functions make a [`Plan`] of an [`Observation`]. Every round begins with a fresh
//! observation. The last round, in which nothing is left to do, is the read-back that SUCCESS stands for.

mod converge;
mod error;
mod establish;
mod half_change;
mod observe;
mod observer;
mod outcome;
mod plan;
mod record;
mod release;
mod rollback;
mod run;
mod session_keys;
mod stored_record;
mod uniqueness;
mod waits;

pub(crate) use converge::{Converged, Convergence, Purpose, converge};
pub use error::ReconcileError;
pub use establish::{EstablishRequest, Preview, establish, preview};
pub use half_change::HalfChange;
pub use observe::{Observation, ObservedDocument, ObservedVersion};
pub use outcome::Outcome;
pub use plan::{Goal, Plan, PlanError, Step, plan_establish, plan_release};
pub use record::{
    BeforeChange, Breaker, HOUR, Record, RecordError, RecordedKeyTrouble, RecordedRepair, RemediationState,
    UntoldRepair, Versions, digest,
};
pub use release::{ReleasePreview, ReleaseRequest, preview_release, release};
pub(crate) use release::{released_for, seconds};
pub use rollback::return_to_accepted;
pub(crate) use run::Run;
pub use session_keys::{SessionKeys, session_keys};
pub use stored_record::read_record;
pub(crate) use stored_record::rewrite_record;
