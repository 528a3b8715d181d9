//! Finds the statements that may apply to a request, by principal and action.
//!
//! A short policy is searched from start to end. A long policy has a sorted list, in which each statement stands under
//! its principals and its exact actions. A request looks up the few buckets that can hold statements for it.

/// The fewest statements for which looking up is faster than searching from start to end.
const LONG: usize = 16;

/// A statement with more exact actions than this stands under "any action", which bounds the length of the list.
pub(crate) const MOST_ACTIONS: usize = 8;

/// The action under which a statement stands if its action is a pattern, negated, or one of many.
pub(crate) const ANY_ACTION: u64 = 0;

/// The sorted list. It is empty for a short policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    statements: u32,
    entries: Vec<(u64, u32)>,
}

impl Index {
    /// Whether a policy of so many statements gets an index.
    pub(crate) const fn is_worth(statements: usize) -> bool {
        statements >= LONG
    }

    /// An index of `statements` statements. Each entry has a bucket and the position of a statement; a short policy has
    /// no entries.
    pub(crate) fn new(statements: usize, mut entries: Vec<(u64, u32)>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        Self { statements: u32::try_from(statements).unwrap_or(u32::MAX), entries }
    }

    /// The bucket of the statements for this principal selector and this action.
    pub(crate) const fn bucket(selector: u64, action: u64) -> u64 {
        selector.rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ action
    }

    /// The positions of the statements that may apply, in rising order and each once.
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

/// The iterator of [`Index::candidates`].
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
