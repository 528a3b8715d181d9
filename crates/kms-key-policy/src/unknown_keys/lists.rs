//! Finds the lists to try for a key that has a list of values.

use super::values::CandidateValue;
use super::{Choice, MOST_COMBINATIONS};

/// What conditions and grants ask of a list of values.
#[derive(Debug, Default)]
pub(super) struct ListConstraints {
    /// How many conditions ask for all or for any of the values.
    pub(super) conditions: usize,
    /// Lists that a grant asks for exactly.
    pub(super) exact: Vec<Vec<String>>,
}

/// Calls `push` with the lists that matter, and says whether these are all. The texts in `always` are in every list.
///
/// One value is enough to settle a condition that asks for all or any of the values. So there is no need for lists with
/// more values than there are conditions.
pub(super) fn listed(
    lists: &ListConstraints,
    always: &[String],
    values: &[CandidateValue],
    mut push: impl FnMut(Vec<String>, Choice),
) -> bool {
    let mut push = |chosen: Vec<&CandidateValue>| {
        let mut list: Vec<String> = always.to_vec();
        let extra = chosen.iter().map(|v| v.text.clone()).filter(|text| !always.contains(text));
        list.extend(extra);
        let choice = match chosen.as_slice() {
            [value] if always.is_empty() => Choice::One((*value).clone()),
            _ => Choice::Many(list.clone()),
        };
        push(list, choice);
    };
    if !always.is_empty() {
        push(Vec::new());
    }
    for exact in &lists.exact {
        let wanted = values.iter().filter(|value| exact.contains(&value.text));
        push(wanted.collect());
    }
    // Every choice of up to `size` values, as rising positions.
    let size = lists.conditions.max(1);
    let mut choices: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let longer: Vec<Vec<usize>> = choices
            .iter()
            .flat_map(|choice| {
                let from = choice.last().map_or(0, |last| last + 1);
                (from..values.len()).map(|n| choice.iter().copied().chain([n]).collect())
            })
            .take(MOST_COMBINATIONS + 1)
            .collect();
        if longer.len() > MOST_COMBINATIONS {
            return false;
        }
        for choice in &longer {
            push(choice.iter().filter_map(|n| values.get(*n)).collect());
        }
        choices = longer;
    }
    true
}
