//! KMS keys as values: references to keys, key ARNs, and whether a key can encrypt sessions at all.
//!
//! Pure. A reference is parsed once, when it arrives; from there on a [`KeyArn`] is the ARN of a key.

mod arn;
#[cfg(test)]
mod examples;
mod fitness;
mod reference;

pub use arn::{KeyArn, KeyArnError};
#[cfg(test)]
pub(crate) use examples::example_arn;
pub use fitness::{Caution, Fitness, KeyDescription, MultiRegion, Unfit, fitness};
pub use reference::{KeyRef, KeyRefError, Misplaced};
