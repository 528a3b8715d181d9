//! From a request to its one response, whatever the work in between does.

use std::time::SystemTime;

use serde::de::DeserializeOwned;

mod supervisor;

pub use supervisor::Progress;
use supervisor::Supervisor;

use super::deadline::{Deadline, TimeLimits};
use super::envelope::{Envelope, Request, RequestType, Unanswerable};
use super::ids::PhysicalResourceId;
use super::properties::quotable;
use super::response::{Failure, Response, Status, Success};
use super::response_url::{Origin, ResponseUrl};
use super::sender::{Delivered, DeliveryError, ResponseSender};

/// A kind of resource.
pub trait CustomResource {
    /// What a request is read into: [`Request`], or any type that serde can read from CloudFormation's request,
    /// such as `CloudFormationCustomResourceRequest` of the crate `aws_lambda_events`.
    ///
    /// It gets the request without what only the protocol needs: the response URL shows its host alone, and the
    /// properties hold neither `ServiceToken` nor `ServiceTimeout`. If serde cannot read it, the response is FAILED
    /// with the error of serde. On Delete and on rollback, properties of every past schema can come back: a type
    /// that refuses them makes the Delete fail.
    type Request: DeserializeOwned;

    /// The id in the response to a Create that fails. A Delete with this id follows, so it must be known before
    /// anything is called.
    ///
    /// # Errors
    /// If the properties do not even tell the id, no work is done, and the response to the Create has this reason.
    fn physical_id_of_create(&self, request: &Self::Request) -> Result<PhysicalResourceId, Failure>;

    /// Does the work. At the deadline, the future is dropped at its current `await`, and the reason in the response
    /// ends with the last step that was set on `progress`.
    fn handle(
        &self,
        request: &Self::Request,
        deadline: &Deadline,
        progress: &Progress,
    ) -> impl Future<Output = Result<Success, Failure>>;

    /// What the work is waiting for, for the reason of a response at the deadline, such as `AWS has not answered
    /// ssm:GetDocument`. It is asked while the work's future still exists.
    fn waiting_for(&self) -> Option<String> {
        None
    }
}

/// What the Lambda runtime knows of an invocation.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// Lambda's request id, by which people search the log.
    pub request_id: &'a str,
    /// When Lambda ends the function. A time in the past means that it is unknown.
    pub deadline: SystemTime,
}

/// What happened to a request. In each case the invocation has succeeded: Lambda must not retry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServeOutcome {
    /// The response was accepted.
    Responded(Status),
    /// The response URL had expired when the request arrived. Nothing was done, as nobody waits any more.
    Expired,
}

/// Why no response was accepted. Return it to Lambda, which then retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServeError {
    /// There is nobody to answer.
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
    /// The response would go to a host that is not AWS's; the request may be forged.
    #[error("`{0}` is neither an AWS host nor a configured endpoint, so nothing was done and nothing sent")]
    ForeignHost(String),
    /// The response was not accepted.
    #[error(transparent)]
    Undelivered(#[from] DeliveryError),
}

/// Serves requests for one kind of resource.
#[derive(Debug)]
pub struct Provider<R, C> {
    resource: R,
    sender: ResponseSender,
    endpoints: Vec<Origin>,
    clock: C,
}

impl<R: CustomResource, C: Fn() -> SystemTime> Provider<R, C> {
    /// Makes a provider. Besides AWS, responses may go to `endpoints`. `clock` returns the current time.
    pub fn new(resource: R, sender: ResponseSender, endpoints: Vec<Origin>, clock: C) -> Self {
        Self { resource, sender, endpoints, clock }
    }

    /// Serves one request, as [`Envelope::read`] returns it: exactly one response, in time, whatever its status.
    ///
    /// # Errors
    /// [`ServeError`], only if no response was accepted. No error holds the response URL.
    pub async fn serve(
        &self,
        envelope: Result<Envelope, Unanswerable>,
        invocation: Invocation<'_>,
    ) -> Result<ServeOutcome, ServeError> {
        let arrived = (self.clock)();
        let envelope = envelope.inspect_err(|error| tracing::error!(%error, "request cannot be answered"))?;
        let url = &envelope.response_url;
        if !url.is_allowed(&self.endpoints) {
            let host = url.origin().to_string();
            tracing::error!(host, "response URL refused: neither an AWS host nor a configured endpoint");
            return Err(ServeError::ForeignHost(host));
        }
        let ids = &envelope.ids;
        if url.is_expired(arrived) {
            tracing::warn!(
                stack_id = ids.stack_id,
                logical_resource_id = ids.logical_resource_id,
                "request came after its response URL had expired: nothing done"
            );
            return Ok(ServeOutcome::Expired);
        }
        let deadline = Deadline::of(&TimeLimits {
            arrived,
            function: invocation.deadline,
            service_timeout: envelope.service_timeout,
            response_url: url.expires(),
        });
        let request = envelope.request.as_ref().ok();
        tracing::info!(
            request_type = request.map(|request| request.request_type.name()),
            resource_type = request.map(|request| quotable(&request.resource_type)),
            stack_id = ids.stack_id,
            request_id = ids.request_id,
            logical_resource_id = ids.logical_resource_id,
            physical_resource_id = envelope.physical_resource_id.as_str(),
            seconds = deadline.left_to_work(arrived).as_secs(),
            bound = %deadline.limit(),
            "request received"
        );
        let response = self.respond(&envelope, &deadline, invocation.request_id).await;
        self.send(&response, url, &deadline, invocation.request_id).await
    }

    /// Sends the response, and logs the whole of it.
    async fn send(
        &self,
        response: &Response,
        url: &ResponseUrl,
        deadline: &Deadline,
        request_id: &str,
    ) -> Result<ServeOutcome, ServeError> {
        let log = format!("whole text in the function's log, request {request_id}");
        let fitted = response.clone().shortened_to_fit(&log);
        let (status, body) = (fitted.status(), fitted.body());
        let left = deadline.left_to_respond((self.clock)());
        let delivery = self.sender.put(url, &body, left).await;
        // The fitted response has the same reason, shortened, unless its status had to change.
        let reason = if status == response.status() { response } else { &fitted }.reason();
        let duration_ms = u64::try_from(deadline.elapsed((self.clock)()).as_millis()).unwrap_or(u64::MAX);
        let bytes = body.len();
        match delivery {
            Ok(Delivered { status: http_status, attempts }) => {
                tracing::info!(%status, reason, http_status, attempts, bytes, duration_ms, "answered");
                Ok(ServeOutcome::Responded(status))
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
        let progress = Progress::with_connection(self.sender.connection_to(&envelope.response_url));
        let supervised = Supervisor {
            request_id,
            limit: deadline.limit(),
            left: deadline.left_to_work((self.clock)()),
            progress: &progress,
            waiting_for: &|| self.resource.waiting_for(),
        };
        let read = async { read_request(request, &envelope.response_url) };
        let typed: R::Request = match supervised.run(read).await {
            Ok(typed) => typed,
            Err(failure) => return Response::failed(ids(), echoed, failure.reason),
        };
        let known_id = match request.request_type {
            RequestType::Create => {
                let id = async { self.resource.physical_id_of_create(&typed) };
                match supervised.run(id).await {
                    Ok(id) => id,
                    Err(failure) => return Response::failed(ids(), echoed, failure.reason),
                }
            }
            RequestType::Update { .. } | RequestType::Delete { .. } => echoed,
        };
        let work = async { self.resource.handle(&typed, deadline, &progress).await };
        match (supervised.run(work).await, &request.request_type) {
            (Err(failure), _) => Response::failed(ids(), known_id, failure.reason),
            (Ok(done), RequestType::Delete { .. }) => {
                Response::success(ids(), Success { reason: done.reason, ..Success::new(known_id) })
            }
            (Ok(done), RequestType::Create | RequestType::Update { .. }) => Response::success(ids(), done),
        }
    }
}

/// Reads a request into a resource's own type.
fn read_request<T: DeserializeOwned>(request: &Request, url: &ResponseUrl) -> Result<T, Failure> {
    let failure = |error| Failure { reason: format!("the request cannot be read: {error}") };
    serde_json::from_value(request.to_json(url)).map_err(failure)
}

#[cfg(test)]
mod connection_tests;
#[cfg(test)]
mod tests;
