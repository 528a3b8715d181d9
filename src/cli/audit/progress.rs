//! The progress of an audit, as one line on a terminal that is written again and again.

use std::io::Write;
use std::time::{Duration, Instant};

/// How many characters the bar has.
const WIDTH: usize = 24;
/// How long the line stays as it is at least.
const REDRAW: Duration = Duration::from_millis(100);

/// A line that shows how far an audit is.
pub(super) struct ProgressLine<'a, 'w> {
    /// Where it is written; `None` if nobody sees it.
    err: Option<&'a mut (dyn Write + 'w)>,
    counts: ProgressCounts,
    began: Instant,
    drawn: Option<Instant>,
}

/// How far an audit is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProgressCounts {
    pub(super) done: usize,
    pub(super) total: usize,
    pub(super) failing: usize,
    pub(super) unknown: usize,
}

impl<'a, 'w> ProgressLine<'a, 'w> {
    pub(super) fn new(err: Option<&'a mut (dyn Write + 'w)>, total: usize) -> Self {
        let counts = ProgressCounts { total, ..ProgressCounts::default() };
        let mut line = Self { err, counts, began: Instant::now(), drawn: None };
        line.draw();
        line
    }

    /// Counts one more account and Region.
    pub(super) fn count(&mut self, is_failing: bool, is_unknown: bool) {
        self.counts.done += 1;
        self.counts.failing += usize::from(is_failing);
        self.counts.unknown += usize::from(is_unknown);
        let is_due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW);
        if is_due || self.counts.done == self.counts.total {
            self.draw();
        }
    }

    fn draw(&mut self) {
        self.drawn = Some(Instant::now());
        let text = self.counts.text(self.began.elapsed());
        if let Some(err) = &mut self.err {
            // The audit goes on even if nobody sees its progress.
            let _ = write!(err, "\r\u{1b}[K{text}").and_then(|()| err.flush());
        }
    }

    /// Removes the line.
    pub(super) fn end(mut self) {
        if let Some(err) = &mut self.err {
            let _ = write!(err, "\r\u{1b}[K").and_then(|()| err.flush());
        }
    }
}

impl ProgressCounts {
    /// The bar, the counts, the rate and the time that is left, after so much time.
    fn text(self, elapsed: Duration) -> String {
        let Self { done, total, failing, unknown } = self;
        let filled = (WIDTH * done).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(WIDTH - filled));
        let mut text = format!("{bar} {done}/{total}");
        let seconds = elapsed.as_secs_f64();
        if done > 0 && seconds > 0.0 {
            // Counts of accounts and Regions are far below 2^32.
            let of = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            let rate = of(done) / seconds;
            text.push_str(&format!(" · {rate:.1}/s"));
            if done < total {
                let left = Duration::from_secs_f64((of(total - done) / rate).min(1e9));
                text.push_str(&format!(" · {} left", in_words(left)));
            }
        }
        for (count, what) in [(failing, "fail"), (unknown, "not known")] {
            if count > 0 {
                text.push_str(&format!(" · {count} {what}"));
            }
        }
        text
    }
}

fn in_words(left: Duration) -> String {
    let seconds = left.as_secs();
    match seconds {
        0..60 => format!("{} s", seconds.max(1)),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_rate_and_the_time_left() {
        let counts = |done, total| ProgressCounts { done, total, ..ProgressCounts::default() };
        for (counts, seconds, expected) in [
            (counts(0, 10), 0, "0/10"),
            (counts(0, 0), 3, "0/0"),
            (counts(5, 10), 10, "5/10 · 0.5/s · 10 s left"),
            (counts(10, 1000), 10, "10/1000 · 1.0/s · 16 min 30 s left"),
            (counts(1, 1000), 60, "1/1000 · 0.0/s · 16 h 39 min left"),
            (counts(10, 10), 4, "10/10 · 2.5/s"),
        ] {
            let text = counts.text(Duration::from_secs(seconds));
            let (bar, rest) = text.split_once(' ').unwrap();
            assert_eq!((bar.chars().count(), rest), (WIDTH, expected));
        }
        let counts = ProgressCounts { failing: 2, unknown: 1, ..counts(3, 3) };
        assert!(counts.text(Duration::from_secs(1)).ends_with("3/3 · 3.0/s · 2 fail · 1 not known"));
        assert!(counts.text(Duration::ZERO).starts_with(&"█".repeat(WIDTH)));
    }

    #[test]
    fn the_line_is_written_over_and_removed() {
        let mut err = Vec::new();
        let mut line = ProgressLine::new(Some(&mut err), 1);
        line.count(true, false);
        line.end();
        let text = String::from_utf8(err).unwrap();
        assert!(text.contains("1/1") && text.contains("1 fail") && text.ends_with("\r\u{1b}[K"), "{text:?}");
        assert!(!text.contains('\n'));
        // Without a terminal nothing is written.
        ProgressLine::new(None, 1).count(false, false);
    }
}
