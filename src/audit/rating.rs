//! What the state of an account and Region means: it is good, it fails, or nobody knows.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AuditLine, AuditState, UnreadableReason};

/// What the state of an account and Region means. Unknown is never a pass.
///
/// The order of the variants is that of reports: what needs somebody comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Rating {
    /// Sessions are not encrypted, or not with the key that is wanted, or somebody cannot use the key.
    Fails,
    /// It could not be found out.
    Unknown,
    /// Sessions are encrypted, and nobody is locked out.
    Passes,
    /// The Region is not enabled in the account: no session can be there, and nothing is to be done.
    NotEnabled,
}

impl Rating {
    /// All ratings, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Fails, Self::Unknown, Self::Passes, Self::NotEnabled];

    /// The rating of a state, and of the reason if it could not be looked at.
    #[must_use]
    pub fn of(state: AuditState, reason: Option<UnreadableReason>) -> Self {
        match state {
            AuditState::Encrypted => Self::Passes,
            AuditState::LockedOut
            | AuditState::SessionsFail
            | AuditState::Drifted
            | AuditState::Unencrypted => Self::Fails,
            AuditState::Unreadable if reason == Some(UnreadableReason::RegionNotEnabled) => Self::NotEnabled,
            AuditState::Unreadable | AuditState::Unknown => Self::Unknown,
        }
    }

    /// The rating as a name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Unknown => "unknown",
            Self::Passes => "passes",
            Self::NotEnabled => "notEnabled",
        }
    }
}

impl AuditState {
    /// All states, the heaviest first.
    pub const ALL: [Self; 7] = [
        Self::SessionsFail,
        Self::LockedOut,
        Self::Drifted,
        Self::Unencrypted,
        Self::Unreadable,
        Self::Unknown,
        Self::Encrypted,
    ];

    /// The state as a name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Unknown => "unknown",
            Self::Unencrypted => "unencrypted",
            Self::Drifted => "drifted",
            Self::LockedOut => "lockedOut",
            Self::SessionsFail => "sessionsFail",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The state in words for people.
impl fmt::Display for AuditState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Encrypted => "encrypted",
            Self::Unknown => "encrypted, not all known",
            Self::Unencrypted => "not encrypted",
            Self::Drifted => "drifted",
            Self::LockedOut => "somebody locked out",
            Self::SessionsFail => "every session fails",
            Self::Unreadable => "could not be read",
        })
    }
}

impl UnreadableReason {
    /// The reason as a name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RegionNotEnabled => "regionNotEnabled",
            Self::RoleNotAssumed => "roleNotAssumed",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
        }
    }
}

/// The reason in words for people.
impl fmt::Display for UnreadableReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RegionNotEnabled => "the Region is not enabled",
            Self::RoleNotAssumed => "the audit role cannot be assumed",
            Self::Denied => "a permission is missing",
            Self::Throttled => "AWS throttled to the end",
            Self::Failed => "AWS did not answer, or with an error",
        })
    }
}

impl AuditLine {
    /// What the line's state means.
    #[must_use]
    pub fn rating(&self) -> Rating {
        Rating::of(self.state, self.reason())
    }

    /// Why the account and Region could not be looked at.
    #[must_use]
    pub fn reason(&self) -> Option<UnreadableReason> {
        self.unreadable.as_ref().map(|unreadable| unreadable.reason)
    }

    /// The key of the document's latest version, by its ARN if that is known; `None` if there is none.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        let of_document = self.document.as_ref().map(|document| document.kms_key_id.as_str());
        let described = self.keys.iter().find(|key| Some(key.kms_key_id.as_str()) == of_document);
        described.and_then(|key| key.arn.as_deref()).or(of_document).filter(|key| !key.is_empty())
    }

    /// Whether it is known that sessions are not encrypted, or not by every version of the document that counts.
    ///
    /// A document whose owner wants a key counts too: it has drifted, and is unencrypted.
    #[must_use]
    pub fn is_unencrypted(&self) -> bool {
        match &self.document {
            _ if self.state == AuditState::Unreadable => false,
            Some(document) => {
                document.kms_key_id.is_empty() || document.default_kms_key_id.as_deref() == Some("")
            }
            None => true,
        }
    }
}
