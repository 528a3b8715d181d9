//! Compiles patterns from their text.

use super::{ArnPattern, Pattern, is_variable};
use crate::policy::{PoolRange, Pools};
use crate::wildcard::{Piece, join_piece};

/// Which characters of a text have a special meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    pub(crate) wildcards: bool,
    pub(crate) variables: bool,
}

/// Whether AWS completes an ARN of fewer than six parts with wildcards. AWS documents it for identity policies and
/// boundaries (IAM user guide, "Identify AWS resources with ARNs").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArnCompletion {
    Never,
    Always,
    /// No source says.
    Undocumented,
}

/// A part of a text under a [`Syntax`].
enum Token<'t> {
    Text(&'t str),
    Star,
    One,
    Variable { key: &'t str, default: Option<&'t str> },
}

impl Syntax {
    fn is_plain(self, text: &str) -> bool {
        !text.bytes().any(|b| (self.wildcards && matches!(b, b'*' | b'?')) || (self.variables && b == b'$'))
    }

    /// Splits off the first token.
    fn next<'t>(self, text: &'t str) -> Option<(Token<'t>, &'t str)> {
        if self.wildcards {
            if let Some(rest) = text.strip_prefix('*') {
                return Some((Token::Star, rest));
            }
            if let Some(rest) = text.strip_prefix('?') {
                return Some((Token::One, rest));
            }
        }
        if self.variables
            && let Some((name, rest)) = text.strip_prefix("${").and_then(|t| t.split_once('}'))
        {
            return Some((Self::variable(name), rest));
        }
        // A token has at least one character. So a `$` that starts no variable stands for itself.
        let start = text.chars().next()?.len_utf8();
        let special = |c| (self.wildcards && matches!(c, '*' | '?')) || (self.variables && c == '$');
        let length = text.get(start..)?.find(special).map_or(text.len(), |n| start + n);
        text.split_at_checked(length).map(|(token, rest)| (Token::Text(token), rest))
    }

    /// Reads the text between `${` and `}`.
    fn variable(name: &str) -> Token<'_> {
        if matches!(name, "*" | "?" | "$") {
            return Token::Text(name);
        }
        let (key, default) = name.split_once(',').map_or((name, None), |(k, d)| (k, Some(d)));
        let default = default.and_then(|d| d.trim().strip_prefix('\'')?.strip_suffix('\''));
        Token::Variable { key: key.trim(), default }
    }
}

impl Pools {
    /// Compiles a text that is no ARN.
    pub(crate) fn compile(&mut self, text: &str, syntax: Syntax) -> Pattern {
        if syntax.is_plain(text) {
            return Pattern::Exact(self.add_text(text));
        }
        if text == "*" {
            return Pattern::Any;
        }
        let pieces = self.compile_pieces(text, syntax);
        match pieces.of(&self.pieces) {
            [Piece::Text(text)] => Pattern::Exact(*text),
            found => Pattern::Pieces { pieces, variables: found.iter().any(is_variable) },
        }
    }

    /// Does the same as [`Pools::compile`], in lower case.
    pub(crate) fn compile_lower(&mut self, text: &str, syntax: Syntax) -> Pattern {
        let start = self.text.len();
        let pattern = self.compile(text, syntax);
        if let Some(kept) = self.text.get_mut(start..) {
            kept.make_ascii_lowercase();
        }
        pattern
    }

    fn compile_pieces(&mut self, text: &str, syntax: Syntax) -> PoolRange<Piece> {
        let start = self.pieces.len();
        let mut rest = text;
        while let Some((token, after)) = syntax.next(rest) {
            rest = after;
            let piece = match token {
                Token::Text(text) => Piece::Text(self.add_text(text)),
                Token::Star => Piece::Star,
                Token::One => Piece::One,
                Token::Variable { key, default } => Piece::Variable {
                    key: self.condition_key(key),
                    default: default.map(|d| self.add_text(d)),
                },
            };
            let own = self.pieces.get_mut(start..).unwrap_or_default();
            if let Some(piece) = join_piece(own.last_mut(), piece) {
                self.pieces.push(piece);
            }
        }
        PoolRange::since(start, &self.pieces)
    }

    /// Compiles the ARN of a condition. Returns `None` if it does not have six parts.
    pub(crate) fn compile_arn(&mut self, text: &str, variables: bool) -> Option<Pattern> {
        let syntax = Syntax { wildcards: true, variables };
        let mut parts: [&str; 5] = [""; 5];
        let mut rest = text;
        for part in &mut parts {
            let colon = colon_outside_variables(rest, variables)?;
            *part = rest.get(..colon)?;
            rest = rest.get(colon + 1..)?;
        }
        if syntax.is_plain(text) {
            return Some(Pattern::Exact(self.add_text(text)));
        }
        let heads = parts.map(|part| self.compile_pieces(part, syntax));
        let tail = self.compile_pieces(rest, syntax);
        Some(self.push_arn(heads, 5, tail))
    }

    /// Compiles the ARN of a Resource. Returns `None` if the ARN of no key can match it.
    ///
    /// A `*` at the end of a part may stand for the parts after it as well (IAM user guide, "IAM JSON policy elements: Resource"). So a
    /// pattern may have fewer than six parts.
    pub(crate) fn compile_resource(
        &mut self,
        text: &str,
        variables: bool,
        completion: ArnCompletion,
    ) -> Option<Pattern> {
        let missing = 5usize.saturating_sub(text.bytes().filter(|b| *b == b':').count());
        let is_incomplete =
            missing > 0 && !text.ends_with('*') && (text == "arn" || text.starts_with("arn:"));
        match completion {
            ArnCompletion::Always if is_incomplete => {
                self.compile_whole(&format!("{text}{}", ":*".repeat(missing)), variables)
            }
            ArnCompletion::Undocumented if is_incomplete && !text.contains("*:") => {
                match self.compile_whole(&format!("{text}{}", ":*".repeat(missing)), variables)? {
                    Pattern::Arn(at) => Some(Pattern::UndocumentedArn(at)),
                    other => Some(other),
                }
            }
            _ => self.compile_whole(text, variables),
        }
    }

    fn compile_whole(&mut self, text: &str, variables: bool) -> Option<Pattern> {
        let plain = Syntax { wildcards: true, variables: false };
        let mut heads = [PoolRange::EMPTY; 5];
        let mut head_count = 0;
        let short = text.bytes().filter(|b| *b == b':').count() < 5;
        let mut rest = text;
        for head in &mut heads {
            let Some((part, after)) = rest.split_once(':') else { break };
            if short && part.ends_with('*') {
                break;
            }
            *head = self.compile_pieces(part, plain);
            head_count += 1;
            rest = after;
        }
        let sound =
            text.starts_with("arn:") && (head_count == 5 || rest.ends_with('*') || rest.contains("*:"));
        if !sound {
            return None;
        }
        let syntax = Syntax { wildcards: true, variables: variables && head_count == 5 };
        if syntax.is_plain(text) {
            return Some(Pattern::Exact(self.add_text(text)));
        }
        let tail = self.compile_pieces(rest, syntax);
        Some(self.push_arn(heads, head_count, tail))
    }

    fn push_arn(
        &mut self,
        heads: [PoolRange<Piece>; 5],
        head_count: usize,
        tail: PoolRange<Piece>,
    ) -> Pattern {
        let variables = heads.iter().chain([&tail]).any(|run| run.of(&self.pieces).iter().any(is_variable));
        let at = self.arns.len();
        self.arns.push(ArnPattern { heads, head_count, tail, variables });
        Pattern::Arn(u32::try_from(at).unwrap_or(u32::MAX))
    }
}

fn colon_outside_variables(text: &str, variables: bool) -> Option<usize> {
    let mut from = 0;
    loop {
        let colon = from + text.get(from..)?.find(':')?;
        let open = text.get(from..)?.find("${").map(|n| from + n).filter(|n| variables && *n < colon);
        let Some(open) = open else { return Some(colon) };
        match text.get(open..)?.find('}') {
            Some(close) => from = open + close,
            None => return Some(colon),
        }
    }
}
