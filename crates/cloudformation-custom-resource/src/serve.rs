//! From a request to its one answer, whatever the work in between does.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::Value;

mod work;

pub use work::Progress;
use work::Supervisor;

use super::deadline::{Deadline, Ends};
use super::deliver::{Courier, Delivered, Undelivered};
use super::envelope::{Envelope, Request, RequestType, Unanswerable};
use super::ids::PhysicalResourceId;
use super::response::{Failure, Response, Status, Success};
use super::response_url::{Origin, ResponseUrl};

/// A kind of resource.
pub trait CustomResource {
    /// The id that a Create is answered with if it fails, known before anything is called. A Delete with it follows.
    ///
    /// # Errors
    /// Where the properties do not even tell the id: the Create is answered with this, and no work is done.
    fn physical_id_of_create(&self, request: &Request) -> Result<PhysicalResourceId, Failure>;

    /// Does the work. When the deadline comes the future is dropped at its current `await`; what was last written to
    /// `progress` then stands in the answer.
    fn handle(
        &self,
        request: &Request,
        deadline: &Deadline,
        progress: &Progress,
    ) -> impl Future<Output = Result<Success, Failure>>;
}

/// What the Lambda runtime knows of an invocation.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// Lambda's request id, by which the log is searched.
    pub request_id: &'a str,
    /// When Lambda ends the function; a time in the past means that it is unknown.
    pub deadline: SystemTime,
}

/// What became of a request. All of it is fine with Lambda: nothing is to be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// The answer was taken.
    Answered(Status),
    /// The response URL had expired when the request came: nothing was done, as nobody waits any more.
    Expired,
}

/// A request whose answer was not taken, so that Lambda should try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unserved {
    /// There is nobody to answer.
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
    /// The answer would go to where no AWS service is; the request may be forged.
    #[error("`{0}` is neither an AWS host nor a configured endpoint, so nothing was done and nothing sent")]
    ForeignHost(String),
    /// The answer was not taken.
    #[error(transparent)]
    Undelivered(#[from] Undelivered),
}

/// Serves requests for one kind of resource.
#[derive(Debug)]
pub struct Provider<R, C> {
    resource: R,
    courier: Courier,
    endpoints: Vec<Origin>,
    clock: C,
}

impl<R: CustomResource, C: Fn() -> SystemTime> Provider<R, C> {
    /// Puts a provider together. Besides AWS, answers may go to `endpoints`; `clock` tells the time.
    pub fn new(resource: R, courier: Courier, endpoints: Vec<Origin>, clock: C) -> Self {
        Self { resource, courier, endpoints, clock }
    }

    /// Serves one request: exactly one answer, in time, whatever its status.
    ///
    /// # Errors
    /// [`Unserved`], only where the answer was not taken. No error holds the response URL.
    pub async fn serve(&self, payload: &Value, invocation: Invocation<'_>) -> Result<Served, Unserved> {
        let arrived = (self.clock)();
        let envelope = Envelope::read(payload)
            .inspect_err(|error| tracing::error!(%error, "request cannot be answered"))?;
        let url = &envelope.response_url;
        if !url.is_allowed(&self.endpoints) {
            let host = url.origin().to_string();
            tracing::error!(host, "response URL refused: neither an AWS host nor a configured endpoint");
            return Err(Unserved::ForeignHost(host));
        }
        let ids = &envelope.ids;
        if url.is_expired(arrived) {
            tracing::warn!(
                stack_id = ids.stack_id,
                logical_resource_id = ids.logical_resource_id,
                "request came after its response URL had expired: nothing done"
            );
            return Ok(Served::Expired);
        }
        let deadline = Deadline::of(&Ends {
            arrived,
            function: invocation.deadline,
            service_timeout: envelope.service_timeout,
            response_url: url.expires(),
        });
        let request = envelope.request.as_ref().ok();
        tracing::info!(
            request_type = request.map(|request| request.request_type.name()),
            resource_type = request.map(|request| request.resource_type.as_str()),
            stack_id = ids.stack_id,
            request_id = ids.request_id,
            logical_resource_id = ids.logical_resource_id,
            physical_resource_id = envelope.physical_resource_id.as_str(),
            seconds = deadline.left_to_work(arrived).as_secs(),
            bound = %deadline.bound(),
            "request received"
        );
        let response = self.respond(&envelope, &deadline, invocation.request_id).await;
        self.send(&response, url, &deadline, invocation.request_id).await
    }

    /// Sends the answer, and logs the whole of it.
    async fn send(
        &self,
        response: &Response,
        url: &ResponseUrl,
        deadline: &Deadline,
        request_id: &str,
    ) -> Result<Served, Unserved> {
        let log = format!("whole text in the function's log, request {request_id}");
        let fitted = response.clone().fitted(&log);
        let (status, body) = (fitted.status(), fitted.body());
        let left = deadline.left_to_answer((self.clock)());
        let delivery = self.courier.put(url, &body, left).await;
        // Fitting shortens the reason, unless it had to give another one.
        let reason = if status == response.status() { response } else { &fitted }.reason();
        let duration_ms = u64::try_from(deadline.elapsed((self.clock)()).as_millis()).unwrap_or(u64::MAX);
        let bytes = body.len();
        match delivery {
            Ok(Delivered { status: http_status, attempts }) => {
                tracing::info!(%status, reason, http_status, attempts, bytes, duration_ms, "answered");
                Ok(Served::Answered(status))
            }
            Err(error) => {
                tracing::error!(%status, reason, %error, bytes, duration_ms, "answer not delivered");
                Err(error.into())
            }
        }
    }

    /// Does the work, if the request can be read at all.
    async fn respond(&self, envelope: &Envelope, deadline: &Deadline, request_id: &str) -> Response {
        let ids = || envelope.ids.clone();
        let echoed = envelope.physical_resource_id.clone();
        let request = match &envelope.request {
            Ok(request) => request,
            Err(malformed) => return Response::failed(ids(), echoed, malformed.to_string()),
        };
        let progress = Progress::default();
        let supervised = Supervisor {
            request_id,
            bound: deadline.bound(),
            left: deadline.left_to_work((self.clock)()),
            progress: &progress,
        };
        let known_id = match request.request_type {
            RequestType::Create => {
                let id = async { self.resource.physical_id_of_create(request) };
                match supervised.run(id).await {
                    Ok(id) => id,
                    Err(failure) => return Response::failed(ids(), echoed, failure.reason),
                }
            }
            RequestType::Update { .. } | RequestType::Delete { .. } => echoed,
        };
        let work = async { self.resource.handle(request, deadline, &progress).await };
        match (supervised.run(work).await, &request.request_type) {
            (Err(failure), _) => Response::failed(ids(), known_id, failure.reason),
            (Ok(done), RequestType::Delete { .. }) => {
                let (data, no_echo) = (BTreeMap::new(), false);
                let done = Success { physical_resource_id: known_id, data, no_echo, ..done };
                Response::success(ids(), done)
            }
            (Ok(done), RequestType::Create | RequestType::Update { .. }) => Response::success(ids(), done),
        }
    }
}

#[cfg(test)]
mod tests;
