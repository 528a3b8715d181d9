//! A schedule: that of an EventBridge rule, or of EventBridge Scheduler without an input of its own.

use super::Event;
use super::event_bridge::EventBridgeEnvelope;
use crate::change_event::{ChangeEvent, ChangeSource, Scope};

pub(super) const DETAIL_TYPE: &str = "Scheduled Event";

pub(super) fn read(envelope: &EventBridgeEnvelope<'_>) -> Event {
    Event::ChangeEvent(ChangeEvent {
        source: ChangeSource::Schedule,
        what: DETAIL_TYPE.to_owned(),
        scope: Scope::Everything,
        actor: None,
        at: envelope.time(),
        detail: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::{change, sample};

    #[test]
    fn the_events_of_both_schedulers_are_about_everything() {
        for text in [sample!("schedule"), sample!("scheduler")] {
            let expected = ChangeEvent {
                source: ChangeSource::Schedule,
                what: "Scheduled Event".to_owned(),
                scope: Scope::Everything,
                actor: None,
                at: Some("2026-03-04T06:00:00Z".to_owned()),
                detail: None,
            };
            assert_eq!(change(text), expected);
        }
    }
}
