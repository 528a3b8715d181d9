//! iam-simulate as a process of its own, where node and npm are there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Installs the oracle below `target`, once, and says why where it cannot.
pub(crate) fn install() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/oracle");
    let files = ["package.json", "package-lock.json", "driver.mjs"];
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let same = |file: &str| {
        let installed = std::fs::read(folder.join(file));
        installed.is_ok_and(|there| {
            std::fs::read(root.join("tests/oracle").join(file)).is_ok_and(|own| own == there)
        })
    };
    let package = "node_modules/@cloud-copilot/iam-simulate/package.json";
    if files.iter().all(|file| same(file)) && folder.join(package).exists() {
        return Ok(folder);
    }
    for file in files {
        std::fs::copy(root.join("tests/oracle").join(file), folder.join(file)).map_err(|e| e.to_string())?;
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .output()
        .map_err(|error| format!("npm is not there ({error})"))?;
    if npm.status.success() {
        Ok(folder)
    } else {
        Err(format!("npm cannot install the oracle: {}", String::from_utf8_lossy(&npm.stderr).trim()))
    }
}

/// Gives the driver lines of JSON and collects its answers, one for each.
pub(crate) fn ask(folder: &Path, arguments: &[&str], cases: &[Value]) -> Vec<Value> {
    let mut node = Command::new("node")
        .arg("driver.mjs")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = node.stdin.take().unwrap();
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the driver failed: {}", output.status);
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Says that something could not run here; the line shows with `--nocapture`, and where a test fails.
#[expect(clippy::print_stderr, reason = "what is skipped must say so")]
pub(crate) fn skipped(what: &str, why: &str) {
    eprintln!("SKIPPED: {what}: {why}");
}
