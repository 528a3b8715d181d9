//! A call that failed: what was tried, on what, and what AWS said.

use std::fmt;

use thiserror::Error;

/// A call that AWS refused, or did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{operation} on {on} {kind}")]
pub struct AwsError {
    /// The action, as IAM names it: `ssm:GetDocument`.
    pub operation: &'static str,
    /// What it was called on.
    pub on: String,
    /// Why it failed.
    pub kind: AwsErrorKind,
}

impl AwsError {
    /// Whether the permission to read the record was missing. Then the document belongs to another function or to the
    /// command line.
    #[must_use]
    pub fn is_record_withheld(&self) -> bool {
        self.operation == "ssm:GetParameter" && self.is_denied()
    }

    /// AWS's error code; empty if AWS did not answer.
    #[must_use]
    pub fn code(&self) -> &str {
        match &self.kind {
            AwsErrorKind::Denied { answer, .. } | AwsErrorKind::Refused(answer) => &answer.code,
            AwsErrorKind::NoAnswer(_) => "",
        }
    }

    /// Whether AWS throttled the call, to its last attempt.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        const CODES: [&str; 8] = [
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "SlowDown",
        ];
        CODES.contains(&self.code())
    }

    /// Whether the service does not know the credentials. So it answers in a Region that is not enabled in their account,
    /// and so it answers to credentials that are no longer valid.
    #[must_use]
    pub fn is_of_unknown_credentials(&self) -> bool {
        const CODES: [&str; 4] =
            ["UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "InvalidAccessKeyId"];
        CODES.contains(&self.code())
    }

    /// Whether the credentials have expired.
    #[must_use]
    pub fn is_of_expired_credentials(&self) -> bool {
        ["ExpiredToken", "ExpiredTokenException"].contains(&self.code())
    }

    /// Whether the caller lacks a permission.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.kind, AwsErrorKind::Denied { .. })
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AwsErrorKind {
    /// The caller may not.
    #[error("was denied ({answer}); allow {action} on it to the caller")]
    Denied {
        /// The action that is missing.
        action: &'static str,
        /// AWS's words.
        answer: AwsAnswer,
    },
    /// AWS said no.
    #[error("failed: {0}")]
    Refused(AwsAnswer),
    /// No answer: time-out, connection, or an answer that cannot be read.
    #[error("got no answer: {0}")]
    NoAnswer(String),
}

/// What AWS said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAnswer {
    /// The error's code: `InvalidDocument`.
    pub code: String,
    /// Its message. It is withheld if it may repeat the content of a document.
    pub message: Option<String>,
    /// The id to quote to AWS support.
    pub request_id: Option<String>,
}

impl fmt::Display for AwsAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}
