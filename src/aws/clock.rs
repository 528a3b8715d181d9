//! The time, and pauses between tries.

use std::time::{Duration, SystemTime};

use aws_sdk_ssm::primitives::{DateTime, DateTimeFormat};

use super::Aws;
use crate::ports::Clock;
use cloudformation_custom_resource::Backoff;

/// No pause is longer than the first one times this: 3 seconds, if the first is 200 milliseconds.
const LONGEST_TO_FIRST: u32 = 15;

impl Clock for Aws {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn pause(&self, attempt: u32) -> Duration {
        let pause = Backoff { first: self.pause, longest: self.pause.saturating_mul(LONGEST_TO_FIRST) }
            .pause(attempt);
        tokio::time::sleep(pause).await;
        pause
    }
}

/// The time in UTC and whole seconds, as RFC 3339 writes it.
#[must_use]
pub fn utc_now() -> String {
    let seconds = DateTime::from(SystemTime::now()).secs();
    // No time that a clock can show is out of the format's range.
    DateTime::from_secs(seconds).fmt(DateTimeFormat::DateTime).unwrap_or_default()
}
