//! For tests of custom resources: a receiver of responses that refuses whatever S3 and CloudFormation would refuse.
//!
//! [`LocalReceiver`] is an HTTP server on the loopback interface. [`ResponseReceiver`] holds its rules without a
//! network, for test servers that have other things to serve too. Both know nothing of the code that sends the
//! responses.

mod received;
mod receiver;
mod server;

pub use received::ReceivedResponse;
pub use receiver::{HttpRequest, PutFault, Reaction, ResponseReceiver};
pub use server::LocalReceiver;
