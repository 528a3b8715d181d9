//! The project's own AWS, strict where the local stand-ins are lenient: one server on a free port of 127.0.0.1 that
//! plays SSM, KMS, IAM, STS, EC2, AWS Config, Organizations and CloudFormation's receiver of answers, and that fails in whatever way a test
//! asks for.
//!
//! - [`World`] is the state: documents, parameters, keys. Plain values; [`World::ask`] works without HTTP.
//! - [`Stub`] serves it, keeps a journal of the calls, and plays [`Fault`]s at the calls that a [`When`] names.
//! - [`Resource`] builds custom-resource requests; [`Lifecycle`] sends them in the order that CloudFormation would.
//!
//! Read in this order: `world.rs`, `services.rs` (the list of what is played), `ssm/`, `kms/`, `iam.rs`, `sts.rs`,
//! `ec2.rs`, `config.rs`, `organizations.rs`, `cloudformation/`, and then what carries it: `wire.rs`, `query.rs`, `fault.rs`, `journal.rs`,
//! `control.rs`, `client.rs`, `server.rs`.
//!
//! A new service is one line in `services.rs`, one field in [`World`] and files of its own; a new operation is one line
//! in its subject's table; a new protocol is one constant beside `AWS_JSON`.
//!
//! Invariant: the stub knows nothing of the code under test; what it enforces is AWS's behaviour alone. Where no source
//! settles what AWS does, there is a switch, and the comment says *inferred*.

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
pub use iam::{SimulatedAnswer, SimulatedDecision};
pub use kms::DryRunOrder;
pub use ssm::{Document, DuplicateReading, Format};
pub use world::{ACCOUNT, REGION, World};

pub use cloudformation_custom_resource::Ids;
pub use cloudformation_custom_resource::testing::{PutFault, ReceivedResponse};
