//! What the program needs of AWS, as traits: few methods, plain data in and plain data out.
//!
//! What reads and what writes are different traits. A function that takes [`PreflightPorts`] or [`ReadPorts`] cannot
//! change anything, since these have no method that does.
//!
//! A method returns an [`AwsError`] unless the answer decides what comes next; such answers are values.

mod access;
mod compliance;
mod documents;
mod environment;
mod error;
mod memory;
mod network;
mod objects;
mod organization;
mod reach;
mod records;
mod time_limit;

use std::time::{Duration, SystemTime};

pub use access::{
    ContextEntry, DryRun, Fleet, Identities, InstanceProfile, KeyAccess, ManagedNode, Organizations,
    PastSession, PrincipalTags, SessionCall, SessionDocument, SimulatedDecision, Simulation,
};
pub use compliance::{Compliance, ComplianceReport, ComplianceType};
pub use documents::{
    DocumentHead, DocumentVersion, DocumentWrite, LatestVersion, ReadDocuments, VersionStatus, WriteDocuments,
};
pub use environment::{DenialRetries, Environment};
pub use error::{AwsAnswer, AwsError, AwsErrorKind};
pub use memory::FleetMemory;
pub use network::{
    EndpointState, EndpointType, InboundRule, Instance, NatGateway, Network, NetworkInterface, Route,
    RouteState, RouteTable, SecurityGroup, Subnet, VpcEndpoint,
};
pub use objects::{ObjectPart, ReadObjects, WriteObjects};
pub use organization::{AccountRegions, OrganizationAccount, OrganizationAccounts, OrganizationalUnit};
pub use reach::ReachAccounts;
pub use records::{ParameterVersion, ReadRecords, RecordReplacement, WriteRecords};
pub use time_limit::{LastStep, OutOfTime, TimeLimit};
pub(crate) use time_limit::{left_to_work, waiting_for, within};

use crate::key::KeyDescription;

/// KMS keys.
pub trait Keys {
    /// What a key is, by any reference to it. `None` if KMS finds no such key.
    async fn describe(&self, key: &str) -> Result<Option<KeyDescription>, AwsError>;
}

/// The credentials.
pub trait CallerIdentity {
    /// The ARN of the caller: a user, or a role session. Its account is the one that all calls reach. Whoever has
    /// credentials may ask.
    async fn caller_arn(&self) -> Result<String, AwsError>;
}

/// The calls under way.
pub trait Calls {
    /// The calls that AWS has not answered yet, as IAM names them, each name once: `ssm:GetDocument`.
    fn unanswered(&self) -> Vec<String>;
}

/// Time.
pub trait Clock {
    /// The time.
    fn now(&self) -> SystemTime;
    /// Waits before the next try, and returns how long. Each pause is longer than the one before, has jitter, and
    /// stays short against a deadline.
    async fn pause(&self, attempt: u32) -> Duration;
}

/// What the preflight reads: the key, who can use it, and who needs it.
pub trait PreflightPorts:
    Keys + Clock + Calls + KeyAccess + Identities + Organizations + Fleet + Network
{
}

impl<T: Keys + Clock + Calls + KeyAccess + Identities + Organizations + Fleet + Network> PreflightPorts
    for T
{
}

/// Everything that is read: for the preflight, and the document and its record.
pub trait ReadPorts: PreflightPorts + ReadDocuments + ReadRecords {}

impl<T: PreflightPorts + ReadDocuments + ReadRecords> ReadPorts for T {}

/// Everything that is read, and what writes the document and its record.
pub trait WritePorts: ReadPorts + WriteDocuments + WriteRecords {}

impl<T: ReadPorts + WriteDocuments + WriteRecords> WritePorts for T {}

/// What an audit of an organization needs besides: its accounts and their Regions, and the objects that hold its results.
pub trait OrganizationPorts:
    OrganizationAccounts
    + AccountRegions
    + ReachAccounts<Ports: AccountRegions>
    + ReadObjects
    + WriteObjects
    + Clock
{
}

impl<T> OrganizationPorts for T where
    T: OrganizationAccounts
        + AccountRegions
        + ReachAccounts<Ports: AccountRegions>
        + ReadObjects
        + WriteObjects
        + Clock
{
}
