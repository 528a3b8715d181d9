//! Which keys a document is to carry, as the rules and policies of its stack need to know them before the key is
//! switched on. Nothing is written.

use super::error::ReconcileError;
use super::establish::check_keys;
use super::record::Record;
use super::stored_record::read_record;
use crate::intent::{Encryption, OnKeyTrouble, SessionKeyQuestion};
use crate::key::{KeyArn, KeyRef};
use crate::ports::{Environment, ReadPorts};
use crate::session::Target;

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
/// If the stack owns the document, a key that cannot be used is no error here. The resource that owns the document
/// decides what that means: a rollback must not fail because of it.
///
/// # Errors
/// If AWS refused or did not answer, or if a key cannot be used and the stack does not own the document.
pub async fn session_keys<P: ReadPorts>(
    environment: Environment<'_, P>,
    stack_id: &str,
    question: &SessionKeyQuestion,
) -> Result<SessionKeys, ReconcileError> {
    let record = match read_record(environment.ports, &question.document).await {
        Ok(record) => record.filter(|record| record.owner.stack_id == stack_id),
        // The resource that owns the document says so.
        Err(ReconcileError::Record(_)) => None,
        Err(error) => return Err(error),
    };
    let (key, standby) = match (check_keys(environment, &question.encryption).await, &record) {
        (Ok(keys), _) => (keys.key.map(|key| key.arn), keys.standby.map(|key| key.arn)),
        (Err(ReconcileError::Key(_) | ReconcileError::StandbyKey(_)), Some(record)) => {
            named_or_recorded(&question.encryption, record)
        }
        (Err(error), _) => return Err(error),
    };
    let recorded = record.as_ref().and_then(|record| key_of(&record.wanted));
    let present = recorded.or_else(|| key.clone()).or_else(|| question.granted.first().cloned());
    Ok(SessionKeys { key, standby, present })
}

/// The keys without asking KMS: as their ARNs name them, otherwise as the record has them.
fn named_or_recorded(encryption: &Encryption, record: &Record) -> (Option<KeyArn>, Option<KeyArn>) {
    let named = |key: &KeyRef| match key {
        KeyRef::Arn(arn) => Some(arn.clone()),
        KeyRef::Id(_) | KeyRef::Alias(_) | KeyRef::AliasArn { .. } => None,
    };
    let Encryption::Enabled { key, on_key_trouble } = encryption else { return (None, None) };
    let standby = match on_key_trouble {
        OnKeyTrouble::Standby(standby) => named(standby).or_else(|| KeyArn::parse(record.standby()?).ok()),
        OnKeyTrouble::Alert | OnKeyTrouble::Clear => None,
    };
    (named(key).or_else(|| key_of(&record.asked_for())), standby)
}

fn key_of(target: &Target) -> Option<KeyArn> {
    KeyArn::parse(target.key()?).ok()
}
