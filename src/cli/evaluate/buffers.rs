//! Memory that goes round: a buffer that one thread has done with is the next one's.
//!
//! To ask the allocator for each chunk and each answer would cost its pages every time, and they would be given back by
//! another thread than had asked for them.

use std::sync::Mutex;

/// Larger buffers are given back: a few long lines are no reason to hold their memory to the end.
const LARGEST: usize = 1 << 20;

/// Buffers that nobody uses.
#[derive(Debug)]
pub(super) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
    /// The most that are kept.
    most: usize,
}

impl Buffers {
    pub(super) const fn new(most: usize) -> Self {
        Self { free: Mutex::new(Vec::new()), most }
    }

    /// An empty buffer.
    pub(super) fn take(&self) -> Vec<u8> {
        self.free.lock().ok().and_then(|mut free| free.pop()).unwrap_or_default()
    }

    /// Takes a buffer back.
    pub(super) fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        if let Ok(mut free) = self.free.lock()
            && free.len() < self.most
            && buffer.capacity() <= LARGEST
        {
            free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_and_no_more_are_kept_than_the_bound() {
        let buffers = Buffers::new(2);
        for length in [10, LARGEST + 1, 20, 30] {
            buffers.give(vec![b'x'; length]);
        }
        let mut taken: Vec<Vec<u8>> = (0..3).map(|_| buffers.take()).collect();
        assert!(taken.iter().all(Vec::is_empty));
        taken.sort_by_key(Vec::capacity);
        assert_eq!(taken.iter().map(Vec::capacity).collect::<Vec<_>>(), [0, 10, 20]);
    }
}
