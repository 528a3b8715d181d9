//! Requests of CloudFormation and their order, with a function that succeeds, fails or stays silent as it is asked to.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::receiver::put;
use crate::stub::{ACCOUNT, Lifecycle, Resource, StackStatus, Stub};

/// A function that answers with the id in its properties, and that fails or stays silent if they name the request type.
async fn function(payload: Value) {
    let properties = &payload["ResourceProperties"];
    let kind = payload["RequestType"].as_str().unwrap();
    if properties["Silent"] == kind {
        return;
    }
    let failed = properties["Fail"] == kind;
    let id = properties["Id"].as_str().unwrap_or("id");
    let id = if kind == "Delete" { payload["PhysicalResourceId"].as_str().unwrap() } else { id };
    let mut answer = json!({"Status": if failed { "FAILED" } else { "SUCCESS" }, "PhysicalResourceId": id});
    for name in ["StackId", "RequestId", "LogicalResourceId"] {
        answer[name] = payload[name].clone();
    }
    if failed {
        answer["Reason"] = "as asked".into();
    }
    assert_eq!(put(payload["ResponseURL"].as_str().unwrap(), &answer.to_string()), Some(200));
}

fn resource() -> Resource {
    Resource::new("demo", "Encryption", "Custom::SessionEncryption")
}

fn sent(deployment: &crate::stub::Deployment, member: &str) -> Vec<Value> {
    deployment.steps.iter().map(|(request, _)| request.payload[member].clone()).collect()
}

#[tokio::test]
async fn requests_have_their_real_shape() {
    let stub = Stub::start().await;
    let properties = json!({
        "Encryption": "Enabled",
        "ServiceTimeout": 60,
        "DiscoverUsers": true,
        "Users": ["a", 1],
        "KeyPolicy": {"Version": "2012-10-17", "N": false},
    });
    let create = resource().create(&stub, &properties).payload;
    let token = format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:session-kms");
    assert_eq!((&create["RequestType"], &create["ServiceToken"]), (&json!("Create"), &json!(token)));
    assert_eq!(
        create["ResourceProperties"],
        json!({
            "ServiceToken": token,
            "Encryption": "Enabled",
            "ServiceTimeout": "60",
            "DiscoverUsers": "true",
            "Users": ["a", "1"],
            "KeyPolicy": {"Version": "2012-10-17", "N": "false"},
        })
    );
    assert!(create.get("PhysicalResourceId").is_none() && create.get("OldResourceProperties").is_none());
    let update = resource().update(&stub, "p", &properties, &json!({"Encryption": "Disabled"})).payload;
    assert_eq!(
        (&update["PhysicalResourceId"], &update["OldResourceProperties"]["Encryption"]),
        (&json!("p"), &json!("Disabled"))
    );
    let delete = resource().delete(&stub, "p", &properties).payload;
    assert_eq!((&delete["RequestType"], delete.get("OldResourceProperties")), (&json!("Delete"), None));
    assert_ne!(create["RequestId"], update["RequestId"]);
    assert!(create["ResponseURL"].as_str().unwrap().contains("%3A"));
}

#[tokio::test]
async fn a_stack_is_created_updated_and_deleted() {
    let stub = Stub::start().await;
    let mut stack = Lifecycle::new(&stub, resource());
    assert_eq!(stack.create(&json!({"N": "1"}), &function).await.status, StackStatus::CreateComplete);
    let updated = stack.update(&json!({"N": "2"}), &function).await;
    assert_eq!((updated.status, updated.requests()), (StackStatus::UpdateComplete, vec!["Update"]));
    assert_eq!((stack.physical_id(), updated.last_answer().unwrap().success), (Some("id"), true));
    assert_eq!(stack.delete(&function).await.status, StackStatus::DeleteComplete);
    assert_eq!((stack.physical_id(), stub.violations()), (None, vec![]));
}

#[tokio::test]
async fn another_id_is_a_replacement() {
    let stub = Stub::start().await;
    let mut stack = Lifecycle::new(&stub, resource());
    stack.create(&json!({"Id": "old", "N": "1"}), &function).await;
    let replaced = stack.update(&json!({"Id": "new", "N": "2"}), &function).await;
    assert_eq!(
        (replaced.status, replaced.requests()),
        (StackStatus::UpdateComplete, vec!["Update", "Delete"])
    );
    assert_eq!(sent(&replaced, "PhysicalResourceId"), ["old", "old"]);
    assert_eq!(sent(&replaced, "ResourceProperties")[1]["N"], "1", "the old properties");
    assert_eq!(stack.physical_id(), Some("new"));
}

#[tokio::test]
async fn a_failed_update_is_followed_by_its_reverse() {
    let stub = Stub::start().await;
    let mut stack = Lifecycle::new(&stub, resource());
    stack.create(&json!({"N": "1"}), &function).await;
    let failed = stack.update(&json!({"N": "2", "Fail": "Update"}), &function).await;
    assert_eq!((failed.status, failed.reason()), (StackStatus::UpdateRollbackComplete, "as asked"));
    assert_eq!(failed.requests(), ["Update", "Update"]);
    let back = &failed.steps[1].0.payload;
    assert_eq!(
        (&back["ResourceProperties"]["N"], &back["OldResourceProperties"]["N"]),
        (&json!("1"), &json!("2"))
    );
    let other_id = stack.update(&json!({"Id": "other", "Fail": "Update"}), &function).await;
    assert_eq!(
        sent(&other_id, "PhysicalResourceId"),
        ["id", "id", "other"],
        "the id of the failure is cleaned up"
    );
    assert_eq!(stack.physical_id(), Some("id"));
    let silent = stack.update(&json!({"Silent": "Update"}), &function).await;
    assert_eq!((silent.status, silent.reason()), (StackStatus::UpdateRollbackComplete, ""));
}

#[tokio::test]
async fn a_rollback_and_a_delete_can_fail_too() {
    let stub = Stub::start().await;
    let mut stack = Lifecycle::new(&stub, resource());
    stack.create(&json!({"Fail": "Update"}), &function).await;
    let stuck = stack.update(&json!({"Fail": "Update"}), &function).await;
    assert_eq!(stuck.status, StackStatus::UpdateRollbackFailed);
    stack.update(&json!({"Fail": "Delete"}), &function).await;
    assert_eq!(stack.delete(&function).await.status, StackStatus::DeleteFailed);
    assert_eq!(stack.physical_id(), Some("id"), "still there");
}

#[tokio::test]
async fn a_failed_create_is_deleted_by_the_id_of_its_answer() {
    let stub = Stub::start().await;
    let mut stack = Lifecycle::new(&stub, resource());
    let failed = stack.create(&json!({"Id": "mine", "Fail": "Create"}), &function).await;
    assert_eq!((failed.status, failed.requests()), (StackStatus::RollbackComplete, vec!["Create", "Delete"]));
    assert_eq!(sent(&failed, "PhysicalResourceId")[1], "mine");
    let silent = stack.create(&json!({"Silent": "Create"}), &function).await;
    assert_eq!(
        sent(&silent, "PhysicalResourceId")[1],
        resource().made_up_id(),
        "no answer, so an id made up"
    );
    let twice = stack.create(&json!({"Silent": "Delete", "Fail": "Create"}), &function).await;
    assert_eq!((twice.status, stack.physical_id()), (StackStatus::RollbackFailed, None));
}

#[tokio::test]
async fn a_cancelled_create_is_concurrent_with_its_delete() {
    let stub = Stub::start().await;
    let mut stack = Lifecycle::new(&stub, resource());
    let seen = RefCell::new(Vec::new());
    let (go, gone) = tokio::sync::watch::channel(false);
    let run = async |payload: Value| {
        let kind = payload["RequestType"].as_str().unwrap().to_owned();
        seen.borrow_mut().push(kind.clone());
        if kind == "Create" {
            gone.clone().wait_for(|gone| *gone).await.unwrap();
        }
        function(payload).await;
        go.send_replace(true);
    };
    let cancelled = stack.cancelled_create(&json!({}), &run).await;
    assert_eq!(
        (cancelled.status, cancelled.requests()),
        (StackStatus::RollbackComplete, vec!["Create", "Delete"])
    );
    assert_eq!(*seen.borrow(), ["Create", "Delete"], "both at once");
}
