//! Just-in-time node access: people start approved sessions by one role of the account, and its managed policy allows
//! `kms:GenerateDataKey` only if the key has a certain tag (AWS documentation of just-in-time node access).

use super::principal::{PrincipalArn, PrincipalType};

/// The name of the role.
pub const JUST_IN_TIME_ROLE: &str = "SSM-JustInTimeAccessTokenRole";
/// The name of the tag.
pub const JUST_IN_TIME_TAG: &str = "SystemsManagerJustInTimeNodeAccessManaged";
/// The value of the tag.
pub const JUST_IN_TIME_VALUE: &str = "true";

impl PrincipalArn {
    /// Whether this is the role of just-in-time node access.
    #[must_use]
    pub fn is_just_in_time_role(&self) -> bool {
        self.principal_type() == PrincipalType::Role && self.name() == JUST_IN_TIME_ROLE
    }
}
