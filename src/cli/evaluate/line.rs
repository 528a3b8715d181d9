//! Whole lines out of an input, in chunks, with a bound on the length of a line.

use std::io::{self, BufRead};

/// The most bytes of one line: dozens of policies of the greatest size.
pub(super) const MOST_BYTES: usize = 4 << 20;

/// Lines that are answered together.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    /// Where each line ends in `bytes`; a line that was too long is kept without its bytes.
    ends: Vec<(usize, bool)>,
}

/// A line of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Its bytes, without the line end.
    Whole(&'a [u8]),
    /// It has more than [`MOST_BYTES`].
    TooLong,
}

impl Chunk {
    pub(super) const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The lines that are not empty.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut start = 0;
        self.ends.iter().filter_map(move |(end, too_long)| {
            let bytes = self.bytes.get(start..*end).unwrap_or_default().trim_ascii();
            start = *end;
            if *too_long { Some(Line::TooLong) } else { (!bytes.is_empty()).then_some(Line::Whole(bytes)) }
        })
    }

    fn end_line(&mut self, too_long: bool) {
        self.ends.push((self.bytes.len(), too_long));
    }
}

/// The lines of an input.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    /// The begun line, or nothing of one that is already too long.
    begun: Vec<u8>,
    too_long: bool,
    /// Whether a line has begun.
    open: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, begun: Vec::new(), too_long: false, open: false }
    }

    /// Takes what the input has ready, up to the last line end; `None` at its end.
    pub(super) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
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
            let mut chunk = Chunk::default();
            for piece in ready.split_inclusive(|b| *b == b'\n') {
                let ended = piece.ends_with(b"\n");
                self.too_long |= self.begun.len() + piece.len() > MOST_BYTES;
                if self.too_long {
                    self.begun.clear();
                } else if ended {
                    chunk.bytes.append(&mut self.begun);
                    chunk.bytes.extend_from_slice(piece);
                } else {
                    self.begun.extend_from_slice(piece);
                }
                self.open = !ended;
                if ended {
                    chunk.end_line(std::mem::take(&mut self.too_long));
                }
            }
            self.input.consume(size);
            if !chunk.ends.is_empty() {
                return Ok(Some(chunk));
            }
        }
    }

    /// A last line without a line end.
    fn last_line(&mut self) -> Option<Chunk> {
        if !std::mem::take(&mut self.open) {
            return None;
        }
        let mut chunk = Chunk { bytes: std::mem::take(&mut self.begun), ends: Vec::new() };
        chunk.end_line(std::mem::take(&mut self.too_long));
        Some(chunk)
    }
}
