//! The invariants of the code's structure, as `src/lib.rs` states them.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms that take values and give values.
const PURE: [&str; 6] = ["session", "key", "preflight", "policy", "access", "report"];
const LONGEST_FILE: usize = 400;

#[test]
fn only_the_aws_room_imports_the_sdk() {
    for file in sources() {
        if !room(&file).starts_with("aws") {
            assert!(!code(&file).contains("aws_sdk_"), "{} names the AWS SDK", file.display());
        }
    }
}

#[test]
fn pure_rooms_have_no_clock_no_network_and_no_runtime() {
    for file in sources().into_iter().filter(|file| PURE.contains(&room(file).as_str())) {
        let code = code(&file);
        for word in [
            "tokio::",
            "tracing::",
            "lambda_runtime",
            "SystemTime::now",
            "Instant::now",
            "std::env",
            "TcpStream",
            "UdpSocket",
            "std::fs",
        ] {
            let tests_only = file.to_string_lossy().contains("tests");
            assert!(tests_only || !code.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn no_file_is_too_long() {
    for file in sources() {
        let lines = text(&file).lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
    }
}

#[test]
fn every_file_says_what_it_holds() {
    for file in sources().into_iter().filter(|file| !file.ends_with("tests.rs")) {
        assert!(text(&file).starts_with("//!"), "{} does not open with what it holds", file.display());
    }
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    files
}

/// The room of a file: its first folder, or its own name.
fn room(file: &Path) -> String {
    let inside = file.strip_prefix(root()).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// A file's lines but for its comments.
fn code(file: &Path) -> String {
    text(file).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}
