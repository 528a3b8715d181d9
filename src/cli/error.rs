//! Why a command ended without a report.

use std::io;

use thiserror::Error;

use super::Exit;
use super::input::InputError;
use super::suggestions::region;
use crate::access::KeyRulesError;
use crate::key::KeyRefError;
use crate::operations::{AuditFailure, KeyReportError};
use crate::ports::AwsError;
use crate::preflight::{KeyError, KeyFault};
use crate::reconcile::ReconcileError;
use crate::text_encoding::EncodingError;
use kms_key_policy::ParseError;

/// Why a command ended without a report.
#[derive(Debug, Error)]
pub enum CliError {
    /// A file cannot be read.
    #[error("cannot read `{path}`: {error}; check the path")]
    File {
        /// The path.
        path: String,
        /// The error of the read.
        error: io::Error,
    },
    /// The content of a file is not what it should be.
    #[error("`{path}` is no {what}: {error}{place}")]
    Content {
        /// The path.
        path: String,
        /// What the content should be.
        what: &'static str,
        /// What is wrong, and at which place of the content.
        error: ParseError,
        /// In which text the place is counted, if it is not the file's.
        place: &'static str,
    },
    /// A file is no text that can be read.
    #[error("`{path}` cannot be read as text: {error}")]
    Encoding {
        /// The path.
        path: String,
        /// What is wrong.
        error: EncodingError,
    },
    /// What the options say to be known of every call is wrong.
    #[error("--context {0}")]
    Context(String),
    /// An identity policy is given for a principal that no other option names.
    #[error("--identity-policy is given for `{0}`, who is named by neither --user nor --node")]
    PolicyOfNobody(String),
    /// The key is not named by its ARN, and without AWS nothing else says which key is meant.
    #[error(
        "without AWS, --key must be the key's ARN, `arn:aws:kms:REGION:ACCOUNT:key/KEY-ID`, and `{0}` is none"
    )]
    KeyArnNeeded(String),
    /// No Region is set.
    #[error("no Region is set; give --region, or set AWS_REGION or the profile's Region")]
    NoRegion,
    /// The Region that is set cannot be one.
    #[error("{}; give --region, or set AWS_REGION or the profile's Region", not_a_region(.0))]
    NotARegion(String),
    /// Options of reports are given to a command that makes none.
    #[error(
        "{0} makes no report and asks nothing of AWS: leave --format, --output, --profile, --endpoint-url and --verbose away"
    )]
    NoReport(&'static str),
    /// A format is asked for, which an audit has not.
    #[error("an audit has no report in {0}; give --format text, json, csv, html, asff or ocsf")]
    NotOfAudits(&'static str),
    /// A list of accounts is malformed.
    #[error("the list of accounts `{path}` cannot be used: {why}")]
    Accounts {
        /// The path.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// What is to be read is no audit.
    #[error("there is no audit in `{from}`: {why}")]
    AuditSource {
        /// The path or the address.
        from: String,
        /// What is wrong.
        why: String,
    },
    /// The file that an audit is to be written to is there.
    #[error("`{0}` is there already; go on with it by --resume, or name another file")]
    OutputExists(String),
    /// A file cannot be written.
    #[error("cannot write `{path}`: {error}")]
    OutputFile {
        /// The path.
        path: String,
        /// The error of the write.
        error: io::Error,
    },
    /// The accounts or the results of an audit could not be read.
    #[error(transparent)]
    Audit(#[from] AuditFailure),
    /// More than one file is to be read from standard input.
    #[error(
        "`-` stands for standard input, which can be read once only; give a file for all options but one"
    )]
    InputTwice,
    /// There are no credentials, or they are not valid: what is wrong, and what to do about it.
    #[error("{0}")]
    Credentials(String),
    /// The credentials belong to no account.
    #[error("the caller's ARN `{0}` names no account; give credentials of an AWS account")]
    NoAccount(String),
    /// There is no terminal at which somebody could confirm.
    #[error("there is no terminal to ask for confirmation; nothing was changed; give --yes to go on without")]
    NobodyToAsk,
    /// Somebody was asked and did not confirm.
    #[error("not confirmed; nothing was changed")]
    NotConfirmed,
    /// Some cases could not be read; all others were answered.
    #[error("{failed} of {all} {} could not be read; the `error` of each answer says why", if *all == 1 { "case" } else { "cases" })]
    Cases {
        /// How many could not be read.
        failed: u64,
        /// How many there were.
        all: u64,
    },
    /// The input cannot be read.
    #[error("cannot read the input: {0}")]
    Input(io::Error),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
    /// There is no key policy to check in a template or a plan.
    #[error(transparent)]
    KeyPolicySource(#[from] InputError),
    /// The evaluator refused the key policy, the grants or a principal.
    #[error(transparent)]
    Rules(#[from] KeyRulesError),
    /// AWS refused a call or did not answer it.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// There is no report on a key.
    #[error(transparent)]
    KeyReport(#[from] KeyReportError),
    /// The document was not brought to the intent.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
}

impl CliError {
    /// How a command ends that failed with this error.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Aws(_) | Self::Credentials(_) => Exit::Aws,
            Self::Reconcile(error) => exit_of(error),
            Self::KeyReport(error) => match error {
                KeyReportError::Aws(_) | KeyReportError::Key(KeyError::Aws(_)) => Exit::Aws,
                KeyReportError::Key(KeyError::Fault(fault)) => exit_of_fault(fault),
                KeyReportError::OtherAccount { .. } | KeyReportError::Rules(_) => Exit::BadInput,
            },
            Self::NotConfirmed => Exit::Fails,
            Self::Audit(AuditFailure::Aws(_) | AuditFailure::NoAdministrator(_)) => Exit::Aws,
            Self::Audit(_)
            | Self::NotOfAudits(_)
            | Self::Accounts { .. }
            | Self::AuditSource { .. }
            | Self::OutputExists(_)
            | Self::OutputFile { .. }
            | Self::File { .. }
            | Self::Content { .. }
            | Self::Encoding { .. }
            | Self::PolicyOfNobody(_)
            | Self::Context(_)
            | Self::KeyArnNeeded(_)
            | Self::NoRegion
            | Self::NoAccount(_)
            | Self::NotARegion(_)
            | Self::NoReport(_)
            | Self::InputTwice
            | Self::NobodyToAsk
            | Self::Cases { .. }
            | Self::Input(_)
            | Self::Output(_)
            | Self::KeyPolicySource(_)
            | Self::Rules(_) => Exit::BadInput,
        }
    }
}

/// That a text is no Region, and what one looks like.
pub(super) fn not_a_region(text: &str) -> String {
    let near = region(text).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!(
        "`{text}` is no Region: its name is lower-case words and a number with hyphens between them, such as eu-west-1 or \
         us-gov-west-1{near}"
    )
}

fn exit_of(error: &ReconcileError) -> Exit {
    match error {
        ReconcileError::HalfChanged { cause, .. } => exit_of(cause),
        ReconcileError::Aws(_)
        | ReconcileError::VersionFailed { .. }
        | ReconcileError::Contended { .. }
        | ReconcileError::Overtaken { .. }
        | ReconcileError::BeingReleased { .. }
        | ReconcileError::HistoryFull(_) => Exit::Aws,
        ReconcileError::Key(fault) | ReconcileError::StandbyKey(fault) | ReconcileError::KeyBefore(fault) => {
            exit_of_fault(fault)
        }
        ReconcileError::RecordTooLong { .. } => Exit::BadInput,
        ReconcileError::Owned { .. }
        | ReconcileError::NoDocument { .. }
        | ReconcileError::NotYours { .. }
        | ReconcileError::Content { .. }
        | ReconcileError::Superseded { .. }
        | ReconcileError::Record(_) => Exit::Fails,
    }
}

fn exit_of_fault(fault: &KeyFault) -> Exit {
    match fault {
        KeyFault::Reference(KeyRefError::Malformed(_) | KeyRefError::AwsManaged(_))
        | KeyFault::Misplaced(_)
        | KeyFault::NotFound { .. }
        | KeyFault::StandbyIsKey { .. }
        | KeyFault::NotOurKey { .. } => Exit::BadInput,
        KeyFault::Unfit { .. } | KeyFault::Blocked { .. } | KeyFault::NotAdmitted { .. } => Exit::Fails,
    }
}
