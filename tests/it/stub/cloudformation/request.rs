//! Custom-resource requests in the shape in which CloudFormation sends them.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::super::control::Stub;
use super::super::world::{ACCOUNT, REGION};
use cloudformation_custom_resource::Ids;

/// A custom resource of a stack.
#[derive(Clone, Debug)]
pub struct Resource {
    pub stack_name: String,
    pub stack_id: String,
    pub logical_id: String,
    /// `Custom::SessionEncryption`, …
    pub resource_type: String,
    /// The function's ARN.
    pub service_token: String,
}

/// A request as the function receives it.
#[derive(Clone, Debug)]
pub struct Request {
    pub payload: Value,
    /// Its ResponseURL, for [`Stub::answer`] and the like.
    pub url: String,
}

impl Resource {
    /// A resource of a stack in the default account and Region.
    pub fn new(stack_name: &str, logical_id: &str, resource_type: &str) -> Self {
        Self {
            stack_name: stack_name.to_owned(),
            stack_id: format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack_name}/{}", uuid()),
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            service_token: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:session-kms"),
        }
    }

    /// A Create. There is no physical id yet.
    pub fn create(&self, stub: &Stub, properties: &Value) -> Request {
        self.request(stub, "Create", None, properties, None)
    }

    /// An Update from the old properties.
    pub fn update(&self, stub: &Stub, physical_id: &str, properties: &Value, old: &Value) -> Request {
        self.request(stub, "Update", Some(physical_id), properties, Some(old))
    }

    /// A Delete.
    pub fn delete(&self, stub: &Stub, physical_id: &str, properties: &Value) -> Request {
        self.request(stub, "Delete", Some(physical_id), properties, None)
    }

    /// The physical id that CloudFormation makes up when it deletes what never answered its Create.
    pub fn made_up_id(&self) -> String {
        format!("{}-{}-1ABCDEFGHIJKL", self.stack_name, self.logical_id)
    }

    fn request(
        &self,
        stub: &Stub,
        kind: &str,
        physical_id: Option<&str>,
        properties: &Value,
        old: Option<&Value>,
    ) -> Request {
        let ids = Ids {
            stack_id: self.stack_id.clone(),
            request_id: uuid(),
            logical_resource_id: self.logical_id.clone(),
        };
        let url = stub.response_url(&ids);
        let mut payload = json!({
            "RequestType": kind,
            "ServiceToken": self.service_token,
            "ResponseURL": url,
            "StackId": ids.stack_id,
            "RequestId": ids.request_id,
            "LogicalResourceId": ids.logical_resource_id,
        });
        if let Some(physical_id) = physical_id {
            payload["PhysicalResourceId"] = physical_id.into();
        }
        payload["ResourceType"] = self.resource_type.as_str().into();
        payload["ResourceProperties"] = self.sent(properties);
        if let Some(old) = old {
            payload["OldResourceProperties"] = self.sent(old);
        }
        Request { payload, url }
    }

    /// Properties as they arrive: with the ServiceToken first, and every scalar a string.
    fn sent(&self, properties: &Value) -> Value {
        let mut sent = json!({"ServiceToken": self.service_token});
        for (name, value) in properties.as_object().into_iter().flatten() {
            sent[name] = stringified(value);
        }
        sent
    }
}

/// The same value with its scalars as strings. Lists and maps stay.
fn stringified(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), stringified(member))).collect()
        }
        Value::Array(items) => items.iter().map(stringified).collect(),
        Value::String(text) => text.as_str().into(),
        scalar => scalar.to_string().into(),
    }
}

/// A text that looks like a UUID and is unique in this process.
fn uuid() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!("5b1d7c3e-1f2a-4b6c-8d9e-{:012x}", NEXT.fetch_add(1, Ordering::Relaxed))
}
