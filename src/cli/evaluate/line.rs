//! Cuts an input into chunks of whole lines, and bounds the length of a line.

use std::io::{self, BufRead};

use super::buffers::Buffers;

/// The most bytes of one line: it has room for dozens of policies of the greatest size.
pub(super) const MOST_BYTES: usize = 4 << 20;

/// Lines that one worker answers together.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Whole lines. Each worker finds the ends of its lines, so that the one reader has little to do.
    bytes: Vec<u8>,
    /// Whether a line that was too long stands before these. Its bytes are dropped.
    after_too_long: bool,
}

/// A line of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The bytes of the line, without the line end.
    Whole(&'a [u8]),
    /// The line has more than [`MOST_BYTES`].
    TooLong,
}

impl Chunk {
    /// The memory of the chunk, to be used again.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The lines that are not empty.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut rest = self.bytes.as_slice();
        let lines = std::iter::from_fn(move || {
            let mut after = rest;
            // Reading from memory cannot fail.
            let length = after.skip_until(b'\n').unwrap_or_default();
            let line = rest.get(..length).filter(|line| !line.is_empty())?;
            rest = after;
            Some(line)
        });
        let lines = lines
            .map(|line| if line.len() > MOST_BYTES { Line::TooLong } else { Line::Whole(line.trim_ascii()) });
        self.after_too_long
            .then_some(Line::TooLong)
            .into_iter()
            .chain(lines)
            .filter(|line| *line != Line::Whole(b""))
    }
}

/// The lines of an input.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    /// The beginning of a line whose end is not read yet; empty if that line is already too long.
    begun: Vec<u8>,
    too_long: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, begun: Vec::new(), too_long: false }
    }

    /// What the input has ready, up to the last line end; `None` at the end of the input.
    pub(super) fn next_chunk(&mut self, buffers: &Buffers) -> io::Result<Option<Chunk>> {
        loop {
            let ready = match self.input.fill_buf() {
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let size = ready.len();
            if size == 0 {
                return Ok(self.last_line());
            }
            let last_end = ready.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            let (whole, begun) = ready.split_at_checked(last_end).unwrap_or_default();
            let chunk = (!whole.is_empty()).then(|| {
                let after_too_long = std::mem::take(&mut self.too_long);
                let mut whole = whole;
                if after_too_long {
                    // This is the rest of that line. Reading from memory cannot fail.
                    let _ = whole.skip_until(b'\n');
                }
                let mut bytes = buffers.take();
                bytes.reserve(self.begun.len() + whole.len());
                bytes.append(&mut self.begun);
                bytes.extend_from_slice(whole);
                Chunk { bytes, after_too_long }
            });
            if !self.too_long {
                self.begun.extend_from_slice(begun);
                self.too_long = self.begun.len() > MOST_BYTES;
            }
            if self.too_long {
                self.begun = Vec::new();
            }
            self.input.consume(size);
            if chunk.is_some() {
                return Ok(chunk);
            }
        }
    }

    /// The last line, if it has no line end.
    fn last_line(&mut self) -> Option<Chunk> {
        let after_too_long = std::mem::take(&mut self.too_long);
        let bytes = std::mem::take(&mut self.begun);
        (after_too_long || !bytes.is_empty()).then_some(Chunk { bytes, after_too_long })
    }
}
