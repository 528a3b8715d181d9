//! KMS keys as values: how a key is named, where it lives, and whether it can encrypt sessions at all.
//!
//! Pure. A reference is parsed once, at the edge; from there on a [`KeyArn`] is known to be one.

mod arn;
mod fitness;
mod reference;

pub use arn::{KeyArn, KeyArnError};
pub use fitness::{Caution, Fitness, KeyDescription, MultiRegion, Unfit, fitness};
pub use reference::{KeyRef, KeyRefError, Misplaced};
