//! What a run that is cut off between the two writes of a change leaves, in words.

use std::fmt;

/// A document of which the latest version has what is wanted, and the default version may not have it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfChange {
    /// The number of the latest version.
    pub version: u64,
    /// Whether AWS has confirmed that the version exists.
    pub is_confirmed: bool,
}

impl fmt::Display for HalfChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, is_confirmed } = self;
        let state = if *is_confirmed { "is" } else { "may be" };
        write!(
            f,
            "the document {state} half changed: version {version}, the latest, has what was asked for, and the default \
             version may not have it; which of them sessions read is not certain"
        )
    }
}
