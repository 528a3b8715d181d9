//! Which statements may matter to a request, found by principal and action.
//!
//! Short policies are looked through. In a long one each statement stands in a sorted list under its principals, and
//! under its actions where these are exact; a request looks up the few places that can hold statements for it.

/// The fewest statements for which looking up is cheaper than looking through.
const LONG: usize = 16;

/// Statements with more exact actions than this stand under "any action", which bounds the size of the list.
pub(crate) const MOST_ACTIONS: usize = 8;

/// The place of statements whose action is a pattern, negated, or one of many.
pub(crate) const ANY_ACTION: u64 = 0;

/// The list, empty for short policies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    statements: u32,
    entries: Vec<(u64, u32)>,
}

impl Index {
    /// Whether a policy of so many statements is worth an index.
    pub(crate) const fn is_worth(statements: usize) -> bool {
        statements >= LONG
    }

    /// An index of `statements` statements: their places and positions; no entries where it is not worth it.
    pub(crate) fn new(statements: usize, mut entries: Vec<(u64, u32)>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        Self { statements: u32::try_from(statements).unwrap_or(u32::MAX), entries }
    }

    /// Where statements for this principal selector and this action stand.
    pub(crate) const fn bucket(selector: u64, action: u64) -> u64 {
        selector.rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ action
    }

    /// The positions of the statements that may matter, in their order, each once.
    pub(crate) fn candidates<'a>(&'a self, selectors: &[u64; 3], action: u64) -> Candidates<'a> {
        if !Self::is_worth(self.statements as usize) {
            return Candidates::All(0..self.statements);
        }
        let mut lists: [&[(u64, u32)]; 6] = [&[]; 6];
        let buckets = selectors
            .iter()
            .filter(|s| **s != 0)
            .flat_map(|selector| [Self::bucket(*selector, action), Self::bucket(*selector, ANY_ACTION)]);
        for (list, bucket) in lists.iter_mut().zip(buckets) {
            let start = self.entries.partition_point(|(p, _)| *p < bucket);
            let from = self.entries.get(start..).unwrap_or_default();
            let length = from.iter().take_while(|(p, _)| *p == bucket).count();
            *list = from.get(..length).unwrap_or_default();
        }
        Candidates::Found(lists)
    }
}

/// See [`Index::candidates`].
#[derive(Debug)]
pub(crate) enum Candidates<'a> {
    All(std::ops::Range<u32>),
    Found([&'a [(u64, u32)]; 6]),
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match self {
            Self::All(range) => range.next().map(|n| n as usize),
            Self::Found(lists) => {
                let next = lists.iter().filter_map(|list| list.first().map(|(_, n)| *n)).min()?;
                for list in lists.iter_mut() {
                    if let Some(((_, first), rest)) = list.split_first()
                        && *first == next
                    {
                        *list = rest;
                    }
                }
                Some(next as usize)
            }
        }
    }
}
