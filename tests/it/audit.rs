//! The audit of one account and Region, tested through the function: every place has a line, nothing that is unknown
//! passes, and nothing is written.

mod answers;
mod faults;
mod roles;
mod states;
mod unreadable;

use std::time::Duration;

use serde_json::{Value, json};
use session_kms::audit::AuditLine;
use session_kms::aws::Aws;
use session_kms::function::{Function, FunctionError};

use crate::fixture::{NAME, PATIENCE, SECRET, function_on, handle};
use crate::stub::{ACCOUNT, Document, Format, Location, REGION, SimulatedAnswer, Stub, World};

/// The account that is audited. The function is in another one.
const TARGET: &str = "111122223333";
/// A Region that the function is not in.
const ELSEWHERE: &str = "ap-east-1";
/// What the trust policy of the audit role asks for.
const EXTERNAL_ID: &str = "not-for-the-log-5521";
const ROLE: &str = "security/session-kms-audit";
const KEY_ID: &str = "55555555-5555-4555-8555-555555555555";
const OTHER_KEY_ID: &str = "66666666-6666-4666-8666-666666666666";
/// A version of the agent that is new enough for encrypted sessions.
const AGENT: &str = "3.3.808.0";

/// A stub on which the target account has the audit role, and a document whose key everybody who needs it can use.
pub async fn seeded() -> Stub {
    let stub = Stub::start().await;
    stub.world(|world| {
        let role = world.add_role_in(TARGET, ROLE);
        world.role(&role).trusted = vec![ACCOUNT.to_owned()];
        world.role(&role).external_id = Some(EXTERNAL_ID.to_owned());
        in_target(world, REGION, |world| {
            encrypt(world, KEY_ID);
            for name in ["Web", "Ops"] {
                let role = world.add_role(name);
                world.simulates(&role, "*", "*", SimulatedAnswer::allowed("Kms"));
            }
            let profile = world.add_instance_profile("Web", Some(&principal("Web")));
            world.add_node("i-1", AGENT);
            world.associate("i-1", &profile);
            add_session(world, "Ops");
        });
    });
    stub
}

/// Does something in the target account in a Region.
fn in_target<T>(world: &mut World, region: &str, change: impl FnOnce(&mut World) -> T) -> T {
    let own = std::mem::replace(&mut world.location, Location::new(TARGET, region));
    let changed = change(world);
    world.location = own;
    changed
}

/// Adds a key, and a document that has it.
fn encrypt(world: &mut World, id: &str) {
    let key = world.add_key(id);
    world.put_document(NAME, document(&key));
}

fn document(key: &str) -> Document {
    Document::session(Format::Json, &content(key))
}

fn content(key: &str) -> String {
    let inputs = json!({"kmsKeyId": key, "shellProfile": {"linux": format!("export TOKEN={SECRET}")}});
    json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}).to_string()
}

/// Adds a session that somebody of the default account has started with a role.
fn add_session(world: &mut World, role: &str) {
    let (account, id) = (world.location.account.clone(), format!("s-{role}"));
    let owner = format!("arn:aws:sts::{account}:assumed-role/{role}/jane");
    world.add_session(&id, &owner, 4_000_000_000.0);
}

/// The text of a record by which a stack wants this key.
fn record(wanted: &str) -> String {
    json!({
        "owner": {
            "stackId": format!("arn:aws:cloudformation:{REGION}:{TARGET}:stack/demo/1"),
            "logicalResourceId": "Encryption",
        },
        "wanted": wanted, "before": "", "there": {"kmsKeyId": "", "version": 1, "ours": false},
        "onDelete": "Restore", "accepted": [],
    })
    .to_string()
}

fn principal(role: &str) -> String {
    format!("arn:aws:iam::{TARGET}:role/{role}")
}

fn key() -> String {
    format!("arn:aws:kms:{REGION}:{TARGET}:key/{KEY_ID}")
}

fn other_key() -> String {
    format!("arn:aws:kms:{REGION}:{TARGET}:key/{OTHER_KEY_ID}")
}

/// The call for the target account in the function's Region.
pub fn call() -> Value {
    json!({
        "action": "audit", "account": TARGET, "region": REGION, "roleName": ROLE, "externalId": EXTERNAL_ID,
    })
}

/// The call with one more property.
fn call_with(name: &str, value: impl Into<Value>) -> Value {
    let mut call = call();
    call[name] = value.into();
    call
}

/// A function whose pauses take no time.
fn function(stub: &Stub) -> Function<Aws> {
    function_on(stub, &stub.sdk_config(2, None), Duration::ZERO)
}

/// What a new function answers. Whatever it is, the function has only read, and every call is one that AWS takes.
async fn try_audit(stub: &Stub, call: &Value) -> Result<AuditLine, FunctionError> {
    stub.forget_calls();
    let answered = handle(&function(stub), call, PATIENCE).await;
    assert!(stub.writes().is_empty(), "{:?}", stub.writes());
    assert_eq!(stub.violations(), Vec::<String>::new());
    answered.map(|answer| serde_json::from_value(answer).expect("a line"))
}

async fn audit(stub: &Stub, call: &Value) -> AuditLine {
    try_audit(stub, call).await.unwrap()
}
