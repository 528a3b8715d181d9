//! How many calls of IAM run at a time. The reads of a large fleet are some hundreds of calls of one service, and AWS does
//! not say how many it takes, so the number follows its answers: a throttled one halves it, and answers raise it again.
//!
//! The SDK makes a throttled call again after a pause. Without fewer calls at a time, those that are made again would meet
//! the same number of others, and a call fails after five attempts.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::sync::Notify;

/// More calls than the program makes at a time. So many may run as long as nothing is throttled.
const MOST: usize = 32;

/// The pace of one service's calls.
#[derive(Clone, Default)]
pub(super) struct Pace(Arc<Shared>);

#[derive(Default)]
struct Shared {
    limit: Mutex<Limit>,
    /// A call has ended, or more may run.
    changed: Notify,
}

/// How many calls may run, and how many do.
#[derive(Debug, PartialEq, Eq)]
struct Limit {
    most: usize,
    running: usize,
    /// Answers to calls that were made before the number was halved. They say nothing of the new number.
    earlier: usize,
    /// Answers since the number was changed.
    answers: usize,
}

impl Default for Limit {
    fn default() -> Self {
        Self { most: MOST, running: 0, earlier: 0, answers: 0 }
    }
}

impl Limit {
    /// Takes note of an answer. Attempts of one call count each.
    fn answered(&mut self, is_throttled: bool) {
        if self.earlier > 0 {
            self.earlier -= 1;
        } else if is_throttled {
            self.most = (self.most.min(self.running) / 2).max(1);
            self.earlier = self.running.saturating_sub(1);
            self.answers = 0;
        } else if self.most < MOST {
            self.answers += 1;
            if self.answers >= self.most {
                self.most += 1;
                self.answers = 0;
            }
        }
    }
}

/// The turn of a call, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Turn(Pace);

impl Pace {
    /// Waits until one more call may run.
    pub(super) async fn turn(&self) -> Turn {
        loop {
            // It is told of every change from here on, so none is missed between the look and the wait.
            let changed = self.0.changed.notified();
            {
                let mut limit = self.limit();
                if limit.running < limit.most {
                    limit.running += 1;
                    return Turn(self.clone());
                }
            }
            changed.await;
        }
    }

    /// Takes note of an answer.
    pub(super) fn answered(&self, response: &HttpResponse) {
        self.limit().answered(is_throttled(response));
        self.0.changed.notify_waiters();
    }

    fn limit(&self) -> MutexGuard<'_, Limit> {
        self.0.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Self(pace) = self;
        {
            let mut limit = pace.limit();
            limit.running = limit.running.saturating_sub(1);
        }
        pace.0.changed.notify_waiters();
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pace").field(&*self.limit()).finish()
    }
}

/// Whether an answer says that there are too many calls: `Throttling` of IAM, `TooManyRequestsException` of others.
fn is_throttled(response: &HttpResponse) -> bool {
    let is_named = || {
        let body = response.body().bytes().unwrap_or_default();
        [&b"Throttling"[..], b"TooManyRequests"]
            .iter()
            .any(|word| body.windows(word.len()).any(|part| part == *word))
    };
    response.status().as_u16() == 429 || (!response.status().is_success() && is_named())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_answer_halves_the_number_once_and_answers_raise_it_again() {
        let mut limit = Limit { running: 8, ..Limit::default() };
        // All eight are throttled: that is one sign and not eight.
        (0..8).for_each(|_| limit.answered(true));
        assert_eq!(limit.most, 4);
        (0..4).for_each(|_| limit.answered(false));
        assert_eq!(limit.most, 5);
        limit.running = 1;
        for _ in 0..3 {
            limit.answered(true);
        }
        assert_eq!(limit.most, 1, "one call may always run");
        for _ in 0..MOST * MOST {
            limit.answered(false);
        }
        assert_eq!(limit.most, MOST);
    }
}
