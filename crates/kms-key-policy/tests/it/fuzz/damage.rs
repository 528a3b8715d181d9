//! The inputs that fuzz targets replay, and random changes to them.
//!
//! The fuzz target of `session-kms evaluate` includes this file too.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;

use proptest::prelude::*;
use proptest::sample::Index;

/// The contents of the files in a folder, in the order of their names.
pub(crate) fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// The inputs that a fuzz target has been run on.
#[derive(Default)]
pub(crate) struct Tried(Mutex<HashSet<Vec<u8>>>);

impl Tried {
    pub(crate) fn add(&self, input: &[u8]) {
        self.0.lock().unwrap().insert(input.to_owned());
    }

    /// Fails unless the target has been run on all of the inputs.
    pub(crate) fn assert_all(&self, inputs: &[Vec<u8>]) {
        let tried = self.0.lock().unwrap();
        for input in inputs {
            assert!(tried.contains(input), "not replayed: {}", String::from_utf8_lossy(input));
        }
    }
}

/// Changes to a text. Each replaces some bytes at a position by a piece of what policies are made of.
pub(crate) fn changes() -> impl Strategy<Value = Vec<(Index, usize, String)>> {
    let pieces = prop::sample::select(vec![
        "",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "*",
        "?",
        "${",
        "}",
        "null",
        "true",
        "-1e9",
        "\"Deny\"",
        "\"*\"",
        "\"NotAction\"",
        "\"ForAllValues:StringLike\"",
        "\"aws:x\"",
        "\\u0000",
        "\\ud800",
        "\u{e9}",
        "é",
        "\u{1F512}",
    ]);
    prop::collection::vec((any::<Index>(), 0..6usize, pieces.prop_map(str::to_owned)), 1..8)
}

/// Applies the changes to a text.
pub(crate) fn apply(mut bytes: Vec<u8>, changes: &[(Index, usize, String)]) -> Vec<u8> {
    for (at, length, piece) in changes {
        let at = at.index(bytes.len() + 1);
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, piece.bytes());
    }
    bytes
}
