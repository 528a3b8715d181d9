//! Judge: whether a key may be written at all, before anything is.

use crate::key::{KeyDescription, KeyRef};
use crate::location::Location;
use crate::ports::Ports;
use crate::preflight::{Finding, Verdict, key_fitness};
use crate::reconcile::ReconcileError;

/// Resolves a key and judges it: the key whose ARN may be written, with the findings.
///
/// # Errors
/// A key that does not exist, cannot be described, lives elsewhere or is unfit is never written.
pub async fn judge_key<P: Ports>(
    ports: &P,
    location: &Location,
    key: &KeyRef,
) -> Result<(KeyDescription, Vec<Finding>), ReconcileError> {
    key.check_location(location)?;
    let described = ports.describe(key.as_str()).await?;
    let description = described.ok_or_else(|| ReconcileError::KeyNotFound {
        key: key.to_string(),
        location: location.to_string(),
    })?;
    KeyRef::Arn(description.arn.clone()).check_location(location)?;
    let findings = key_fitness(&description);
    let faults: Vec<_> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail)
        .map(|finding| match &finding.remedy {
            Some(remedy) => format!("{}; {remedy}", finding.evidence),
            None => finding.evidence.clone(),
        })
        .collect();
    if faults.is_empty() {
        Ok((description, findings))
    } else {
        Err(ReconcileError::KeyUnfit { key: description.arn, problem: faults.join("; ") })
    }
}
