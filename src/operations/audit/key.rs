//! A key that a document has: whether it can encrypt sessions, and who needs it and cannot use it.

use futures_util::future::join_all;

use crate::audit::AuditedKey;
use crate::intent::{AuditQuestion, Safeguards};
use crate::key::{KeyDescription, KeyRef};
use crate::location::Location;
use crate::ports::{AwsError, Environment, PreflightPorts};
use crate::preflight::{
    AccessQuestion, Assessment, KeyError, KeyFault, assess, describe_key, observe_access, refuse_if_unfit,
};

/// What was found out about a key.
pub(super) struct ExaminedKey {
    pub(super) key: AuditedKey,
    /// Who can use it. `None` if it could not be described.
    pub(super) assessment: Option<Assessment>,
}

/// Examines the keys that a document has, all together. What they share is read once.
///
/// # Errors
/// If AWS throttled the description of a key to the last attempt.
pub(super) async fn examine_keys<P: PreflightPorts>(
    environment: Environment<'_, P>,
    question: &AuditQuestion,
    keys: Vec<String>,
) -> Result<Vec<ExaminedKey>, AwsError> {
    // Boxed: many calls in flight make for a large state.
    let examined = keys.into_iter().map(|key| Box::pin(examine(environment, question, key)));
    join_all(examined).await.into_iter().collect()
}

async fn examine<P: PreflightPorts>(
    environment: Environment<'_, P>,
    question: &AuditQuestion,
    kms_key_id: String,
) -> Result<ExaminedKey, AwsError> {
    let location = environment.location;
    let described = match KeyRef::parse(&kms_key_id) {
        Ok(key) => describe_key(environment, &key).await,
        Err(error) => Err(KeyFault::Reference(error).into()),
    };
    // A key id and the name of an alias are of the own account.
    let account = Location::of_arn(&kms_key_id, &location.region).map(|of_arn| of_arn.account);
    let account = account.or_else(|| (!kms_key_id.starts_with("arn:")).then(|| location.account.clone()));
    let without_description = |is_fit, account, problem: String| ExaminedKey {
        key: AuditedKey {
            kms_key_id: kms_key_id.clone(),
            arn: None,
            account,
            is_fit,
            problem: Some(problem),
        },
        assessment: None,
    };
    let description = match described {
        Ok(description) => description,
        Err(KeyError::Fault(fault)) => {
            return Ok(without_description(Some(false), account, fault.to_string()));
        }
        Err(KeyError::Aws(error)) if error.is_throttled() => return Err(error),
        Err(KeyError::Aws(error)) => return Ok(without_description(None, account, error.to_string())),
    };
    let fault = refuse_if_unfit(&description).err();
    let safeguards = safeguards_for(question, &description, location);
    let access = AccessQuestion { key: &description, document: &question.document, safeguards: &safeguards };
    let observation = Box::pin(observe_access(environment, access)).await;
    let assessment = assess(&observation, &safeguards.exempt);
    let key = AuditedKey {
        kms_key_id,
        arn: Some(description.arn.to_string()),
        account: Some(description.arn.location().account.clone()),
        is_fit: Some(fault.is_none()),
        problem: fault.map(|fault| fault.to_string()),
    };
    Ok(ExaminedKey { key, assessment: Some(assessment) })
}

/// The safeguards with a reader of the key's policy. If a key belongs to another account and no reader is named, the audit
/// role of that account reads it, if it has one.
fn safeguards_for(question: &AuditQuestion, key: &KeyDescription, location: &Location) -> Safeguards {
    let owner = &key.arn.location().account;
    let reader = if *owner == location.account {
        None
    } else {
        let of_audit = || question.role.as_ref().map(|role| role.as_reader(&location.partition, owner));
        question.safeguards.reader.clone().or_else(of_audit)
    };
    Safeguards { reader, ..question.safeguards.clone() }
}
