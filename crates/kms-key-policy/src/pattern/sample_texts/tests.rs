//! Sample texts: there is one for each combination of patterns that can match together, and each matches what it
//! should.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::{SymbolPattern, find};
use crate::pattern::symbols::Symbol;

const fn exact(symbols: &[Symbol]) -> SymbolPattern<'_> {
    SymbolPattern { symbols, ignores_case: false }
}

fn symbols(pattern: &str) -> Vec<Symbol> {
    let symbol = |c| match c {
        '*' => Symbol::Star,
        '?' => Symbol::One,
        '%' => Symbol::PartStar,
        '_' => Symbol::PartOne,
        c => Symbol::Char(c),
    };
    pattern.chars().map(symbol).collect()
}

/// Whether symbols match a text. This tries everything, so it is for short texts only.
fn matches(symbols: &[Symbol], text: &[char]) -> bool {
    let Some((first, rest)) = symbols.split_first() else { return text.is_empty() };
    let step = |allowed: bool| allowed && matches(rest, &text[1..]);
    match (first, text.first()) {
        (Symbol::Char(c), Some(t)) => step(c == t),
        (Symbol::One, Some(_)) => step(true),
        (Symbol::PartOne, Some(t)) => step(*t != ':'),
        (Symbol::Star, Some(_)) => matches(rest, text) || matches(symbols, &text[1..]),
        (Symbol::PartStar, Some(t)) => matches(rest, text) || (*t != ':' && matches(symbols, &text[1..])),
        (Symbol::Star | Symbol::PartStar, None) => matches(rest, text),
        (_, None) => false,
    }
}

fn all_texts(longest: usize) -> Vec<Vec<char>> {
    let mut texts = vec![vec![]];
    let mut last = texts.clone();
    for _ in 0..longest {
        last = last
            .iter()
            .flat_map(|t: &Vec<char>| ['a', 'b', ':', '#'].map(|c| [t.as_slice(), &[c]].concat()))
            .collect();
        texts.extend(last.clone());
    }
    texts
}

#[test]
fn a_pattern_of_too_many_symbols_is_given_up() {
    let long = vec![Symbol::Char('a'); 5000];
    assert!(!find(&[exact(&long)], &['x'], 1).1);
}

#[test]
fn case_is_ignored_if_it_does_not_matter() {
    let (exact, folded) = (symbols("Ab"), symbols("ab"));
    let (samples, complete) =
        find(&[self::exact(&exact), SymbolPattern { symbols: &folded, ignores_case: true }], &['x'], 1);
    assert!(complete);
    let combinations: Vec<Vec<bool>> = samples.into_iter().map(|w| w.matches).collect();
    assert!(
        combinations.contains(&vec![true, true])
            && combinations.contains(&vec![false, true])
            && combinations.contains(&vec![false, false])
    );
    assert!(!combinations.contains(&vec![true, false]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn samples_are_true_and_complete(
        patterns in prop::collection::vec("[ab:*?%_]{0,4}", 1..4), most in 1..4usize,
    ) {
        let patterns: Vec<Vec<Symbol>> = patterns.iter().map(|p| symbols(p)).collect();
        let given: Vec<SymbolPattern<'_>> = patterns.iter().map(|p| exact(p)).collect();
        let (samples, complete) = find(&given, &['#', '%', '/'], most);
        prop_assert!(complete);
        let combination = |text: &[char]| patterns.iter().map(|p| matches(p, text)).collect::<Vec<bool>>();
        for sample in &samples {
            prop_assert_eq!(&combination(&sample.text.chars().collect::<Vec<_>>()), &sample.matches);
        }
        let mut texts: HashMap<Vec<bool>, usize> = HashMap::new();
        for text in all_texts(5) {
            *texts.entry(combination(&text)).or_default() += 1;
        }
        let found: HashSet<&str> = samples.iter().map(|w| w.text.as_str()).collect();
        prop_assert_eq!(found.len(), samples.len(), "no text comes twice");
        for (combination, count) in texts {
            let found = samples.iter().filter(|w| w.matches == combination).count();
            prop_assert!(found >= count.min(most), "{found} samples of {count} for {combination:?}");
        }
    }
}
