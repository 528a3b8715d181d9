//! What the function does before it asks for its first event: nothing that an event alone needs.

use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::fixture::PATIENCE;

/// `O_NONBLOCK` of Linux and macOS: whoever opens a pipe to write gets an error if nobody has opened it to read.
const WITHOUT_WAITING: i32 = if cfg!(target_os = "macos") { 0x4 } else { 0o4000 };

/// A process that is killed at the end of the test, also if it fails.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the function with a variable of its environment, and returns the first line that it sends to Lambda.
fn first_poll(variable: &str, value: &Path) -> (Started, String) {
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = api.local_addr().unwrap().to_string();
    let (line, sent) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = api.accept().unwrap();
        let mut text = [0; 4096];
        let length = stream.read(&mut text).unwrap();
        let head = String::from_utf8_lossy(&text[..length]).into_owned();
        line.send(head.lines().next().unwrap_or_default().to_owned()).unwrap();
        // The connection stays open: the function waits for its first event.
        thread::sleep(PATIENCE);
    });
    let child = Command::new(env!("CARGO_BIN_EXE_session-kms-lambda"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", "session-kms")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env(variable, value)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Started(child);
    (started, sent.recv_timeout(PATIENCE).expect("the function has not asked for an event"))
}

/// A named pipe in a folder of its own. Whoever opens it to read waits until somebody writes.
fn pipe(test: &str) -> (PathBuf, PathBuf) {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("start-{}-{test}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("certificates.pem");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    (folder, pipe)
}

#[test]
fn the_function_asks_for_its_first_event_before_it_opens_a_certificate() {
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let (folder, pipe) = pipe(variable);
        let value = if variable == "SSL_CERT_FILE" { &pipe } else { &folder };
        let (_started, line) = first_poll(variable, value);
        assert_eq!(line, "GET /2018-06-01/runtime/invocation/next HTTP/1.1", "{variable}");
        let reader = OpenOptions::new().write(true).custom_flags(WITHOUT_WAITING).open(&pipe);
        let error = reader.expect_err("the function reads the certificates").raw_os_error();
        // ENXIO: nobody has opened the pipe to read.
        assert_eq!(error, Some(6), "{variable}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
