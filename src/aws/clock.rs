//! The time, and pauses between tries.

use std::time::{Duration, SystemTime};

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
