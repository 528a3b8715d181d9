//! The result of the remediation of one document, and the alerts that it is put together from.

use serde::Serialize;

use super::telling::TellingNote;
use crate::preflight::{Finding, KeyFault, Remedies, Verdict};
use crate::reconcile::{Observation, ReconcileError, RecordedRepair};
use crate::session::{DocumentName, Target};

/// How many findings of a document a report holds: it has to fit into a message (256 KB).
const REPORTED: usize = 100;

/// The result of the remediation of one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Remediation {
    /// The document.
    pub document: DocumentName,
    /// The outcome in one word.
    #[serde(rename = "result")]
    pub outcome: RemediationOutcome,
    /// Whether the document was written.
    pub changed: bool,
    /// Who owns the document, if anybody does.
    pub owner: Option<String>,
    /// The key that the latest version carries.
    pub kms_key_id: Target,
    /// The number of the latest version. `None` if there is no document.
    pub version: Option<u64>,
    /// How the document differed from what is wanted, one line each.
    pub drift: Vec<String>,
    /// What somebody should act on, one line each.
    pub alerts: Vec<String>,
    /// Whether the breaker is open.
    pub breaker_open: bool,
    /// Whether a key that is wanted cannot be used.
    pub key_trouble: bool,
    /// How many checks failed for users and nodes that need the key.
    pub checks_failed: usize,
    /// How much that the checks need could be read at the owner's last request and cannot be read now.
    pub checks_unknown: usize,
    /// What the checks found, without what passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What would admit whoever is locked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedies: Option<Remedies>,
    /// What else to know, one line each.
    pub notes: Vec<String>,
    /// What to save once the report is complete: that the repair has been told.
    #[serde(skip)]
    pub note_to_save: Option<TellingNote>,
}

/// The outcome of a remediation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum RemediationOutcome {
    /// There is no record: nobody has asked for this document.
    NotOurs,
    /// The event is about a key that the document has nothing to do with, or about aliases, for which no policy asks.
    NotConcerned,
    /// Nothing differed, and nothing was written.
    AsWanted,
    /// The document differed, and is as wanted now.
    Repaired,
    /// The standby key stands in now.
    StandIn,
    /// The key cannot be used, and encryption is off now, as the owner asked for this case.
    Cleared,
    /// The key that the owner asked for is on again.
    Returned,
    /// The document is not as wanted, and was left so. An alert says why.
    Refused,
    /// The document was repaired too often, and is left alone.
    BreakerOpen,
    /// AWS refused or did not answer. The event comes again.
    Failed,
}

impl RemediationOutcome {
    /// The outcome of a repair. `None` if it wrote nothing.
    pub(super) fn of_repair(repair: RecordedRepair) -> Option<Self> {
        match repair {
            RecordedRepair::Repaired => Some(Self::Repaired),
            RecordedRepair::StandIn => Some(Self::StandIn),
            RecordedRepair::Cleared => Some(Self::Cleared),
            RecordedRepair::Returned => Some(Self::Returned),
            RecordedRepair::BreakerOpened => None,
        }
    }
}

/// Something that somebody should act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Alert {
    /// A key that is wanted cannot be used. Everything else follows from that, so it comes first.
    KeyTrouble(String),
    /// Users or nodes cannot use a key.
    LostAccess {
        /// The alert's text.
        text: String,
        /// How many checks failed.
        failed: usize,
        /// What would admit them.
        remedies: Remedies,
    },
    /// It is not known whether users or nodes can use a key.
    UncertainAccess(String),
    /// Anything else.
    Other(String),
}

impl Remediation {
    /// A document of which nothing is known yet.
    pub(super) fn new(document: &DocumentName) -> Self {
        Self {
            document: document.clone(),
            outcome: RemediationOutcome::NotOurs,
            changed: false,
            owner: None,
            kms_key_id: Target::Off,
            version: None,
            drift: Vec::new(),
            alerts: Vec::new(),
            breaker_open: false,
            key_trouble: false,
            checks_failed: 0,
            checks_unknown: 0,
            findings: Vec::new(),
            remedies: None,
            notes: Vec::new(),
            note_to_save: None,
        }
    }

    /// Takes over what an observation shows.
    pub(super) fn observe(&mut self, observation: &Observation) {
        let record = observation.record.as_ref();
        self.version = observation.document.as_ref().map(|document| document.latest.number);
        self.kms_key_id = observation.carried();
        self.owner = record.map(|record| record.owner.to_string());
        self.breaker_open = record.is_some_and(|record| record.remediation.breaker.is_some());
    }

    /// Adds alerts, in the order in which they came up.
    pub(super) fn alert(&mut self, alerts: impl IntoIterator<Item = Alert>) {
        for alert in alerts {
            match alert {
                Alert::KeyTrouble(text) => {
                    self.key_trouble = true;
                    self.alerts.insert(0, text);
                }
                // A key may be assessed twice: by the policy that is there, and by the policy of an event.
                Alert::LostAccess { text, .. } | Alert::UncertainAccess(text)
                    if self.alerts.contains(&text) => {}
                Alert::LostAccess { text, failed, remedies } => {
                    self.alerts.push(text);
                    self.checks_failed += failed;
                    self.remedies = Some(remedies);
                }
                Alert::UncertainAccess(text) | Alert::Other(text) => self.alerts.push(text),
            }
        }
    }

    /// Adds findings. Those that pass are not worth a line of the report.
    pub(super) fn find(&mut self, findings: impl IntoIterator<Item = Finding>) {
        let worth_a_line = findings.into_iter().filter(|finding| finding.verdict != Verdict::Pass);
        let room = REPORTED.saturating_sub(self.findings.len());
        self.findings.extend(worth_a_line.take(room));
    }

    /// Says that the document was left other than wanted, because of this error.
    pub(super) fn refuse(&mut self, error: ReconcileError) {
        self.outcome = RemediationOutcome::Refused;
        self.alerts.push(error.to_string());
        if let ReconcileError::Key(KeyFault::Blocked { blocking, remedies, .. }) = error {
            self.checks_failed += blocking.len();
            self.remedies = Some(remedies);
            self.find(blocking);
        }
    }
}
