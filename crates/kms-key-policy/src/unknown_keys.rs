//! Decides requests with unknown condition keys: tries a value of every kind that the policies can tell apart.
//!
//! For each unknown key that a statement or grant may depend on, [`collect`] finds what the policies compare the key
//! with. [`values`] finds one value for each combination of comparisons that can be true together. Each combination of
//! values makes the request a known one. The answer depends on the keys only if the combinations lead to different
//! decisions. A comparison that cannot be tried makes the search incomplete, and an incomplete search never ends in
//! allowed or denied.

mod cases;
mod collect;
mod lists;
mod relation;
mod values;
mod variable;

use crate::answer::{Case, Caveat, Decision};
use crate::applicability::Applicability;
use crate::context::{ContextEntry, EntryState, KeyState, RequestView, lower};
use crate::layers::{ApplicableRule, LayerResults, Layers};
use crate::request::{ENCRYPTION_CONTEXT, Request};
use crate::text::{hash_folded, same_folded};
use collect::UnknownKeys;
use values::{CandidateValue, Comparands};

/// The most combinations that are tried.
const MOST_COMBINATIONS: usize = 4096;

/// The most evaluations of single statements, for all combinations together.
const MOST_STATEMENTS: usize = 200_000;

/// What the search finds.
#[derive(Debug)]
pub(crate) struct SearchResult {
    pub(crate) decision: Decision,
    /// Whether a Deny decides, whatever the unknown keys are.
    pub(crate) explicit: bool,
    /// The unknown keys that the decision depends on, as the policies write them.
    pub(crate) keys: Vec<String>,
    pub(crate) cases: Vec<Case>,
    /// Whether the decision depends on the identity policies.
    pub(crate) identity: bool,
    /// Whether the decision depends on what no source settles.
    pub(crate) open: bool,
    pub(crate) caveat: Option<Caveat>,
}

/// One of the values, or lists of values, that are tried for an unknown key.
#[derive(Debug, Clone)]
struct Candidate {
    entry: ContextEntry,
    choice: Choice,
}

/// The value of a candidate.
#[derive(Debug, Clone)]
enum Choice {
    Absent,
    One(CandidateValue),
    /// A list of no value, or of more than one.
    Many(Vec<String>),
}

/// An unknown key with the values to try. The axes span the table of all combinations.
#[derive(Debug)]
struct Axis {
    name: String,
    candidates: Vec<Candidate>,
    comparands: Comparands,
    /// The axes of the keys that a condition compares with this key for equality.
    equals: Vec<usize>,
}

/// What becomes of a request if its unknown keys have certain values.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    allowed: Applicability,
    explicit: bool,
    /// What `allowed` would be if the identity policies allowed the request, and if they did not. Both are `allowed` if
    /// the identity policies are known.
    with_identity: Applicability,
    without_identity: Applicability,
}

/// Tries the values of the keys that the statements and grants may depend on.
pub(crate) fn search(request: &Request, layers: &Layers<'_>, rules: &[ApplicableRule]) -> SearchResult {
    let unknowns = UnknownKeys::collect(request, layers, rules);
    let most = MOST_COMBINATIONS.min(MOST_STATEMENTS / rules.len().max(1));
    let names = unknowns.names();
    let Some((axes, complete)) = unknowns.axes(request) else {
        return SearchResult::too_many(names);
    };
    let combinations = axes
        .iter()
        .try_fold(1usize, |product, axis| product.checked_mul(axis.candidates.len()).filter(|n| *n <= most));
    match combinations {
        Some(combinations) => OutcomeTable::fill(request, layers, axes, combinations).summarize(complete),
        None => SearchResult::too_many(names),
    }
}

impl SearchResult {
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

/// The outcome of every combination. Combinations that differ only in the first axis stand side by side.
struct OutcomeTable<'a> {
    request: &'a Request,
    layers: &'a Layers<'a>,
    axes: Vec<Axis>,
    /// `None` for a combination that contradicts itself.
    outcomes: Vec<Option<Outcome>>,
}

impl<'a> OutcomeTable<'a> {
    fn fill(request: &'a Request, layers: &'a Layers<'a>, axes: Vec<Axis>, combinations: usize) -> Self {
        let mut table = Self { request, layers, axes, outcomes: Vec::new() };
        let mut outcomes = Vec::with_capacity(combinations);
        let mut decided: Vec<&ContextEntry> = Vec::with_capacity(table.axes.len());
        for number in 0..combinations {
            table.choose(number, &mut decided);
            outcomes.push(is_consistent(request, &decided).then(|| outcome(request, layers, &decided)));
        }
        drop(decided);
        table.outcomes = outcomes;
        table
    }

    /// Sets `decided` to the keys of a combination.
    fn choose<'t>(&'t self, number: usize, decided: &mut Vec<&'t ContextEntry>) {
        decided.clear();
        let chosen = choices(&self.axes, number).filter_map(|(axis, n)| axis.candidates.get(n));
        decided.extend(chosen.map(|candidate| &candidate.entry));
    }

    fn summarize(self, complete: bool) -> SearchResult {
        let outcomes = || self.outcomes.iter().flatten();
        let explicit = outcomes().all(|o| o.explicit);
        let decision = if outcomes().all(|o| o.allowed == Applicability::Applies) {
            Decision::Allowed
        } else if outcomes().all(|o| o.allowed == Applicability::DoesNotApply) {
            Decision::Denied
        } else {
            Decision::Depends
        };
        let caveat = match decision {
            _ if complete => None,
            Decision::Depends => Some(Caveat::NotAllTried),
            settled => Some(Caveat::NotProven(settled)),
        };
        let unproven = matches!(caveat, Some(Caveat::NotProven(_)));
        let matters = (0..self.axes.len()).map(|axis| unproven || self.matters(axis));
        let keys =
            self.axes.iter().zip(matters).filter(|(_, matters)| *matters).map(|(axis, _)| axis.name.clone());
        SearchResult {
            decision: if unproven { Decision::Depends } else { decision },
            explicit: explicit && complete && decision == Decision::Denied,
            keys: keys.collect(),
            cases: self.cases(),
            identity: outcomes().any(|o| o.with_identity != o.without_identity),
            open: outcomes().any(|o| {
                o.with_identity == Applicability::Unknown || o.without_identity == Applicability::Unknown
            }),
            caveat,
        }
    }

    /// The distance between combinations that differ only in one axis, and the candidate of that axis in `number`.
    fn stride_and_candidate(&self, axis: usize, number: usize) -> (usize, usize) {
        let stride: usize = self.axes.iter().take(axis).map(|a| a.candidates.len()).product();
        let length = self.axes.get(axis).map_or(1, |a| a.candidates.len());
        (stride, number / stride % length)
    }

    /// The combinations that differ from `number` in one axis at most.
    fn along(&self, axis: usize, number: usize) -> impl Iterator<Item = usize> {
        let (stride, own) = self.stride_and_candidate(axis, number);
        let length = self.axes.get(axis).map_or(1, |a| a.candidates.len());
        (0..length).map(move |n| number - own * stride + n * stride)
    }

    fn allowed(&self, number: usize) -> Option<Applicability> {
        self.outcomes.get(number).copied().flatten().map(|outcome| outcome.allowed)
    }

    /// Whether the decision changes for some combination if only this key changes.
    fn matters(&self, axis: usize) -> bool {
        let consistent =
            || (0..self.outcomes.len()).filter_map(|number| Some((number, self.allowed(number)?)));
        if consistent().any(|(number, own)| {
            self.along(axis, number).filter_map(|n| self.allowed(n)).any(|other| other != own)
        }) {
            return true;
        }
        // The names of the encryption context and its keys only change together. To find out which of them the policies
        // use, this changes one alone, although no request is like that.
        let is_of_encryption_context = |axis: &Axis| {
            let name = lower(&axis.name);
            name == "kms:encryptioncontextkeys" || name.starts_with(ENCRYPTION_CONTEXT)
        };
        let tied = self.axes.get(axis).is_some_and(is_of_encryption_context)
            && self.axes.iter().filter(|axis| is_of_encryption_context(axis)).count() > 1;
        let mut decided = Vec::new();
        tied && consistent().any(|(number, own)| {
            let mut contradictory = self.along(axis, number).filter(|n| self.allowed(*n).is_none());
            contradictory.any(|n| {
                self.choose(n, &mut decided);
                outcome(self.request, self.layers, &decided).allowed != own
            })
        })
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

fn outcome(request: &Request, layers: &Layers<'_>, decided: &[&ContextEntry]) -> Outcome {
    let results = LayerResults::evaluate(layers, &RequestView { request, decided }, |_| {});
    let identity = |identity| LayerResults { identity, ..results }.allowed(request);
    let unknown = results.identity == Applicability::Unknown && layers.identity_policies.is_none();
    let allowed = results.allowed(request);
    Outcome {
        allowed,
        explicit: results.deny == Applicability::Applies,
        with_identity: if unknown { identity(Applicability::Applies) } else { allowed },
        without_identity: if unknown { identity(Applicability::DoesNotApply) } else { allowed },
    }
}

/// Whether a combination contradicts itself: `kms:EncryptionContextKeys` must name exactly the keys of the encryption
/// context that are present.
fn is_consistent(request: &Request, decided: &[&ContextEntry]) -> bool {
    let Some(list) = decided.iter().find(|entry| entry.lower == "kms:encryptioncontextkeys") else {
        return true;
    };
    let names: &[String] = match &list.state {
        EntryState::Known { values, .. } => values,
        _ => &[],
    };
    let view = RequestView { request, decided };
    let may_be_there = |name: &String| {
        let key = lower(&format!("{ENCRYPTION_CONTEXT}{name}"));
        !matches!(view.find(hash_folded(&key), &key).1, KeyState::Absent)
    };
    names.iter().all(may_be_there)
        && decided.iter().all(|entry| match entry.lower.strip_prefix(ENCRYPTION_CONTEXT) {
            Some(name) if entry.state != EntryState::Absent => names.iter().any(|n| same_folded(n, name)),
            _ => true,
        })
}
