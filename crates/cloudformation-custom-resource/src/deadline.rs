//! How long the work may take, so that time for the response is always left.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The longest time that is reserved for the response. If there is little time in all, a quarter of it is reserved.
const LONGEST_MARGIN: Duration = Duration::from_secs(10);

/// The limits that are known when a request arrives.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// When the request arrived.
    pub arrived: SystemTime,
    /// When Lambda ends the function. A time before the arrival means that it is unknown: local runtimes send a
    /// constant.
    pub function: SystemTime,
    /// How long CloudFormation waits for a response.
    pub service_timeout: Duration,
    /// When the response URL expires, if it says so.
    pub response_url: Option<SystemTime>,
}

/// When the work must stop, and when the response must have been sent.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use cloudformation_custom_resource::{Deadline, Limit, TimeLimits};
///
/// let arrived = SystemTime::UNIX_EPOCH;
/// let deadline = Deadline::of(&TimeLimits {
///     arrived,
///     function: arrived + Duration::from_secs(120),
///     service_timeout: Duration::from_secs(3600),
///     response_url: None,
/// });
/// assert_eq!(deadline.limit(), Limit::Function);
/// assert_eq!(deadline.left_to_work(arrived), Duration::from_secs(110));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    arrived: SystemTime,
    work: SystemTime,
    response: SystemTime,
    limit: Limit,
}

impl Deadline {
    /// The earliest of the known limits, less the time that is reserved for the response.
    pub fn of(limits: &TimeLimits) -> Self {
        let after_arrival = |end: SystemTime| end.duration_since(limits.arrived).unwrap_or_default();
        let mut total = limits.service_timeout;
        let mut limit = Limit::ServiceTimeout;
        let function = Some(limits.function).filter(|end| *end > limits.arrived);
        for (end, of) in [(function, Limit::Function), (limits.response_url, Limit::ResponseUrl)] {
            if let Some(left) = end.map(after_arrival).filter(|left| *left < total) {
                (total, limit) = (left, of);
            }
        }
        let margin = LONGEST_MARGIN.min(total / 4);
        Self {
            arrived: limits.arrived,
            work: limits.arrived + (total - margin),
            // The last tenth is for the return to Lambda.
            response: limits.arrived + (total - margin / 10),
            limit,
        }
    }

    /// The limit that comes first.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Time since the request arrived.
    pub fn elapsed(&self, now: SystemTime) -> Duration {
        now.duration_since(self.arrived).unwrap_or_default()
    }

    /// Time left for the work; zero when it is over.
    pub fn left_to_work(&self, now: SystemTime) -> Duration {
        self.work.duration_since(now).unwrap_or_default()
    }

    /// Time left until the response must have been accepted; zero when it is over.
    pub fn left_to_respond(&self, now: SystemTime) -> Duration {
        self.response.duration_since(now).unwrap_or_default()
    }
}

/// What limits the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The time-out of the Lambda function.
    Function,
    /// The `ServiceTimeout` of the resource.
    ServiceTimeout,
    /// The expiry of the response URL.
    ResponseUrl,
}

impl fmt::Display for Limit {
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
