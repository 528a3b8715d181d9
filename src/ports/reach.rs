//! Reaching other accounts and Regions: the ports of one place, with the credentials of a role there.

use super::{AwsError, ReadPorts};
use crate::intent::AuditRole;
use crate::location::Location;

/// Reaches the accounts and Regions of an audit.
pub trait ReachAccounts {
    /// What reads in an account and Region.
    type Ports: ReadPorts;

    /// The ports of an account and Region, with the credentials of this role of the account; without a role, with the own
    /// credentials, which reach the own account alone. Credentials are kept and serve all Regions of an account.
    async fn reach(&self, location: &Location, role: Option<&AuditRole>) -> Result<Self::Ports, AwsError>;

    /// The same with new credentials, which replace those that were kept: a role that was deleted and created again does not
    /// honour the old ones.
    async fn reach_anew(&self, location: &Location, role: &AuditRole) -> Result<Self::Ports, AwsError>;
}
