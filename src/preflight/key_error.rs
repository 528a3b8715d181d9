//! What is wrong with a key, and why a key could not be checked.

use std::cmp::Reverse;

use thiserror::Error;

use super::finding::Finding;
use super::remedies::Remedies;
use crate::key::{KeyArn, KeyRefError, Misplaced};
use crate::ports::AwsError;

/// Why a key could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// AWS refused a call, or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The key is not one to use.
    #[error(transparent)]
    Fault(#[from] KeyFault),
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// The text is no reference to a key.
    #[error(transparent)]
    Reference(#[from] KeyRefError),
    /// The key is in another Region or partition than the document, where sessions do not look for it.
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    /// KMS knows no such key.
    #[error(
        "KMS finds no key `{key}` in {location}; look for a typing error, and give another account's key by its \
         key ARN"
    )]
    NotFound {
        /// The key as named.
        key: String,
        /// The account and Region in which KMS was asked.
        location: String,
    },
    /// The key cannot encrypt sessions.
    #[error("key {key} cannot encrypt sessions: {problem}")]
    Unfit {
        /// The key.
        key: KeyArn,
        /// Its faults, with what to do.
        problem: String,
    },
    /// The standby key is the key itself.
    #[error("the standby key is {key}, which is the key itself; give another in StandbyKmsKeyId")]
    StandbyIsKey {
        /// The key.
        key: KeyArn,
    },
    /// Somebody would be, or is, locked out.
    #[error("key {key} {standing}, and nothing was changed: {}", first_subjects(blocking))]
    Blocked {
        /// The key.
        key: KeyArn,
        /// What the key is to the document, and stays.
        standing: KeyStanding,
        /// The findings that block in the mode asked for.
        blocking: Vec<Finding>,
        /// What would admit whoever is locked out.
        remedies: Remedies,
    },
    /// The key does not admit everybody it should.
    #[error("key {key} does not admit everybody: {}", first_subjects(refused))]
    NotAdmitted {
        /// The key.
        key: KeyArn,
        /// A finding for each principal or account that is not admitted.
        refused: Vec<Finding>,
        /// The statements that would admit them.
        remedies: Remedies,
    },
    /// Only the key's own account can prove the key's side.
    #[error(
        "key {key} is another account's than {account}; ask Custom::SessionKeyAccess in account {}, which alone can \
         read the key's policy",
        key.location().account
    )]
    NotOurKey {
        /// The key.
        key: KeyArn,
        /// The account of the function.
        account: String,
    },
}

/// What a key that is refused is to its document, which stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyStanding {
    /// Sessions do not use it.
    #[error("is not switched on")]
    NotOn,
    /// Sessions use it.
    #[error("is on and stays on")]
    On,
    /// Either the latest or the default version carries it. Which of the two sessions use is not known.
    #[error("is on in only one of the document's latest and default versions, which stays so")]
    HalfOn,
    /// It is the standby key. The key that it would stand in for is not switched on either.
    #[error("is not accepted as the standby key")]
    Standby,
}

/// How many subjects a message names.
const NAMED: usize = 3;

/// The first subjects, the heaviest findings first, each with its findings, and how many more there are.
fn first_subjects(findings: &[Finding]) -> String {
    let mut in_order: Vec<&Finding> = findings.iter().collect();
    in_order.sort_by_key(|finding| Reverse(finding.verdict));
    let mut subjects: Vec<&str> = Vec::new();
    for finding in &in_order {
        if !subjects.contains(&finding.subject.as_str()) {
            subjects.push(&finding.subject);
        }
    }
    let more = subjects.len().saturating_sub(NAMED);
    let is_named =
        |finding: &&&Finding| subjects.iter().take(NAMED).any(|subject| *subject == finding.subject);
    let first: Vec<_> = in_order.iter().filter(is_named).map(ToString::to_string).collect();
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("{}{more}", first.join("; "))
}
