//! The direct call auditPairs: the list of the accounts and Regions of an audit.

mod accounts;
mod objects;
mod regions;

use serde_json::{Value, json};
use session_kms::function::FunctionError;

use crate::fixture::{PATIENCE, function_on, handle};
use crate::stub::{ACCOUNT, REGION, Stub};

const BUCKET: &str = "audit-results";
const KEY: &str = "runs/1/pairs.json";
const ROLE: &str = "session-kms-audit";
const FUNCTION: &str = "arn:aws:iam::123456789012:role/session-kms";

const PAYMENTS: &str = "111111111111";
const SHOP: &str = "222222222222";
const SANDBOX: &str = "333333333333";
const CLOSED: &str = "444444444444";

/// An organization: Root holds the own account and Workloads, which holds Production (payments, shop, and a closed
/// account) and Sandbox.
async fn organization() -> Stub {
    let stub = Stub::start().await;
    stub.world(|world| {
        world.organize();
        world.add_bucket(BUCKET, REGION);
        world.add_unit("ou-1-workloads", "r-1", "Workloads");
        world.add_unit("ou-1-production", "ou-1-workloads", "Production");
        world.add_unit("ou-1-sandbox", "ou-1-workloads", "Sandbox");
        world.add_account(ACCOUNT, "r-1", "audit", "ACTIVE");
        world.add_account(SHOP, "ou-1-production", "shop", "ACTIVE");
        world.add_account(CLOSED, "ou-1-production", "old shop", "SUSPENDED");
        world.add_account(PAYMENTS, "ou-1-production", "payments", "ACTIVE");
        world.add_account(SANDBOX, "ou-1-sandbox", "sandbox", "ACTIVE");
    });
    stub
}

/// A call with these properties besides the usual ones.
fn call(properties: &Value) -> Value {
    let mut call = json!({
        "action": "auditPairs", "accounts": "organization", "regions": REGION, "roleName": ROLE,
        "output": format!("s3://{BUCKET}/{KEY}"),
    });
    for (name, value) in properties.as_object().unwrap() {
        call[name] = value.clone();
    }
    call
}

/// Makes a call. AWS accepts all that it sends.
async fn ask(stub: &Stub, properties: &Value) -> Result<Value, FunctionError> {
    let function = function_on(stub, &stub.sdk_config(3, None), std::time::Duration::from_millis(1));
    let answer = handle(&function, &call(properties), PATIENCE).await;
    assert_eq!(stub.violations(), Vec::<String>::new());
    answer
}

/// The error of a call.
async fn refused(stub: &Stub, properties: &Value) -> (String, &'static str) {
    let error = ask(stub, properties).await.unwrap_err();
    assert_eq!(stub.world(|world| world.object(BUCKET, KEY).map(str::to_owned)), None);
    (error.to_string(), error.kind())
}

/// The list that was written.
fn list(stub: &Stub) -> Vec<Value> {
    let text = stub.world(|world| world.object(BUCKET, KEY).unwrap().to_owned());
    serde_json::from_str(&text).unwrap()
}

/// The accounts and Regions in the list.
fn pairs(stub: &Stub) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list(stub).iter().map(|item| format!("{} {}", text(&item["account"]), text(&item["region"]))).collect()
}

/// The operations so far, each with how often it was called.
fn counted(stub: &Stub, operation: &str) -> usize {
    stub.calls_of(operation).len()
}
