//! The Lambda's binary as a process against a stub of AWS.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::runtime_api::{Handled, RuntimeApi};
use crate::fixture::NAME;
use crate::stub::{ACCOUNT, REGION, Stub};

/// A process that waits for events. It is killed when the value is dropped, also if the test fails.
pub struct Process {
    child: Child,
    api: RuntimeApi,
    output: PathBuf,
}

impl Process {
    pub async fn start(stub: &Stub) -> Self {
        Self::start_as(stub, &format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:session-kms")).await
    }

    /// The same for a function that is invoked by this ARN.
    pub async fn start_as(stub: &Stub, function_arn: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let api = RuntimeApi::start(function_arn).await;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let output = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("kills-{}-{number}.log", std::process::id()));
        let child = Command::new(env!("CARGO_BIN_EXE_session-kms-lambda"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "session-kms")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_ENDPOINT_URL", stub.endpoint())
            .env("DOCUMENT_NAME", NAME)
            .stdin(Stdio::null())
            .stdout(File::create(&output).expect("a file for the log"))
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        Self { child, api, output }
    }

    /// Delivers an event, and waits for the result.
    pub async fn handle(&mut self, event: &Value) -> Handled {
        self.api.invoke(event);
        self.api.result().await
    }

    /// What the process has written so far: its log, and its metrics.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).expect("the file of the log")
    }

    /// The most memory that the process has held at a time, in bytes.
    pub fn peak_memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
        let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }

    /// Ends the process at once, as Lambda does.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_file(&self.output);
    }
}
