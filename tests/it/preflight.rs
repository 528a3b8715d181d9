//! The preflight, tested through the function: nobody is locked out, and whatever is not known is reported as unknown.

#![expect(
    clippy::needless_pass_by_value,
    reason = "conditions and principals are written at the call that uses them"
)]

mod combinations;
mod condition_keys;
mod decision_table;
mod discovery;
mod fleet_cases;
mod fleet_oracle;
mod fleet_table;
mod grants_and_own_sides;
mod identity_center;
mod key_access;
mod key_policies;
pub mod large_account;
mod listed_policies;
mod missing_permissions;
mod network;
mod oracle;
mod propagation;
mod simulator_answers;

use std::time::Duration;

use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::{Function, FunctionSettings};

use crate::fixture::{NAME, PATIENCE, function_on, handle, key_in, resource};
use crate::stub::{ACCOUNT, Document, Format, Location, REGION, ReceivedResponse, Request, Stub, World};

/// The account that owns the key if the key is another account's.
const OTHER: &str = "210987654321";
const KEY_ID: &str = "33333333-3333-4333-8333-333333333333";
/// A version of the agent that is new enough for encrypted sessions.
const AGENT: &str = "3.3.808.0";
/// The key that the document carries at first.
const BEFORE: &str = "alias/before";

/// A function whose pauses take no time, and that tries a call five times.
fn function(stub: &Stub) -> Function<Aws> {
    function_on(stub, &stub.sdk_config(5, None), Duration::ZERO)
}

/// The same with parameter DryRun: the checks try the key.
fn trying_function(stub: &Stub) -> Function<Aws> {
    let function = function(stub);
    let settings = FunctionSettings { dry_run: true, ..function.settings };
    Function { settings, ..function }
}

/// Sends a Create of a `Custom::SessionEncryption`, and returns its answer.
async fn create(stub: &Stub, function: &Function<Aws>, properties: &Value) -> ReceivedResponse {
    send(stub, function, &resource("demo").create(stub, properties)).await
}

async fn send(stub: &Stub, function: &Function<Aws>, request: &Request) -> ReceivedResponse {
    handle(function, &request.payload, PATIENCE).await.unwrap();
    let mut answers = stub.answers(&request.url);
    assert_eq!(answers.len(), 1, "one answer");
    answers.remove(0)
}

/// Resets the world to a document that carries another key, and to one key of this account. Returns the key's ARN.
fn reset_with_key(world: &mut World, account: &str) -> String {
    *world = World::default();
    world.put_document(NAME, Document::session(Format::Json, &content(BEFORE)));
    world.add_key_at(&Location::new(account, REGION), KEY_ID)
}

fn content(key: &str) -> String {
    json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"kmsKeyId": key}}).to_string()
}

/// The key of the document, if its latest and its default version carry the same.
fn key_in_document(stub: &Stub) -> Option<String> {
    stub.world(|world| {
        let document = world.document(NAME)?;
        let [latest, default] = [document.latest_content(), document.default_content()].map(key_in);
        (latest == default).then_some(latest)
    })
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{name}")
}

/// A statement that lets a principal do everything with the key, under a condition or, if it is null, without one.
fn allow(principal: Value, condition: Value) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"});
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    statement
}

/// Lets the function's own account describe a key and make the dry runs of a session.
fn admit_function(world: &mut World, key: &str) {
    for action in ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"] {
        world.key(key).allow(ACCOUNT, action);
    }
}

/// Properties that name users and nodes and discover none.
fn properties_naming(key: &str, users: &[&str], nodes: &[&str], mode: &str) -> Value {
    json!({
        "KmsKeyId": key, "Users": users, "Nodes": nodes, "Preflight": mode,
        "DiscoverUsers": false, "DiscoverNodes": false,
    })
}
