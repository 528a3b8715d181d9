//! How long the work may take, so that time to answer is always left.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The longest time kept for the answer; where there is little in all, a quarter of it.
const LONGEST_MARGIN: Duration = Duration::from_secs(10);

/// The ends that are known when a request arrives.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// When the request arrived.
    pub arrived: SystemTime,
    /// When Lambda ends the function. A time before the arrival means that it is unknown: local runtimes send a constant.
    pub function: SystemTime,
    /// How long CloudFormation waits for an answer.
    pub service_timeout: Duration,
    /// When the response URL ends, where it says so.
    pub response_url: Option<SystemTime>,
}

/// When the work must stop and when the answer must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    arrived: SystemTime,
    work: SystemTime,
    answer: SystemTime,
    bound: Bound,
}

impl Deadline {
    /// The earliest of the known ends, less the margin kept for the answer.
    pub fn of(ends: &Ends) -> Self {
        let after_arrival = |end: SystemTime| end.duration_since(ends.arrived).unwrap_or_default();
        let mut total = ends.service_timeout;
        let mut bound = Bound::ServiceTimeout;
        let function = Some(ends.function).filter(|end| *end > ends.arrived);
        for (end, of) in [(function, Bound::Function), (ends.response_url, Bound::ResponseUrl)] {
            if let Some(left) = end.map(after_arrival).filter(|left| *left < total) {
                (total, bound) = (left, of);
            }
        }
        let margin = LONGEST_MARGIN.min(total / 4);
        Self {
            arrived: ends.arrived,
            work: ends.arrived + (total - margin),
            // A last bit is left for the way back to Lambda.
            answer: ends.arrived + (total - margin / 10),
            bound,
        }
    }

    /// The end that came first.
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// Time since the request arrived.
    pub fn elapsed(&self, now: SystemTime) -> Duration {
        now.duration_since(self.arrived).unwrap_or_default()
    }

    /// Time left for the work; zero when it is over.
    pub fn left_to_work(&self, now: SystemTime) -> Duration {
        self.work.duration_since(now).unwrap_or_default()
    }

    /// Time left until the answer must have been taken; zero when it is over.
    pub fn left_to_answer(&self, now: SystemTime) -> Duration {
        self.answer.duration_since(now).unwrap_or_default()
    }
}

/// What ends the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The Lambda function's time-out.
    Function,
    /// The resource's `ServiceTimeout`.
    ServiceTimeout,
    /// The expiry of the response URL.
    ResponseUrl,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Function => "the time-out of the Lambda function",
            Self::ServiceTimeout => "the ServiceTimeout of the resource",
            Self::ResponseUrl => "the expiry of the response URL",
        })
    }
}

#[cfg(test)]
mod tests;
