//! The clock: a rule with a schedule, or a schedule of EventBridge Scheduler with no input of its own.

use super::Arrival;
use super::event_bridge::Envelope;
use crate::change_event::{ChangeEvent, ChangeSource, Scope};

pub(super) const DETAIL_TYPE: &str = "Scheduled Event";

pub(super) fn read(envelope: &Envelope<'_>) -> Arrival {
    Arrival::ChangeEvent(ChangeEvent {
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
    fn both_schedulers_ask_to_look_at_everything() {
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
