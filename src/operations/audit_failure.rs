//! Why the list of the accounts and Regions of an audit, or the report over it, could not be made.

use thiserror::Error;

use crate::intent::ObjectAddress;
use crate::ports::AwsError;

/// Why the list of the accounts and Regions of an audit, or the report over it, could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditFailure {
    /// AWS refused a call, or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The caller may not list the accounts of the organization.
    #[error(
        "{0}; AWS Organizations lists its accounts to its management account, and to an account that it has made the \
         delegated administrator of an AWS service: audit from one of them, or list the accounts"
    )]
    NoAdministrator(AwsError),
    /// The caller's account is in no organization.
    #[error("the own account is in no organization; list the accounts to audit")]
    NoOrganization,
    /// No organizational unit has this id or path.
    #[error(
        "the organization has no organizational unit {0}; it must be an id such as `ou-ab12-34567890`, or the path of names \
         from the root, such as `Root/Workloads/Production`"
    )]
    NoUnit(String),
    /// Nothing is left to look at.
    #[error("no account is left to audit: {0}")]
    NoAccount(String),
    /// An object is not there.
    #[error("{what} is not there: there is no object {object}")]
    Missing {
        /// What it would be.
        what: &'static str,
        /// The object.
        object: ObjectAddress,
    },
    /// An object is not what it must be.
    #[error("{object} cannot be read: {why}")]
    NotReadable {
        /// The object.
        object: ObjectAddress,
        /// What is wrong with it.
        why: String,
    },
    /// A report could not be written in one of its formats.
    #[error("the report could not be made: {0}")]
    Format(String),
}
