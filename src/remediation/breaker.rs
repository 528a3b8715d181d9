//! The breaker: whether a document may be put right once more. Pure.
//!
//! Somebody else may keep writing the document, a pipeline with a setting of its own as a rule. Writing against
//! it for ever helps nobody and fills the document's history, so after some repairs within an hour that stops.

use crate::change_event::{ChangeEvent, ChangeSource};
use crate::reconcile::ObservedDocument;
use crate::reconcile::{Breaker, HOUR, Versions, Watch};

/// The answer, with what to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BreakerDecision {
    /// Go on.
    Go(Watch),
    /// Leave the document as it is.
    Stay {
        /// What to remember.
        watch: Watch,
        /// Whether the breaker opened just now.
        opened: bool,
    },
}

/// What a repair would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// Nothing: the document would not be written.
    None,
    /// The key that the document had carries it again.
    Back,
    /// Another key is due, since one fails or works again.
    Turn,
}

/// Asks. `now` is in seconds since 1970.
pub(super) fn gate(
    watch: &Watch,
    event: &ChangeEvent,
    now: u64,
    repairs_per_hour: usize,
    versions: Versions,
    repair: Repair,
) -> BreakerDecision {
    let writes = repair != Repair::None;
    // Who changed the document, and not who touched a key unless that is what it is written for.
    let is_cause = match event.source {
        ChangeSource::DocumentCall => true,
        ChangeSource::KeyCall => repair == Repair::Turn,
        _ => false,
    };
    let actor = event.actor.as_ref().filter(|_| is_cause).or(watch.actor.as_ref()).cloned();
    if let Some(breaker) = &watch.breaker {
        let moved = breaker.versions != versions || event.source == ChangeSource::DocumentCall;
        let quiet = !moved && now.saturating_sub(breaker.seen) >= HOUR;
        if !quiet || event.source != ChangeSource::Schedule {
            let seen = if moved { now } else { breaker.seen };
            let breaker = Breaker { seen, versions, ..breaker.clone() };
            return BreakerDecision::Stay {
                watch: Watch { breaker: Some(breaker), actor, ..watch.clone() },
                opened: false,
            };
        }
        let repairs = if writes { vec![now] } else { Vec::new() };
        return BreakerDecision::Go(Watch {
            breaker: None,
            repairs,
            actor: None,
            refused: false,
            ..watch.clone()
        });
    }
    let mut repairs = watch.recent(now);
    if writes && watch.refused {
        return BreakerDecision::Go(Watch { actor, ..watch.clone() });
    }
    if !writes {
        // An event may come after another, by which the document was put right.
        let actor = if repairs.is_empty() { watch.actor.clone() } else { actor };
        return BreakerDecision::Go(Watch { actor, refused: false, ..watch.clone() });
    }
    if repairs.len() >= repairs_per_hour {
        let breaker = Some(Breaker { opened: now, seen: now, versions });
        return BreakerDecision::Stay {
            watch: Watch { repairs, actor, breaker, ..watch.clone() },
            opened: true,
        };
    }
    repairs.push(now);
    BreakerDecision::Go(Watch { repairs, actor, ..watch.clone() })
}

/// The numbers of a document's versions.
pub(super) fn versions(document: Option<&ObservedDocument>) -> Versions {
    document.map_or_else(Versions::default, |document| Versions {
        latest: document.latest.number,
        default: document.default.number,
    })
}

#[cfg(test)]
#[path = "breaker/tests.rs"]
mod tests;
