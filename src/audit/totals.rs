//! How many accounts and Regions of an audit are in which state.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{AuditLine, AuditState, Rating, UnreadableReason};

/// How many accounts and Regions of an audit are in which state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// All pairs of an account and a Region.
    pub places: usize,
    /// The accounts.
    pub accounts: usize,
    /// The Regions.
    pub regions: usize,
    /// By what the state means. Every rating is there.
    pub ratings: BTreeMap<Rating, usize>,
    /// By state. Every state is there; a Region that is not enabled counts as unreadable here.
    pub states: BTreeMap<AuditState, usize>,
    /// Those that could not be looked at, by reason. Only reasons that occur are there.
    pub unreadable: BTreeMap<UnreadableReason, usize>,
    /// The keys of the documents, each once.
    pub keys: usize,
    /// Those who need a key and cannot use it, one for each place.
    pub locked_out: usize,
    /// By organizational unit, if those are known.
    pub organizational_units: BTreeMap<String, GroupTotals>,
    /// By Region.
    pub by_region: BTreeMap<String, GroupTotals>,
}

/// How many accounts and Regions of a group mean what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GroupTotals {
    /// Those that fail.
    pub fails: usize,
    /// Those that are not known.
    pub unknown: usize,
    /// Those that are good.
    pub passes: usize,
    /// Those whose Region is not enabled.
    pub not_enabled: usize,
}

impl Totals {
    /// Counts lines.
    pub(super) fn of<'a>(lines: impl Iterator<Item = &'a AuditLine>) -> Self {
        let mut totals = Self {
            places: 0,
            accounts: 0,
            regions: 0,
            ratings: Rating::ALL.into_iter().map(|rating| (rating, 0)).collect(),
            states: AuditState::ALL.into_iter().map(|state| (state, 0)).collect(),
            unreadable: BTreeMap::new(),
            keys: 0,
            locked_out: 0,
            organizational_units: BTreeMap::new(),
            by_region: BTreeMap::new(),
        };
        let mut accounts = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for line in lines {
            let rating = line.rating();
            totals.places += 1;
            accounts.insert(line.place.account.as_str());
            keys.extend(line.key());
            *totals.ratings.entry(rating).or_default() += 1;
            *totals.states.entry(line.state).or_default() += 1;
            if let Some(reason) = line.reason() {
                *totals.unreadable.entry(reason).or_default() += 1;
            }
            totals.locked_out += line.locked_out.len();
            if let Some(unit) = &line.place.organizational_unit {
                count(&mut totals.organizational_units, unit, rating);
            }
            count(&mut totals.by_region, &line.place.region, rating);
        }
        totals.accounts = accounts.len();
        totals.keys = keys.len();
        totals.regions = totals.by_region.len();
        totals
    }

    /// How many places have this rating.
    #[must_use]
    pub fn rated(&self, rating: Rating) -> usize {
        self.ratings.get(&rating).copied().unwrap_or_default()
    }

    /// How many places are in this state.
    #[must_use]
    pub fn in_state(&self, state: AuditState) -> usize {
        self.states.get(&state).copied().unwrap_or_default()
    }
}

fn count(groups: &mut BTreeMap<String, GroupTotals>, name: &str, rating: Rating) {
    // A name is copied only once.
    if !groups.contains_key(name) {
        groups.insert(name.to_owned(), GroupTotals::default());
    }
    if let Some(group) = groups.get_mut(name) {
        *match rating {
            Rating::Fails => &mut group.fails,
            Rating::Unknown => &mut group.unknown,
            Rating::Passes => &mut group.passes,
            Rating::NotEnabled => &mut group.not_enabled,
        } += 1;
    }
}
