//! Policy variables whose keys are unknown: which they are, and which value of theirs makes a pattern match.

use crate::policy::document::Pools;
use crate::policy::glob::Piece;
use crate::policy::pattern::Pattern;

/// The keys of the variables in a pattern.
pub(super) fn variables(pattern: &Pattern, pools: &Pools) -> Vec<u32> {
    let pieces = all_pieces(pattern, pools).into_iter().flatten();
    let keys = pieces.filter_map(|piece| match piece {
        Piece::Variable { key, .. } => Some(key),
        _ => None,
    });
    keys.collect()
}

/// The pieces of a pattern, part by part for an ARN.
fn all_pieces(pattern: &Pattern, pools: &Pools) -> Vec<Vec<Piece>> {
    match pattern {
        Pattern::Pieces { pieces, variables: true } => vec![pieces.of(&pools.pieces).to_vec()],
        Pattern::Arn(at) => pools
            .arns
            .get(*at as usize)
            .map_or_else(Vec::new, |arn| arn.parts().map(|part| part.of(&pools.pieces).to_vec()).collect()),
        _ => Vec::new(),
    }
}

impl Pattern {
    /// Whether it is one variable and nothing else.
    pub(super) fn is_variable(&self) -> bool {
        matches!(self, Self::Pieces { pieces, variables: true } if pieces.len() == 1)
    }

    /// What the pattern's one variable must be for the pattern to match `value`: `Some(None)` if nothing will do.
    /// `None` where more than one value may do, because there are wildcards beside the variable.
    pub(super) fn value_of_variable(&self, value: &str, pools: &Pools) -> Option<Option<String>> {
        let parts = all_pieces(self, pools);
        let mut values = value.splitn(parts.len().max(1), ':');
        for part in &parts {
            let value = if parts.len() == 1 { Some(value) } else { values.next() };
            let Some(at) = part.iter().position(|piece| matches!(piece, Piece::Variable { .. })) else {
                continue;
            };
            let (before, after) = part.split_at_checked(at)?;
            let around = |pieces: &[Piece]| -> Option<String> {
                pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Text(text) => Some(text.of(&pools.text)),
                        _ => None,
                    })
                    .collect()
            };
            let (before, after) = (around(before)?, around(after.get(1..)?)?);
            let inner = value.and_then(|v| v.strip_prefix(&before)?.strip_suffix(&after));
            return Some(inner.map(str::to_owned));
        }
        Some(None)
    }
}
