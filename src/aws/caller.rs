//! Who calls: the one call that tells the account of the credentials.

use super::Aws;
use super::error::{call, unreadable};
use crate::ports::AwsError;

impl Aws {
    /// The ARN of the caller: of a user, or of a role's session.
    ///
    /// # Errors
    /// Where there are no credentials, or they are not valid. No permission is needed.
    pub async fn caller_arn(&self) -> Result<String, AwsError> {
        let (operation, on) = ("sts:GetCallerIdentity", "the credentials");
        let identity = call(operation, on, self.sts.get_caller_identity().send()).await?;
        identity.arn.ok_or_else(|| unreadable(operation, on, "the answer names no ARN"))
    }
}
