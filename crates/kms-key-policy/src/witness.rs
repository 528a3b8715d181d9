//! Texts for every way in which a set of patterns can match and not match together.
//!
//! The patterns run side by side as one automaton over the characters that they name and some that they do not. Each
//! state that can be reached tells which patterns match the text that leads there; the first texts for each such answer
//! are kept. The search is breadth-first and bounded.

use std::collections::{HashMap, VecDeque};

use super::symbols::Symbol;

/// The most states that are visited.
const MOST_STATES: usize = 4096;

/// The most symbols that all patterns may have together.
pub(super) const MOST_SYMBOLS: usize = 4096;

/// The most steps of single patterns that are taken.
const MOST_STEPS: usize = 400_000;

/// A pattern as symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form<'a> {
    pub(super) symbols: &'a [Symbol],
    /// Whether the case of a text does not matter; the symbols are in lower case then.
    pub(super) fold: bool,
}

/// A text, and which of the patterns match it.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) text: String,
    pub(super) matches: Vec<bool>,
}

/// Finds up to `most` different texts for each way to match, and says whether there are no other ways, and no more
/// texts where there are fewer. `others` are `most` characters that no pattern names; they stand for all of these.
pub(super) fn find(patterns: &[Form<'_>], others: &[char], most: usize) -> (Vec<Witness>, bool) {
    if patterns.iter().map(|form| form.symbols.len() + 1).sum::<usize>() > MOST_SYMBOLS {
        return (Vec::new(), false);
    }
    let alphabet = alphabet(patterns, others);
    let start: Vec<Vec<u32>> = patterns.iter().map(|form| closure(form.symbols, vec![0])).collect();
    let mut found: Vec<Witness> = Vec::new();
    // A state is gone on from once for each text that is wanted: the n shortest ways to a state lead through the n
    // shortest ways to the one before it.
    let mut visits = HashMap::from([(start.clone(), 1)]);
    let mut queue = VecDeque::from([(start, String::new())]);
    let mut steps = 0;
    while let Some((state, text)) = queue.pop_front() {
        steps += alphabet.len() * state.iter().map(|places| places.len() + 1).sum::<usize>();
        if steps > MOST_STEPS {
            return (found, false);
        }
        let matches: Vec<bool> =
            state.iter().zip(patterns).map(|(places, form)| is_end(form.symbols, places)).collect();
        if found.iter().filter(|witness| witness.matches == matches).count() < most {
            found.push(Witness { text: text.clone(), matches });
        }
        for c in &alphabet {
            let next: Vec<Vec<u32>> =
                state.iter().zip(patterns).map(|(places, form)| step(*form, places, *c)).collect();
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

/// Whether a text matches a pattern.
pub(super) fn matches(form: Form<'_>, text: &str) -> bool {
    let start = closure(form.symbols, vec![0]);
    is_end(form.symbols, &text.chars().fold(start, |places, c| step(form, &places, c)))
}

fn is_end(symbols: &[Symbol], places: &[u32]) -> bool {
    places.last().is_some_and(|last| *last as usize == symbols.len())
}

/// The characters that the patterns can tell apart: those that they name, in both cases where that does not matter,
/// the colon, and some that stand for all others.
fn alphabet(patterns: &[Form<'_>], others: &[char]) -> Vec<char> {
    let fold = patterns.iter().any(|form| form.fold);
    let mut alphabet: Vec<char> = others.iter().copied().chain([':']).collect();
    for symbol in patterns.iter().flat_map(|form| form.symbols.iter()) {
        if let Symbol::Char(c) = symbol {
            alphabet.push(*c);
            if fold {
                alphabet.extend(c.to_uppercase().chain(c.to_lowercase()));
            }
        }
    }
    alphabet.sort_unstable();
    alphabet.dedup();
    alphabet
}

/// The places after one more character.
fn step(Form { symbols, fold }: Form<'_>, places: &[u32], c: char) -> Vec<u32> {
    let same = |wanted: char| wanted == c || (fold && c.to_lowercase().eq([wanted]));
    let next = places.iter().filter_map(|place| match symbols.get(*place as usize)? {
        Symbol::Char(wanted) => same(*wanted).then_some(place + 1),
        Symbol::One => Some(place + 1),
        Symbol::Star => Some(*place),
        Symbol::PartOne => (c != ':').then_some(place + 1),
        Symbol::PartStar => (c != ':').then_some(*place),
    });
    closure(symbols, next.collect())
}

/// Adds the places behind stars, which may stand for nothing. The places stay sorted.
fn closure(symbols: &[Symbol], mut places: Vec<u32>) -> Vec<u32> {
    let mut at = 0;
    while let Some(place) = places.get(at).copied() {
        if let Some(Symbol::Star | Symbol::PartStar) = symbols.get(place as usize) {
            places.push(place + 1);
        }
        at += 1;
    }
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests;
