//! CloudFormation's side of a custom resource: requests, and the order of events.
//!
//! The receiver of responses is that of the crate `cloudformation_custom_resource`, whose module `testing` knows
//! nothing of the code under test. `local/receiver.py` is a second one: the local AWS runs without a Rust test
//! around it.

mod lifecycle;
mod request;

pub use lifecycle::{Deployment, Lifecycle, StackStatus};
pub use request::{Request, Resource};
