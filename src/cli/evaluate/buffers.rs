//! Buffers that the threads use again after one another.
//!
//! A new allocation for each chunk and each answer would cost fresh pages every time, and another thread would free them
//! than the one that allocated them.

use std::sync::Mutex;

/// The most bytes of a buffer that is used again. After a few long lines, their memory should not stay allocated.
const LARGEST: usize = 1 << 20;

/// The buffers that no thread uses.
#[derive(Debug)]
pub(super) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
    /// The most buffers that wait here.
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

    /// Takes a buffer that is to be used again.
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
    fn a_buffer_comes_back_empty_and_no_more_wait_than_the_bound() {
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
