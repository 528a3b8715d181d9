//! What a record remembers of remediation: what to do if the key cannot be used, which key the standby key replaces,
//! the repairs of the last hour, and whether the breaker is open.

use serde::{Deserialize, Serialize};

use crate::change_event::Actor;

/// How long a repair counts, and how long nobody may have changed the document for the breaker to close, in seconds.
pub const HOUR: u64 = 3600;

/// What happens if the key cannot be used any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordedKeyTrouble {
    /// An alert says so.
    #[default]
    Alert,
    /// The key with this ARN stands in.
    Standby(String),
    /// Encryption is turned off.
    Clear,
}

/// What remediation has done since the owner's last request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RemediationState {
    /// The key that the owner asked for, while the standby key or no key is in its place.
    #[serde(rename = "standsInFor", skip_serializing_if = "Option::is_none")]
    pub replaced_key: Option<String>,
    /// The times of the repairs of the last hour, in seconds since 1970.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<u64>,
    /// Whether AWS refused the last repair that was counted. To try it again is the same repair.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// Who was last seen to change the document.
    #[serde(rename = "by", skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// The open breaker. `None` while the breaker is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
}

/// An open breaker: somebody else keeps changing the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Breaker {
    /// When it opened, in seconds since 1970.
    pub opened: u64,
    /// When the document was last seen to change, in seconds since 1970.
    pub seen: u64,
    /// The document's versions at that time.
    pub versions: Versions,
}

/// The numbers of a document's versions, zeros if there is no document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The latest.
    pub latest: u64,
    /// The default.
    pub default: u64,
}

impl RemediationState {
    /// Whether there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The repairs of the hour before `now`, which is in seconds since 1970.
    #[must_use]
    pub fn recent_repairs(&self, now: u64) -> Vec<u64> {
        self.repairs.iter().copied().filter(|at| now.saturating_sub(*at) < HOUR).collect()
    }
}
