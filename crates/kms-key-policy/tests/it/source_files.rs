//! What must stay true of the crate's source files.

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;

#[test]
fn the_crate_has_no_clock_no_network_and_no_environment() {
    for file in source_files() {
        let text = fs::read_to_string(&file).unwrap();
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in [
            "SystemTime",
            "std::time",
            "std::env",
            "std::net::Tcp",
            "std::net::Udp",
            "std::fs",
            "std::process",
        ] {
            assert!(!code.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn every_file_is_short_and_says_what_it_holds() {
    for file in source_files() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with what it holds", file.display());
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
    }
}

fn source_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(files.len() > 20, "the source files were not found");
    files
}
