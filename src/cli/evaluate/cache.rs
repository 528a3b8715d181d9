//! What was read before, by its text: where policies repeat, each is read and its warnings are written once.
//!
//! Most cases are of many callers and a few keys, so that nearly every policy has been seen. An input whose policies are
//! all different costs a hash of each: a text is kept only from the second time on that it comes. What is kept is
//! bounded, in two halves: if the newer one is full, the older one goes and the newer takes its place, and what is found
//! in the older moves to the newer. So what is in use stays, and nothing needs to be sorted by its last use.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

/// What an entry counts besides its text and what `weigh` says, which bounds how many there are.
const ENTRY: usize = 512;

/// The part of a half that one entry may take: a few larger ones would drive out all others.
const SHARE: usize = 4;

/// The entries that are tried first, before the end of a text is looked for.
const RECENT: usize = 4;

/// Values of one type and kind, by the text that they were read from.
#[derive(Debug)]
pub(super) struct Cache<T> {
    newer: HashMap<u64, CacheEntry<T>>,
    older: HashMap<u64, CacheEntry<T>>,
    /// What the entries of the newer half count.
    held: usize,
    /// The most that the entries of a half may count.
    half: usize,
    /// What a value counts besides its text.
    weigh: fn(&T) -> usize,
    recent: Vec<CacheEntry<T>>,
    /// A part of the hash of each text that came last at its place.
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
    /// A cache whose halves hold `half` bytes each, by the lengths of the texts and what `weigh` says of the values.
    pub(super) fn new(half: usize, weigh: fn(&T) -> usize) -> Self {
        Self {
            newer: HashMap::new(),
            older: HashMap::new(),
            held: 0,
            half,
            weigh,
            recent: Vec::with_capacity(RECENT),
            // As many as both halves can hold.
            seen: vec![0; (2 * half / ENTRY).max(1)],
            hasher: RandomState::new(),
        }
    }

    /// The value that `rest` begins with, if it came lately, and the length of its text. A text tells by itself where
    /// it ends, so what begins with one is that and nothing longer.
    pub(super) fn begins(&mut self, rest: &str) -> Option<(Rc<T>, usize)> {
        let is_there = |entry: &CacheEntry<T>| rest.starts_with(&*entry.text);
        let at = self.recent.iter().position(is_there)?;
        let entry = self.recent.get(at)?;
        let found = (Rc::clone(&entry.value), entry.text.len());
        // What comes often moves to the front.
        self.recent.swap(at, at.saturating_sub(1));
        Some(found)
    }

    /// The value of a text, which `read` reads if it is not there. `read` must give a value only of a text that is one
    /// whole JSON object, array or string.
    pub(super) fn get(&mut self, text: &str, read: impl FnOnce() -> Option<T>) -> Option<Rc<T>> {
        let hash = self.hasher.hash_one(text);
        let is_it = |entry: &CacheEntry<T>| *entry.text == *text;
        if let Some(entry) = self.newer.get(&hash).filter(|entry| is_it(entry)) {
            let entry = entry.clone();
            return Some(self.note(entry));
        }
        if let Some(entry) = self.older.remove(&hash).filter(is_it) {
            self.keep(hash, entry.clone());
            return Some(self.note(entry));
        }
        let value = Rc::new(read()?);
        let counts = self.counts(text, &value);
        if counts <= self.half / SHARE && self.came_before(hash) {
            let entry = CacheEntry { text: text.into(), value: Rc::clone(&value) };
            self.keep(hash, entry.clone());
            self.note(entry);
        }
        Some(value)
    }

    /// Whether a text of this hash came, and not long ago.
    fn came_before(&mut self, hash: u64) -> bool {
        let place = usize::try_from(hash % self.seen.len() as u64).unwrap_or_default();
        let part = u32::try_from(hash >> 32).unwrap_or_default();
        self.seen.get_mut(place).is_some_and(|seen| std::mem::replace(seen, part) == part)
    }

    fn counts(&self, text: &str, value: &T) -> usize {
        ENTRY + text.len() + (self.weigh)(value)
    }

    fn keep(&mut self, hash: u64, entry: CacheEntry<T>) {
        let counts = self.counts(&entry.text, &entry.value);
        if self.held + counts > self.half {
            self.older = std::mem::take(&mut self.newer);
            self.held = 0;
        }
        self.held += counts;
        self.newer.insert(hash, entry);
    }

    /// Puts an entry last among those that are tried first.
    fn note(&mut self, entry: CacheEntry<T>) -> Rc<T> {
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

    /// The texts that were read: the number in each.
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
    fn a_text_is_kept_from_the_second_time_on() {
        let (mut cache, mut reads) = (cache(), 0);
        for _ in 0..5 {
            assert_eq!(fetch(&mut cache, "[7]", &mut reads), Some(7));
        }
        assert_eq!(reads, 2);
        assert_eq!(fetch(&mut cache, "[ 7]", &mut reads), Some(7));
        assert_eq!(reads, 3, "every byte counts");
    }

    #[test]
    fn what_cannot_be_read_is_not_kept() {
        let (mut cache, mut reads) = (cache(), 0);
        for _ in 0..4 {
            assert_eq!(fetch(&mut cache, "[x]", &mut reads), None);
        }
        assert_eq!((reads, count(&cache)), (4, (0, 0)));
    }

    #[test]
    fn what_came_lately_is_found_where_a_text_begins_with_it() {
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
    fn different_texts_are_not_kept_and_all_that_is_kept_is_bounded() {
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
            // To count costs as much as all that is kept.
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
    fn what_would_take_too_much_is_not_kept() {
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
    fn what_is_in_use_stays_whatever_else_comes() {
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
