//! Reads the results of an audit: the files that the ResultWriter of Step Functions writes, and lines of JSON as the
//! command line writes them.
//!
//! A file is read in pieces, because one file may hold the results of 100,000 accounts and Regions.

mod execution;
mod manifest;

use thiserror::Error;

pub use manifest::{ResultFile, ResultManifest};

use super::AuditLine;

/// The longest result that is read. The output of an execution has at most 256 KB, and its input and escapes are added.
const LONGEST: usize = 4 << 20;
/// The first bytes of a text that a message repeats.
const SHOWN: usize = 80;

/// A line of the audit, or why a part of a file is none.
pub type StoredResult = Result<AuditLine, ResultProblem>;

/// Why a part of a file of results is no line of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResultProblem {
    /// It is no result.
    #[error("a stored result cannot be read: {reason}; it begins with `{beginning}`")]
    Unread {
        /// What is wrong with it.
        reason: String,
        /// Its first characters.
        beginning: String,
    },
    /// The file ends in the middle of it.
    #[error("a file of results ends in the middle of a result, which begins with `{beginning}`")]
    CutOff {
        /// Its first characters.
        beginning: String,
    },
}

/// Reads a file of results piece by piece: an array of executions or lines, or one of them after the other.
#[derive(Debug, Default)]
pub struct ResultReader {
    /// The result that has begun and has not ended.
    begun: Vec<u8>,
    /// How many objects and arrays of it are open.
    depth: usize,
    is_in_string: bool,
    is_after_backslash: bool,
}

/// Reads all of a file of results.
#[must_use]
pub fn read_results(text: &str) -> Vec<StoredResult> {
    let mut reader = ResultReader::default();
    let mut results = reader.push(text.as_bytes());
    results.extend(reader.finish());
    results
}

impl ResultReader {
    /// Reads the next piece, and returns the results that end in it.
    pub fn push(&mut self, piece: &[u8]) -> Vec<StoredResult> {
        let mut results = Vec::new();
        for &byte in piece {
            if self.begun.is_empty() && is_between(byte) {
                continue;
            }
            // Whatever is no object ends with its line.
            let is_stray = self.begun.first().is_some_and(|first| *first != b'{');
            // No string goes over a line end: a line that was cut off is followed by a whole one.
            let is_cut_off = byte == b'\n' && (is_stray || self.is_in_string);
            if !is_cut_off {
                self.begun.push(byte);
                self.follow(byte);
            }
            let is_whole = self.depth == 0 && !self.is_in_string && self.begun.first() == Some(&b'{');
            if is_cut_off || is_whole || self.begun.len() > LONGEST {
                self.end(&mut results);
            }
        }
        results
    }

    /// Ends the file, and returns what was begun and has not ended.
    #[must_use]
    pub fn finish(mut self) -> Vec<StoredResult> {
        let mut results = Vec::new();
        let text = std::mem::take(&mut self.begun);
        if text.contains(&b'\n') {
            read_lines(&text, &mut results);
        } else if !text.is_empty() {
            results.push(Err(ResultProblem::CutOff { beginning: beginning(&text) }));
        }
        results
    }

    fn follow(&mut self, byte: u8) {
        match byte {
            _ if self.is_after_backslash => self.is_after_backslash = false,
            b'\\' if self.is_in_string => self.is_after_backslash = true,
            b'"' => self.is_in_string = !self.is_in_string,
            b'{' | b'[' if !self.is_in_string => self.depth += 1,
            b'}' | b']' if !self.is_in_string => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn end(&mut self, results: &mut Vec<StoredResult>) {
        match execution::line(&self.begun) {
            // A line that was cut off may have swallowed whole ones.
            Err(_) if self.begun.contains(&b'\n') => read_lines(&self.begun, results),
            result => results.push(result),
        }
        self.begun.clear();
        self.depth = 0;
        self.is_in_string = false;
        self.is_after_backslash = false;
    }
}

fn read_lines(text: &[u8], results: &mut Vec<StoredResult>) {
    let lines = text.split(|byte| *byte == b'\n').map(|line| {
        let line = line.trim_ascii();
        line.strip_suffix(b",").unwrap_or(line)
    });
    results.extend(lines.filter(|line| !line.is_empty()).map(execution::line));
}

/// Whether a byte may stand between two results: a space, a comma, a bracket of the array, the byte order mark.
fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']' | 0xef | 0xbb | 0xbf)
}

/// The first characters of a text.
fn beginning(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..SHOWN).unwrap_or(text));
    text.chars().filter(|c| !c.is_control()).collect()
}
