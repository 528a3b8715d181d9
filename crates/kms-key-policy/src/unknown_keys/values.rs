//! Finds the values to try for an unknown key: one for each combination of comparisons that can be true together.

use std::borrow::Cow;

use super::MOST_COMBINATIONS;
use crate::pattern::sample_texts::{self, MOST_SYMBOLS, SymbolPattern};
use crate::pattern::symbols::{Symbol, as_text, as_written, of_text};
use crate::value::date::Instant;
use crate::value::network::Network;
use crate::value::number::neighbours;

/// What a key's value is compared with. An answer may describe values by a comparand only if it is named, which means
/// that the policies write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Comparand {
    /// This text.
    Literal {
        text: String,
        is_named: bool,
    },
    /// A pattern of texts, or a text whose case does not matter. The symbols are in lower case if case does not matter.
    Pattern {
        symbols: Vec<Symbol>,
        ignores_case: bool,
        is_named: bool,
    },
    Network(Network),
    Number(String),
    Date(Instant),
}

impl Comparand {
    /// A text that the policies name.
    pub(super) fn literal(text: &str) -> Self {
        Self::Literal { text: text.to_owned(), is_named: true }
    }

    /// A text, or a pattern if there are wildcards or if case does not matter.
    pub(super) fn text(symbols: Vec<Symbol>, ignores_case: bool, is_named: bool) -> Self {
        match as_text(&symbols) {
            Some(text) if !ignores_case => Self::Literal { text, is_named },
            _ => Self::Pattern { symbols, ignores_case, is_named },
        }
    }

    /// The pattern that ARNs match and other texts do not. A condition on ARNs is never met by another text.
    pub(super) fn any_arn() -> Self {
        let colon = Symbol::Char(':');
        let part = [Symbol::PartStar, colon];
        let symbols = of_text("arn:").into_iter().chain(part).chain(part).chain(part).chain(part);
        Self::text(symbols.chain([Symbol::Star]).collect(), false, false)
    }

    pub(super) fn literal_text(&self) -> Option<&str> {
        match self {
            Self::Literal { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The symbols of a text or a pattern, and whether its case does not matter.
    fn symbols(&self) -> Option<(Cow<'_, [Symbol]>, bool)> {
        match self {
            Self::Literal { text, .. } => Some((of_text(text).into(), false)),
            Self::Pattern { symbols, ignores_case, .. } => Some((symbols.into(), *ignores_case)),
            _ => None,
        }
    }

    /// A bit for the type of the value: text, address, number or date. The search does not tell values of different
    /// types apart completely.
    const fn sort(&self) -> u8 {
        match self {
            Self::Literal { .. } | Self::Pattern { .. } => 1,
            Self::Network(_) => 2,
            Self::Number(_) => 4,
            Self::Date(_) => 8,
        }
    }

    fn covers(&self, value: &str) -> bool {
        match self {
            Self::Literal { text, .. } => text == value,
            Self::Pattern { symbols, ignores_case, .. } => {
                sample_texts::matches(SymbolPattern { symbols, ignores_case: *ignores_case }, value)
            }
            Self::Network(network) => Network::parse(value).is_some_and(|address| network.contains(&address)),
            Self::Number(_) | Self::Date(_) => false,
        }
    }

    /// The pattern or range as the policies write it. `None` for a text, a number or a date, and for a comparand that
    /// is not named.
    pub(super) fn written(&self) -> Option<String> {
        match self {
            Self::Pattern { symbols, ignores_case: false, is_named: true } => Some(as_written(symbols)),
            Self::Network(network) => Some(network.to_string()),
            _ => None,
        }
    }

    const fn is_named(&self) -> bool {
        match self {
            Self::Literal { is_named, .. } | Self::Pattern { is_named, .. } => *is_named,
            Self::Network(_) | Self::Number(_) | Self::Date(_) => true,
        }
    }
}

/// What the values of one key are compared with.
#[derive(Debug, Clone, Default)]
pub(super) struct Comparands {
    pub(super) list: Vec<Comparand>,
    /// Texts that are preferred to others with the same results, because they are easier to read in an answer.
    pub(super) seeds: Vec<String>,
    /// Patterns of all values that the key can have. If there are none, it can have any value.
    pub(super) limits: Vec<Vec<Symbol>>,
}

/// A value to try.
#[derive(Debug, Clone)]
pub(super) struct CandidateValue {
    pub(super) text: String,
    /// Which of the comparands match it, in their order. Empty if the search did not find out.
    pub(super) covered_by: Vec<bool>,
}

impl Comparands {
    /// Adds a comparand that is new. If the same one is there without being named, and the new one is named, it
    /// replaces the old one. Comparands beyond the limit are ignored, because there are too many combinations then
    /// anyway.
    pub(super) fn push(&mut self, comparand: Comparand) {
        let same = |known: &Comparand| match (known, &comparand) {
            (Comparand::Literal { text: one, .. }, Comparand::Literal { text: other, .. }) => one == other,
            (
                Comparand::Pattern { symbols: one, ignores_case: a, .. },
                Comparand::Pattern { symbols: other, ignores_case: b, .. },
            ) => one == other && a == b,
            (one, other) => one == other,
        };
        let known = self.list.iter().position(same);
        if let Some(known) = known.and_then(|at| self.list.get_mut(at)) {
            if comparand.is_named() {
                *known = comparand;
            }
        } else if self.list.len() <= MOST_COMBINATIONS {
            self.list.push(comparand);
        }
    }

    pub(super) fn extend(&mut self, other: &Self) {
        other.list.iter().for_each(|comparand| self.push(comparand.clone()));
        other.seeds.iter().for_each(|seed| self.push_seed(seed.clone()));
    }

    /// Adds a preferred text that is new.
    pub(super) fn push_seed(&mut self, text: String) {
        if !self.seeds.contains(&text) && self.seeds.len() <= MOST_COMBINATIONS {
            self.seeds.push(text);
        }
    }

    fn has_patterns(&self) -> bool {
        self.list.iter().any(|comparand| matches!(comparand, Comparand::Pattern { .. }))
    }

    /// Whether all comparands compare texts.
    pub(super) fn are_texts(&self) -> bool {
        self.list.iter().all(|comparand| comparand.sort() == 1)
    }

    /// All symbols of texts and patterns.
    pub(super) fn symbols(&self) -> impl Iterator<Item = Symbol> {
        let texts =
            self.list.iter().filter_map(Comparand::symbols).flat_map(|(symbols, _)| symbols.into_owned());
        let seeds = self.seeds.iter().flat_map(|text| of_text(text));
        texts.chain(self.limits.iter().flatten().copied()).chain(seeds)
    }

    /// Whether no comparand that the policies name matches the value, so that an answer can say just that.
    pub(super) fn is_other(&self, value: &[bool]) -> bool {
        if value.len() != self.list.len() {
            return false;
        }
        let compares_size = self.list.iter().any(|p| matches!(p, Comparand::Number(_) | Comparand::Date(_)));
        let is_covered =
            self.list.iter().zip(value).any(|(comparand, covers)| *covers && comparand.is_named());
        !compares_size && !is_covered
    }

    /// Values for all combinations of comparands that can match together, up to `most` different ones for each. Also
    /// says whether these are all. `others` are `most` characters that no comparand names.
    pub(super) fn values(&self, others: &[char], most: usize) -> (Vec<CandidateValue>, bool) {
        let sorts = self.list.iter().fold(0, |all, comparand| all | comparand.sort());
        let mut complete = sorts.count_ones() <= 1;
        // With more symbols the search for sample texts gives up, and so the values are not described either.
        let describes = !self.has_patterns() || self.symbols().take(MOST_SYMBOLS + 1).count() <= MOST_SYMBOLS;
        let mut found = ValueSearch { comparands: self, describes, values: Vec::new() };
        let named = self.list.iter().filter_map(Comparand::literal_text).map(str::to_owned);
        named.chain(self.seeds.iter().cloned()).for_each(|text| found.push(text));
        for comparand in &self.list {
            match comparand {
                Comparand::Literal { .. } | Comparand::Pattern { .. } => {}
                Comparand::Network(network) => network.edges().for_each(|edge| found.push(edge)),
                Comparand::Number(number) => {
                    let near = neighbours(number);
                    complete &= near.is_some();
                    near.into_iter().flatten().for_each(|text| found.push(text));
                }
                Comparand::Date(instant) => {
                    [*instant - 1, *instant, *instant + 1]
                        .map(seconds)
                        .into_iter()
                        .for_each(|t| found.push(t));
                }
            }
        }
        complete &= found.add_texts(others, most) && describes;
        (found.values, complete)
    }
}

struct ValueSearch<'a> {
    comparands: &'a Comparands,
    /// Whether to find out which comparands match each value.
    describes: bool,
    values: Vec<CandidateValue>,
}

impl ValueSearch<'_> {
    fn push(&mut self, text: String) {
        let limits = &self.comparands.limits;
        let may_be = limits.is_empty()
            || limits
                .iter()
                .any(|symbols| sample_texts::matches(SymbolPattern { symbols, ignores_case: false }, &text));
        if may_be && !self.values.iter().any(|value| value.text == text) {
            let covered_by = if self.describes {
                self.comparands.list.iter().map(|comparand| comparand.covers(&text)).collect()
            } else {
                Vec::new()
            };
            self.values.push(CandidateValue { text, covered_by });
        }
    }

    /// Adds texts for the combinations of comparands that no value stands for yet.
    fn add_texts(&mut self, others: &[char], most: usize) -> bool {
        let list = &self.comparands.list;
        if !self.comparands.has_patterns() && self.comparands.limits.is_empty() {
            // Without patterns, any text that is not named will do.
            others.iter().for_each(|other| self.push(other.to_string()));
            return true;
        }
        let limits = self.comparands.limits.iter().map(|symbols| (symbols.into(), false));
        let texts: Vec<(Cow<'_, [Symbol]>, bool)> =
            list.iter().filter_map(Comparand::symbols).chain(limits).collect();
        let forms: Vec<SymbolPattern<'_>> = texts
            .iter()
            .map(|(symbols, ignores_case)| SymbolPattern { symbols, ignores_case: *ignores_case })
            .collect();
        let (samples, complete) = sample_texts::find(&forms, others, most);
        for found in samples {
            let alike = |value: &&CandidateValue| {
                let texts = list.iter().zip(&value.covered_by).filter(|(comparand, _)| comparand.sort() == 1);
                texts.zip(&found.matches).all(|((_, known), new)| known == new)
            };
            if !self.describes || self.values.iter().filter(alike).count() < most {
                self.push(found.text);
            }
        }
        if !complete {
            // The samples are incomplete. A plain example of each pattern may still lead to another decision.
            forms.iter().for_each(|form| self.push(example(form.symbols, others)));
        }
        complete
    }
}

/// A text that matches a pattern: no character for a run, and a character that no comparand names for any character.
fn example(symbols: &[Symbol], others: &[char]) -> String {
    let chars = symbols.iter().filter_map(|symbol| match symbol {
        Symbol::Char(c) => Some(*c),
        Symbol::One | Symbol::PartOne => others.first().copied(),
        Symbol::Star | Symbol::PartStar => None,
    });
    chars.collect()
}

fn seconds(instant: Instant) -> String {
    let sign = if instant < 0 { "-" } else { "" };
    let size = instant.unsigned_abs();
    // Four digits alone are a year. So epoch seconds need more digits or a point.
    format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000)
}
