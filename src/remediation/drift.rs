//! Drift: how a document differs from what is wanted, in words. Pure.

use crate::ports::VersionStatus;
use crate::reconcile::{Observation, ObservedVersion};
use crate::session::Target;

/// The differences, one line each. The list is empty if nothing differs. Settings other than the key do not count.
pub(super) fn drift(observation: &Observation, wanted: &Target) -> Vec<String> {
    let Some(document) = &observation.document else {
        let gone = "it was deleted, and the settings that it held besides the key are lost";
        return (*wanted != Target::Off).then(|| gone.to_owned()).into_iter().collect();
    };
    let (latest, default) = (&document.latest, &document.default);
    let mut drift = Vec::new();
    if let VersionStatus::Failed(reason) = &latest.status {
        drift.push(format!("AWS reports version {}, the latest, as Failed: {reason}", latest.number));
    } else if !latest.carries(wanted) {
        drift.push(format!("version {}, the latest, {}", latest.number, difference(latest, wanted)));
    }
    if default.number != latest.number && !default.carries(wanted) {
        drift.push(format!("version {}, the default, {}", default.number, difference(default, wanted)));
    }
    drift
}

fn difference(version: &ObservedVersion, wanted: &Target) -> String {
    let wanted = match wanted {
        Target::Off => "none".to_owned(),
        Target::Key(key) => format!("`{key}`"),
    };
    match &version.kms_key_id {
        Ok(Target::Off) => format!("has no key instead of {wanted}"),
        Ok(Target::Key(key)) => format!("has key `{key}` instead of {wanted}"),
        Err(problem) => format!("cannot be read for its key: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::ObservedDocument;

    fn drifted(latest: (u64, &str), default: (u64, &str), wanted: &str) -> Vec<String> {
        let version = |(number, key)| ObservedVersion::with_key(number, key);
        let document = Some(ObservedDocument::new(version(latest), version(default)));
        drift(&Observation { document, record: None }, &wanted.into())
    }

    #[test]
    fn only_what_differs_is_drift() {
        assert!(drifted((3, "k"), (3, "k"), "k").is_empty());
        assert!(drifted((3, "k"), (2, "k"), "k").is_empty(), "both carry it");
        assert_eq!(drifted((3, ""), (3, ""), "k"), ["version 3, the latest, has no key instead of `k`"]);
        assert_eq!(drifted((3, "k"), (2, "x"), "k"), ["version 2, the default, has key `x` instead of `k`"]);
        assert_eq!(drifted((3, "x"), (2, "y"), "").len(), 2);
        let nothing = Observation { document: None, record: None };
        assert!(drift(&nothing, &Target::Off).is_empty());
        assert_eq!(drift(&nothing, &"k".into()).len(), 1);
    }

    #[test]
    fn a_key_that_is_a_template_is_drift_without_its_content() {
        let odd = drifted((3, "{{ key }}"), (3, "{{ key }}"), "k");
        assert!(odd[0].contains("cannot be read"), "{odd:?}");
    }
}
