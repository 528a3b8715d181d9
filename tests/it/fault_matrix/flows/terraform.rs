//! Calls that Terraform makes for a resource with the CRUD lifecycle.

use serde_json::{Value, json};

use super::super::flow::{Flow, FlowEvent, K1, K2, OTHER_DOCUMENT, Step};
use super::fleet;
use crate::fixture::enabled;

const UNSET: &[&str] = &["latest alias/old, default alias/old; no record"];
const SET_TO_K1: &[&str] = &["latest k1, default k1; direct-call wants k1, before alias/old"];
const SET_TO_K2: &[&str] = &["latest k2, default k2; direct-call wants k2, before alias/old"];

/// The input for a key. The fleet of the flows says whether everybody can use it.
fn input(key: &str) -> Value {
    json!({"action": "reconcile", "kmsKeyId": key, "onDelete": "Restore"})
}

fn call(action: &str, mut input: Value, previous: &Value) -> Value {
    input["tf"] = json!({"action": action, "prev_input": previous});
    input
}

fn create() -> Value {
    call("create", input(K1), &Value::Null)
}

fn update() -> Value {
    call("update", input(K2), &input(K1))
}

/// An update that leaves the document for another one.
fn to_other_document() -> Value {
    let mut wanted = input(K2);
    wanted["documentName"] = OTHER_DOCUMENT.into();
    wanted["createDocument"] = true.into();
    call("update", wanted, &input(K1))
}

/// A delete whose input this version cannot read, but for the document.
fn delete() -> Value {
    let mut input = input(K1);
    input["kmsKeyId"] = Value::Null;
    input["preflight"] = "Perhaps".into();
    input["propertyOfAnotherVersion"] = json!({});
    call("delete", input.clone(), &input)
}

const CREATE: Flow =
    Flow { world: fleet::able, event: FlowEvent::Call(create), wanted: SET_TO_K1, ..Flow::PLAIN };

const UPDATE: Flow =
    Flow { before: &[Step::Handled(create)], event: FlowEvent::Call(update), wanted: SET_TO_K2, ..CREATE };

pub fn terraform() -> Vec<Flow> {
    vec![
        Flow { name: "a create by Terraform", ..CREATE },
        Flow {
            name: "a create by Terraform that locks a node out",
            world: fleet::locked_out,
            wanted: UNSET,
            ..CREATE
        },
        Flow {
            name: "a create by Terraform of what a stack owns",
            before: &[Step::Deployed(|| enabled(K1))],
            wanted: &["latest k1, default k1; demo wants k1, before alias/old"],
            ..CREATE
        },
        Flow { name: "an update by Terraform", ..UPDATE },
        Flow {
            name: "an update by Terraform to another document",
            event: FlowEvent::Call(to_other_document),
            wanted: &[
                "latest alias/old, default alias/old; no record | latest k2, default k2; direct-call wants k2, before none",
            ],
            ..UPDATE
        },
        Flow { name: "a delete by Terraform", event: FlowEvent::Call(delete), wanted: UNSET, ..UPDATE },
        Flow {
            name: "a delete by Terraform of what a stack has taken over",
            before: &[Step::Deployed(|| enabled(K1))],
            event: FlowEvent::Call(delete),
            wanted: &["latest k1, default k1; demo wants k1, before alias/old"],
            ..UPDATE
        },
    ]
}
