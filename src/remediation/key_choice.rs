//! Choosing the key that a document is to carry now, by what DescribeKey says of the keys.
//!
//! A principal that lost access raises an alert, and never makes the key change: whoever may edit a key's policy would
//! otherwise choose the key of all sessions.

use super::outcome::Alert;
use crate::change_event::{ChangeDetail, ChangeEvent, Scope};
use crate::key::KeyDescription;
use crate::ports::{AwsError, Environment, PreflightPorts};
use crate::preflight::{KeyUsability, key_usability};
use crate::reconcile::{Record, RecordedKeyTrouble};
use crate::session::Target;

/// The key that a document is to carry, and the alerts about the keys.
pub(super) struct KeyChoice {
    pub(super) choice: Choice,
    pub(super) alerts: Vec<Alert>,
}

/// What to do with the document.
pub(super) enum Choice {
    /// It is to carry this key, or none.
    Carry(ChosenKey),
    /// No key that is wanted can be used, so the document stays as it is.
    Leave,
}

/// The key that a document is to carry.
pub(super) struct ChosenKey {
    /// The key. `None` for encryption off.
    pub(super) key: Option<KeyDescription>,
    /// The key that the owner asked for, if this is another.
    pub(super) replaced_key: Option<String>,
    /// What is wrong with the key that the owner asked for, if that is why this is another.
    pub(super) problem: Option<String>,
}

impl ChosenKey {
    /// The key ARN, or encryption off.
    pub(super) fn target(&self) -> Target {
        Target::from(self.key.as_ref().map(|key| &key.arn))
    }

    /// The alert about the key that the owner asked for, by whether the document carries the chosen one now.
    pub(super) fn alert(&self, is_carried: bool) -> Option<Alert> {
        let problem = self.problem.as_ref()?;
        let left = "as the document is left as it is; sessions fail";
        Some(Alert::KeyTrouble(match (&self.key, is_carried) {
            (Some(key), true) => format!("{problem}; until then the standby key {} stands in", key.arn),
            (Some(key), false) => format!("{problem}; the standby key {} does not stand in, {left}", key.arn),
            (None, true) => format!("{problem}; encryption is off until then, as OnKeyTrouble is Clear"),
            (None, false) => format!("{problem}; encryption is not turned off, {left}"),
        }))
    }
}

impl KeyChoice {
    fn carry(key: Option<KeyDescription>, replaced_key: Option<String>, problem: Option<String>) -> Self {
        let choice = Choice::Carry(ChosenKey { key, replaced_key, problem });
        Self { choice, alerts: Vec::new() }
    }

    fn leave(alert: Alert) -> Self {
        Self { choice: Choice::Leave, alerts: vec![alert] }
    }

    fn after(alert: Alert, Self { choice, alerts }: Self) -> Self {
        Self { choice, alerts: [alert].into_iter().chain(alerts).collect() }
    }
}

/// Chooses the key.
///
/// # Errors
/// If AWS refused for another reason than a missing permission, or did not answer.
pub(super) async fn choose_key<P: PreflightPorts>(
    environment: Environment<'_, P>,
    record: &Record,
    event: &ChangeEvent,
) -> Result<KeyChoice, AwsError> {
    let Target::Key(asked_for) = record.asked_for() else { return Ok(KeyChoice::carry(None, None, None)) };
    let standby = async {
        let RecordedKeyTrouble::Standby(standby) = &record.on_key_trouble else { return None };
        Some(Box::pin(key_usability(environment, standby)).await)
    };
    let (key, standby) = tokio::join!(Box::pin(key_usability(environment, &asked_for)), standby);
    match key? {
        KeyUsability::Usable(key) => {
            let carry = KeyChoice::carry(Some(*key), None, None);
            let Some(standby) = standby else { return Ok(carry) };
            Ok(match usable_standby(standby?) {
                Err(problem) => {
                    let text = format!("the standby key could not stand in: {problem}");
                    KeyChoice::after(Alert::KeyTrouble(text), carry)
                }
                Ok(_) => carry,
            })
        }
        // If the state of the key is unknown, the key does not change.
        KeyUsability::Unknown(error) => {
            // Only the event says when the key will be deleted.
            let deletion = match (&event.scope, &event.detail) {
                (Scope::Key(key), Some(ChangeDetail::DeletionDate(date))) if key.as_str() == asked_for => {
                    format!("; it is to be deleted on {date}, by {event}")
                }
                _ => String::new(),
            };
            let text = format!("whether key {asked_for} can be used is not known: {error}{deletion}");
            Ok(KeyChoice::after(Alert::Other(text), keep_standing_in(environment, record).await?))
        }
        KeyUsability::Unusable(fault) => replace_key(record, asked_for, fault.to_string(), standby),
    }
}

/// Chooses what replaces a key that cannot be used.
fn replace_key(
    record: &Record,
    asked_for: String,
    problem: String,
    standby: Option<Result<KeyUsability, AwsError>>,
) -> Result<KeyChoice, AwsError> {
    match (&record.on_key_trouble, standby) {
        (RecordedKeyTrouble::Clear, _) => Ok(KeyChoice::carry(None, Some(asked_for), Some(problem))),
        (RecordedKeyTrouble::Alert | RecordedKeyTrouble::Standby(_), None) => Ok(KeyChoice::leave(
            Alert::KeyTrouble(format!("{problem}; until then sessions fail, as OnKeyTrouble is Alert")),
        )),
        (_, Some(standby)) => Ok(match usable_standby(standby?) {
            Ok(key) => KeyChoice::carry(Some(key), Some(asked_for), Some(problem)),
            Err(other) => KeyChoice::leave(Alert::KeyTrouble(format!(
                "{problem}; the standby key could not stand in: {other}; sessions fail"
            ))),
        }),
    }
}

/// Chooses while nobody knows whether the key that the owner asked for can be used. What stands in already goes on to
/// stand in, and nothing else begins to.
async fn keep_standing_in<P: PreflightPorts>(
    environment: Environment<'_, P>,
    record: &Record,
) -> Result<KeyChoice, AwsError> {
    let Some(replaced_key) = record.remediation.replaced_key.clone() else {
        return Ok(KeyChoice { choice: Choice::Leave, alerts: Vec::new() });
    };
    let Target::Key(standby) = &record.wanted else {
        return Ok(KeyChoice::carry(None, Some(replaced_key), None));
    };
    Ok(match usable_standby(key_usability(environment, standby).await?) {
        Ok(key) => KeyChoice::carry(Some(key), Some(replaced_key), None),
        Err(problem) => KeyChoice::leave(Alert::KeyTrouble(format!(
            "the standby key, which stands in, could not go on to: {problem}"
        ))),
    })
}

/// A standby key, if it is known that it can be used; otherwise why not.
fn usable_standby(standby: KeyUsability) -> Result<KeyDescription, String> {
    match standby {
        KeyUsability::Usable(key) => Ok(*key),
        KeyUsability::Unusable(fault) => Err(fault.to_string()),
        KeyUsability::Unknown(error) => Err(error.to_string()),
    }
}
