//! Patterns of actions, resources and condition values, matched against a value.
//!
//! A policy variable becomes a piece of its own. Its value is put in as text that stands for itself, so a `*` in a tag
//! never becomes a wildcard.

mod compile;

use std::borrow::Cow;

use super::arn::ArnParts;
use super::context::{KeyState, View};
use super::document::{Pools, Run, Str, same_folded};
use super::glob::{self, Piece};
use super::tri::Tri;
use super::value::date::Instant;
use super::value::network::Network;

pub(super) use compile::{Completion, Syntax};

/// One entry of an Action, Resource or list of condition values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pattern {
    /// `*`.
    Any,
    /// Text without wildcards and variables.
    Exact(Str),
    /// Text with wildcards or variables.
    Pieces { pieces: Run<Piece>, variables: bool },
    /// An ARN with wildcards or variables, by its position in the pool.
    Arn(u32),
    /// An ARN with fewer than six parts, completed by wildcards where no source says whether AWS completes it.
    OpenArn(u32),
    /// A lone `*` as a condition's ARN: no source says what AWS does.
    LoneStarArn,
    /// A decimal number.
    Number(Str),
    /// A point in time.
    Date(Instant),
    /// A range of addresses.
    Network(Network),
    /// A boolean.
    Bool(bool),
    /// Base64.
    Binary(Str),
    /// A value that the operator cannot compare; it never matches.
    Never,
}

/// An ARN pattern: parts that a wildcard never leaves, and the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct ArnPattern {
    /// The parts before the tail, compared one by one.
    heads: [Run<Piece>; 5],
    /// How many heads there are: five, or fewer for a resource whose last part ends with `*`.
    head_count: usize,
    /// The resource part, where a wildcard may cross colons.
    pub(super) tail: Run<Piece>,
    variables: bool,
}

/// What a variable stands for in a request.
pub(super) enum Substitution<'a> {
    Value(&'a str),
    /// No value: what holds the variable never matches.
    Nothing,
    Unknown,
}

pub(super) fn substitute<'a>(
    pools: &'a Pools,
    key: u32,
    default: Option<Str>,
    view: &View<'a>,
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

/// Pieces whose variables have been replaced, with the text that they stand in.
type Filled<'a> = (Cow<'a, [Piece]>, Cow<'a, str>);

/// Puts the values of variables in. `Err` says what a match against it comes to: no value or an unknown one.
fn fill<'a>(run: Run<Piece>, pools: &'a Pools, view: &View<'a>) -> Result<Filled<'a>, Tri> {
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
                Substitution::Nothing => return Err(Tri::No),
                Substitution::Unknown => {
                    unknown = true;
                    continue;
                }
            },
        };
        let start = texts.len();
        texts.push_str(text);
        let piece = Piece::Text(Str::new(start, texts.len()));
        if let Some(piece) = push_piece(filled.last_mut(), piece) {
            filled.push(piece);
        }
    }
    if unknown { Err(Tri::Maybe) } else { Ok((Cow::Owned(filled), Cow::Owned(texts))) }
}

impl Pattern {
    /// Whether a text matches: an action, or the value of `StringLike`.
    pub(super) fn matches_like(&self, value: &str, pools: &Pools, view: &View<'_>) -> Tri {
        match self {
            Self::Any => Tri::Yes,
            Self::Exact(text) => (text.of(&pools.text) == value).into(),
            Self::Pieces { pieces, variables: false } => {
                glob::matches(pieces.of(&pools.pieces), &pools.text, value).into()
            }
            Self::Pieces { pieces, variables: true } => match fill(*pieces, pools, view) {
                Ok((pieces, texts)) => glob::matches(&pieces, &texts, value).into(),
                Err(outcome) => outcome,
            },
            _ => Tri::No,
        }
    }

    /// Whether a text matches whatever its case.
    pub(super) fn matches_folded(&self, value: &str, pools: &Pools, view: &View<'_>) -> Tri {
        match self {
            Self::Exact(text) => same_folded(text.of(&pools.text), value).into(),
            Self::Pieces { .. } => match self.filled_text(pools, view) {
                Ok(text) => same_folded(&text, value).into(),
                Err(outcome) => outcome,
            },
            _ => Tri::No,
        }
    }

    /// The text of a pattern without wildcards.
    pub(super) fn filled_text<'a>(&self, pools: &'a Pools, view: &View<'a>) -> Result<Cow<'a, str>, Tri> {
        match self {
            Self::Exact(text) => Ok(Cow::Borrowed(text.of(&pools.text))),
            Self::Pieces { pieces, .. } => fill(*pieces, pools, view).map(|(_, texts)| texts),
            _ => Err(Tri::No),
        }
    }

    /// Whether an ARN matches, part by part.
    pub(super) fn matches_arn(&self, arn: &str, pools: &Pools, view: &View<'_>) -> Tri {
        match self {
            Self::Any => Tri::Yes,
            Self::Exact(text) => (text.of(&pools.text) == arn).into(),
            Self::LoneStarArn => Tri::Maybe,
            Self::Arn(at) => match pools.arns.get(*at as usize) {
                Some(pattern) => pattern.matches(arn, pools, view),
                None => Tri::No,
            },
            Self::OpenArn(at) => match pools.arns.get(*at as usize) {
                Some(pattern) => pattern.matches(arn, pools, view).and(Tri::Maybe),
                None => Tri::No,
            },
            _ => Tri::No,
        }
    }

    /// Whether a variable in the pattern has no value, so that not even NotResource matches.
    pub(super) fn lacks_value(&self, pools: &Pools, view: &View<'_>) -> Tri {
        let run = match self {
            Self::Arn(at) | Self::OpenArn(at) => {
                pools.arns.get(*at as usize).filter(|arn| arn.variables).map(|arn| arn.tail)
            }
            Self::Pieces { pieces, variables: true } => Some(*pieces),
            _ => None,
        };
        match run.map(|run| fill(run, pools, view)) {
            None | Some(Ok(_)) => Tri::No,
            Some(Err(outcome)) => outcome.not(),
        }
    }
}

impl ArnPattern {
    /// The parts in their order.
    pub(super) fn parts(&self) -> impl Iterator<Item = Run<Piece>> + '_ {
        self.heads.iter().take(self.head_count).chain([&self.tail]).copied()
    }

    fn matches(&self, arn: &str, pools: &Pools, view: &View<'_>) -> Tri {
        if ArnParts::split(arn).is_none() {
            return Tri::No;
        }
        let values = arn.splitn(self.head_count + 1, ':');
        Tri::all(self.parts().zip(values).map(|(part, value)| match fill(part, pools, view) {
            Ok((pieces, texts)) => glob::matches(&pieces, &texts, value).into(),
            Err(outcome) => outcome,
        }))
    }
}

fn is_variable(piece: &Piece) -> bool {
    matches!(piece, Piece::Variable { .. })
}

/// Joins a text to the text before it, or says what to push.
fn push_piece(last: Option<&mut Piece>, piece: Piece) -> Option<Piece> {
    let joined = match (last, piece) {
        (Some(Piece::Text(before)), Piece::Text(text)) => before.join(text),
        (Some(Piece::Star), Piece::Star) => true,
        _ => false,
    };
    (!joined).then_some(piece)
}
