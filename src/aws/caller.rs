//! The identity of the caller, whose ARN has the account of the credentials. It is the first call of a command, so it is
//! the call that shows that there are no credentials, or that they are not valid.

mod problem;

use std::env;
use std::error::Error as _;

use aws_config::retry::RetryConfig;
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use thiserror::Error;

pub use problem::CredentialsProblem;

use super::Aws;
use super::error::{call, unreadable};
use super::hosts::{self, Unreachable};
use crate::ports::{AwsError, CallerIdentity};

/// Somebody waits at a terminal, so the first call is tried less often than others.
const ATTEMPTS: u32 = 3;

const OPERATION: &str = "sts:GetCallerIdentity";
/// What the call is about, as an error names it.
const ON: &str = "the credentials";

/// Why it is not known who the caller is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallerError {
    /// There are no credentials, or they are not valid.
    #[error("{0}")]
    Credentials(CredentialsProblem),
    /// AWS refused the call or did not answer, for another reason.
    #[error(transparent)]
    Call(#[from] AwsError),
}

impl Aws {
    /// The ARN of the caller: a user, or a role session. `profile` is the profile that was asked for by name, which the
    /// error repeats.
    ///
    /// # Errors
    /// There are no credentials, or they are not valid, or AWS does not answer. The call needs no permission.
    pub async fn caller_of_profile(&self, profile: Option<&str>) -> Result<String, CallerError> {
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let settings = aws_sdk_sts::config::Builder::default().retry_config(retries);
        let mut failed = None;
        let answer = call(OPERATION, ON, async {
            let sent = self.sts.get_caller_identity().customize().config_override(settings).send().await;
            sent.inspect_err(|error| failed = Some(Failed::of(error)))
        })
        .await;
        let error = match answer {
            Ok(identity) => return Ok(arn_of(identity)?),
            Err(error) => error,
        };
        let selected = profile.map(str::to_owned).or_else(|| env::var("AWS_PROFILE").ok());
        let problem = match failed {
            Some(Failed::WithoutCredentials(texts)) => {
                Some(CredentialsProblem::of_chain(&texts, selected.as_deref(), &problem::profiles().await))
            }
            _ => CredentialsProblem::of_code(error.code(), selected.as_deref(), self.region()),
        };
        Err(problem.map_or(CallerError::Call(error), CallerError::Credentials))
    }
}

/// What is of interest of the SDK's error.
enum Failed {
    /// The request was never made, since there were no credentials to sign it with. These are the texts of the errors.
    WithoutCredentials(String),
    /// Anything else.
    Otherwise,
}

impl Failed {
    fn of<E: std::error::Error + 'static, R: std::fmt::Debug + 'static>(error: &SdkError<E, R>) -> Self {
        tracing::info!(chain = error.source().map(hosts::texts), "AWS did not say who the caller is");
        let SdkError::DispatchFailure(dispatch) = error else { return Self::Otherwise };
        let Some(error) = dispatch.as_connector_error() else { return Self::Otherwise };
        let is_unreachable = hosts::chain(error).any(<dyn std::error::Error>::is::<Unreachable>);
        if is_unreachable || dispatch.is_timeout() || dispatch.is_io() || dispatch.as_other().is_some() {
            return Self::Otherwise;
        }
        Self::WithoutCredentials(problem::texts_with_refusals(error))
    }
}

fn arn_of(identity: GetCallerIdentityOutput) -> Result<String, AwsError> {
    identity.arn.ok_or_else(|| unreadable(OPERATION, ON, "the answer names no ARN"))
}

impl CallerIdentity for Aws {
    async fn caller_arn(&self) -> Result<String, AwsError> {
        arn_of(call(OPERATION, ON, self.sts.get_caller_identity().send()).await?)
    }
}
