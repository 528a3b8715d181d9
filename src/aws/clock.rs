//! The time, and pauses between tries.

use std::time::{Duration, SystemTime};

use super::Aws;
use crate::ports::Clock;

/// No pause is longer than this.
const LONGEST: Duration = Duration::from_secs(3);

impl Clock for Aws {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn pause(&self, attempt: u32) -> Duration {
        let full = self.pause.saturating_mul(1 << attempt.min(10)).min(LONGEST);
        // Jitter over the upper half keeps two writers that collided from colliding again.
        let pause = full.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::time::sleep(pause).await;
        pause
    }
}
