//! Texts for every way in which a set of patterns can match and not match together.
//!
//! The patterns run side by side as one automaton over the characters that they name and one that they do not. Each
//! state that can be reached tells which patterns match the text that leads there; the first text for each such answer
//! is kept. The search is breadth-first and bounded.

use std::collections::{HashSet, VecDeque};

/// The most states that are visited.
const MOST_STATES: usize = 4096;

/// The most symbols that all patterns may have together.
const MOST_SYMBOLS: usize = 4096;

/// The most steps of single patterns that are taken.
const MOST_STEPS: usize = 400_000;

/// One symbol of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Char(char),
    /// Any character.
    One,
    /// Any run of characters.
    Star,
    /// Any character but a colon.
    PartOne,
    /// Any run of characters but colons.
    PartStar,
}

/// A text, and which of the patterns match it.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) text: String,
    pub(super) matches: Vec<bool>,
}

/// Finds a text for each way to match, and says whether these are all. A pattern comes with whether its case does not
/// matter; it is then in lower case.
pub(super) fn find(patterns: &[(&[Symbol], bool)]) -> (Vec<Witness>, bool) {
    if patterns.iter().map(|(symbols, _)| symbols.len() + 1).sum::<usize>() > MOST_SYMBOLS {
        return (Vec::new(), false);
    }
    let alphabet = alphabet(patterns);
    let start: Vec<Vec<u32>> = patterns.iter().map(|(symbols, _)| closure(symbols, vec![0])).collect();
    let mut found: Vec<Witness> = Vec::new();
    let mut seen = HashSet::from([start.clone()]);
    let mut queue = VecDeque::from([(start, String::new())]);
    let mut steps = 0;
    while let Some((state, text)) = queue.pop_front() {
        steps += alphabet.len() * state.iter().map(|places| places.len() + 1).sum::<usize>();
        if steps > MOST_STEPS {
            return (found, false);
        }
        let matches: Vec<bool> = state
            .iter()
            .zip(patterns)
            .map(|(places, (symbols, _))| places.last().is_some_and(|last| *last as usize == symbols.len()))
            .collect();
        if !found.iter().any(|witness| witness.matches == matches) {
            found.push(Witness { text: text.clone(), matches });
        }
        for c in &alphabet {
            let next: Vec<Vec<u32>> =
                state.iter().zip(patterns).map(|(places, pattern)| step(*pattern, places, *c)).collect();
            if seen.insert(next.clone()) {
                if seen.len() > MOST_STATES {
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

/// The characters that the patterns can tell apart: those that they name, in both cases where that does not matter,
/// the colon, and one that stands for all others.
fn alphabet(patterns: &[(&[Symbol], bool)]) -> Vec<char> {
    let fold = patterns.iter().any(|(_, fold)| *fold);
    let mut alphabet = vec!['\u{1}', ':'];
    for symbol in patterns.iter().flat_map(|(symbols, _)| symbols.iter()) {
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
fn step((symbols, fold): (&[Symbol], bool), places: &[u32], c: char) -> Vec<u32> {
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
