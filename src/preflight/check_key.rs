//! Checks the key itself: it exists, it is in the partition and Region of the document, and it can encrypt sessions.

use super::checks::key_fitness;
use super::finding::{Finding, Verdict};
use super::key_error::{KeyError, KeyFault};
use crate::key::{KeyDescription, KeyRef};
use crate::ports::{AwsError, Environment, PreflightPorts};

/// Resolves a reference to a key. That there is no such key is believed if a second read agrees: otherwise one wrong answer
/// would let a standby key stand in, or turn encryption off.
///
/// # Errors
/// If the key does not exist, cannot be described, or is in another Region or partition.
pub async fn describe_key<P: PreflightPorts>(
    environment: Environment<'_, P>,
    key: &KeyRef,
) -> Result<KeyDescription, KeyError> {
    let location = environment.location;
    key.check_location(location).map_err(KeyFault::Misplaced)?;
    let described = environment
        .described(key.as_str())
        .await?
        .ok_or_else(|| KeyFault::NotFound { key: key.to_string(), location: location.to_string() })?;
    KeyRef::Arn(described.arn.clone()).check_location(location).map_err(KeyFault::Misplaced)?;
    Ok(described)
}

/// Resolves a reference to a key, and checks that the key can encrypt sessions: its description, with the findings.
///
/// # Errors
/// If the key does not exist, cannot be described, is in another Region or partition, or is unfit. Such a key is never
/// written.
pub async fn check_key<P: PreflightPorts>(
    environment: Environment<'_, P>,
    key: &KeyRef,
) -> Result<(KeyDescription, Vec<Finding>), KeyError> {
    let description = describe_key(environment, key).await?;
    let findings = refuse_if_unfit(&description)?;
    Ok((description, findings))
}

/// Checks that a key can encrypt sessions: the findings about the key itself.
///
/// # Errors
/// If it cannot.
pub fn refuse_if_unfit(key: &KeyDescription) -> Result<Vec<Finding>, KeyFault> {
    let findings = key_fitness(key);
    let faults: Vec<_> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail)
        .map(|finding| match &finding.remedy {
            Some(remedy) => format!("{}; {remedy}", finding.evidence),
            None => finding.evidence.clone(),
        })
        .collect();
    if faults.is_empty() {
        Ok(findings)
    } else {
        Err(KeyFault::Unfit { key: key.arn.clone(), problem: faults.join("; ") })
    }
}

/// Whether a key can be used, as far as the key itself goes.
#[derive(Clone, Debug)]
pub enum KeyUsability {
    /// It can.
    Usable(Box<KeyDescription>),
    /// It cannot.
    Unusable(KeyFault),
    /// It is unknown: the caller lacks the permission to describe the key.
    Unknown(AwsError),
}

/// Checks whether a key can be used. Only this function separates a key that cannot be used from a key that the
/// caller has no permission to describe.
///
/// # Errors
/// If AWS refused for another reason than a missing permission, or did not answer.
pub async fn key_usability<P: PreflightPorts>(
    environment: Environment<'_, P>,
    key: &str,
) -> Result<KeyUsability, AwsError> {
    let checked = match KeyRef::parse(key) {
        Ok(key) => check_key(environment, &key).await,
        Err(error) => Err(KeyFault::Reference(error).into()),
    };
    match checked {
        Ok((key, _)) => Ok(KeyUsability::Usable(Box::new(key))),
        Err(KeyError::Fault(fault)) => Ok(KeyUsability::Unusable(fault)),
        Err(KeyError::Aws(error)) if error.is_denied() => Ok(KeyUsability::Unknown(error)),
        Err(KeyError::Aws(error)) => Err(error),
    }
}
