//! One value of an unknown key for each way in which the policies' comparisons with it can come out.

use crate::policy::symbols::{Symbol, as_text, as_written, of_text};
use crate::policy::value::date::Instant;
use crate::policy::value::network::Network;
use crate::policy::value::number::neighbours;
use crate::policy::witness::{self, Form};

/// What a key's value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Probe {
    /// A text or a pattern of texts.
    Text {
        symbols: Vec<Symbol>,
        /// Whether case does not matter; the symbols are in lower case then.
        fold: bool,
        /// Whether the policies name it, so that an answer may be given in its terms.
        is_named: bool,
    },
    Network(Network),
    Number(String),
    Date(Instant),
}

impl Probe {
    /// A text that the policies name.
    pub(super) fn literal(text: &str) -> Self {
        Self::Text { symbols: of_text(text), fold: false, is_named: true }
    }

    /// What tells an ARN from other texts: only then are ARN conditions looked at.
    pub(super) fn any_arn() -> Self {
        let colon = Symbol::Char(':');
        let part = [Symbol::PartStar, colon];
        let symbols = of_text("arn:").into_iter().chain(part).chain(part).chain(part).chain(part);
        Self::Text { symbols: symbols.chain([Symbol::Star]).collect(), fold: false, is_named: false }
    }

    /// The text, where it is one that stands for itself.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Text { symbols, fold: false, .. } => as_text(symbols),
            _ => None,
        }
    }

    const fn form(&self) -> Option<Form<'_>> {
        match self {
            Self::Text { symbols, fold, .. } => Some(Form { symbols: symbols.as_slice(), fold: *fold }),
            _ => None,
        }
    }

    /// Texts, addresses, numbers and dates: values of different sorts are not told apart completely.
    const fn sort(&self) -> u8 {
        match self {
            Self::Text { .. } => 1,
            Self::Network(_) => 2,
            Self::Number(_) => 4,
            Self::Date(_) => 8,
        }
    }

    fn covers(&self, text: &str) -> bool {
        match self {
            Self::Network(network) => Network::parse(text).is_some_and(|address| network.contains(&address)),
            Self::Number(_) | Self::Date(_) => false,
            Self::Text { .. } => self.form().is_some_and(|form| witness::matches(form, text)),
        }
    }

    /// The pattern or range in the policies' terms; `None` for a text, a number or a date, and for what they do not name.
    pub(super) fn written(&self) -> Option<String> {
        match self {
            Self::Text { symbols, fold: false, is_named: true } if as_text(symbols).is_none() => {
                Some(as_written(symbols))
            }
            Self::Network(network) => Some(network.to_string()),
            _ => None,
        }
    }

    const fn is_named(&self) -> bool {
        match self {
            Self::Text { is_named, .. } => *is_named,
            _ => true,
        }
    }
}

/// What the values of one key are compared with.
#[derive(Debug, Clone, Default)]
pub(super) struct Probes {
    pub(super) list: Vec<Probe>,
    /// Texts that are tried before others that come out alike: they read better in an answer.
    pub(super) seeds: Vec<String>,
    /// The values that the key can have at all match one of these; empty if it can have any.
    pub(super) limits: Vec<Vec<Symbol>>,
}

/// One value.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) text: String,
    /// Which of the probes match it, in their order.
    pub(super) covered_by: Vec<bool>,
}

impl Probes {
    pub(super) fn push(&mut self, probe: Probe) {
        let Probe::Text { symbols, fold, is_named } = &probe else {
            if !self.list.contains(&probe) {
                self.list.push(probe);
            }
            return;
        };
        let same = |known: &&mut Probe| matches!(known, Probe::Text { symbols: s, fold: f, .. } if s == symbols && f == fold);
        match self.list.iter_mut().find(same) {
            Some(Probe::Text { is_named: known, .. }) => *known |= is_named,
            _ => self.list.push(probe),
        }
    }

    pub(super) fn extend(&mut self, other: &Self) {
        other.list.iter().for_each(|probe| self.push(probe.clone()));
        self.seeds.extend(other.seeds.iter().cloned());
    }

    /// Whether all of them compare texts.
    pub(super) fn are_texts(&self) -> bool {
        self.list.iter().all(|probe| matches!(probe, Probe::Text { .. }))
    }

    /// All symbols of texts and patterns.
    pub(super) fn symbols(&self) -> impl Iterator<Item = Symbol> {
        let texts = self.list.iter().filter_map(Probe::form).map(|form| form.symbols);
        let seeds = self.seeds.iter().flat_map(|text| of_text(text));
        texts.chain(self.limits.iter().map(Vec::as_slice)).flatten().copied().chain(seeds)
    }

    /// Whether nothing that the policies name matches the value, so that an answer can say just that.
    pub(super) fn is_other(&self, value: &[bool]) -> bool {
        let compares_size = self.list.iter().any(|p| matches!(p, Probe::Number(_) | Probe::Date(_)));
        let is_covered = self.list.iter().zip(value).any(|(probe, covers)| *covers && probe.is_named());
        !compares_size && !is_covered
    }

    /// Values that stand for all that the probes can tell apart, up to `most` different ones for each way, and
    /// whether these are all. `others` are `most` characters that no probe names.
    pub(super) fn values(&self, others: &[char], most: usize) -> (Vec<Value>, bool) {
        let sorts = self.list.iter().fold(0, |all, probe| all | probe.sort());
        let mut complete = sorts.count_ones() <= 1;
        let mut found = Found { probes: self, values: Vec::new() };
        for text in self.list.iter().filter_map(Probe::text).chain(self.seeds.iter().cloned()) {
            found.push(text);
        }
        for probe in &self.list {
            match probe {
                Probe::Text { .. } => {}
                Probe::Network(network) => network.edges().for_each(|edge| found.push(edge)),
                Probe::Number(number) => {
                    let near = neighbours(number);
                    complete &= near.is_some();
                    near.into_iter().flatten().for_each(|text| found.push(text));
                }
                Probe::Date(instant) => {
                    [*instant - 1, *instant, *instant + 1]
                        .map(seconds)
                        .into_iter()
                        .for_each(|t| found.push(t));
                }
            }
        }
        complete &= found.add_texts(others, most);
        (found.values, complete)
    }
}

struct Found<'a> {
    probes: &'a Probes,
    values: Vec<Value>,
}

impl Found<'_> {
    fn push(&mut self, text: String) {
        let limits = &self.probes.limits;
        let may_be = limits.is_empty()
            || limits.iter().any(|symbols| witness::matches(Form { symbols, fold: false }, &text));
        if may_be && !self.values.iter().any(|value| value.text == text) {
            let covered_by = self.probes.list.iter().map(|probe| probe.covers(&text)).collect();
            self.values.push(Value { text, covered_by });
        }
    }

    /// Adds texts for the ways that no value stands for yet.
    fn add_texts(&mut self, others: &[char], most: usize) -> bool {
        let list = &self.probes.list;
        let limits = self.probes.limits.iter().map(|symbols| Form { symbols, fold: false });
        let forms: Vec<Form<'_>> = list.iter().filter_map(Probe::form).chain(limits).collect();
        if forms.iter().all(|form| !form.fold && as_text(form.symbols).is_some())
            && self.probes.limits.is_empty()
        {
            // Without patterns any texts that are not named will do.
            others.iter().for_each(|other| self.push(other.to_string()));
            return true;
        }
        let (witnesses, complete) = witness::find(&forms, others, most);
        for found in witnesses {
            let alike = |value: &&Value| {
                let texts = list.iter().zip(&value.covered_by).filter(|(probe, _)| probe.form().is_some());
                texts.zip(&found.matches).all(|((_, known), new)| known == new)
            };
            if self.values.iter().filter(alike).count() < most {
                self.push(found.text);
            }
        }
        if !complete {
            // Not all ways have been found; a plain example of each pattern may still lead to another answer.
            forms.iter().for_each(|form| self.push(example(form.symbols, others)));
        }
        complete
    }
}

/// A text that matches a pattern: nothing for a run, and an odd character for any character.
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
    // Epoch seconds need more than four digits or a point, since four digits alone are a year.
    format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000)
}
