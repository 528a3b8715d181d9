//! Runs iam-simulate in a node process, for tests and benchmarks that compare the policy evaluator with it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Installs the oracle in `target/oracle` unless it is installed. Returns the folder.
pub(crate) fn install() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/oracle");
    install_into(&folder);
    folder
}

/// Installs the oracle in a folder. If another process is installing it there, this waits for the other one.
pub(crate) fn install_into(folder: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    std::fs::create_dir_all(folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let is_there = |file: &str| {
        let installed = std::fs::read(folder.join(file));
        installed.is_ok_and(|there| there == std::fs::read(source.join(file)).unwrap())
    };
    // The driver is copied last. So if the driver is there, all of its packages are.
    let [packages @ .., driver] = ["package.json", "package-lock.json", "driver.mjs"];
    if packages.into_iter().chain([driver]).all(is_there) {
        return;
    }
    if folder.join(driver).exists() {
        std::fs::remove_file(folder.join(driver)).unwrap();
    }
    let copy = |file: &str| std::fs::copy(source.join(file), folder.join(file)).unwrap();
    for file in packages {
        copy(file);
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(npm.status.success(), "npm cannot install: {}", String::from_utf8_lossy(&npm.stderr).trim());
    copy(driver);
}

/// Writes the cases to the driver as lines of JSON, and returns its answers, one for each case.
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
