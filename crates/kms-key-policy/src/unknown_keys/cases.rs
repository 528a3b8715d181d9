//! Describes the cases in which a request is allowed. The description uses the patterns of the policies if these say it
//! exactly.

use super::{Axis, Choice, OutcomeTable};
use crate::answer::{Case, MOST_CASES, RequiredValue};
use crate::applicability::Applicability;

/// A set of combinations: for each axis, the candidates that it may have.
#[derive(Clone)]
struct Combinations {
    candidates: Vec<Vec<usize>>,
    /// Pairs of axes whose values must be equal (`true`) or different (`false`).
    pairs: Vec<(usize, usize, bool)>,
}

impl OutcomeTable<'_> {
    /// Values that are enough for the request to be allowed, provided that the identity policies, if unknown, allow it.
    /// Each case has only the keys that it needs.
    pub(super) fn cases(&self) -> Vec<Case> {
        let mut covered = vec![false; self.outcomes.len()];
        let mut cases = Vec::new();
        for number in 0..self.outcomes.len() {
            if covered.get(number).copied().unwrap_or(true) || self.is_granted(number) != Some(true) {
                continue;
            }
            let (case, all) = self.case(number);
            for n in self.numbers(&all) {
                if let Some(covered) = covered.get_mut(n) {
                    *covered = true;
                }
            }
            if !case.0.is_empty() {
                cases.push(case);
            }
            if cases.len() == MOST_CASES {
                break;
            }
        }
        cases
    }

    /// The widest case around a combination, and all combinations in it.
    fn case(&self, number: usize) -> (Case, Combinations) {
        let own: Vec<usize> =
            (0..self.axes.len()).map(|axis| self.stride_and_candidate(axis, number).1).collect();
        let mut group =
            Combinations { candidates: own.iter().map(|n| vec![*n]).collect(), pairs: Vec::new() };
        let mut needed = Vec::new();
        for (at, axis) in self.axes.iter().enumerate() {
            let wider = group.with(at, (0..axis.candidates.len()).collect());
            if self.are_granted(&wider) { group = wider } else { needed.push(at) }
        }
        let mut case = Vec::new();
        for (at, axis) in self.axes.iter().enumerate() {
            for other in axis.equals.iter().copied().filter(|other| *other > at) {
                if !(needed.contains(&at) && needed.contains(&other)) {
                    continue;
                }
                let Some((wider, is_equal)) = self.as_pair(&group, &own, at, other) else { continue };
                group = wider;
                needed.retain(|n| *n != at && *n != other);
                let name = self.axes.get(other).map(|other| other.name.clone()).unwrap_or_default();
                let completion =
                    if is_equal { RequiredValue::SameAs(name) } else { RequiredValue::OtherThan(name) };
                case.push((at, axis.name.clone(), completion));
            }
        }
        for at in needed {
            let (Some(axis), Some(n)) = (self.axes.get(at), own.get(at)) else { continue };
            let mut completion = axis.value(*n);
            for (wider, candidates) in axis.descriptions(*n) {
                let wider_group = group.with(at, candidates);
                if self.are_granted(&wider_group) {
                    (group, completion) = (wider_group, wider);
                    break;
                }
            }
            case.push((at, axis.name.clone(), completion));
        }
        case.sort_by_key(|(at, ..)| *at);
        (Case(case.into_iter().map(|(_, name, completion)| (name, completion)).collect()), group)
    }

    /// The case that two keys are equal, or that they are different, if nothing else is needed of them.
    fn as_pair(
        &self,
        group: &Combinations,
        own: &[usize],
        one: usize,
        other: usize,
    ) -> Option<(Combinations, bool)> {
        let text = |at: usize| self.axes.get(at)?.text(*own.get(at)?);
        let is_equal = text(one)? == text(other)?;
        let there = |at: usize| -> Vec<usize> {
            let Some(axis) = self.axes.get(at) else { return Vec::new() };
            (0..axis.candidates.len()).filter(|n| axis.text(*n).is_some()).collect()
        };
        let mut wider = group.with(one, there(one)).with(other, there(other));
        wider.pairs.push((one, other, is_equal));
        self.are_granted(&wider).then_some((wider, is_equal))
    }

    /// Whether a combination is allowed if the identity policies allow it. `None` if the combination contradicts
    /// itself.
    fn is_granted(&self, number: usize) -> Option<bool> {
        self.outcomes
            .get(number)
            .copied()
            .flatten()
            .map(|outcome| outcome.with_identity == Applicability::Applies)
    }

    fn are_granted(&self, group: &Combinations) -> bool {
        self.numbers(group).all(|number| self.is_granted(number) != Some(false))
    }

    /// The numbers of the combinations.
    fn numbers(&self, group: &Combinations) -> impl Iterator<Item = usize> {
        let count = group.candidates.iter().map(Vec::len).product();
        let numbers = (0..count).filter_map(|mut rest: usize| {
            let (mut stride, mut number) = (1, 0);
            for (axis, candidates) in self.axes.iter().zip(&group.candidates) {
                number += candidates.get(rest % candidates.len())? * stride;
                rest /= candidates.len();
                stride *= axis.candidates.len();
            }
            Some(number)
        });
        numbers.filter(|number| {
            let text = |at: usize| self.axes.get(at)?.text(self.stride_and_candidate(at, *number).1);
            group.pairs.iter().all(|(one, other, equal)| (text(*one) == text(*other)) == *equal)
        })
    }
}

impl Combinations {
    fn with(&self, axis: usize, candidates: Vec<usize>) -> Self {
        let mut all = self.clone();
        if let Some(own) = all.candidates.get_mut(axis) {
            *own = candidates;
        }
        all
    }
}

impl Axis {
    fn choice(&self, candidate: usize) -> Option<&Choice> {
        self.candidates.get(candidate).map(|candidate| &candidate.choice)
    }

    /// The value of a candidate that is no list.
    fn text(&self, candidate: usize) -> Option<&str> {
        match self.choice(candidate)? {
            Choice::One(value) => Some(&value.text),
            Choice::Absent | Choice::Many(_) => None,
        }
    }

    /// The value of a candidate.
    fn value(&self, candidate: usize) -> RequiredValue {
        match self.choice(candidate) {
            Some(Choice::One(value)) => RequiredValue::Value(value.text.clone()),
            Some(Choice::Many(list)) => RequiredValue::Values(list.clone()),
            Some(Choice::Absent) | None => RequiredValue::Absent,
        }
    }

    /// Descriptions of a candidate by the patterns of the policies, each with all candidates that it describes.
    fn descriptions(&self, candidate: usize) -> Vec<(RequiredValue, Vec<usize>)> {
        let Some(Choice::One(value)) = self.choice(candidate) else { return Vec::new() };
        let alike = |is_alike: &dyn Fn(&[bool]) -> bool| -> Vec<usize> {
            let of = |n: &usize| matches!(self.choice(*n), Some(Choice::One(v)) if is_alike(&v.covered_by));
            (0..self.candidates.len()).filter(of).collect()
        };
        let patterns =
            self.comparands.list.iter().enumerate().filter(|(n, _)| value.covered_by.get(*n) == Some(&true));
        let mut descriptions: Vec<(RequiredValue, Vec<usize>)> = patterns
            .filter_map(|(n, comparand)| {
                Some((
                    RequiredValue::Like(comparand.written()?),
                    alike(&|covered| covered.get(n) == Some(&true)),
                ))
            })
            .collect();
        // The widest description comes first.
        descriptions.sort_by_key(|(_, candidates)| std::cmp::Reverse(candidates.len()));
        if self.comparands.is_other(&value.covered_by) {
            descriptions.push((RequiredValue::Other, alike(&|covered| self.comparands.is_other(covered))));
        }
        descriptions
    }
}
