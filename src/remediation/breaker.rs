//! The breaker: whether a document may be repaired once more. Pure.
//!
//! Somebody else may keep writing the document, usually a pipeline with a setting of its own. Endless
//! repairs would help nobody and would fill the document's history. So the repairs stop after some within an hour.

use crate::change_event::{ChangeEvent, ChangeSource};
use crate::reconcile::{Breaker, HOUR, ObservedDocument, RemediationState, Versions};

/// Whether a repair may go on, and what to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BreakerDecision {
    /// The repair goes on.
    Proceed(RemediationState),
    /// The document is left as it is.
    Leave {
        /// What to remember.
        state: RemediationState,
        /// Whether the breaker opened just now.
        opened: bool,
    },
}

/// What a repair would write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RepairKind {
    /// Nothing.
    None,
    /// The key that the document had before.
    SameKey,
    /// Another key, since one fails or works again.
    OtherKey,
}

/// Decides whether a repair may go on. `now` is in seconds since 1970.
pub(super) fn decide_breaker(
    state: &RemediationState,
    event: &ChangeEvent,
    now: u64,
    repairs_per_hour: usize,
    versions: Versions,
    kind: RepairKind,
) -> BreakerDecision {
    let writes = kind != RepairKind::None;
    // Who changed a key is named only if the repair writes another key because of that.
    let is_cause = match event.source {
        ChangeSource::DocumentCall => true,
        ChangeSource::KeyCall => kind == RepairKind::OtherKey,
        _ => false,
    };
    let actor = event.actor.as_ref().filter(|_| is_cause).or(state.actor.as_ref()).cloned();
    if let Some(breaker) = &state.breaker {
        let has_changed = breaker.versions != versions || event.source == ChangeSource::DocumentCall;
        let is_quiet = !has_changed && now.saturating_sub(breaker.seen) >= HOUR;
        if !is_quiet || event.source != ChangeSource::Schedule {
            let seen = if has_changed { now } else { breaker.seen };
            let breaker = Some(Breaker { seen, versions, ..breaker.clone() });
            let state = RemediationState { breaker, actor, ..state.clone() };
            return BreakerDecision::Leave { state, opened: false };
        }
        let repairs = if writes { vec![now] } else { Vec::new() };
        return BreakerDecision::Proceed(RemediationState {
            breaker: None,
            repairs,
            actor: None,
            refused: false,
            ..state.clone()
        });
    }
    let mut repairs = state.recent_repairs(now);
    if writes && state.refused {
        return BreakerDecision::Proceed(RemediationState { actor, ..state.clone() });
    }
    if !writes {
        // The event may be late: another one may have led to a repair of what it reports.
        let actor = if repairs.is_empty() { state.actor.clone() } else { actor };
        return BreakerDecision::Proceed(RemediationState { actor, refused: false, ..state.clone() });
    }
    if repairs.len() >= repairs_per_hour {
        let breaker = Some(Breaker { opened: now, seen: now, versions });
        let state = RemediationState { repairs, actor, breaker, ..state.clone() };
        return BreakerDecision::Leave { state, opened: true };
    }
    repairs.push(now);
    BreakerDecision::Proceed(RemediationState { repairs, actor, ..state.clone() })
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
