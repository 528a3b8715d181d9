//! Patterns of actions, resources and condition values, and their match with a value.
//!
//! A policy variable is a piece of its own. Its value replaces it as text that stands for itself, so that a `*` in a
//! tag never becomes a wildcard.

mod compile;
pub(crate) mod sample_texts;
pub(crate) mod symbols;

use std::borrow::Cow;

use crate::applicability::Applicability;
use crate::arn::ArnParts;
use crate::context::{KeyState, RequestView};
use crate::policy::{PoolRange, Pools, TextRange};
use crate::text::same_folded;
use crate::value::date::Instant;
use crate::value::network::Network;
use crate::wildcard::{Piece, join_piece, matches_pieces};

pub(crate) use compile::{ArnCompletion, Syntax};

/// One entry of Action, Resource or a list of condition values.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pattern {
    /// `*`.
    Any,
    /// Text without wildcards and variables.
    Exact(TextRange),
    /// Text with wildcards or variables.
    Pieces { pieces: PoolRange<Piece>, variables: bool },
    /// An ARN with wildcards or variables, by its position in the pool.
    Arn(u32),
    /// An ARN with fewer than six parts. Wildcards stand for the missing parts, but no source says whether AWS adds
    /// them.
    UndocumentedArn(u32),
    /// A lone `*` as the ARN of a condition. No source says what AWS does.
    LoneStarArn,
    /// A decimal number.
    Number(TextRange),
    /// A point in time.
    Date(Instant),
    /// A range of addresses.
    Network(Network),
    /// A boolean.
    Bool(bool),
    /// Base64.
    Binary(TextRange),
    /// A value that the operator cannot compare. It never matches.
    Never,
}

/// An ARN pattern: the first parts, which a wildcard never leaves, and the rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArnPattern {
    /// The parts before the tail, compared one by one.
    heads: [PoolRange<Piece>; 5],
    /// The number of heads: five, or fewer for a resource whose last part ends with `*`.
    head_count: usize,
    /// The resource part, where a wildcard may cross colons.
    pub(crate) tail: PoolRange<Piece>,
    variables: bool,
}

/// The value of a variable in a request.
pub(crate) enum Substitution<'a> {
    Value(&'a str),
    /// The variable has no value. A pattern with the variable never matches.
    Nothing,
    Unknown,
}

pub(crate) fn substitute<'a>(
    pools: &'a Pools,
    key: u32,
    default: Option<TextRange>,
    view: &RequestView<'a>,
) -> Substitution<'a> {
    let Some(key) = pools.keys.get(key as usize) else { return Substitution::Nothing };
    match view.state(key, pools) {
        KeyState::Known { values: [value], list: false } => Substitution::Value(value),
        KeyState::Known { values: [_, ..], .. } => Substitution::Nothing,
        KeyState::Known { values: [], .. } | KeyState::Absent => {
            default.map_or(Substitution::Nothing, |d| Substitution::Value(d.of(&pools.text)))
        }
        KeyState::Unknown | KeyState::Present | KeyState::SessionRole(_) => Substitution::Unknown,
    }
}

/// Pieces whose variables have been replaced, with the text that the pieces refer to.
type Filled<'a> = (Cow<'a, [Piece]>, Cow<'a, str>);

/// Replaces variables by their values. `Err` is the result of a match if a value is missing or unknown.
fn fill<'a>(
    run: PoolRange<Piece>,
    pools: &'a Pools,
    view: &RequestView<'a>,
) -> Result<Filled<'a>, Applicability> {
    let pieces = run.of(&pools.pieces);
    if !pieces.iter().any(is_variable) {
        return Ok((Cow::Borrowed(pieces), Cow::Borrowed(&pools.text)));
    }
    let mut texts = String::new();
    let mut filled = Vec::new();
    let mut unknown = false;
    for piece in pieces {
        let text = match piece {
            Piece::Text(text) => text.of(&pools.text),
            Piece::Star | Piece::One => {
                filled.push(*piece);
                continue;
            }
            Piece::Variable { key, default } => match substitute(pools, *key, *default, view) {
                Substitution::Value(value) => value,
                Substitution::Nothing => return Err(Applicability::DoesNotApply),
                Substitution::Unknown => {
                    unknown = true;
                    continue;
                }
            },
        };
        let start = texts.len();
        texts.push_str(text);
        let piece = Piece::Text(TextRange::new(start, texts.len()));
        if let Some(piece) = join_piece(filled.last_mut(), piece) {
            filled.push(piece);
        }
    }
    if unknown { Err(Applicability::Unknown) } else { Ok((Cow::Owned(filled), Cow::Owned(texts))) }
}

impl Pattern {
    /// Whether a text matches: an action, or the value of `StringLike`.
    pub(crate) fn matches_like(&self, value: &str, pools: &Pools, view: &RequestView<'_>) -> Applicability {
        match self {
            Self::Any => Applicability::Applies,
            Self::Exact(text) => (text.of(&pools.text) == value).into(),
            Self::Pieces { pieces, variables: false } => {
                matches_pieces(pieces.of(&pools.pieces), &pools.text, value).into()
            }
            Self::Pieces { pieces, variables: true } => match fill(*pieces, pools, view) {
                Ok((pieces, texts)) => matches_pieces(&pieces, &texts, value).into(),
                Err(outcome) => outcome,
            },
            _ => Applicability::DoesNotApply,
        }
    }

    /// Whether a text matches whatever its case.
    pub(crate) fn matches_folded(&self, value: &str, pools: &Pools, view: &RequestView<'_>) -> Applicability {
        match self {
            Self::Exact(text) => same_folded(text.of(&pools.text), value).into(),
            Self::Pieces { .. } => match self.filled_text(pools, view) {
                Ok(text) => same_folded(&text, value).into(),
                Err(outcome) => outcome,
            },
            _ => Applicability::DoesNotApply,
        }
    }

    /// The text of a pattern without wildcards.
    pub(crate) fn filled_text<'a>(
        &self,
        pools: &'a Pools,
        view: &RequestView<'a>,
    ) -> Result<Cow<'a, str>, Applicability> {
        match self {
            Self::Exact(text) => Ok(Cow::Borrowed(text.of(&pools.text))),
            Self::Pieces { pieces, .. } => fill(*pieces, pools, view).map(|(_, texts)| texts),
            _ => Err(Applicability::DoesNotApply),
        }
    }

    /// Whether an ARN matches, part by part.
    pub(crate) fn matches_arn(&self, arn: &str, pools: &Pools, view: &RequestView<'_>) -> Applicability {
        match self {
            Self::Any => Applicability::Applies,
            Self::Exact(text) => (text.of(&pools.text) == arn).into(),
            Self::LoneStarArn => Applicability::Unknown,
            Self::Arn(at) => match pools.arns.get(*at as usize) {
                Some(pattern) => pattern.matches(arn, pools, view),
                None => Applicability::DoesNotApply,
            },
            Self::UndocumentedArn(at) => match pools.arns.get(*at as usize) {
                Some(pattern) => pattern.matches(arn, pools, view).and(Applicability::Unknown),
                None => Applicability::DoesNotApply,
            },
            _ => Applicability::DoesNotApply,
        }
    }

    /// Whether a variable in the pattern has no value. Then not even NotResource matches.
    pub(crate) fn lacks_value(&self, pools: &Pools, view: &RequestView<'_>) -> Applicability {
        let run = match self {
            Self::Arn(at) | Self::UndocumentedArn(at) => {
                pools.arns.get(*at as usize).filter(|arn| arn.variables).map(|arn| arn.tail)
            }
            Self::Pieces { pieces, variables: true } => Some(*pieces),
            _ => None,
        };
        match run.map(|run| fill(run, pools, view)) {
            None | Some(Ok(_)) => Applicability::DoesNotApply,
            Some(Err(outcome)) => outcome.not(),
        }
    }
}

impl ArnPattern {
    /// The parts in their order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = PoolRange<Piece>> + '_ {
        self.heads.iter().take(self.head_count).chain([&self.tail]).copied()
    }

    fn matches(&self, arn: &str, pools: &Pools, view: &RequestView<'_>) -> Applicability {
        if ArnParts::split(arn).is_none() {
            return Applicability::DoesNotApply;
        }
        let values = arn.splitn(self.head_count + 1, ':');
        Applicability::all(self.parts().zip(values).map(|(part, value)| match fill(part, pools, view) {
            Ok((pieces, texts)) => matches_pieces(&pieces, &texts, value).into(),
            Err(outcome) => outcome,
        }))
    }
}

fn is_variable(piece: &Piece) -> bool {
    matches!(piece, Piece::Variable { .. })
}
