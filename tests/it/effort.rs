//! How much the long tests do, and where their figures go.
//!
//! In `make test` each of them does a bounded part of its work; `make soak` sets `SOAK=1`, and they do all of it. The
//! figures of a test are a line in a file of their own under `target/reliability`, because a passing test prints
//! nothing; `python3 -m local.reliability` prints them.

use std::fs;
use std::path::Path;

/// Whether the complete tests were asked for.
pub fn is_complete() -> bool {
    std::env::var("SOAK").is_ok_and(|value| value == "1")
}

/// The bounded amount in `make test`, and the complete one in `make soak`.
pub fn amount<T>(bounded: T, complete: T) -> T {
    if is_complete() { complete } else { bounded }
}

/// Writes the figures of a test, for example `12,345 cases, 0 break an invariant`.
pub fn report(test: &str, figures: &str) {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("reliability");
    fs::create_dir_all(&folder).expect("a folder for figures");
    let extent = if is_complete() { "complete" } else { "bounded" };
    fs::write(folder.join(format!("{test}.txt")), format!("{test} ({extent}): {figures}\n")).expect("a file");
}
