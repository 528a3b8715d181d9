//! Which accounts and Regions an audit looks at.

use serde_json::{Map, Value};

use super::{AuditRole, ObjectAddress};

/// What the list of the accounts and Regions of an audit is made of, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairsQuestion {
    /// The accounts.
    pub accounts: AuditedAccounts,
    /// Ids of accounts, and ids or paths of organizational units, that are left out.
    pub exclude: Vec<String>,
    /// The Regions of each account.
    pub regions: AuditedRegions,
    /// The role by which each account is read.
    pub role: Option<AuditRole>,
    /// What each call to audit an account and Region has besides the two: the role's name, its external id, and the rest.
    pub call: Map<String, Value>,
    /// Where the list is written.
    pub output: ObjectAddress,
}

/// The accounts of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditedAccounts {
    /// Those of the organization that are active: all, or those in some organizational units, each named by its id or its
    /// path.
    Organization {
        /// The organizational units; empty for the whole organization.
        units: Vec<String>,
    },
    /// These.
    Listed(Vec<String>),
    /// Those that an object lists.
    Stored(ObjectAddress),
}

/// The Regions of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditedRegions {
    /// Those that are enabled in each account.
    Enabled,
    /// These, in every account.
    Listed(Vec<String>),
}
