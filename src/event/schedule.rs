//! The clock: a rule with a schedule, or a schedule of EventBridge Scheduler with no input of its own.

use super::Arrival;
use super::event_bridge::Envelope;
use crate::notice::{About, Notice, Source};

pub(super) const DETAIL_TYPE: &str = "Scheduled Event";

pub(super) fn read(envelope: &Envelope<'_>) -> Arrival {
    Arrival::Notice(Notice {
        source: Source::Schedule,
        what: DETAIL_TYPE.to_owned(),
        about: About::Everything,
        by: None,
        at: envelope.time(),
        news: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::{notice, sample};

    #[test]
    fn both_schedulers_ask_to_look_at_everything() {
        for text in [sample!("schedule"), sample!("scheduler")] {
            let expected = Notice {
                source: Source::Schedule,
                what: "Scheduled Event".to_owned(),
                about: About::Everything,
                by: None,
                at: Some("2026-03-04T06:00:00Z".to_owned()),
                news: None,
            };
            assert_eq!(notice(text), expected);
        }
    }
}
