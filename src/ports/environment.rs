//! What every operation works with: the ports, the account and Region that they reach, and who follows the progress.

use std::cell::Cell;
use std::time::SystemTime;

use super::{AwsError, Clock, FleetMemory};
use crate::location::Location;

/// The environment of an operation. It is copied freely, as all of it is borrowed.
pub struct Environment<'a, P> {
    /// The ports.
    pub ports: &'a P,
    /// The account and Region that the ports reach.
    pub location: &'a Location,
    /// What has been read of the users and nodes. `None` if every read is made.
    pub(super) memory: Option<&'a FleetMemory>,
    denials: Option<&'a DenialRetries>,
    /// Whether both calls of a session are tried as dry runs.
    pub(crate) tries_key: bool,
    /// Whether the policies of many principals are read from IAM's list of the account.
    pub(crate) lists_policies: bool,
    progress: &'a dyn Fn(&str),
}

/// How often calls that were denied are made again, by a role that may be seconds old. All calls of a request share it.
#[derive(Debug)]
pub struct DenialRetries {
    attempts: Cell<u32>,
    most: u32,
    until: SystemTime,
}

impl DenialRetries {
    /// At most so many retries, and none from this time on.
    #[must_use]
    pub fn new(most: u32, until: SystemTime) -> Self {
        Self { attempts: Cell::new(0), most, until }
    }

    /// Pauses before a call that was denied is made again. The result is `false`, at once, if the denial counts.
    pub async fn pause(&self, clock: &impl Clock, error: &AwsError) -> bool {
        let attempt = self.attempts.get() + 1;
        if attempt > self.most || clock.now() >= self.until {
            return false;
        }
        self.attempts.set(attempt);
        tracing::info!(attempt, %error, "trying again, since the role may be seconds old");
        clock.pause(attempt).await;
        true
    }
}

impl<P: Clock> Environment<'_, P> {
    /// Makes a call, and makes it again if it is denied, as often as [`DenialRetries`] allows.
    pub(crate) async fn despite_denial<T>(
        &self,
        call: impl AsyncFn() -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        loop {
            // Boxed: the state of a call is large.
            match Box::pin(call()).await {
                Err(error)
                    if error.is_denied()
                        && let Some(denials) = self.denials
                        && denials.pause(self.ports, &error).await => {}
                result => return result,
            }
        }
    }
}

impl<'a, P> Environment<'a, P> {
    /// An environment in which nobody follows the progress, no read is remembered, a denial counts at once, no key is tried,
    /// and IAM's simulator is asked about each principal.
    pub fn new(ports: &'a P, location: &'a Location) -> Self {
        Self {
            ports,
            location,
            memory: None,
            denials: None,
            tries_key: false,
            lists_policies: false,
            progress: &|_| (),
        }
    }

    /// The same environment with a memory for what is read of users and nodes.
    #[must_use]
    pub fn with_memory(self, memory: &'a FleetMemory) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// The same environment, in which a write that is denied is made again.
    #[must_use]
    pub fn with_denial_retries(self, denials: &'a DenialRetries) -> Self {
        Self { denials: Some(denials), ..self }
    }

    /// The same environment, in which both calls of a session are tried as dry runs, with the caller's own permissions, or
    /// are not made at all.
    #[must_use]
    pub fn with_dry_run(self, tries_key: bool) -> Self {
        Self { tries_key, ..self }
    }

    /// The same environment, in which the policies of many principals are read from IAM's list of the account, with
    /// `iam:GetAccountAuthorizationDetails`. Few principals are simulated all the same.
    #[must_use]
    pub fn with_listed_policies(self, lists_policies: bool) -> Self {
        Self { lists_policies, ..self }
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
