//! A cache of values by the text from which they were read. A policy that repeats is read once, and so are its warnings.
//!
//! Most inputs have many callers and a few keys, so that nearly every policy has come before. If all policies differ, the
//! cache costs one hash a policy, because an entry is made only when a text comes for the second time.
//!
//! The size is bounded by two halves. If the newer half is full, the older half is dropped and the newer one takes its
//! place. An entry that is found in the older half moves to the newer one. So the entries in use stay, and nothing has to
//! be sorted by its last use.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

/// The bytes that an entry counts besides its text and what `weigh` returns. They bound the number of entries.
const ENTRY: usize = 512;

/// One entry may take one part in so many of a half: a few larger ones would drive out all others.
const SHARE: usize = 4;

/// How many entries are tried before the end of a text is searched.
const RECENT: usize = 4;

/// Values of one type and kind, by the text from which they were read.
#[derive(Debug)]
pub(super) struct Cache<T> {
    newer: HashMap<u64, CacheEntry<T>>,
    older: HashMap<u64, CacheEntry<T>>,
    /// The bytes that the entries of the newer half count.
    held: usize,
    /// The most bytes that the entries of a half may count.
    half: usize,
    /// The bytes that a value counts besides its text.
    weigh: fn(&T) -> usize,
    recent: Vec<CacheEntry<T>>,
    /// At each place, a part of the hash of the last text whose hash belongs to the place.
    seen: Vec<u32>,
    hasher: RandomState,
}

#[derive(Debug)]
struct CacheEntry<T> {
    text: Rc<str>,
    value: Rc<T>,
}

impl<T> Clone for CacheEntry<T> {
    fn clone(&self) -> Self {
        Self { text: Rc::clone(&self.text), value: Rc::clone(&self.value) }
    }
}

impl<T> Cache<T> {
    /// A cache whose halves hold `half` bytes each. Counted are the lengths of the texts and what `weigh` returns for the
    /// values.
    pub(super) fn new(half: usize, weigh: fn(&T) -> usize) -> Self {
        Self {
            newer: HashMap::new(),
            older: HashMap::new(),
            held: 0,
            half,
            weigh,
            recent: Vec::with_capacity(RECENT),
            // One for each entry that both halves can hold.
            seen: vec![0; (2 * half / ENTRY).max(1)],
            hasher: RandomState::new(),
        }
    }

    /// The value whose text `rest` begins with, if it is among the recent entries, and the length of that text.
    ///
    /// INVARIANT: each text is one whole JSON object, array or string, so `rest` cannot begin with a longer value.
    pub(super) fn begins(&mut self, rest: &str) -> Option<(Rc<T>, usize)> {
        let is_there = |entry: &CacheEntry<T>| rest.starts_with(&*entry.text);
        let at = self.recent.iter().position(is_there)?;
        let entry = self.recent.get(at)?;
        let found = (Rc::clone(&entry.value), entry.text.len());
        // An entry that comes often moves to the front.
        self.recent.swap(at, at.saturating_sub(1));
        Some(found)
    }

    /// The value of a text, read by `read` if there is no entry. `read` must return a value only for a text that is one
    /// whole JSON object, array or string.
    pub(super) fn get(&mut self, text: &str, read: impl FnOnce() -> Option<T>) -> Option<Rc<T>> {
        let hash = self.hasher.hash_one(text);
        let is_it = |entry: &CacheEntry<T>| *entry.text == *text;
        if let Some(entry) = self.newer.get(&hash).filter(|entry| is_it(entry)) {
            let entry = entry.clone();
            return Some(self.add_recent(entry));
        }
        if let Some(entry) = self.older.remove(&hash).filter(is_it) {
            self.insert(hash, entry.clone());
            return Some(self.add_recent(entry));
        }
        let value = Rc::new(read()?);
        let counts = self.counts(text, &value);
        if counts <= self.half / SHARE && self.came_before(hash) {
            let entry = CacheEntry { text: text.into(), value: Rc::clone(&value) };
            self.insert(hash, entry.clone());
            self.add_recent(entry);
        }
        Some(value)
    }

    /// Whether a text with this hash came not long ago.
    fn came_before(&mut self, hash: u64) -> bool {
        let place = usize::try_from(hash % self.seen.len() as u64).unwrap_or_default();
        let part = u32::try_from(hash >> 32).unwrap_or_default();
        self.seen.get_mut(place).is_some_and(|seen| std::mem::replace(seen, part) == part)
    }

    fn counts(&self, text: &str, value: &T) -> usize {
        ENTRY + text.len() + (self.weigh)(value)
    }

    fn insert(&mut self, hash: u64, entry: CacheEntry<T>) {
        let counts = self.counts(&entry.text, &entry.value);
        if self.held + counts > self.half {
            self.older = std::mem::take(&mut self.newer);
            self.held = 0;
        }
        self.held += counts;
        self.newer.insert(hash, entry);
    }

    /// Puts an entry last among the recent ones.
    fn add_recent(&mut self, entry: CacheEntry<T>) -> Rc<T> {
        let value = Rc::clone(&entry.value);
        if self.recent.len() == RECENT {
            self.recent.pop();
        }
        self.recent.push(entry);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: usize = 1 << 20;

    fn cache() -> Cache<u64> {
        Cache::new(HALF, |_| 0)
    }

    /// The number in a text; `reads` counts how often a text was read.
    fn fetch(cache: &mut Cache<u64>, text: &str, reads: &mut u32) -> Option<u64> {
        let read = || {
            *reads += 1;
            text.trim_matches(['[', ']', ' ']).parse().ok()
        };
        cache.get(text, read).map(|value| *value)
    }

    fn count(cache: &Cache<u64>) -> (usize, usize) {
        let entries = || cache.newer.values().chain(cache.older.values());
        (entries().count(), entries().map(|entry| entry.text.len()).sum())
    }

    #[test]
    fn a_text_has_an_entry_from_the_second_time_on() {
        let (mut cache, mut reads) = (cache(), 0);
        for _ in 0..5 {
            assert_eq!(fetch(&mut cache, "[7]", &mut reads), Some(7));
        }
        assert_eq!(reads, 2);
        assert_eq!(fetch(&mut cache, "[ 7]", &mut reads), Some(7));
        assert_eq!(reads, 3, "every byte counts");
    }

    #[test]
    fn a_text_that_cannot_be_read_has_no_entry() {
        let (mut cache, mut reads) = (cache(), 0);
        for _ in 0..4 {
            assert_eq!(fetch(&mut cache, "[x]", &mut reads), None);
        }
        assert_eq!((reads, count(&cache)), (4, (0, 0)));
    }

    #[test]
    fn a_recent_value_is_found_if_the_rest_begins_with_its_text() {
        let (mut cache, mut reads) = (cache(), 0);
        assert!(cache.begins("[7],").is_none());
        for n in [7, 7, 8, 8] {
            fetch(&mut cache, &format!("[{n}]"), &mut reads);
        }
        for _ in 0..3 {
            assert_eq!(cache.begins("[8],9]").map(|(value, length)| (*value, length)), Some((8, 3)));
            assert_eq!(cache.begins("[7]").map(|(value, length)| (*value, length)), Some((7, 3)));
        }
        assert!(cache.begins("[7").is_none() && cache.begins("").is_none());
    }

    #[test]
    fn different_texts_have_no_entries_and_the_entries_are_bounded() {
        let (mut cache, mut reads) = (cache(), 0);
        let text = |n: u64, length: usize| format!("[{}{n}]", " ".repeat(length));
        for n in 0..40_000 {
            fetch(&mut cache, &text(n, 20), &mut reads);
        }
        assert_eq!((count(&cache).0, reads), (0, 40_000));
        let mut most = (0, 0);
        for n in 0..40_000 {
            let text = text(n, if n % 100 == 0 { HALF / SHARE / 2 } else { 20 });
            for _ in 0..2 {
                fetch(&mut cache, &text, &mut reads);
            }
            // Counting visits every entry, so it is done now and then.
            if n % 50 == 0 {
                let now = count(&cache);
                most = (most.0.max(now.0), most.1.max(now.1));
            }
        }
        assert!(most.0 <= 2 * HALF / ENTRY && most.1 <= 2 * HALF, "{most:?}");
        assert!(most.0 > 500 && most.1 > HALF, "{most:?}");
        assert!(cache.seen.len() <= 2 * HALF / ENTRY);
    }

    #[test]
    fn a_value_that_is_too_large_has_no_entry() {
        let long = format!("[{}1]", " ".repeat(HALF / SHARE));
        for (mut cache, text) in [(cache(), long.as_str()), (Cache::new(HALF, |_| HALF / SHARE), "[1]")] {
            let mut reads = 0;
            for _ in 0..4 {
                assert_eq!(fetch(&mut cache, text, &mut reads), Some(1));
            }
            assert_eq!((reads, count(&cache)), (4, (0, 0)));
            assert!(cache.begins(text).is_none());
        }
    }

    #[test]
    fn an_entry_in_use_stays_whatever_else_comes() {
        let (mut cache, mut reads) = (cache(), 0);
        for n in 0..50_000_u64 {
            fetch(&mut cache, &format!("[{}]", n / 2), &mut reads);
            if n % 100 == 0 {
                fetch(&mut cache, "[  0]", &mut reads);
            }
        }
        assert_eq!(reads, 50_000 + 2);
    }
}
