//! A stub of AWS that is as strict as AWS, unlike other local stubs. It is one server on a free port of 127.0.0.1 that
//! implements SSM, KMS, IAM, STS, EC2, AWS Config, Organizations, Account Management, S3 and CloudFormation's receiver of
//! answers. Calls fail if a test asks for it.
//!
//! - [`World`] is the state: documents, parameters, keys. It is plain values, and [`World::ask`] works without HTTP.
//! - [`Stub`] serves it, keeps a journal of the calls, and injects [`Fault`]s at the calls that a [`When`] names.
//! - [`Resource`] builds custom-resource requests; [`Lifecycle`] sends them in the order in which CloudFormation does.
//!
//! Read in this order: `world.rs`, `services.rs` (the list of services and operations), `ssm/`, `kms/`, `iam.rs`,
//! `sts.rs`, `ec2.rs`, `config.rs`, `organizations.rs`, `account.rs`, `s3.rs`, `cloudformation/`, and then the server: `wire.rs`, `query.rs`,
//! `fault.rs`, `journal.rs`, `control.rs`, `client.rs`, `server.rs`.
//!
//! A new service is one line in `services.rs`, one field in [`World`] and files of its own; a new operation is one line
//! in its subject's table; a new protocol is one constant beside `AWS_JSON`.
//!
//! INVARIANT: the stub knows nothing of the code under test and enforces only what AWS does. If AWS does not document
//! a behaviour, there is a switch, and the comment says *inferred*.

mod account;
mod call;
mod client;
mod cloudformation;
mod config;
mod control;
mod ec2;
mod fault;
mod iam;
mod journal;
mod kms;
mod organizations;
mod paging;
mod query;
mod s3;
mod server;
mod services;
mod ssm;
mod sts;
mod wire;
mod world;

pub use call::{Caller, Location, Refusal};
pub use cloudformation::{Deployment, Lifecycle, Request, Resource, StackStatus};
pub use config::Evaluation;
pub use control::Stub;
pub use fault::{Fault, Stop, When};
pub use iam::{AnswerShape, Details, SimulatedAnswer, SimulatedDecision};
pub use journal::CallRecord;
pub use kms::DryRunOrder;
pub use ssm::{Document, DuplicateReading, Format};
pub use world::{ACCOUNT, REGION, World};

pub use cloudformation_custom_resource::Ids;
pub use cloudformation_custom_resource::testing::{PutFault, ReceivedResponse};
