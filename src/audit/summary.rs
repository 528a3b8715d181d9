//! What of an audit is kept for the comparison with the next one.

use serde::{Deserialize, Serialize};

use super::{AuditLine, AuditState, LockedOut, Rating, UnreadableReason};

/// What of an audit is kept for the comparison with the next one. Some hundred bytes for each account and Region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditSummary {
    /// When the report was made, in UTC, as RFC 3339 writes it.
    pub made_at: String,
    /// The accounts and Regions, in their order, each once.
    pub places: Vec<SummaryPlace>,
}

/// What of an account and Region is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SummaryPlace {
    /// The account's id.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The state.
    pub state: AuditState,
    /// When an audit first found it in this state, as far as the audits were compared with each other.
    #[serde(default)]
    pub since: String,
    /// Why it could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<UnreadableReason>,
    /// The key of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether it is known that sessions are not encrypted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unencrypted: bool,
    /// Who needs the key and cannot use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locked_out: Vec<LockedOut>,
}

impl AuditSummary {
    /// The summary of lines that are in their order. What is in the state in which an earlier audit found it is so since
    /// then.
    pub(super) fn of<'a>(
        lines: impl Iterator<Item = &'a AuditLine>,
        made_at: &str,
        previous: Option<&Self>,
    ) -> Self {
        let places = lines.map(|line| {
            let mut place = SummaryPlace::of(line);
            if place.since.is_empty() {
                made_at.clone_into(&mut place.since);
            }
            let before =
                previous.and_then(|previous| previous.place(&line.place.account, &line.place.region));
            if let Some(before) =
                before.filter(|before| before.state == place.state && !before.since.is_empty())
            {
                place.since.clone_from(&before.since);
            }
            place
        });
        Self { made_at: made_at.to_owned(), places: places.collect() }
    }

    /// What is kept of an account and Region.
    #[must_use]
    pub fn place(&self, account: &str, region: &str) -> Option<&SummaryPlace> {
        self.places.get(self.position(account, region)?)
    }

    /// The position of an account and Region.
    pub(super) fn position(&self, account: &str, region: &str) -> Option<usize> {
        self.places.binary_search_by(|place| place.place().cmp(&(account, region))).ok()
    }

    /// Reads a stored summary.
    ///
    /// # Errors
    ///
    /// If the text is no summary.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let mut summary: Self = serde_json::from_slice(text)?;
        // The comparison goes through both in order.
        summary.places.sort_by(|a, b| a.place().cmp(&b.place()));
        summary.places.dedup_by(|a, b| a.place() == b.place());
        Ok(summary)
    }
}

impl SummaryPlace {
    fn of(line: &AuditLine) -> Self {
        let mut locked_out = line.locked_out.clone();
        locked_out.sort();
        locked_out.dedup();
        Self {
            account: line.place.account.clone(),
            region: line.place.region.clone(),
            state: line.state,
            since: line.audited_at.clone(),
            reason: line.reason(),
            key: line.key().map(str::to_owned),
            unencrypted: line.is_unencrypted(),
            locked_out,
        }
    }

    /// The account and the Region.
    pub(super) fn place(&self) -> (&str, &str) {
        (&self.account, &self.region)
    }

    /// What the state means.
    #[must_use]
    pub fn rating(&self) -> Rating {
        Rating::of(self.state, self.reason)
    }
}
