//! Work that ends in time: change events, direct calls and questions of AWS Config answer before Lambda ends the function,
//! and say which call had not come back.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use thiserror::Error;

use super::{Calls, Clock};

/// The time that is kept for the answer. If there is little time in all, a quarter of it is kept.
const MARGIN: Duration = Duration::from_secs(10);
/// The time for the work if nobody says how long there is: as long as any function runs.
const UNKNOWN: Duration = Duration::from_secs(900);

/// There was no time left.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "stopped after {seconds} s, as the time-out of the Lambda function is near; what it was doing: {doing}"
)]
pub struct OutOfTime {
    /// How long the work had taken.
    seconds: u64,
    /// What it was doing, and which calls had not been answered.
    doing: String,
}

/// The time that is left for the work, if Lambda ends the function at this time. A time in the past means that it is not
/// known.
pub(crate) fn left_to_work(clock: &impl Clock, deadline: SystemTime) -> Duration {
    let left = deadline.duration_since(clock.now()).unwrap_or(UNKNOWN);
    left - MARGIN.min(left / 4)
}

/// The step at which some work is.
#[derive(Debug, Default)]
pub struct LastStep(RefCell<String>);

impl LastStep {
    /// Sets the step that begins now.
    pub fn set(&self, step: &str) {
        self.0.replace(step.to_owned());
    }
}

/// The time that some work may take, and the step at which it is.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit<'a> {
    /// The time.
    pub time: Duration,
    /// The step.
    pub step: &'a LastStep,
}

/// Does some work within a time. If it takes longer, its future is dropped: what it had written stays, and the next event
/// goes on from there.
pub(crate) async fn within<T>(
    ports: &impl Calls,
    TimeLimit { time, step }: TimeLimit<'_>,
    work: impl Future<Output = T>,
) -> Result<T, OutOfTime> {
    let mut work = std::pin::pin!(tokio::time::timeout(time, work));
    work.as_mut().await.map_err(|_| {
        let step = step.0.take();
        let step = if step.is_empty() { "starting".to_owned() } else { step };
        let doing = [Some(step), waiting_for(ports)].into_iter().flatten().collect::<Vec<_>>().join("; ");
        OutOfTime { seconds: time.as_secs(), doing }
    })
}

/// The calls that AWS has not answered, in words.
pub(crate) fn waiting_for(ports: &impl Calls) -> Option<String> {
    let unanswered = ports.unanswered();
    (!unanswered.is_empty()).then(|| format!("AWS has not answered {}", unanswered.join(", ")))
}
