//! The accounts of an organization, and the Regions of an account.

use super::AwsError;

/// The accounts of the caller's organization, from its management account or a delegated administrator.
pub trait OrganizationAccounts {
    /// The roots: one.
    async fn roots(&self) -> Result<Vec<OrganizationalUnit>, AwsError>;
    /// The organizational units directly in a root or a unit, on all pages.
    async fn units_of(&self, parent: &str) -> Result<Vec<OrganizationalUnit>, AwsError>;
    /// The accounts directly in a root or a unit, on all pages.
    async fn accounts_of(&self, parent: &str) -> Result<Vec<OrganizationAccount>, AwsError>;
}

/// A root or an organizational unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationalUnit {
    /// `r-…` or `ou-…`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An account of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationAccount {
    /// Twelve digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, …
    pub state: String,
}

/// The Regions of accounts.
pub trait AccountRegions {
    /// The Regions that are enabled in an account of the organization (account:ListRegions); without an account in the
    /// caller's own.
    async fn enabled_regions(&self, account: Option<&str>) -> Result<Vec<String>, AwsError>;
    /// The Regions that are enabled in the caller's account, as EC2 tells them (ec2:DescribeRegions).
    async fn described_regions(&self) -> Result<Vec<String>, AwsError>;
}
