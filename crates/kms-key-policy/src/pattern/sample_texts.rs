//! Finds sample texts for a set of patterns: some for each combination of patterns that match the same text.
//!
//! The patterns run side by side as one automaton. Its alphabet has the characters that the patterns name and some that
//! they do not. Each state says which patterns match the texts that lead to it, and the first texts for each such
//! combination are the samples. The search is breadth-first and bounded.

use std::collections::{HashMap, VecDeque};

use crate::pattern::symbols::Symbol;

/// The most states that are visited.
const MOST_STATES: usize = 4096;

/// The most symbols of all patterns together.
pub(crate) const MOST_SYMBOLS: usize = 4096;

/// The most steps of single patterns.
const MOST_STEPS: usize = 400_000;

/// A pattern as a list of symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SymbolPattern<'a> {
    pub(crate) symbols: &'a [Symbol],
    /// Whether the case of a text does not matter. The symbols are in lower case then.
    pub(crate) ignores_case: bool,
}

/// A text, and which of the patterns match it.
#[derive(Debug)]
pub(crate) struct SampleText {
    pub(crate) text: String,
    pub(crate) matches: Vec<bool>,
}

/// Finds up to `most` different texts for each combination of patterns that match the same text. Also says whether the
/// search was complete: there is no other combination, and there are no more texts for a combination with fewer than
/// `most`. `others` are `most` characters that no pattern names; they stand for all such characters.
pub(crate) fn find(patterns: &[SymbolPattern<'_>], others: &[char], most: usize) -> (Vec<SampleText>, bool) {
    if patterns.iter().map(|form| form.symbols.len() + 1).sum::<usize>() > MOST_SYMBOLS {
        return (Vec::new(), false);
    }
    let alphabet = alphabet(patterns, others);
    let start: Vec<Vec<u32>> = patterns.iter().map(|form| closure(form.symbols, vec![0])).collect();
    let mut found: Vec<SampleText> = Vec::new();
    // The search goes on from a state once for each text that is wanted, because the n shortest texts for a state begin
    // with the n shortest texts for the state before it.
    let mut visits = HashMap::from([(start.clone(), 1)]);
    let mut queue = VecDeque::from([(start, String::new())]);
    let mut steps = 0;
    while let Some((state, text)) = queue.pop_front() {
        steps += alphabet.len() * state.iter().map(|positions| positions.len() + 1).sum::<usize>();
        if steps > MOST_STEPS {
            return (found, false);
        }
        let matches: Vec<bool> =
            state.iter().zip(patterns).map(|(positions, form)| is_end(form.symbols, positions)).collect();
        if found.iter().filter(|sample| sample.matches == matches).count() < most {
            found.push(SampleText { text: text.clone(), matches });
        }
        for c in &alphabet {
            let next: Vec<Vec<u32>> =
                state.iter().zip(patterns).map(|(positions, form)| step(*form, positions, *c)).collect();
            let visits_of = visits.entry(next.clone()).or_insert(0);
            if *visits_of < most {
                *visits_of += 1;
                if visits.len() > MOST_STATES {
                    return (found, false);
                }
                let mut text = text.clone();
                text.push(*c);
                queue.push_back((next, text));
            }
        }
    }
    (found, true)
}

/// Whether a text matches a pattern. This is not [`crate::wildcard`]: symbols may ignore case and stop at colons, and
/// the search needs the single steps anyway.
pub(crate) fn matches(form: SymbolPattern<'_>, text: &str) -> bool {
    let start = closure(form.symbols, vec![0]);
    is_end(form.symbols, &text.chars().fold(start, |positions, c| step(form, &positions, c)))
}

fn is_end(symbols: &[Symbol], positions: &[u32]) -> bool {
    positions.last().is_some_and(|last| *last as usize == symbols.len())
}

/// The characters that the patterns can tell apart: those that they name, in both cases if case does not matter, the
/// colon, and some that stand for all others.
fn alphabet(patterns: &[SymbolPattern<'_>], others: &[char]) -> Vec<char> {
    let ignores_case = patterns.iter().any(|form| form.ignores_case);
    let mut alphabet: Vec<char> = others.iter().copied().chain([':']).collect();
    for symbol in patterns.iter().flat_map(|form| form.symbols.iter()) {
        if let Symbol::Char(c) = symbol {
            alphabet.push(*c);
            if ignores_case {
                alphabet.extend(c.to_uppercase().chain(c.to_lowercase()));
            }
        }
    }
    alphabet.sort_unstable();
    alphabet.dedup();
    alphabet
}

/// The positions in the pattern after one more character.
fn step(SymbolPattern { symbols, ignores_case }: SymbolPattern<'_>, positions: &[u32], c: char) -> Vec<u32> {
    let same = |wanted: char| wanted == c || (ignores_case && c.to_lowercase().eq([wanted]));
    let next = positions.iter().filter_map(|position| match symbols.get(*position as usize)? {
        Symbol::Char(wanted) => same(*wanted).then_some(position + 1),
        Symbol::One => Some(position + 1),
        Symbol::Star => Some(*position),
        Symbol::PartOne => (c != ':').then_some(position + 1),
        Symbol::PartStar => (c != ':').then_some(*position),
    });
    closure(symbols, next.collect())
}

/// Adds the positions behind stars, because a star may stand for nothing. The positions stay sorted.
fn closure(symbols: &[Symbol], mut positions: Vec<u32>) -> Vec<u32> {
    let mut at = 0;
    while let Some(position) = positions.get(at).copied() {
        if let Some(Symbol::Star | Symbol::PartStar) = symbols.get(position as usize) {
            positions.push(position + 1);
        }
        at += 1;
    }
    positions.sort_unstable();
    positions.dedup();
    positions
}

#[cfg(test)]
mod tests;
