//! Why a command ended without a report.

use std::io;

use thiserror::Error;

use super::Exit;
use crate::access::KeyRulesError;
use crate::key::KeyRefError;
use crate::ports::AwsError;
use crate::preflight::KeyFault;
use crate::reconcile::ReconcileError;
use kms_key_policy::ParseError;

/// Why a command ended without a report.
#[derive(Debug, Error)]
pub enum CliError {
    /// A file.
    #[error("cannot read `{path}`: {error}; check the path")]
    File {
        /// The file.
        path: String,
        /// What came of it.
        error: io::Error,
    },
    /// A file whose content is not what it should be.
    #[error("`{path}` is no {what}: {error}")]
    Content {
        /// The file.
        path: String,
        /// What it should be.
        what: &'static str,
        /// The place, and what is wrong there.
        error: ParseError,
    },
    /// What is said to be known of every call.
    #[error("--context {0}")]
    Context(String),
    /// A policy for somebody who was not asked about.
    #[error("--identity-policy is given for `{0}`, who is named by neither --user nor --node")]
    PolicyOfNobody(String),
    /// A key that is not named by its ARN, where there is nobody to ask which key is meant.
    #[error("--policy needs the key's ARN, `arn:aws:kms:REGION:ACCOUNT:key/KEY-ID`, and `{0}` is none")]
    KeyArnNeeded(String),
    /// No Region.
    #[error("no Region is set; give --region, or set AWS_REGION or the profile's Region")]
    NoRegion,
    /// The credentials are of no account.
    #[error("the caller's ARN `{0}` names no account; give credentials of an AWS account")]
    NoAccount(String),
    /// Nobody is there to say yes.
    #[error("there is no terminal to ask for confirmation; nothing was changed; give --yes to go on without")]
    NobodyToAsk,
    /// Somebody did not say yes.
    #[error("not confirmed; nothing was changed")]
    NotConfirmed,
    /// Cases that could not be read, among others that were answered.
    #[error("{failed} of {all} cases could not be read; the `error` of each answer says why")]
    Cases {
        /// How many could not be read.
        failed: u64,
        /// How many there were.
        all: u64,
    },
    /// The input.
    #[error("cannot read the input: {0}")]
    Input(io::Error),
    /// The output.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
    /// The evaluator refused what was asked.
    #[error(transparent)]
    Rules(#[from] KeyRulesError),
    /// A call that AWS refused or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The way ended short of the intent.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
}

impl CliError {
    /// How the command ends by it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Aws(_) => Exit::Aws,
            Self::Reconcile(error) => of(error),
            Self::File { .. }
            | Self::Content { .. }
            | Self::PolicyOfNobody(_)
            | Self::Context(_)
            | Self::KeyArnNeeded(_)
            | Self::NoRegion
            | Self::NoAccount(_)
            | Self::NobodyToAsk
            | Self::NotConfirmed
            | Self::Cases { .. }
            | Self::Input(_)
            | Self::Output(_)
            | Self::Rules(_) => Exit::BadInput,
        }
    }
}

fn of(error: &ReconcileError) -> Exit {
    match error {
        ReconcileError::Aws(_)
        | ReconcileError::VersionFailed { .. }
        | ReconcileError::Contended { .. }
        | ReconcileError::Overtaken { .. }
        | ReconcileError::HistoryFull(_) => Exit::Aws,
        ReconcileError::Key(fault) | ReconcileError::StandbyKey(fault) | ReconcileError::KeyBefore(fault) => {
            of_key(fault)
        }
        ReconcileError::RecordTooLong { .. } => Exit::BadInput,
        ReconcileError::Owned { .. }
        | ReconcileError::Content { .. }
        | ReconcileError::Superseded { .. }
        | ReconcileError::Record(_) => Exit::Fails,
    }
}

fn of_key(fault: &KeyFault) -> Exit {
    match fault {
        KeyFault::Reference(KeyRefError::Malformed(_) | KeyRefError::AwsManaged(_))
        | KeyFault::Misplaced(_)
        | KeyFault::NotFound { .. }
        | KeyFault::StandbyIsKey { .. }
        | KeyFault::NotOurKey { .. } => Exit::BadInput,
        KeyFault::Unfit { .. } | KeyFault::Blocked { .. } | KeyFault::NotAdmitted { .. } => Exit::Fails,
    }
}
