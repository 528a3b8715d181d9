//! The identity of the caller, whose ARN has the account of the credentials.

use super::Aws;
use super::error::{call, unreadable};
use crate::ports::AwsError;

impl Aws {
    /// The ARN of the caller: a user, or a role session.
    ///
    /// # Errors
    /// There are no credentials, or they are not valid. The call needs no permission.
    pub async fn caller_arn(&self) -> Result<String, AwsError> {
        let (operation, on) = ("sts:GetCallerIdentity", "the credentials");
        let identity = call(operation, on, self.sts.get_caller_identity().send()).await?;
        identity.arn.ok_or_else(|| unreadable(operation, on, "the answer names no ARN"))
    }
}
