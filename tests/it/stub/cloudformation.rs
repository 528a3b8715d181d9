//! CloudFormation's side of a custom resource: requests, the receiver of answers, and the order of events.

mod answer;
mod lifecycle;
mod receiver;
mod request;

pub use answer::{Answer, Ids};
pub use lifecycle::{Deployment, Lifecycle, StackStatus};
pub use receiver::{PATH, PutFault, Receiver, Taken};
pub use request::{Request, Resource};
