//! The list of services. A new service is a new file and one line in [`SERVICES`]; a new operation is one line in its
//! service's table.

use super::call::{Call, Outcome};
use super::wire::{AWS_JSON, Wire};
use super::world::World;
use super::{kms, ssm};

/// Every service that the stub plays, found by the signing name in a call's credential scope.
pub const SERVICES: &[Service] = &[
    Service {
        name: "ssm",
        target: "AmazonSSM",
        message_member: "Message",
        internal_error: "InternalServerError",
        wire: AWS_JSON,
        operations: ssm::OPERATIONS,
    },
    Service {
        name: "kms",
        target: "TrentService",
        message_member: "message",
        internal_error: "KMSInternalException",
        wire: AWS_JSON,
        operations: kms::OPERATIONS,
    },
];

/// One AWS service.
pub struct Service {
    /// The signing name.
    pub name: &'static str,
    /// What stands before the dot in `X-Amz-Target`; AWS JSON alone has it.
    pub target: &'static str,
    /// The error's message member, spelt as the service's model spells it.
    pub message_member: &'static str,
    /// The code of its HTTP 500.
    pub internal_error: &'static str,
    /// How its calls and answers look on the wire.
    pub wire: Wire,
    /// Its operations, a table for each subject.
    pub operations: &'static [&'static [Operation]],
}

/// One operation of a service.
pub struct Operation {
    pub name: &'static str,
    pub kind: Kind,
    pub run: fn(&mut World, &Call) -> Outcome,
}

/// Whether an operation may change the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
}

impl Operation {
    pub const fn read(name: &'static str, run: fn(&mut World, &Call) -> Outcome) -> Self {
        Self { name, kind: Kind::Read, run }
    }

    pub const fn write(name: &'static str, run: fn(&mut World, &Call) -> Outcome) -> Self {
        Self { name, kind: Kind::Write, run }
    }
}

/// The service with this signing name.
pub fn service(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == name)
}

/// The operation of a service.
pub fn operation(service: &str, name: &str) -> Option<&'static Operation> {
    let service = self::service(service)?;
    service.operations.iter().copied().flatten().find(|operation| operation.name == name)
}
