//! What a record remembers of keeping a document as wanted: what to do when the key fails, which key stands in,
//! how often the document was put right, and whether that has stopped.

use serde::{Deserialize, Serialize};

use crate::change_event::Actor;

/// How long a repair counts, and how long it must be quiet before the breaker closes, in seconds.
pub const HOUR: u64 = 3600;

/// What happens when the key can no longer be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnTrouble {
    /// Say so.
    #[default]
    Alert,
    /// Let the key with this ARN stand in.
    Standby(String),
    /// Turn encryption off.
    Clear,
}

/// What has happened since the owner's last request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Watch {
    /// The key of first choice, where another key, or none, stands in for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<String>,
    /// When the document was put right, in seconds since 1970, those of the last hour.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<u64>,
    /// Whether AWS refused the last repair that was counted: tried again, it is the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// Who was last seen to change the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "by")]
    pub actor: Option<Actor>,
    /// Set while nothing is put right any more, since it was too often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
}

/// The breaker is open: somebody else keeps changing the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Breaker {
    /// Since when, in seconds since 1970.
    pub opened: u64,
    /// When the document was last seen to change, in seconds since 1970.
    pub seen: u64,
    /// Its versions then.
    pub versions: Versions,
}

/// The numbers of a document's versions; zeros where there is no document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The latest.
    pub latest: u64,
    /// The default.
    pub default: u64,
}

impl Watch {
    /// Whether nothing is worth remembering.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The repairs of the hour before `now`.
    #[must_use]
    pub fn recent(&self, now: u64) -> Vec<u64> {
        self.repairs.iter().copied().filter(|at| now.saturating_sub(*at) < HOUR).collect()
    }
}
