//! The list of services. A new service is a new file and one line in [`SERVICES`]; a new operation is one line in its
//! service's table.

use super::call::{Call, Outcome, Refusal};
use super::query::{EC2_QUERY, QUERY};
use super::wire::{AWS_JSON, Wire};
use super::world::World;
use super::{account, config, ec2, iam, kms, organizations, s3, ssm, sts};

/// Every service of the stub. The signing name in a call's credential scope selects the service.
pub const SERVICES: &[Service] = &[
    Service {
        name: "ssm",
        target: "AmazonSSM",
        message_member: "Message",
        internal_error: "InternalServerError",
        denied: (400, "AccessDeniedException"),
        throttled: (400, "ThrottlingException"),
        unknown_token: (400, "UnrecognizedClientException"),
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
        unknown_token: (400, "UnrecognizedClientException"),
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
        unknown_token: (403, "InvalidClientTokenId"),
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
        unknown_token: (403, "InvalidClientTokenId"),
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
        unknown_token: (401, "AuthFailure"),
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
        unknown_token: (400, "UnrecognizedClientException"),
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
        unknown_token: (400, "UnrecognizedClientException"),
        wire: AWS_JSON,
        operations: organizations::OPERATIONS,
    },
    Service {
        name: "account",
        target: "2021-02-01",
        message_member: "message",
        internal_error: "InternalServerException",
        denied: (403, "AccessDeniedException"),
        throttled: (429, "TooManyRequestsException"),
        unknown_token: (403, "UnrecognizedClientException"),
        wire: account::REST_JSON,
        operations: account::OPERATIONS,
    },
    Service {
        name: "s3",
        target: "2006-03-01",
        message_member: "Message",
        internal_error: "InternalError",
        denied: (403, "AccessDenied"),
        throttled: (503, "SlowDown"),
        unknown_token: (403, "InvalidAccessKeyId"),
        wire: s3::S3,
        operations: s3::OPERATIONS,
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
    /// Status and code of the refusal of credentials that it does not know.
    pub unknown_token: (u16, &'static str),
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

impl Service {
    /// The refusal of credentials that the service does not know.
    pub fn unknown_token(&self) -> Refusal {
        let (status, code) = self.unknown_token;
        Refusal::client(code, "The security token included in the request is invalid.").coded(status, code)
    }
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
