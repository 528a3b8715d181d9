//! Kept: what came of looking after one document.

use serde::Serialize;

use crate::preflight::{Finding, Remedies, Verdict};
use crate::reconcile::Observation;
use crate::reconcile::ReconcileError;
use crate::session::DocumentName;

/// How many findings of a document a report holds.
const REPORTED: usize = 100;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remediation {
    /// The document.
    pub document: DocumentName,
    /// In one word.
    pub result: RemediationOutcome,
    /// Whether the document was written.
    pub changed: bool,
    /// Who owns the document, if anybody.
    pub owner: Option<String>,
    /// The key that the latest version carries; empty for none.
    pub kms_key_id: String,
    /// The number of the latest version; `None` where there is no document.
    pub version: Option<u64>,
    /// How the document differed from what is wanted, one line each.
    pub drift: Vec<String>,
    /// What somebody should do something about, one line each.
    pub alerts: Vec<String>,
    /// Whether it has been put right too often, and that has stopped.
    pub breaker_open: bool,
    /// Whether a key that is wanted cannot be used.
    pub key_trouble: bool,
    /// How many checks failed of those who need the key.
    pub checks_failed: usize,
    /// What the checks found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What would let in whoever is locked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedies: Option<Remedies>,
    /// What else to know, one line each.
    pub notes: Vec<String>,
    /// The alert that the document was deleted and made anew, until it is clear what else there is to tell.
    #[serde(skip)]
    pub(super) made_anew: Option<String>,
}

/// What was done, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RemediationOutcome {
    /// No record: the document is nobody's.
    NotOurs,
    /// The notice is about a key that the document has nothing to do with.
    NotConcerned,
    /// Nothing differed, nothing was written.
    AsWanted,
    /// It differed, and is as wanted now.
    Repaired,
    /// The standby key stands in now.
    StandIn,
    /// The key cannot be used, and encryption is off now, as asked for this case.
    Cleared,
    /// The first choice is on again.
    Returned,
    /// It is not as wanted, and was left so; an alert says why.
    Refused,
    /// It was put right too often and is left alone.
    BreakerOpen,
}

impl Remediation {
    /// Nothing is known yet.
    pub(super) fn new(document: &DocumentName) -> Self {
        Self {
            document: document.clone(),
            result: RemediationOutcome::NotOurs,
            changed: false,
            owner: None,
            kms_key_id: String::new(),
            version: None,
            drift: Vec::new(),
            alerts: Vec::new(),
            breaker_open: false,
            key_trouble: false,
            checks_failed: 0,
            findings: Vec::new(),
            remedies: None,
            notes: Vec::new(),
            made_anew: None,
        }
    }

    /// Takes over what is there.
    pub(super) fn see(&mut self, observation: &Observation) {
        let latest = observation.document.as_ref().map(|document| &document.latest);
        self.version = latest.map(|latest| latest.number);
        self.kms_key_id = latest.and_then(|latest| latest.kms_key_id.clone().ok()).unwrap_or_default();
        self.owner = observation.record.as_ref().map(|record| record.owner.to_string());
        self.breaker_open = observation.record.as_ref().is_some_and(|record| record.watch.breaker.is_some());
    }

    /// A key cannot be used: what else there is to tell follows from it.
    pub(super) fn trouble(&mut self, problem: String) {
        self.key_trouble = true;
        self.alerts.insert(0, problem);
    }

    /// Takes over what is worth a line of the report, which has to fit into a message (256 KB).
    pub(super) fn find(&mut self, findings: impl IntoIterator<Item = Finding>) {
        let worth = findings.into_iter().filter(|finding| finding.verdict != Verdict::Pass);
        let room = REPORTED.saturating_sub(self.findings.len());
        self.findings.extend(worth.take(room));
    }

    /// The way ended short of what is wanted.
    pub(super) fn refuse(&mut self, error: ReconcileError) {
        self.result = RemediationOutcome::Refused;
        self.alerts.push(error.to_string());
        if let ReconcileError::Blocked { blocking, remedies, .. } = error {
            self.checks_failed += blocking.len();
            self.find(blocking);
            self.remedies = Some(remedies);
        }
    }
}
