//! The memory of the Lambda's process.

use serde_json::json;

use super::process::Process;
use crate::preflight::large_account::build_large;
use crate::stub::Stub;

/// The most that a check of the large account may take, in bytes, in a build without optimisation. The check takes 46
/// million, of which such a build takes 31 million for a small account too. The rest are the lists of nodes and instances,
/// with what they have in common kept once, and the page that is being read.
const MOST: usize = 50_000_000;

#[tokio::test]
async fn a_check_of_20_000_nodes_takes_little_memory() {
    let stub = Stub::start().await;
    let key = stub.world(build_large);
    let mut process = Process::start(&stub).await;
    let handled = process.handle(&json!({"action": "check", "kmsKeyId": key})).await;
    let peak = process.peak_memory();
    assert!(handled.is_ok(), "{handled:?}");
    assert!(stub.calls_of("SimulatePrincipalPolicy").len() > 300);
    assert!(peak < MOST, "{peak} bytes");
}
