//! CloudFormation's custom-resource protocol: what arrives, how long there is, and the one answer that goes back.
//!
//! It knows nothing of what the resource is. Everything here is pure but the [`Courier`], which sends the answer, and
//! the [`Provider`], which runs the work between request and answer.

mod deadline;
mod deliver;
mod envelope;
mod ids;
mod properties;
mod response;
mod response_url;
mod serve;

#[cfg(test)]
mod receiver;

pub use deadline::{Bound, Deadline, Ends};
pub use deliver::{Courier, Delivered, Pace, Trouble, Undelivered};
pub use envelope::{Envelope, Malformed, Request, RequestType, Unanswerable, is_request};
pub use ids::{Ids, InvalidId, PhysicalResourceId};
pub use properties::{ObjectOrText, Problem, Problems, Properties, Unknown};
pub use response::{Attribute, Failure, LONGEST_BODY, Response, Status, Success};
pub use response_url::{Origin, ResponseUrl, UnusableUrl};
pub use serve::{CustomResource, Invocation, Progress, Provider, Served, Unserved};
