//! The identity of the caller, whose ARN has the account of the credentials. It is the first call of a command, so it is
//! the call that shows that there are no credentials, or that they are not valid.

mod problem;

use std::env;
use std::error::Error as _;

use aws_config::retry::RetryConfig;
use aws_sdk_ssm::error::SdkError;
use thiserror::Error;

pub use problem::CredentialsProblem;

use super::Aws;
use super::hosts::{self, Unreachable};
use crate::ports::{AwsError, CallerIdentity};

/// Somebody waits at a terminal, so the first call is tried less often than others.
const ATTEMPTS: u32 = 3;

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
        let config = self.config.to_builder().retry_config(retries).build();
        let impatient = Self { config, ..self.clone() };
        let mut failed = None;
        let asked = impatient.caller_identity(ON).await?;
        let error = match asked.call_and_look(String::new(), |error| failed = Some(Failed::of(error))).await {
            Ok(arn) => return Ok(arn),
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

impl CallerIdentity for Aws {
    async fn caller_arn(&self) -> Result<String, AwsError> {
        self.caller_identity(ON).await?.call(String::new()).await
    }
}
