//! The direct call auditReport: the report over the results of a Map Run.

mod comparison;
mod results;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use session_kms::function::FunctionError;

use crate::fixture::{PATIENCE, function_on, handle};
use crate::stub::{REGION, Stub, World};

const BUCKET: &str = "audit-results";
const OUTPUT: &str = "reports/";
const PAIRS: &str = "runs/1/pairs.json";
const RUN: &str = "results/run-1/";

/// The files of a report, below its folder.
const FILES: [&str; 7] =
    ["asff.jsonl", "ocsf.jsonl", "report.csv", "report.html", "report.json", "report.txt", "summary.json"];

async fn bucket() -> Stub {
    let stub = Stub::start().await;
    stub.world(|world| world.add_bucket(BUCKET, REGION));
    stub
}

/// What the sample events of an audit of many accounts ask about: an organization, and the results of a run.
pub fn seed_samples(world: &mut World) {
    const SAMPLES: &str = "session-kms-audit-123456789012";
    let results = "results/8f1c7d6e-5d0c-3a8b-9a54-1f6f4c2b7e90/";
    let account = "111122223333";
    world.organize();
    world.add_unit("ou-1-workloads", "r-1", "Workloads");
    world.add_account(account, "ou-1-workloads", "payments", "ACTIVE");
    world.add_bucket(SAMPLES, REGION);
    let line = line(account, REGION, "2026-03-01T12:00:00Z", "encrypted");
    world.put_object(SAMPLES, &format!("{results}SUCCEEDED_0.json"), &json!([succeeded(&line)]).to_string());
    let files = json!({"SUCCEEDED": [{"Key": format!("{results}SUCCEEDED_0.json"), "Size": 1}]});
    let manifest = json!({"DestinationBucket": SAMPLES, "MapRunArn": "arn:…", "ResultFiles": files});
    world.put_object(SAMPLES, &format!("{results}manifest.json"), &manifest.to_string());
    world.put_object(SAMPLES, "pairs/2026-03-01.json", &json!([pair(account, REGION)]).to_string());
}

/// A line of an audit.
fn line(account: &str, region: &str, at: &str, state: &str) -> Value {
    let key = if state == "unencrypted" { "" } else { "alias/session-manager" };
    let document = json!({"name": "SSM-SessionManagerRunShell", "latest": 1, "default": 1, "kmsKeyId": key});
    json!({
        "account": account, "region": region, "auditedAt": at, "state": state, "document": document, "owner": null,
        "wanted": null, "drifted": false, "keys": [], "lockedOut": [], "network": null, "problems": [],
        "unknown": [], "findings": [],
    })
}

/// A complete call of the list.
fn pair(account: &str, region: &str) -> Value {
    json!({
        "action": "audit", "account": account, "region": region, "accountName": format!("name of {account}"),
        "roleName": "session-kms-audit", "externalId": "audit-4711",
    })
}

/// An execution that succeeded, as the ResultWriter stores it.
fn succeeded(line: &Value) -> Value {
    let (account, region) = (line["account"].as_str().unwrap(), line["region"].as_str().unwrap());
    json!({
        "ExecutionArn": "arn:aws:states:eu-west-1:123456789012:express:audit/map:1",
        "Input": pair(account, region).to_string(), "Output": line.to_string(), "Status": "SUCCEEDED",
        "StartDate": "2026-03-01T11:00:00.000Z", "StopDate": "2026-03-01T11:00:01.000Z",
    })
}

/// An execution that did not succeed.
fn unsuccessful(account: &str, region: &str, status: &str, error: Option<(&str, &str)>) -> Value {
    let mut execution = json!({"Input": pair(account, region).to_string(), "Status": status});
    if let Some((error, cause)) = error {
        execution["Error"] = error.into();
        execution["Cause"] = cause.into();
        execution["StopDate"] = "2026-03-01T11:30:00.123Z".into();
    }
    execution
}

/// Puts the results of a Map Run: files by name, and the manifest that names them.
fn put_results(stub: &Stub, folder: &str, files: &[(&str, &[Value])]) {
    let mut listed: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (name, results) in files {
        let (key, text) = (format!("{folder}{name}"), json!(results).to_string());
        let kind = name.split('_').next().unwrap();
        listed.entry(kind).or_default().push(json!({"Key": key, "Size": text.len()}));
        stub.world(|world| world.put_object(BUCKET, &key, &text));
    }
    let manifest = json!({"DestinationBucket": BUCKET, "MapRunArn": "arn:…", "ResultFiles": listed});
    stub.world(|world| world.put_object(BUCKET, &format!("{folder}manifest.json"), &manifest.to_string()));
}

/// Puts the list of the accounts and Regions.
fn put_pairs(stub: &Stub, pairs: &[Value]) {
    stub.world(|world| world.put_object(BUCKET, PAIRS, &json!(pairs).to_string()));
}

/// Makes a report over the results in this folder, with these properties besides the usual ones.
async fn report(stub: &Stub, folder: &str, properties: &Value) -> Result<Value, FunctionError> {
    let mut call = json!({
        "action": "auditReport", "results": format!("s3://{BUCKET}/{folder}"), "pairs": format!("s3://{BUCKET}/{PAIRS}"),
        "output": format!("s3://{BUCKET}/{OUTPUT}"),
    });
    for (name, value) in properties.as_object().unwrap() {
        call[name] = value.clone();
    }
    let function = function_on(stub, &stub.sdk_config(3, None), std::time::Duration::from_millis(1));
    let answer = handle(&function, &call, PATIENCE).await;
    assert_eq!(stub.violations(), Vec::<String>::new());
    answer
}

/// What is below the output, by key.
fn written(stub: &Stub) -> BTreeMap<String, String> {
    stub.world(|world| {
        let objects = world.buckets.held[BUCKET].objects.clone();
        objects.into_iter().filter(|(key, _)| key.starts_with(OUTPUT)).collect()
    })
}

/// A file of a report.
fn file(stub: &Stub, folder: &str, name: &str) -> String {
    written(stub).remove(&format!("{OUTPUT}{folder}{name}")).unwrap()
}

/// The places of a report's summary, each with its state.
fn states(stub: &Stub, folder: &str) -> Vec<String> {
    let summary: Value = serde_json::from_str(&file(stub, folder, "summary.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let places = summary["places"].as_array().unwrap().iter();
    places
        .map(|place| {
            format!("{} {} {}", text(&place["account"]), text(&place["region"]), text(&place["state"]))
        })
        .collect()
}

/// What `latest.json` says.
fn latest(stub: &Stub) -> Value {
    serde_json::from_str(&file(stub, "", "latest.json")).unwrap()
}
