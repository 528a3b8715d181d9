//! Exact answers where condition keys are unknown: every kind of value that the policies can tell apart is tried.
//!
//! For each unknown key that a statement in doubt looks at, [`unknown`] collects what its values are compared with and
//! [`values`] finds one value for each way in which these comparisons can come out. Each combination makes the request
//! a known one. The answer depends on the keys only if the combinations disagree.

mod unknown;
mod values;
mod variable;
mod witness;

#[cfg(test)]
mod tests;

use super::answer::{Case, Caveat, Completion, Decision, MOST_CASES};
use super::context::{Entry, EntryState, View};
use super::document::same_folded;
use super::layers::{Hit, Layers, Tally};
use super::request::{ENCRYPTION_CONTEXT, Request};
use super::tri::Tri;
use unknown::Unknowns;

/// The most combinations that are tried.
const MOST_COMBINATIONS: usize = 4096;

/// The most statements that are decided on for all combinations together.
const MOST_STATEMENTS: usize = 200_000;

/// What trying the values of unknown keys comes to.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) decision: Decision,
    /// Whether a Deny decides, whatever the unknown keys are.
    pub(super) explicit: bool,
    /// The unknown keys that matter, as the policies write them.
    pub(super) keys: Vec<String>,
    pub(super) cases: Vec<Case>,
    /// Whether it depends on the identity policies.
    pub(super) identity: bool,
    /// Whether it depends on what no source settles.
    pub(super) open: bool,
    pub(super) caveat: Option<Caveat>,
}

/// A value that an unknown key may have.
#[derive(Debug, Clone)]
struct Candidate {
    entry: Entry,
    shown: Completion,
}

/// An unknown key and the values to try.
#[derive(Debug)]
struct Axis {
    name: String,
    candidates: Vec<Candidate>,
}

/// What a request comes to once its unknown keys are decided.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    allowed: Tri,
    explicit: bool,
    /// What it would be if the identity policies, being unknown, allowed, and if they did not.
    with_identity: Tri,
    without_identity: Tri,
}

/// Tries the values of the keys that the statements and grants in doubt look at.
pub(super) fn settle(request: &Request, layers: &Layers<'_>, hits: &[Hit]) -> Settled {
    let unknowns = Unknowns::collect(request, layers, hits);
    let most = MOST_COMBINATIONS.min(MOST_STATEMENTS / hits.len().max(1));
    let Some((axes, complete)) = unknowns.axes(request) else {
        return Settled::too_many(unknowns.names());
    };
    let combinations = axes
        .iter()
        .try_fold(1usize, |product, axis| product.checked_mul(axis.candidates.len()).filter(|n| *n <= most));
    match combinations {
        Some(combinations) => Table::fill(request, layers, axes, combinations).settle(complete),
        None => Settled::too_many(unknowns.names()),
    }
}

impl Settled {
    const fn too_many(keys: Vec<String>) -> Self {
        Self {
            decision: Decision::Depends,
            explicit: false,
            keys,
            cases: Vec::new(),
            identity: false,
            open: false,
            caveat: Some(Caveat::TooManyCombinations),
        }
    }
}

/// The outcome of every combination; the first axis turns fastest.
struct Table {
    axes: Vec<Axis>,
    /// `None` for combinations that contradict themselves.
    outcomes: Vec<Option<Outcome>>,
}

impl Table {
    fn fill(request: &Request, layers: &Layers<'_>, axes: Vec<Axis>, combinations: usize) -> Self {
        let mut decided: Vec<Entry> = Vec::with_capacity(axes.len());
        let outcomes = (0..combinations)
            .map(|number| {
                decided.clear();
                let chosen = choices(&axes, number).filter_map(|(axis, n)| axis.candidates.get(n));
                decided.extend(chosen.map(|candidate| candidate.entry.clone()));
                is_consistent(&decided).then(|| outcome(request, layers, &decided))
            })
            .collect();
        Self { axes, outcomes }
    }

    fn settle(self, complete: bool) -> Settled {
        let outcomes = || self.outcomes.iter().flatten();
        let explicit = outcomes().all(|o| o.explicit);
        let mut caveat = None;
        let decision = if outcomes().all(|o| o.allowed == Tri::Yes) {
            Decision::Allowed
        } else if outcomes().all(|o| o.allowed == Tri::No) {
            Decision::Denied
        } else {
            Decision::Depends
        };
        let settled = decision != Decision::Depends;
        if settled && !complete {
            caveat = Some(Caveat::NotProven(decision));
        }
        let unproven = caveat.is_some();
        let relevant: Vec<bool> = (0..self.axes.len()).map(|axis| unproven || self.matters(axis)).collect();
        let keys = self.axes.iter().zip(&relevant).filter(|(_, r)| **r).map(|(axis, _)| axis.name.clone());
        Settled {
            decision: if unproven { Decision::Depends } else { decision },
            explicit: explicit && !unproven && decision == Decision::Denied,
            keys: keys.collect(),
            cases: self.cases(&relevant),
            identity: outcomes().any(|o| o.with_identity != o.without_identity),
            open: outcomes().any(|o| o.with_identity == Tri::Maybe || o.without_identity == Tri::Maybe),
            caveat,
        }
    }

    /// The combinations that differ from `number` in one axis at most.
    fn along(&self, axis: usize, number: usize) -> impl Iterator<Item = usize> {
        let stride: usize = self.axes.iter().take(axis).map(|a| a.candidates.len()).product();
        let length = self.axes.get(axis).map_or(1, |a| a.candidates.len());
        let own = number / stride % length;
        (0..length).map(move |n| number - own * stride + n * stride)
    }

    fn allowed(&self, number: usize) -> Option<Tri> {
        self.outcomes.get(number).copied().flatten().map(|outcome| outcome.allowed)
    }

    /// Whether some combination comes out otherwise if this key alone changes.
    fn matters(&self, axis: usize) -> bool {
        (0..self.outcomes.len()).any(|number| {
            let own = self.allowed(number);
            own.is_some() && self.along(axis, number).filter_map(|n| self.allowed(n)).any(|o| Some(o) != own)
        })
    }

    /// Sets of values that allow the request, each with the keys that it needs only.
    fn cases(&self, relevant: &[bool]) -> Vec<Case> {
        let best = (0..self.outcomes.len()).filter_map(|number| self.allowed(number)).max();
        let Some(best) = best.filter(|best| *best != Tri::No) else { return Vec::new() };
        let mut covered = vec![false; self.outcomes.len()];
        let mut cases = Vec::new();
        for number in 0..self.outcomes.len() {
            let done = covered.get(number).copied().unwrap_or(true);
            if done || self.allowed(number) != Some(best) {
                continue;
            }
            // All combinations of the case, growing as keys prove not to matter for it.
            let mut group = vec![number];
            let mut needed = Vec::new();
            for (axis, relevant) in relevant.iter().enumerate() {
                let wider: Vec<usize> = group.iter().flat_map(|n| self.along(axis, *n)).collect();
                if wider.iter().all(|n| self.allowed(*n).is_none_or(|o| o == best)) {
                    group = wider;
                } else if *relevant {
                    needed.push(axis);
                }
            }
            for n in group {
                if let Some(covered) = covered.get_mut(n) {
                    *covered = true;
                }
            }
            let shown = choices(&self.axes, number).enumerate().filter(|(axis, _)| needed.contains(axis));
            let values = shown.filter_map(|(_, (axis, n))| {
                Some((axis.name.clone(), axis.candidates.get(n)?.shown.clone()))
            });
            let case = Case(values.collect());
            if !case.0.is_empty() && cases.len() < MOST_CASES {
                cases.push(case);
            }
        }
        cases
    }
}

/// The candidate of each axis in a combination.
fn choices(axes: &[Axis], number: usize) -> impl Iterator<Item = (&Axis, usize)> {
    axes.iter().scan(number, |rest, axis| {
        let length = axis.candidates.len().max(1);
        let own = *rest % length;
        *rest /= length;
        Some((axis, own))
    })
}

fn outcome(request: &Request, layers: &Layers<'_>, decided: &[Entry]) -> Outcome {
    let tally = Tally::take(layers, &View { request, decided }, |_| {});
    let identity = |identity| Tally { identity, ..tally }.allowed(request);
    let unknown = tally.identity == Tri::Maybe && layers.identity_policies.is_none();
    let allowed = tally.allowed(request);
    Outcome {
        allowed,
        explicit: tally.deny == Tri::Yes,
        with_identity: if unknown { identity(Tri::Yes) } else { allowed },
        without_identity: if unknown { identity(Tri::No) } else { allowed },
    }
}

/// Whether the keys of the encryption context are there exactly if `kms:EncryptionContextKeys` names them.
fn is_consistent(decided: &[Entry]) -> bool {
    let Some(list) = decided.iter().find(|entry| entry.lower == "kms:encryptioncontextkeys") else {
        return true;
    };
    let names: &[String] = match &list.state {
        EntryState::Known { values, .. } => values,
        _ => &[],
    };
    decided.iter().all(|entry| match entry.lower.strip_prefix(ENCRYPTION_CONTEXT) {
        None => true,
        Some(name) => (entry.state != EntryState::Absent) == names.iter().any(|n| same_folded(n, name)),
    })
}
