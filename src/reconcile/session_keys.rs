//! Which keys a document is to carry, as the rules and policies of its stack need to know them before the key is
//! switched on. Nothing is written.

use super::error::ReconcileError;
use super::establish::check_keys;
use super::observe::{Observation, ObservedDocument};
use super::observer::Observer;
use super::record::Record;
use crate::intent::{Encryption, OnKeyTrouble, SessionKeyQuestion};
use crate::key::{KeyArn, KeyRef};
use crate::ports::{Environment, ReadPorts};
use crate::session::{DocumentName, Target};

/// The keys of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKeys {
    /// The key that is wanted; `None` for encryption off.
    pub key: Option<KeyArn>,
    /// The standby key, if there is one.
    pub standby: Option<KeyArn>,
    /// The key that the document has by now, as far as this stack has set it. Without one it is the key that is wanted,
    /// or else the first of the keys that the stack's policies name. `None` only if there is none of these.
    pub present: Option<KeyArn>,
}

/// Resolves the keys, and checks that they can encrypt sessions.
///
/// If the stack owns the document, a key that cannot be used, or that the function may not describe, is no error here. The
/// resource that owns the document decides what that means: a rollback must not fail because of it.
///
/// # Errors
/// If AWS refused or did not answer, or if a key cannot be used and the stack does not own the document.
pub async fn session_keys<P: ReadPorts>(
    environment: Environment<'_, P>,
    stack_id: &str,
    question: &SessionKeyQuestion,
) -> Result<SessionKeys, ReconcileError> {
    let mut observer = Observer::new(environment, &question.document);
    // Boxed: each call in flight has a large state.
    let (observed, keys) =
        tokio::join!(Box::pin(observer.observe()), Box::pin(check_keys(environment, &question.encryption)));
    let observed = match observed {
        Ok(observation) => observation,
        // The resource that owns the document says so.
        Err(ReconcileError::Record(_)) => Observation { document: None, record: None },
        Err(error) => return Err(error),
    };
    let record = observed.record.as_ref().filter(|record| record.owner.stack_id == stack_id);
    let (key, standby) = match (keys, record) {
        (Ok(keys), _) => (keys.key.map(|key| key.arn), keys.standby.map(|key| key.arn)),
        (Err(error), Some(record)) => named_or_recorded(&question.encryption, record, &error).ok_or(error)?,
        (Err(error), None) => return Err(error),
    };
    let present = match (record, &question.previous_document) {
        (Some(record), _) => present_key(record, observed.document.as_ref(), key.as_ref()),
        // The document before keeps its key until it is released, after everything else of the update.
        (None, Some(previous)) => present_key_of(environment, stack_id, previous, key.as_ref()).await?,
        (None, None) => None,
    };
    let present = present.or_else(|| key.clone()).or_else(|| question.granted.first().cloned());
    Ok(SessionKeys { key, standby, present })
}

/// The key that the stack has set on another document. `None` if it owns no such document.
async fn present_key_of<P: ReadPorts>(
    environment: Environment<'_, P>,
    stack_id: &str,
    document: &DocumentName,
    wanted: Option<&KeyArn>,
) -> Result<Option<KeyArn>, ReconcileError> {
    let observed = match Observer::new(environment, document).observe().await {
        Ok(observation) => observation,
        Err(ReconcileError::Record(_)) => return Ok(None),
        // The role covers the document before only if it is listed.
        Err(ReconcileError::Aws(error)) if error.is_denied() => return Ok(None),
        Err(error) => return Err(error),
    };
    let record = observed.record.as_ref().filter(|record| record.owner.stack_id == stack_id);
    Ok(record.and_then(|record| present_key(record, observed.document.as_ref(), wanted)))
}

/// The key that the stack has set, and that sessions use until the wanted key is on. The record is written ahead, so a
/// change that was cut off or refused may have left the document with the key from before.
fn present_key(
    record: &Record,
    document: Option<&ObservedDocument>,
    wanted: Option<&KeyArn>,
) -> Option<KeyArn> {
    let versions = document.into_iter().flat_map(|document| [&document.latest, &document.default]);
    let set = versions.filter(|version| record.has_set(version));
    let mut carried = set.filter_map(|version| key_of(version.kms_key_id.as_ref().ok()?));
    carried.find(|key| Some(key) != wanted).or_else(|| key_of(&record.wanted))
}

/// The keys without asking KMS: as their ARNs name them, otherwise as the record has them. `None` if the error is about
/// something else, or if a wanted key is known in neither way.
///
/// A denial may be over in a moment, so it leads only to what the ARNs name.
fn named_or_recorded(
    encryption: &Encryption,
    record: &Record,
    error: &ReconcileError,
) -> Option<(Option<KeyArn>, Option<KeyArn>)> {
    let may_use_record = match error {
        ReconcileError::Key(_) | ReconcileError::StandbyKey(_) => true,
        ReconcileError::Aws(error) if error.is_denied() => false,
        _ => return None,
    };
    let resolve = |key: &KeyRef, recorded: Option<KeyArn>| match key {
        KeyRef::Arn(arn) => Some(arn.clone()),
        KeyRef::Id(_) | KeyRef::Alias(_) | KeyRef::AliasArn { .. } => recorded.filter(|_| may_use_record),
    };
    let Encryption::Enabled { key, on_key_trouble } = encryption else { return None };
    let standby = match on_key_trouble {
        OnKeyTrouble::Standby(standby) => {
            Some(resolve(standby, record.standby().and_then(|standby| KeyArn::parse(standby).ok()))?)
        }
        OnKeyTrouble::Alert | OnKeyTrouble::Clear => None,
    };
    Some((Some(resolve(key, key_of(&record.asked_for()))?), standby))
}

fn key_of(target: &Target) -> Option<KeyArn> {
    KeyArn::parse(target.key()?).ok()
}
