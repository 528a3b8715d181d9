//! The time, and pauses between tries.

use std::time::{Duration, SystemTime};

use super::Aws;
use crate::ports::Clock;
use cloudformation_custom_resource::Backoff;

/// No pause is longer than this.
const LONGEST: Duration = Duration::from_secs(3);

impl Clock for Aws {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn pause(&self, attempt: u32) -> Duration {
        let pause = Backoff { first: self.pause, longest: LONGEST }.pause(attempt);
        tokio::time::sleep(pause).await;
        pause
    }
}
