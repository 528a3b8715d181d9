//! The list of services. A new service is a new file and one line in [`SERVICES`]; a new operation is one line in its
//! service's table.

use super::call::{Call, Outcome};
use super::query::{EC2_QUERY, QUERY};
use super::wire::{AWS_JSON, Wire};
use super::world::World;
use super::{config, ec2, iam, kms, organizations, ssm, sts};

/// Every service of the stub. The signing name in a call's credential scope selects the service.
pub const SERVICES: &[Service] = &[
    Service {
        name: "ssm",
        target: "AmazonSSM",
        message_member: "Message",
        internal_error: "InternalServerError",
        denied: (400, "AccessDeniedException"),
        throttled: (400, "ThrottlingException"),
        wire: AWS_JSON,
        operations: ssm::OPERATIONS,
    },
    Service {
        name: "kms",
        target: "TrentService",
        message_member: "message",
        internal_error: "KMSInternalException",
        denied: (400, "AccessDeniedException"),
        throttled: (400, "ThrottlingException"),
        wire: AWS_JSON,
        operations: kms::OPERATIONS,
    },
    Service {
        name: "iam",
        target: "2010-05-08",
        message_member: "Message",
        internal_error: "ServiceFailure",
        denied: (403, "AccessDenied"),
        throttled: (400, "Throttling"),
        wire: QUERY,
        operations: iam::OPERATIONS,
    },
    Service {
        name: "sts",
        target: "2011-06-15",
        message_member: "Message",
        internal_error: "InternalFailure",
        denied: (403, "AccessDenied"),
        throttled: (400, "Throttling"),
        wire: QUERY,
        operations: sts::OPERATIONS,
    },
    Service {
        name: "ec2",
        target: "2016-11-15",
        message_member: "Message",
        internal_error: "InternalError",
        denied: (403, "UnauthorizedOperation"),
        throttled: (503, "RequestLimitExceeded"),
        wire: EC2_QUERY,
        operations: ec2::OPERATIONS,
    },
    Service {
        name: "config",
        target: "StarlingDoveService",
        message_member: "message",
        internal_error: "InternalFailure",
        denied: (400, "AccessDeniedException"),
        throttled: (400, "ThrottlingException"),
        wire: AWS_JSON,
        operations: config::OPERATIONS,
    },
    Service {
        name: "organizations",
        target: "AWSOrganizationsV20161128",
        message_member: "Message",
        internal_error: "ServiceException",
        denied: (400, "AccessDeniedException"),
        throttled: (400, "TooManyRequestsException"),
        wire: AWS_JSON,
        operations: organizations::OPERATIONS,
    },
];

/// One AWS service.
pub struct Service {
    /// The signing name.
    pub name: &'static str,
    /// What names the API on the wire: before the dot in `X-Amz-Target` (AWS JSON), as `Version` (query).
    pub target: &'static str,
    /// The error's message member, spelt as the service's model spells it.
    pub message_member: &'static str,
    /// The code of its HTTP 500.
    pub internal_error: &'static str,
    /// Status and code of a refusal for lack of a permission.
    pub denied: (u16, &'static str),
    /// Status and code of throttling.
    pub throttled: (u16, &'static str),
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
