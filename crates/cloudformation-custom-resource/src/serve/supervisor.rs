//! Runs the work so that it always ends: in time, and without ending the function.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use crate::deadline::Limit;
use crate::response::Failure;
use crate::sender::ResponseConnection;

/// The step at which the work is, for the response if the work has to be stopped.
#[derive(Default)]
pub struct Progress {
    step: Cell<String>,
    connection: Option<ResponseConnection>,
}

impl Progress {
    /// The progress of work whose response will be sent over this connection.
    pub(super) fn with_connection(connection: Option<ResponseConnection>) -> Self {
        let progress = Self { step: Cell::default(), connection };
        progress.keep_connection();
        progress
    }

    /// Sets the step that begins now, such as `waiting for the new version`.
    pub fn set(&self, step: impl Into<String>) {
        self.step.set(step.into());
        self.keep_connection();
    }

    /// The receiver closes a connection that waits for long. Each step opens it again, so that it is there when the last
    /// one ends.
    fn keep_connection(&self) {
        if let Some(connection) = &self.connection {
            connection.open();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// Turns a panic and a time-out into failures.
pub(super) struct Supervisor<'a> {
    /// Lambda's request id, by which people search the log.
    pub(super) request_id: &'a str,
    /// What limits the time.
    pub(super) limit: Limit,
    /// Time left for the work.
    pub(super) left: Duration,
    /// The step at which the work is.
    pub(super) progress: &'a Progress,
    /// What the work waits for.
    pub(super) waiting_for: &'a dyn Fn() -> Option<String>,
}

impl Supervisor<'_> {
    /// Runs the work to its end, its panic or the end of the time, whichever comes first.
    pub(super) async fn run<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let mut work = pin!(timeout(self.left, caught(work)));
        let reason = match work.as_mut().await {
            Ok(Ok(result)) => return result,
            // The message of a panic may hold anything, so the response does not repeat it.
            Ok(Err(Panicked)) => {
                format!("internal error, see the function's log for request {}", self.request_id)
            }
            Err(_) => {
                let step = self.progress.step.take();
                let step = if step.is_empty() { "starting" } else { &step };
                let waiting = (self.waiting_for)().map(|what| format!("; {what}")).unwrap_or_default();
                format!(
                    "stopped after {} s, as {} is near; what it was doing: {step}{waiting}",
                    self.left.as_secs(),
                    self.limit
                )
            }
        };
        Err(Failure { reason })
    }
}

struct Panicked;

/// Awaits a future and turns a panic in it into an error. After a panic the future is dropped and never polled again.
async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}
