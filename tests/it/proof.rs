//! Nobody is locked out: the proof of access, through the deployed function's code.

#![expect(
    clippy::needless_pass_by_value,
    reason = "conditions and principals are written where they are used"
)]

mod discovery;
mod key_access;
mod lists;
mod lookups;
mod mixes;
mod oracle;
mod permissions;
mod propagation;
mod scale;
mod sides;
mod table;

use std::sync::OnceLock;
use std::time::Duration;

use cloudformation_custom_resource::{Origin, ResponseSender};
use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::{Function, FunctionSettings};

use crate::fixture::{NAME, handle, key_in, resource};
use crate::stub::{ACCOUNT, Document, Format, Location, REGION, ReceivedResponse, Request, Stub, World};

/// The account that owns the foreign key.
const OTHER: &str = "210987654321";
const KEY_ID: &str = "33333333-3333-4333-8333-333333333333";
/// Reads the machine's certificates, which is slow; it keeps no connection, so that all may share it.
static SENDER: OnceLock<ResponseSender> = OnceLock::new();
/// The key that the document has before.
const BEFORE: &str = "alias/before";

/// A function whose pauses take no time, and that tries a call five times.
fn function(stub: &Stub) -> Function<Aws> {
    Function {
        ports: Aws::new(&stub.sdk_config(5, None), Duration::ZERO),
        sender: SENDER.get_or_init(ResponseSender::over_network).clone(),
        endpoints: vec![Origin::parse(&stub.endpoint()).unwrap()],
        region: REGION.to_owned(),
        settings: FunctionSettings::default(),
        write_metrics: |_| (),
    }
}

/// Sends a Create of a `Custom::SessionEncryption`; its answer.
async fn create(stub: &Stub, function: &Function<Aws>, properties: &Value) -> ReceivedResponse {
    send(stub, function, &resource("demo").create(stub, properties)).await
}

async fn send(stub: &Stub, function: &Function<Aws>, request: &Request) -> ReceivedResponse {
    handle(function, &request.payload, Duration::from_secs(60)).await.unwrap();
    let mut answers = stub.answers(&request.url);
    assert_eq!(answers.len(), 1, "one answer");
    answers.remove(0)
}

/// A world with a document that has another key; the ARN of a key of this account.
fn furnish(world: &mut World, account: &str) -> String {
    *world = World::default();
    world.put_document(NAME, Document::session(Format::Json, &content(BEFORE)));
    world.add_key_at(&Location::new(account, REGION), KEY_ID)
}

fn content(key: &str) -> String {
    json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"kmsKeyId": key}}).to_string()
}

/// The key that the document's latest and default version carry, where it is the same.
fn carried(stub: &Stub) -> Option<String> {
    stub.world(|world| {
        let document = world.document(NAME)?;
        let [latest, default] = [document.latest_content(), document.default_content()].map(key_in);
        (latest == default).then_some(latest)
    })
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{name}")
}

/// Properties that name everybody, and find nobody.
fn named(key: &str, users: &[&str], nodes: &[&str], mode: &str) -> Value {
    json!({
        "KmsKeyId": key, "Users": users, "Nodes": nodes, "Preflight": mode,
        "DiscoverUsers": false, "DiscoverNodes": false,
    })
}
