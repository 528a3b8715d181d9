//! The record: what the function remembers of a document, as one JSON value in Parameter Store.
//!
//! It is written ahead. Before the document changes, the record names the key that is there and the key to come. So the
//! next event knows enough to finish or to undo a change that was cut off.

mod remediation;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use remediation::{
    Breaker, HOUR, RecordedKeyTrouble, RecordedRepair, RemediationState, UntoldRepair, Versions,
};

use super::observe::ObservedVersion;
use crate::intent::{OnDelete, Owner, Safeguards};
use crate::session::{DocumentName, Target, record_parameter};

/// How many sets of accepted properties are remembered: enough for an update and its rollback.
const ACCEPTED: usize = 4;

/// What is remembered of one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Who owns the document.
    pub owner: Owner,
    /// The key ARN that is to be in the document, or encryption off. It is what the owner asked for, unless a standby
    /// key stands in.
    pub wanted: Target,
    /// The key that was in the document before it was adopted.
    #[serde(rename = "before")]
    pub before_adoption: Target,
    /// The document before its last change.
    #[serde(rename = "there")]
    pub before_change: BeforeChange,
    /// What Delete does if the request itself does not say.
    pub on_delete: OnDelete,
    /// What the preflight checks before a key is switched on.
    #[serde(default)]
    pub safeguards: Safeguards,
    /// What happens when the key can no longer be used.
    #[serde(default)]
    pub on_key_trouble: RecordedKeyTrouble,
    /// What remediation has done since the owner's last request.
    #[serde(default, rename = "watch", skip_serializing_if = "RemediationState::is_empty")]
    pub remediation: RemediationState,
    /// Since when the owner has been giving the document back, in seconds since 1970. It is written before the document is
    /// restored, so that neither the end of that run nor another run leaves the key behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releasing: Option<u64>,
    /// Digests of the properties accepted last, latest last. A rollback to one of them is never refused for
    /// a property that this version of the software does not know.
    pub accepted: Vec<String>,
}

/// A document before a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BeforeChange {
    /// The key in the latest version.
    pub kms_key_id: Target,
    /// The number of the latest version, 0 if there was no document.
    pub version: u64,
    /// Whether the owner had set that key.
    #[serde(rename = "ours")]
    pub set_by_owner: bool,
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the record of document {document}, parameter `{}`, is not one of session-kms ({problem}); put back an \
     earlier version of the parameter, or delete it, which gives up what is known of the key before",
    record_parameter(document)
)]
pub struct RecordError {
    /// The document.
    pub document: DocumentName,
    /// What is wrong with it; says nothing of its content.
    pub problem: String,
}

impl Record {
    /// The longest record, in bytes: an advanced parameter (SSM API reference, PutParameter).
    pub const LONGEST: usize = 8192;
    /// The longest record of a request, in bytes: later repairs have more to remember.
    pub const LONGEST_REQUEST: usize = 6144;

    /// How long the text of this record may be, in bytes.
    #[must_use]
    pub(super) fn longest(&self) -> usize {
        let of_repairs = RemediationState { unread: None, ..self.remediation.clone() };
        match of_repairs.is_empty() && self.releasing.is_none() {
            true => Self::LONGEST_REQUEST,
            false => Self::LONGEST,
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// If the text is no record. Fields that a later version of this software added are ignored.
    pub fn from_text(document: &DocumentName, text: &str) -> Result<Self, RecordError> {
        serde_json::from_str(text).map_err(|error| RecordError {
            document: document.clone(),
            problem: format!("line {}, column {}", error.line(), error.column()),
        })
    }

    /// The record as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_value(self).map(|value| value.to_string()).unwrap_or_default()
    }

    /// Whether the owner set what a version of the document carries: the key wanted or, if the last change never
    /// happened, the owner's earlier key.
    #[must_use]
    pub fn has_set(&self, version: &ObservedVersion) -> bool {
        let before = &self.before_change;
        version.carries(&self.wanted)
            || (before.set_by_owner
                && version.number == before.version
                && version.carries(&before.kms_key_id))
    }

    /// What the owner asked for: a key ARN, or encryption off.
    #[must_use]
    pub fn asked_for(&self) -> Target {
        match &self.remediation.replaced_key {
            Some(key) => Target::Key(key.clone()),
            None => self.wanted.clone(),
        }
    }

    /// Whether the record names a key: as the one wanted, the one asked for, or the standby key.
    #[must_use]
    pub fn names(&self, key: &str) -> bool {
        self.wanted.is_key(key) || self.asked_for().is_key(key) || self.standby() == Some(key)
    }

    /// The ARN of the standby key.
    #[must_use]
    pub fn standby(&self) -> Option<&str> {
        match &self.on_key_trouble {
            RecordedKeyTrouble::Standby(standby) => Some(standby),
            RecordedKeyTrouble::Alert | RecordedKeyTrouble::Clear => None,
        }
    }

    /// Whether a remediation may bring the document to this key, or to none.
    #[must_use]
    pub fn may_choose(&self, target: &Target) -> bool {
        match target {
            Target::Key(key) => self.names(key),
            Target::Off => self.wanted == Target::Off || self.on_key_trouble == RecordedKeyTrouble::Clear,
        }
    }

    /// Whether these properties were accepted before.
    #[must_use]
    pub fn has_accepted(&self, digest: &str) -> bool {
        self.accepted.iter().any(|accepted| accepted == digest)
    }

    /// Whether these properties were the last to be accepted.
    #[must_use]
    pub fn accepted_last(&self, digest: &str) -> bool {
        self.accepted.last().is_some_and(|last| last == digest)
    }

    /// The accepted properties with one more set, the oldest dropped.
    #[must_use]
    pub fn accepting(accepted: &[String], digest: &str) -> Vec<String> {
        if accepted.last().is_some_and(|last| last == digest) {
            return accepted.to_vec();
        }
        let others = accepted.iter().filter(|other| *other != digest).cloned();
        let mut all: Vec<_> = others.chain([digest.to_owned()]).collect();
        all.drain(..all.len().saturating_sub(ACCEPTED));
        all
    }
}

/// The digest of a set of properties, whatever the order of its keys.
#[must_use]
pub fn digest(properties: &serde_json::Map<String, Value>) -> String {
    let mut value = Value::Object(properties.clone());
    value.sort_all_objects();
    let hash = Sha256::digest(value.to_string().as_bytes());
    hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            owner: Owner { stack_id: "stack".into(), logical_resource_id: "Key".into() },
            wanted: "new".into(),
            before_adoption: Target::Off,
            before_change: BeforeChange { kms_key_id: "old".into(), version: 3, set_by_owner: true },
            on_delete: OnDelete::Restore,
            safeguards: Safeguards::default(),
            on_key_trouble: RecordedKeyTrouble::default(),
            remediation: RemediationState::default(),
            releasing: None,
            accepted: vec![],
        }
    }

    fn version(number: u64, key: &str) -> ObservedVersion {
        ObservedVersion::with_key(number, key)
    }

    #[test]
    fn what_the_owner_set_is_known_before_and_after_a_change() {
        assert!(record().has_set(&version(4, "new")));
        assert!(record().has_set(&version(3, "old")), "cut off before the write");
        assert!(!record().has_set(&version(4, "old")), "somebody else went back to it");
        assert!(!record().has_set(&version(4, "other")));
        let adopted = Record {
            before_change: BeforeChange { set_by_owner: false, ..record().before_change },
            ..record()
        };
        assert!(!adopted.has_set(&version(3, "old")));
    }

    #[test]
    fn a_record_survives_the_round_trip_and_unknown_fields() {
        let text = record().to_text().replacen('{', "{\"later\":1,", 1);
        assert_eq!(Record::from_text(&DocumentName::default(), &text), Ok(record()));
        let error = Record::from_text(&DocumentName::default(), "{\"owner\":\"secret\"}").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_digest_does_not_depend_on_the_order_of_keys() {
        let map = |text: &str| serde_json::from_str::<serde_json::Map<String, Value>>(text).unwrap();
        assert_eq!(
            digest(&map(r#"{"a":{"x":1,"y":2},"b":[1,2]}"#)),
            digest(&map(r#"{"b":[1,2],"a":{"y":2,"x":1}}"#))
        );
        assert_ne!(digest(&map(r#"{"a":1}"#)), digest(&map(r#"{"a":"1"}"#)));
    }

    #[test]
    fn the_last_few_accepted_properties_are_remembered() {
        let mut accepted = vec![];
        for digest in ["a", "b", "a", "c", "d", "e"] {
            accepted = Record::accepting(&accepted, digest);
        }
        assert_eq!(accepted, ["a", "c", "d", "e"]);
    }
}
