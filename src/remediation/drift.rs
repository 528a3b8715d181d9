//! Drift: how a document differs from what is wanted, in words. Pure.

use crate::ports::VersionStatus;
use crate::reconcile::{Observation, ObservedVersion};

/// What differs, one line each; empty where nothing does. Other settings than the key are not ours to judge.
pub(super) fn drift(observation: &Observation, wanted: &str) -> Vec<String> {
    let Some(document) = &observation.document else {
        let gone = "it was deleted, and the settings that it held besides the key are lost";
        return (!wanted.is_empty()).then(|| gone.to_owned()).into_iter().collect();
    };
    let (latest, default) = (&document.latest, &document.default);
    let mut drift = Vec::new();
    if let VersionStatus::Failed(reason) = &latest.status {
        drift.push(format!("AWS reports version {}, the latest, as Failed: {reason}", latest.number));
    } else if !latest.carries(wanted) {
        drift.push(format!("version {}, the latest, {}", latest.number, instead(latest, wanted)));
    }
    if default.number != latest.number && !default.carries(wanted) {
        drift.push(format!("version {}, the default, {}", default.number, instead(default, wanted)));
    }
    drift
}

fn instead(version: &ObservedVersion, wanted: &str) -> String {
    let wanted = if wanted.is_empty() { "none".to_owned() } else { format!("`{wanted}`") };
    match &version.kms_key_id {
        Ok(key) if key.is_empty() => format!("has no key instead of {wanted}"),
        Ok(key) => format!("has key `{key}` instead of {wanted}"),
        Err(problem) => format!("cannot be read for its key: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::ObservedDocument;

    fn drifted(latest: (u64, &str), default: (u64, &str), wanted: &str) -> Vec<String> {
        let version = |(number, key)| ObservedVersion::with_key(number, key);
        let document = Some(ObservedDocument { latest: version(latest), default: version(default) });
        drift(&Observation { document, record: None }, wanted)
    }

    #[test]
    fn only_what_differs_is_drift() {
        assert!(drifted((3, "k"), (3, "k"), "k").is_empty());
        assert!(drifted((3, "k"), (2, "k"), "k").is_empty(), "both carry it");
        assert_eq!(drifted((3, ""), (3, ""), "k"), ["version 3, the latest, has no key instead of `k`"]);
        assert_eq!(drifted((3, "k"), (2, "x"), "k"), ["version 2, the default, has key `x` instead of `k`"]);
        assert_eq!(drifted((3, "x"), (2, "y"), "").len(), 2);
        let nothing = Observation { document: None, record: None };
        assert!(drift(&nothing, "").is_empty());
        assert_eq!(drift(&nothing, "k").len(), 1);
    }

    #[test]
    fn a_key_that_is_a_template_is_drift_without_its_content() {
        let odd = drifted((3, "{{ key }}"), (3, "{{ key }}"), "k");
        assert!(odd[0].contains("cannot be read"), "{odd:?}");
    }
}
