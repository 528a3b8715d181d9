//! Patterns as lists of symbols. They answer two questions that matching one value cannot: which texts does a pattern
//! match, and which texts do two patterns have in common?
//!
//! The value of a known variable becomes characters that stand for themselves. A variable whose key is unknown stays
//! one item.

use std::collections::HashSet;

use crate::context::{RequestView, SessionRole};
use crate::pattern::{Pattern, Substitution, substitute};
use crate::policy::{PoolRange, Pools};
use crate::wildcard::Piece;

/// One symbol of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Symbol {
    /// This character.
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

/// One item of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TemplateItem {
    Symbol(Symbol),
    /// A variable whose key is unknown.
    Variable {
        /// The key's position among the policy's keys.
        key: u32,
        /// The text that replaces the variable if the key is absent.
        default: Option<String>,
    },
}

/// A pattern whose known variables have been replaced by their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(pub(crate) Vec<TemplateItem>);

impl Template {
    /// The pattern as symbols, or `None` if it has a variable.
    pub(crate) fn symbols(&self) -> Option<Vec<Symbol>> {
        let symbols = self.0.iter().map(|item| match item {
            TemplateItem::Symbol(symbol) => Some(*symbol),
            TemplateItem::Variable { .. } => None,
        });
        symbols.collect()
    }

    /// The pattern as symbols. `fill` gives the symbols of each variable.
    pub(crate) fn filled(&self, mut fill: impl FnMut(u32, Option<&str>) -> Vec<Symbol>) -> Vec<Symbol> {
        let items = self.0.iter().flat_map(|item| match item {
            TemplateItem::Symbol(symbol) => vec![*symbol],
            TemplateItem::Variable { key, default } => fill(*key, default.as_deref()),
        });
        items.collect()
    }

    /// The keys of the variables.
    pub(crate) fn keys(&self) -> impl Iterator<Item = u32> {
        self.0.iter().filter_map(|item| match item {
            TemplateItem::Variable { key, .. } => Some(*key),
            TemplateItem::Symbol(_) => None,
        })
    }
}

/// The symbols of a text that stands for itself.
pub(crate) fn of_text(text: &str) -> Vec<Symbol> {
    text.chars().map(Symbol::Char).collect()
}

/// The symbols of a text whose case does not matter.
pub(crate) fn of_folded(text: &str) -> Vec<Symbol> {
    text.chars().flat_map(char::to_lowercase).map(Symbol::Char).collect()
}

/// Symbols in lower case.
pub(crate) fn in_lower_case(symbols: &[Symbol]) -> Vec<Symbol> {
    let lower = symbols.iter().flat_map(|symbol| match symbol {
        Symbol::Char(c) => of_folded(c.encode_utf8(&mut [0; 4])),
        other => vec![*other],
    });
    lower.collect()
}

/// Different characters that the symbols do not name in either case.
pub(crate) fn unnamed<'s>(symbols: impl Iterator<Item = &'s Symbol>, count: usize) -> Vec<char> {
    let named: HashSet<char> = symbols
        .filter_map(|symbol| match symbol {
            Symbol::Char(c) => Some(c.to_lowercase()),
            _ => None,
        })
        .flatten()
        .collect();
    // Letters that are no hexadecimal digits are easiest to read in an answer. The others are for policies that name
    // all of these.
    let letters = "xzqwvykjgpmnhrsutoli".chars().chain('α'..='ω').chain('一'..='龥');
    letters.filter(|c| !named.contains(c)).take(count).collect()
}

/// The text of symbols without wildcards.
pub(crate) fn as_text(symbols: &[Symbol]) -> Option<String> {
    let chars = symbols.iter().map(|symbol| match symbol {
        Symbol::Char(c) => Some(*c),
        _ => None,
    });
    chars.collect()
}

/// The symbols as a policy writes them. A `*` or `?` that stands for itself is written as `${*}` or `${?}`.
pub(crate) fn as_written(symbols: &[Symbol]) -> String {
    let parts = symbols.iter().map(|symbol| match symbol {
        Symbol::Char(c @ ('*' | '?' | '$')) => format!("${{{c}}}"),
        Symbol::Char(c) => c.to_string(),
        Symbol::One | Symbol::PartOne => "?".to_owned(),
        Symbol::Star | Symbol::PartStar => "*".to_owned(),
    });
    parts.collect()
}

impl Pattern {
    /// The pattern with the values of known variables. Returns `None` if the pattern matches no text, because a
    /// variable has no value or because the pattern does not compare texts.
    pub(crate) fn template(&self, pools: &Pools, view: &RequestView<'_>) -> Option<Template> {
        let mut items = Vec::new();
        match self {
            Self::Any => items.push(TemplateItem::Symbol(Symbol::Star)),
            Self::Exact(text) => push_text(&mut items, text.of(&pools.text)),
            Self::Bool(value) => push_text(&mut items, if *value { "true" } else { "false" }),
            Self::Pieces { pieces, .. } => push_part(&mut items, *pieces, false, pools, view)?,
            Self::Arn(at) | Self::UndocumentedArn(at) => {
                let arn = pools.arns.get(*at as usize)?;
                let last = arn.parts().count();
                for (n, part) in arn.parts().enumerate() {
                    if n > 0 {
                        items.push(TemplateItem::Symbol(Symbol::Char(':')));
                    }
                    push_part(&mut items, part, n + 1 < last, pools, view)?;
                }
            }
            Self::Binary(text) => push_text(&mut items, text.of(&pools.text)),
            Self::LoneStarArn | Self::Number(_) | Self::Date(_) | Self::Network(_) | Self::Never => {
                return None;
            }
        }
        Some(Template(items))
    }
}

fn push_text(items: &mut Vec<TemplateItem>, text: &str) {
    items.extend(text.chars().map(Symbol::Char).map(TemplateItem::Symbol));
}

/// Appends the pieces of a pattern. In every part of an ARN but the last, wildcards stop at colons.
fn push_part(
    items: &mut Vec<TemplateItem>,
    pieces: PoolRange<Piece>,
    stops_at_colons: bool,
    pools: &Pools,
    view: &RequestView<'_>,
) -> Option<()> {
    for piece in pieces.of(&pools.pieces) {
        match piece {
            Piece::Text(text) => push_text(items, text.of(&pools.text)),
            Piece::Star if stops_at_colons => items.push(TemplateItem::Symbol(Symbol::PartStar)),
            Piece::One if stops_at_colons => items.push(TemplateItem::Symbol(Symbol::PartOne)),
            Piece::Star => items.push(TemplateItem::Symbol(Symbol::Star)),
            Piece::One => items.push(TemplateItem::Symbol(Symbol::One)),
            Piece::Variable { key, default } => match substitute(pools, *key, *default, view) {
                // A value with a colon never fits into one part of an ARN.
                Substitution::Value(value) if stops_at_colons && value.contains(':') => return None,
                Substitution::Value(value) => push_text(items, value),
                Substitution::Nothing => return None,
                Substitution::Unknown => {
                    let default = default.map(|text| text.of(&pools.text).to_owned());
                    items.push(TemplateItem::Variable { key: *key, default });
                }
            },
        }
    }
    Some(())
}

impl SessionRole {
    /// The ARNs that the role may have: the one without a path, and a pattern of those with a path.
    pub(crate) fn arns(&self) -> [Vec<Symbol>; 2] {
        let mut with_path = of_text(&self.prefix);
        with_path.extend([Symbol::One, Symbol::Star, Symbol::Char('/')]);
        with_path.extend(of_text(&self.name));
        [of_text(&self.arn), with_path]
    }
}
