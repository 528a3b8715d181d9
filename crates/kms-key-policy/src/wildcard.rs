//! Wildcards in a pattern: `*` stands for any run of characters, `?` for one character.
//!
//! A pattern is a list of pieces. The pieces between two stars form a segment. The first and the last segment are
//! anchored; every other segment is taken at its leftmost position. No choice is ever taken back, because the leftmost
//! position leaves the most text for the segments that follow. The standard library's two-way search finds a segment
//! without `?`, and a bit-parallel scan (64 pattern characters a step) finds a segment with `?` inside. So no pattern
//! makes the match slow.

use crate::policy::TextRange;

/// Whether the whole of `text` matches `pattern`.
///
/// `*` stands for any run of characters, the empty one included, and `?` for exactly one character. Every other
/// character stands for itself, and case matters. No pattern makes this slow: the time grows with the length of the
/// text, times one for every 64 characters between two stars that have a `?` among them.
///
/// ```
/// use kms_key_policy::matches_wildcards;
///
/// assert!(matches_wildcards("arn:aws:iam::*:role/App-?", "arn:aws:iam::111122223333:role/App-1"));
/// assert!(!matches_wildcards("arn:aws:iam::*:role/App-?", "arn:aws:iam::111122223333:role/App-10"));
/// ```
#[must_use]
pub fn matches_wildcards(pattern: &str, text: &str) -> bool {
    let mut pieces = Vec::new();
    for (start, c) in pattern.char_indices() {
        let piece = match c {
            '*' => Piece::Star,
            '?' => Piece::One,
            c => Piece::Text(TextRange::new(start, start + c.len_utf8())),
        };
        if let Some(piece) = join_piece(pieces.last_mut(), piece) {
            pieces.push(piece);
        }
    }
    matches_pieces(&pieces, pattern, text)
}

/// A piece of a compiled pattern. Two texts never follow each other directly unless a variable stood between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Characters that stand for themselves.
    Text(TextRange),
    /// `*`.
    Star,
    /// `?`.
    One,
    /// A policy variable: its key among the policy's keys, and its default.
    Variable {
        /// Position among the policy's condition keys.
        key: u32,
        /// The text of `${key, 'default'}`.
        default: Option<TextRange>,
    },
}

/// Joins a text to the text before it and a star to the star before it. Otherwise returns the piece, to be pushed.
pub(crate) fn join_piece(last: Option<&mut Piece>, piece: Piece) -> Option<Piece> {
    let joined = match (last, piece) {
        (Some(Piece::Text(before)), Piece::Text(text)) => before.join(text),
        (Some(Piece::Star), Piece::Star) => true,
        _ => false,
    };
    (!joined).then_some(piece)
}

/// Whether `pieces`, whose texts stand in `texts`, match the whole of `value`.
///
/// INVARIANT: no piece is a variable; [`crate::pattern`] has replaced each variable by its value.
pub(crate) fn matches_pieces(pieces: &[Piece], texts: &str, value: &str) -> bool {
    let mut segments = pieces.split(|piece| *piece == Piece::Star);
    let Some(mut rest) = segments.next().and_then(|first| strip_prefix(first, texts, value)) else {
        return false;
    };
    let Some(last) = segments.next_back() else {
        return rest.is_empty();
    };
    for segment in segments {
        match skip_past(segment, texts, rest) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    has_suffix(last, texts, rest)
}

/// What follows `segment` at the start of `value`.
fn strip_prefix<'v>(segment: &[Piece], texts: &str, value: &'v str) -> Option<&'v str> {
    segment.iter().try_fold(value, |rest, piece| match piece {
        Piece::Text(text) => rest.strip_prefix(text.of(texts)),
        Piece::One => skip_char(rest),
        Piece::Star | Piece::Variable { .. } => None,
    })
}

fn has_suffix(segment: &[Piece], texts: &str, value: &str) -> bool {
    segment
        .iter()
        .rev()
        .try_fold(value, |rest, piece| match piece {
            Piece::Text(text) => rest.strip_suffix(text.of(texts)),
            Piece::One => rest.char_indices().next_back().and_then(|(at, _)| rest.get(..at)),
            Piece::Star | Piece::Variable { .. } => None,
        })
        .is_some()
}

/// What follows the leftmost position of `segment` in `value`.
fn skip_past<'v>(segment: &[Piece], texts: &str, value: &'v str) -> Option<&'v str> {
    let is_one = |piece: &&Piece| **piece == Piece::One;
    let before = segment.iter().take_while(is_one).count();
    let core = segment.get(before..).unwrap_or_default();
    let after = core.iter().rev().take_while(is_one).count();
    let core = core.get(..core.len() - after).unwrap_or_default();

    let mut rest = value;
    for _ in 0..before {
        rest = skip_char(rest)?;
    }
    rest = match core {
        [] => rest,
        [Piece::Text(text)] => {
            let text = text.of(texts);
            rest.get(rest.find(text)? + text.len()..)?
        }
        _ => skip_past_gapped(core, texts, rest)?,
    };
    for _ in 0..after {
        rest = skip_char(rest)?;
    }
    Some(rest)
}

fn skip_char(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

/// [`skip_past`] for a segment of several texts, or with `?` between them: the shift-and scan.
fn skip_past_gapped<'v>(segment: &[Piece], texts: &str, value: &'v str) -> Option<&'v str> {
    let symbols: Vec<Option<char>> = segment
        .iter()
        .flat_map(|piece| {
            let (text, one) = match piece {
                Piece::Text(text) => (text.of(texts), false),
                _ => ("", true),
            };
            text.chars().map(Some).chain(one.then_some(None))
        })
        .collect();
    // A mask a known character, one bit a symbol that it may stand for; every symbol `?` is in each of them.
    let mut anything_else = vec![0u64; symbols.len().div_ceil(64)];
    let mut known: Vec<char> = symbols.iter().flatten().copied().collect();
    known.sort_unstable();
    known.dedup();
    for (at, symbol) in symbols.iter().enumerate() {
        if symbol.is_none() {
            set_bit(&mut anything_else, at);
        }
    }
    let mut masks = vec![anything_else.clone(); known.len()];
    for (at, symbol) in symbols.iter().enumerate() {
        let mask = symbol.and_then(|c| known.binary_search(&c).ok()).and_then(|n| masks.get_mut(n));
        if let Some(mask) = mask {
            set_bit(mask, at);
        }
    }

    // Bit i of the state: the last i + 1 characters match the first i + 1 symbols.
    let mut state = vec![0u64; anything_else.len()];
    let last_bit = 1u64 << ((symbols.len() - 1) % 64);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        let mask = known.binary_search(&c).ok().and_then(|at| masks.get(at)).unwrap_or(&anything_else);
        let mut carry = 1;
        for (word, mask) in state.iter_mut().zip(mask) {
            let next = *word >> 63;
            *word = ((*word << 1) | carry) & mask;
            carry = next;
        }
        if state.last().is_some_and(|word| word & last_bit != 0) {
            return Some(chars.as_str());
        }
    }
    None
}

fn set_bit(words: &mut [u64], at: usize) {
    if let Some(word) = words.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

#[cfg(test)]
mod tests;
