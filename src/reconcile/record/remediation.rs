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
    /// What the checks could not read at the owner's last request. `None` if nothing was checked then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Vec<String>>,
    /// The last repair, until its report is known to be complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untold: Option<UntoldRepair>,
}

/// A repair whose report may never have come: its run may have ended after it wrote the document. It is written ahead of
/// the repair, and whoever next finds the document as wanted reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UntoldRepair {
    /// What was done.
    pub repair: RecordedRepair,
    /// How the document differed, one line each; lines and their number are bounded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// Whether the document had been deleted, so that its other settings are lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recreated: bool,
    /// The Lambda request whose report was complete. Lambda repeats a request under the same id, and only if it got no
    /// result: then the repair is told again. `None` until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_to: Option<String>,
}

/// What a repair did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordedRepair {
    /// It brought the document back to its key.
    Repaired,
    /// It switched to the standby key.
    StandIn,
    /// It turned encryption off.
    Cleared,
    /// It went back to the key that the owner asked for.
    Returned,
    /// It wrote nothing, since the breaker opened.
    BreakerOpened,
}

impl UntoldRepair {
    /// How many characters of a line are kept.
    const LINE: usize = 300;
    /// How many lines are kept: one for each version that sessions may use.
    const LINES: usize = 2;

    /// A repair that is about to be made. `drift` is how the document differs.
    #[must_use]
    pub fn new(repair: RecordedRepair, drift: &[String], recreated: bool) -> Self {
        let line = |line: &String| line.chars().take(Self::LINE).collect();
        let drift = drift.iter().take(Self::LINES).map(line).collect();
        Self { repair, drift, recreated, told_to: None }
    }

    /// The same repair, begun by an earlier run whose report may never have come.
    #[must_use]
    pub fn after(self, earlier: Option<&Self>) -> Self {
        let Some(earlier) = earlier.filter(|earlier| earlier.told_to.is_none()) else { return self };
        let repair = match self.repair {
            RecordedRepair::Repaired => earlier.repair,
            repair => repair,
        };
        Self { repair, drift: earlier.drift.clone(), recreated: self.recreated || earlier.recreated, ..self }
    }

    /// Whether somebody may still have to be told. That the breaker has opened is told by the schedule too.
    #[must_use]
    pub fn may_be_told_again(&self) -> bool {
        self.told_to.is_none() || self.repair != RecordedRepair::BreakerOpened
    }

    /// Whether the report of this Lambda request is to tell of the repair.
    #[must_use]
    pub fn is_for(&self, request_id: &str) -> bool {
        self.told_to.as_ref().is_none_or(|told_to| told_to == request_id)
    }
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

    /// The repair whose report may never have come.
    #[must_use]
    pub fn pending(&self) -> Option<&UntoldRepair> {
        self.untold.as_ref().filter(|repair| repair.told_to.is_none())
    }

    /// The repairs of the hour before `now`, which is in seconds since 1970.
    #[must_use]
    pub fn recent_repairs(&self, now: u64) -> Vec<u64> {
        self.repairs.iter().copied().filter(|at| now.saturating_sub(*at) < HOUR).collect()
    }
}
