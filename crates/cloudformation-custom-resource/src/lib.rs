//! Answers requests for CloudFormation custom resources from a Lambda function.
//!
//! CloudFormation sends a request to the function and waits, up to an hour, for one HTTP PUT to the pre-signed URL
//! in the request. Without that response the stack hangs. This crate sends it: exactly one response for each
//! request, before the earliest of the known deadlines, whether the work succeeds, fails, panics or hangs, and even
//! if the request cannot be read.
//!
//! Implement [`CustomResource`] for a type of your own, and pass each payload through a [`Provider`]:
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use cloudformation_custom_resource::{
//!     CustomResource, Deadline, Envelope, Failure, Invocation, PhysicalResourceId, Progress, Properties, Provider,
//!     Request, RequestType, ResponseSender, ServeError, Success, UnknownProperties,
//! };
//!
//! struct Greeting;
//!
//! impl CustomResource for Greeting {
//!     type Request = Request;
//!
//!     fn physical_id_of_create(&self, request: &Request) -> Result<PhysicalResourceId, Failure> {
//!         let id = format!("greeting:{}", request.ids.logical_resource_id);
//!         PhysicalResourceId::new(&id).map_err(|error| Failure { reason: error.to_string() })
//!     }
//!
//!     async fn handle(&self, request: &Request, _: &Deadline, progress: &Progress) -> Result<Success, Failure> {
//!         if let RequestType::Delete { physical_resource_id } = &request.request_type {
//!             return Ok(Success::new(physical_resource_id.clone()));
//!         }
//!         let mut properties = Properties::new(&request.properties);
//!         let name = properties.required_text("Name");
//!         properties
//!             .finish(UnknownProperties::Refuse)
//!             .map_err(|problems| Failure { reason: problems.to_string() })?;
//!         progress.set("greeting");
//!         let id = self.physical_id_of_create(request)?;
//!         Ok(Success::new(id).with_attribute("Text", &format!("Hello, {name}")))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // Once for each execution environment:
//! let provider = Provider::new(Greeting, ResponseSender::over_network(), vec![], SystemTime::now);
//!
//! // Once for each event. This one names no URL, so nobody can be answered.
//! let payload = serde_json::json!({"RequestType": "Create", "LogicalResourceId": "Greeting"});
//! let invocation = Invocation {
//!     request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
//!     deadline: SystemTime::now() + Duration::from_secs(60),
//! };
//! let served = provider.serve(Envelope::read(&payload), invocation).await;
//! assert!(matches!(served, Err(ServeError::Unanswerable(_))));
//! # }
//! ```
//!
//! The crate reads the envelope of a request leniently ([`Envelope`]), bounds the work ([`Deadline`],
//! [`Progress`]), makes the response fit into 4096 bytes ([`Response`]) and sends it ([`ResponseSender`]).
//! [`Properties`] reads the properties strictly and reports every mistake at once. With the feature `testing`, the
//! module `testing` holds a receiver of responses that refuses whatever S3 and CloudFormation would refuse.
//!
//! # Invariants
//!
//! - The response URL is a credential. No error, no log line and no `Debug` text shows more of it than its host.
//! - Nothing is sent to a host that is neither below a DNS suffix of AWS nor a configured endpoint.
//! - [`Provider::serve`] returns an error only if no response was accepted, so that Lambda retries only then.

mod backoff;
mod deadline;
mod envelope;
mod ids;
mod properties;
mod response;
mod response_url;
mod sender;
mod serve;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(test)]
mod test_support;

pub use backoff::Backoff;
pub use deadline::{Deadline, Limit, TimeLimits};
pub use envelope::{Envelope, Malformed, Request, RequestType, Unanswerable, is_request};
pub use ids::{Ids, InvalidId, PhysicalResourceId};
pub use properties::{
    ObjectOrText, Properties, PropertyProblem, PropertyProblems, UnknownProperties, nearest,
};
#[cfg(any(test, feature = "descriptions"))]
pub use properties::{PropertyDescription, PropertyKind, described};
pub use response::{Attribute, Failure, LONGEST_BODY, Response, Status, Success};
pub use response_url::{InvalidUrl, Origin, ResponseUrl};
pub use sender::{AttemptError, Delivered, DeliveryError, ResponseSender, RetryPolicy};
pub use serve::{CustomResource, Invocation, Progress, Provider, ServeError, ServeOutcome};

/// The code in README.md, as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
