//! One value of an unknown key for each way in which the policies' comparisons with it can come out.

use std::collections::HashSet;

use super::witness::{self, Symbol};
use super::{Candidate, MOST_COMBINATIONS};
use crate::policy::answer::Completion;
use crate::policy::context::{Entry, EntryState};
use crate::policy::document::Pools;
use crate::policy::glob::Piece;
use crate::policy::operator::Base;
use crate::policy::pattern::Pattern;
use crate::policy::value::date::Instant;
use crate::policy::value::network::Network;
use crate::policy::value::number::neighbours;

/// What a key's value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Probe {
    /// Exactly this text.
    Literal(String),
    /// A pattern: its symbols, whether its case matters, and its text.
    Glob {
        symbols: Vec<Symbol>,
        fold: bool,
        shown: Completion,
    },
    Network(Network, String),
    Number(String),
    Date(Instant),
    Bool,
}

/// What is asked of a key with a list of values.
#[derive(Debug, Default)]
pub(super) struct SetNeed {
    /// How many conditions ask for all or any of the values.
    pub(super) conditions: usize,
    /// Lists that a grant asks for exactly.
    pub(super) exact: Vec<Vec<String>>,
}

impl Probe {
    /// What a listed value compares with; nothing for one that never matches, or that holds a variable.
    pub(super) fn new(base: Base, pattern: &Pattern, pools: &Pools) -> Option<Self> {
        let text = |s: &crate::policy::document::Str| s.of(&pools.text).to_owned();
        match pattern {
            Pattern::Exact(exact) if base == Base::StringIgnoreCase => {
                let text = text(exact);
                let symbols = text.chars().flat_map(char::to_lowercase).map(Symbol::Char).collect();
                Some(Self::Glob { symbols, fold: true, shown: Completion::Value(text) })
            }
            Pattern::Exact(exact) => Some(Self::Literal(text(exact))),
            Pattern::Any => {
                let shown = Completion::Like("*".to_owned());
                Some(Self::Glob { symbols: vec![Symbol::Star], fold: false, shown })
            }
            Pattern::Pieces { pieces, variables: false } => {
                let symbols = symbols(pieces.of(&pools.pieces), pools, false);
                let shown = Completion::Like(pattern.shown(pools, "*", "?")?);
                Some(Self::Glob { symbols, fold: false, shown })
            }
            Pattern::Arn(at) => {
                let arn = pools.arns.get(*at as usize)?;
                let last = arn.parts().count();
                let parts: Vec<Vec<Symbol>> = arn
                    .parts()
                    .enumerate()
                    .map(|(n, part)| symbols(part.of(&pools.pieces), pools, n + 1 < last))
                    .collect();
                let shown = Completion::Like(pattern.shown(pools, "*", "?")?);
                Some(Self::Glob { symbols: parts.join(&Symbol::Char(':')), fold: false, shown })
            }
            Pattern::Number(number) => Some(Self::Number(text(number))),
            Pattern::Date(instant) => Some(Self::Date(*instant)),
            Pattern::Network(network) => {
                let (first, last) = network.ends();
                let shown = if first == last { first } else { format!("{first}-{last}") };
                Some(Self::Network(*network, shown))
            }
            Pattern::Bool(_) => Some(Self::Bool),
            Pattern::Binary(binary) => Some(Self::Literal(text(binary))),
            Pattern::Pieces { variables: true, .. } | Pattern::LoneStarArn | Pattern::Never => None,
        }
    }

    /// What tells an ARN from other texts: only then are ARN conditions looked at.
    pub(super) fn any_arn() -> Self {
        let colon = Symbol::Char(':');
        let start = "arn:".chars().map(Symbol::Char);
        let part = [Symbol::PartStar, colon];
        let symbols = start.chain(part).chain(part).chain(part).chain(part).chain([Symbol::Star]);
        let shown = Completion::Like("arn:*:*:*:*:*".to_owned());
        Self::Glob { symbols: symbols.collect(), fold: false, shown }
    }

    const fn family(&self) -> u8 {
        match self {
            Self::Literal(_) | Self::Glob { .. } => 1,
            Self::Network(..) => 2,
            Self::Number(_) => 4,
            Self::Date(_) => 8,
            Self::Bool => 16,
        }
    }
}

/// The symbols of pieces without variables; `part`: wildcards stop at colons.
fn symbols(pieces: &[Piece], pools: &Pools, part: bool) -> Vec<Symbol> {
    pieces
        .iter()
        .flat_map(|piece| {
            let (text, wildcard) = match piece {
                Piece::Text(text) => (text.of(&pools.text), None),
                Piece::Star => ("", Some(if part { Symbol::PartStar } else { Symbol::Star })),
                Piece::One => ("", Some(if part { Symbol::PartOne } else { Symbol::One })),
                Piece::Variable { .. } => ("", None),
            };
            text.chars().map(Symbol::Char).chain(wildcard)
        })
        .collect()
}

/// One value.
#[derive(Debug, Clone)]
struct Value {
    text: String,
    shown: Completion,
}

pub(super) fn known(value: &str) -> EntryState {
    EntryState::Known { values: vec![value.to_owned()], list: false }
}

/// The values to try for a key, and whether these are all that the probes can tell apart.
///
/// `sets`: the key has a list of values, in which these names always are.
pub(super) fn candidates(
    name: &str,
    may_be_absent: bool,
    probes: &[Probe],
    sets: Option<(&SetNeed, &[String])>,
) -> (Vec<Candidate>, bool) {
    let (values, mut complete) = values(probes);
    let absent = Candidate { entry: Entry::new(name, EntryState::Absent), shown: Completion::Absent };
    let mut candidates: Vec<Candidate> = may_be_absent.then_some(absent).into_iter().collect();
    match sets {
        None => candidates.extend(
            values
                .into_iter()
                .map(|value| Candidate { entry: Entry::new(name, known(&value.text)), shown: value.shown }),
        ),
        Some((need, always)) => {
            complete &= lists(name, need, always, &values, &mut candidates);
        }
    }
    (candidates, complete)
}

/// Lists of values: a condition that asks for all or any is settled by one value, so as many values as conditions do.
fn lists(
    name: &str,
    need: &SetNeed,
    always: &[String],
    values: &[Value],
    candidates: &mut Vec<Candidate>,
) -> bool {
    let mut push = |chosen: Vec<&Value>| {
        let mut list: Vec<String> = always.to_vec();
        let extra = chosen.iter().map(|v| v.text.clone()).filter(|text| !always.contains(text));
        list.extend(extra);
        let shown = match chosen.as_slice() {
            [value] if always.is_empty() => value.shown.clone(),
            _ => Completion::Values(list.iter().map(|v| v.replace('\u{1}', "…")).collect()),
        };
        let state = EntryState::Known { values: list, list: true };
        candidates.push(Candidate { entry: Entry::new(name, state), shown });
    };
    if !always.is_empty() {
        push(Vec::new());
    }
    for exact in &need.exact {
        let wanted = values.iter().filter(|value| exact.contains(&value.text));
        push(wanted.collect());
    }
    // Every choice of up to `size` values, as rising positions.
    let size = need.conditions.max(1);
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

/// Single values that stand for all that the probes can tell apart.
fn values(probes: &[Probe]) -> (Vec<Value>, bool) {
    let families = probes.iter().fold(0, |all, probe| all | probe.family());
    let mut complete = families.count_ones() <= 1;
    let mut values: Vec<Value> = Vec::new();
    let mut seen = HashSet::new();
    let mut push = |text: String, shown: Completion| {
        if seen.insert(text.clone()) {
            values.push(Value { text, shown });
        }
    };
    complete &= texts(probes, &mut push);
    let value = |text: String| (text.clone(), Completion::Value(text));
    for probe in probes {
        match probe {
            Probe::Literal(_) | Probe::Glob { .. } => {}
            Probe::Network(network, shown) => {
                for (n, edge) in network.edges().enumerate() {
                    let shown = if n == 0 { shown.clone() } else { edge.clone() };
                    push(edge, Completion::Value(shown));
                }
            }
            Probe::Number(number) => {
                let near = neighbours(number);
                complete &= near.is_some();
                for text in near.into_iter().flatten() {
                    let (text, shown) = value(text);
                    push(text, shown);
                }
            }
            Probe::Date(instant) => {
                for text in [*instant - 1, *instant, *instant + 1].map(seconds) {
                    let (text, shown) = value(text);
                    push(text, shown);
                }
            }
            Probe::Bool => {
                for text in ["true", "false"] {
                    let (text, shown) = value(text.to_owned());
                    push(text, shown);
                }
            }
        }
    }
    (values, complete)
}

/// Texts: every literal, one for each way to match the patterns, and one that matches nothing.
fn texts(probes: &[Probe], push: &mut impl FnMut(String, Completion)) -> bool {
    let mut literals: Vec<&str> = Vec::new();
    let mut seen = HashSet::new();
    let mut globs: Vec<(&[Symbol], bool, &Completion)> = Vec::new();
    for probe in probes {
        match probe {
            Probe::Literal(text) if seen.insert(text.as_str()) => literals.push(text),
            Probe::Glob { symbols, fold, shown } => {
                let glob = (symbols.as_slice(), *fold, shown);
                if !globs.iter().any(|g| (g.0, g.1) == (glob.0, glob.1)) {
                    globs.push(glob);
                }
            }
            _ => {}
        }
    }
    for literal in &literals {
        // A value of a linked key of its own is no value that a policy names.
        let shown = if literal.starts_with('\u{1}') {
            Completion::Other
        } else {
            Completion::Value((*literal).to_owned())
        };
        push((*literal).to_owned(), shown);
    }
    if globs.is_empty() {
        push(fresh(&seen), Completion::Other);
        return true;
    }
    let literal_symbols: Vec<Vec<Symbol>> =
        literals.iter().map(|text| text.chars().map(Symbol::Char).collect()).collect();
    let exact = literal_symbols.iter().map(|symbols| (symbols.as_slice(), false));
    let patterns: Vec<(&[Symbol], bool)> = globs.iter().map(|g| (g.0, g.1)).chain(exact).collect();
    let (witnesses, complete) = witness::find(&patterns);
    for found in witnesses {
        let mut matched = globs.iter().zip(&found.matches).filter(|(_, matches)| **matches);
        let shown = match (matched.next(), matched.next()) {
            (None, _) => Completion::Other,
            (Some((glob, _)), None) => glob.2.clone(),
            // The narrower patterns name the value best; without knowing which these are, the value does.
            (Some(_), Some(_)) => Completion::Value(found.text.replace('\u{1}', "…")),
        };
        push(found.text, shown);
    }
    if !complete {
        // Not all ways have been found; a plain example of each pattern may still lead to another answer.
        for (symbols, _, shown) in globs {
            push(example(symbols), shown.clone());
        }
    }
    complete
}

/// A text that matches a pattern: nothing for a run, and an odd character for any character.
fn example(symbols: &[Symbol]) -> String {
    let chars = symbols.iter().filter_map(|symbol| match symbol {
        Symbol::Char(c) => Some(*c),
        Symbol::One | Symbol::PartOne => Some('\u{1}'),
        Symbol::Star | Symbol::PartStar => None,
    });
    chars.collect()
}

/// A text that is none of the literals.
fn fresh(literals: &HashSet<&str>) -> String {
    let mut text = String::from("\u{1}");
    while literals.contains(&text.as_str()) {
        text.push('\u{1}');
    }
    text
}

fn seconds(instant: Instant) -> String {
    let sign = if instant < 0 { "-" } else { "" };
    let size = instant.unsigned_abs();
    // Epoch seconds need more than four digits or a point, since four digits alone are a year.
    format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000)
}
