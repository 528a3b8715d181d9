//! What every operation works with: the ports, the account and Region that they reach, and who follows the progress.

use crate::location::Location;

/// The environment of an operation. It is copied freely, as all of it is borrowed.
pub struct Environment<'a, P> {
    /// The ports.
    pub ports: &'a P,
    /// The account and Region that the ports reach.
    pub location: &'a Location,
    progress: &'a dyn Fn(&str),
}

impl<'a, P> Environment<'a, P> {
    /// An environment in which nobody follows the progress.
    pub fn new(ports: &'a P, location: &'a Location) -> Self {
        Self { ports, location, progress: &|_| () }
    }

    /// The same environment with somebody who follows the progress: a request that runs out of time is answered with
    /// the last step.
    #[must_use]
    pub fn with_progress(self, progress: &'a dyn Fn(&str)) -> Self {
        Self { progress, ..self }
    }

    /// Says which step comes next, such as `reading the document and the record`.
    pub fn progress(&self, step: &str) {
        (self.progress)(step);
    }
}

// Derived, these would ask for `P: Clone` and `P: Copy`.
impl<P> Clone for Environment<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Environment<'_, P> {}

impl<P> std::fmt::Debug for Environment<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("location", self.location).finish_non_exhaustive()
    }
}
