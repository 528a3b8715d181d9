//! The order in which CloudFormation sends requests: what follows a changed physical id, a failed Update, and a
//! failed or cancelled Create.

use serde_json::Value;

use super::super::control::Stub;
use super::request::{Request, Resource};
use cloudformation_custom_resource::testing::ReceivedResponse;

/// How a stack operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackStatus {
    CreateComplete,
    RollbackComplete,
    RollbackFailed,
    UpdateComplete,
    UpdateRollbackComplete,
    UpdateRollbackFailed,
    DeleteComplete,
    DeleteFailed,
}

/// What a stack operation did.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub status: StackStatus,
    /// Every request in order, with its response. If the function sent none, CloudFormation treats the request as
    /// failed when ServiceTimeout is over.
    pub steps: Vec<(Request, Option<ReceivedResponse>)>,
}

/// One custom resource through the life of its stack. The function under test is an async closure that takes the
/// payload.
pub struct Lifecycle<'a> {
    stub: &'a Stub,
    pub resource: Resource,
    deployed: Option<Deployed>,
    steps: Vec<(Request, Option<ReceivedResponse>)>,
}

#[derive(Clone)]
struct Deployed {
    physical_id: String,
    properties: Value,
}

impl Deployment {
    /// The Reason of the first request that failed; empty if none did, or if that request has no response.
    pub fn reason(&self) -> &str {
        let failed = self.steps.iter().find(|(_, answer)| !succeeded(answer.as_ref()));
        failed.and_then(|(_, answer)| answer.as_ref()).map_or("", |answer| answer.reason.as_str())
    }

    /// The request types in order.
    pub fn requests(&self) -> Vec<&str> {
        self.steps.iter().filter_map(|(request, _)| request.payload["RequestType"].as_str()).collect()
    }

    /// The last response. After a Create or Update that succeeded, it holds the attributes.
    pub fn last_answer(&self) -> Option<&ReceivedResponse> {
        self.steps.last().and_then(|(_, answer)| answer.as_ref())
    }
}

impl<'a> Lifecycle<'a> {
    pub fn new(stub: &'a Stub, resource: Resource) -> Self {
        Self { stub, resource, deployed: None, steps: Vec::new() }
    }

    /// The physical id of the deployed resource.
    pub fn physical_id(&self) -> Option<&str> {
        self.deployed.as_ref().map(|deployed| deployed.physical_id.as_str())
    }

    /// Creates the resource. A failed Create is followed by a Delete with the id of the FAILED response, or with a
    /// made-up id if there is no response.
    pub async fn create(&mut self, properties: &Value, run: &impl AsyncFn(Value)) -> Deployment {
        let created = self.send(self.resource.create(self.stub, properties), run).await;
        let made_up = self.resource.made_up_id();
        let physical_id = created.as_ref().map_or(made_up, |answer| answer.physical_resource_id.clone());
        if succeeded(created.as_ref()) {
            self.deployed = Some(Deployed { physical_id, properties: properties.clone() });
            return self.ended(StackStatus::CreateComplete);
        }
        let deleted = self.send(self.resource.delete(self.stub, &physical_id, properties), run).await;
        self.ended(if succeeded(deleted.as_ref()) {
            StackStatus::RollbackComplete
        } else {
            StackStatus::RollbackFailed
        })
    }

    /// Cancels a Create because a sibling failed: a Delete with a made-up id comes while the Create still runs.
    pub async fn cancelled_create(&mut self, properties: &Value, run: &impl AsyncFn(Value)) -> Deployment {
        let create = self.resource.create(self.stub, properties);
        let delete = self.resource.delete(self.stub, &self.resource.made_up_id(), properties);
        tokio::join!(run(create.payload.clone()), run(delete.payload.clone()));
        let deleted = self.add_pair(create, delete);
        self.ended(if deleted { StackStatus::RollbackComplete } else { StackStatus::RollbackFailed })
    }

    /// Updates the resource. Another physical id in the response is a replacement: a Delete with the old id and the
    /// old properties follows. A failed Update is followed by an Update with new and old properties swapped and, if
    /// the failure named another id, by a Delete of that id.
    pub async fn update(&mut self, properties: &Value, run: &impl AsyncFn(Value)) -> Deployment {
        let old = self.deployed.clone().expect("a resource that was created");
        let updated = self
            .send(self.resource.update(self.stub, &old.physical_id, properties, &old.properties), run)
            .await;
        let answered_id =
            updated.as_ref().map_or(old.physical_id.clone(), |answer| answer.physical_resource_id.clone());
        let replaced = answered_id != old.physical_id;
        if succeeded(updated.as_ref()) {
            self.deployed = Some(Deployed { physical_id: answered_id, properties: properties.clone() });
            if replaced {
                // CloudFormation's clean-up: its failure does not fail the update.
                self.send(self.resource.delete(self.stub, &old.physical_id, &old.properties), run).await;
            }
            return self.ended(StackStatus::UpdateComplete);
        }
        let rolled_back = self
            .send(self.resource.update(self.stub, &old.physical_id, &old.properties, properties), run)
            .await;
        if !succeeded(rolled_back.as_ref()) {
            return self.ended(StackStatus::UpdateRollbackFailed);
        }
        if replaced {
            self.send(self.resource.delete(self.stub, &answered_id, properties), run).await;
        }
        self.ended(StackStatus::UpdateRollbackComplete)
    }

    /// Deletes the resource. After a failure it is still deployed.
    pub async fn delete(&mut self, run: &impl AsyncFn(Value)) -> Deployment {
        let old = self.deployed.clone().expect("a resource that was created");
        let deleted =
            self.send(self.resource.delete(self.stub, &old.physical_id, &old.properties), run).await;
        if !succeeded(deleted.as_ref()) {
            return self.ended(StackStatus::DeleteFailed);
        }
        self.deployed = None;
        self.ended(StackStatus::DeleteComplete)
    }

    async fn send(&mut self, request: Request, run: &impl AsyncFn(Value)) -> Option<ReceivedResponse> {
        run(request.payload.clone()).await;
        let answer = self.stub.answers(&request.url).into_iter().next();
        self.steps.push((request, answer.clone()));
        answer
    }

    /// Adds two requests that ran together, and returns whether the Delete succeeded.
    fn add_pair(&mut self, create: Request, delete: Request) -> bool {
        let [created, deleted] =
            [&create, &delete].map(|request| self.stub.answers(&request.url).into_iter().next());
        let succeeded = succeeded(deleted.as_ref());
        self.steps.push((create, created));
        self.steps.push((delete, deleted));
        succeeded
    }

    fn ended(&mut self, status: StackStatus) -> Deployment {
        Deployment { status, steps: std::mem::take(&mut self.steps) }
    }
}

fn succeeded(answer: Option<&ReceivedResponse>) -> bool {
    answer.is_some_and(|answer| answer.success)
}
