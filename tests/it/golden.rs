//! Golden files: texts that somebody has reviewed. `UPDATE_GOLDEN=1 cargo test` replaces them.

use std::env;
use std::fs;
use std::path::Path;

use crate::schemas;

/// Compares a text with the golden file of this name. The folder of the repository, which is another one on each
/// machine, is left away.
pub fn check(name: &str, text: &str) {
    let text = &text.replace(&format!("{}/", env!("CARGO_MANIFEST_DIR")), "");
    schemas::assert_golden_valid(name, text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let differs = golden.lines().zip(text.lines()).position(|(wanted, found)| wanted != found);
    let line = differs.unwrap_or_else(|| golden.lines().count().min(text.lines().count()));
    assert!(
        golden == *text,
        "{name} differs from line {} on; UPDATE_GOLDEN=1 takes this one over:\n{}\n",
        line + 1,
        text.lines().skip(line).take(5).collect::<Vec<_>>().join("\n")
    );
}
