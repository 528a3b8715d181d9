//! What has changed from one audit to the next.

use std::cmp::Ordering;

use serde::Serialize;

use super::{AuditState, AuditSummary, LockedOut, Rating, SummaryPlace, UnreadableReason};

/// What has changed from one audit to the next. An account and Region is in each list that it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// When the report of the earlier audit was made.
    pub since: String,
    /// Sessions are not encrypted now, and were, or nobody knew.
    pub newly_unencrypted: Vec<PlaceChange>,
    /// Somebody cannot use the key now who could, or of whom nobody knew; or every session fails now.
    pub newly_locked_out: Vec<PlaceChange>,
    /// It fails now, and did not.
    pub newly_failing: Vec<PlaceChange>,
    /// It failed, and is good now.
    pub recovered: Vec<PlaceChange>,
    /// It cannot be looked at now, and could be.
    pub newly_unreadable: Vec<PlaceChange>,
    /// It has another key now, and had a key.
    pub other_key: Vec<PlaceChange>,
    /// It was in the earlier audit, and is not in this one.
    pub gone: Vec<PlaceChange>,
    /// It is in this audit, and was not in the earlier one.
    pub new: Vec<PlaceChange>,
}

/// How an account and Region has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlaceChange {
    /// The account's id.
    pub account: String,
    /// The Region.
    pub region: String,
    /// Its state in the earlier audit; `None` if it was not there.
    pub before: Option<AuditState>,
    /// Its state in this audit; `None` if it is not there.
    pub after: Option<AuditState>,
    /// Who cannot use the key now and could, or of whom nobody knew. Only among those that are newly locked out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<LockedOut>,
}

impl Changes {
    /// What has changed from the earlier audit to the later one. Both are in the order of accounts and Regions, as
    /// [`AuditSummary::parse`] and [`super::Audit::summary`] make them.
    #[must_use]
    pub fn between(before: &AuditSummary, after: &AuditSummary) -> Self {
        let mut changes = Self { since: before.made_at.clone(), ..Self::default() };
        let (mut earlier, mut later) = (before.places.iter().peekable(), after.places.iter().peekable());
        loop {
            let order = match (earlier.peek(), later.peek()) {
                (None, None) => return changes,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => before.place().cmp(&after.place()),
            };
            let before = if order.is_le() { earlier.next() } else { None };
            let after = if order.is_ge() { later.next() } else { None };
            changes.compare(before, after);
        }
    }

    fn compare(&mut self, before: Option<&SummaryPlace>, after: Option<&SummaryPlace>) {
        let Some(now) = after else {
            self.gone.extend(before.map(|before| PlaceChange::of(before, Some(before), None)));
            return;
        };
        let change = || PlaceChange::of(now, before, Some(now));
        if before.is_none() {
            self.new.push(change());
        }
        let was = before.map(SummaryPlace::rating);
        let is = now.rating();
        if now.unencrypted && !before.is_some_and(|before| before.unencrypted) {
            self.newly_unencrypted.push(change());
        }
        let were: &[LockedOut] = before.map_or(&[], |before| &before.locked_out);
        let principals: Vec<_> =
            now.locked_out.iter().filter(|principal| !were.contains(principal)).cloned().collect();
        let every_session_fails = |place: &SummaryPlace| place.state == AuditState::SessionsFail;
        if !principals.is_empty() || every_session_fails(now) && !before.is_some_and(every_session_fails) {
            self.newly_locked_out.push(PlaceChange { principals, ..change() });
        }
        if is == Rating::Fails && was != Some(Rating::Fails) {
            self.newly_failing.push(change());
        }
        if was == Some(Rating::Fails) && is == Rating::Passes {
            self.recovered.push(change());
        }
        if is_unreadable(now) && !before.is_some_and(is_unreadable) {
            self.newly_unreadable.push(change());
        }
        if let (Some(old), Some(new)) = (before.and_then(|before| before.key.as_ref()), &now.key)
            && old != new
        {
            self.other_key.push(change());
        }
    }

    /// The lists with their names for programs, in the order of reports.
    #[must_use]
    pub fn lists(&self) -> [(&'static str, &[PlaceChange]); 8] {
        [
            ("newlyUnencrypted", &self.newly_unencrypted),
            ("newlyLockedOut", &self.newly_locked_out),
            ("newlyFailing", &self.newly_failing),
            ("recovered", &self.recovered),
            ("newlyUnreadable", &self.newly_unreadable),
            ("otherKey", &self.other_key),
            ("gone", &self.gone),
            ("new", &self.new),
        ]
    }

    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, list)| list.is_empty())
    }
}

impl PlaceChange {
    fn of(place: &SummaryPlace, before: Option<&SummaryPlace>, after: Option<&SummaryPlace>) -> Self {
        Self {
            account: place.account.clone(),
            region: place.region.clone(),
            before: before.map(|place| place.state),
            after: after.map(|place| place.state),
            principals: Vec::new(),
        }
    }

    /// The account and the Region.
    pub(super) fn place(&self) -> (&str, &str) {
        (&self.account, &self.region)
    }
}

/// Whether a place could not be looked at. A Region that is not enabled is no such place.
fn is_unreadable(place: &SummaryPlace) -> bool {
    place.state == AuditState::Unreadable && place.reason != Some(UnreadableReason::RegionNotEnabled)
}
