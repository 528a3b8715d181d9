//! The pauses between attempts, for the sender of responses and for resources that retry calls of their own.

use std::time::Duration;

/// Pauses that double from retry to retry, with jitter, so that functions that failed together do not retry together.
///
/// ```
/// use std::time::Duration;
/// use cloudformation_custom_resource::Backoff;
///
/// let backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(5) };
/// let third = backoff.pause(2);
/// assert!((Duration::from_millis(400)..=Duration::from_millis(800)).contains(&third));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest pause before the first retry.
    pub first: Duration,
    /// The longest pause before any retry.
    pub longest: Duration,
}

impl Backoff {
    /// The pause before a retry, where `earlier` retries came before it. Its length is random, between half of the
    /// doubled pause and all of it.
    pub fn pause(&self, earlier: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << earlier.min(20)).min(self.longest);
        doubled.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_vary_between_half_and_all_of_their_length() {
        let longest = Duration::from_millis(200);
        let backoff = Backoff { first: longest, longest: Duration::from_secs(5) };
        let pauses: Vec<_> = (0..100).map(|_| backoff.pause(0)).collect();
        assert!(pauses.iter().all(|pause| (longest / 2..=longest).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(6) };
        for (earlier, longest) in [(0, 1), (1, 2), (2, 4), (3, 6), (30, 6), (u32::MAX, 6)] {
            let longest = Duration::from_secs(longest);
            assert!((longest / 2..=longest).contains(&backoff.pause(earlier)), "{earlier}");
        }
    }
}
