//! The choice: which key a document is to carry now, by what the keys are like.
//!
//! Trouble is what DescribeKey tells of the key itself. A principal that lost access is told, and never makes
//! the key change: whoever may edit a key's policy would otherwise choose the key of all sessions.

use super::outcome::Remediation;
use crate::change_event::{ChangeDetail, ChangeEvent, Scope};
use crate::key::{KeyDescription, KeyRef};
use crate::location::Location;
use crate::ports::{AwsErrorKind, Ports};
use crate::preflight::judge_key;
use crate::reconcile::ReconcileError;
use crate::reconcile::{OnTrouble, Record};

/// What to do with the document.
pub(super) enum KeyChoice {
    /// It is to carry a key, or none.
    Carry(ChosenKey),
    /// No key that is wanted can be used: it stays as it is.
    Leave,
}

/// What the document is to carry.
pub(super) struct ChosenKey {
    /// The key; `None` for encryption off.
    pub key: Option<KeyDescription>,
    /// The first choice, where this is not it.
    pub stands_in_for: Option<String>,
    /// What is wrong with the first choice, where that is why this is not it.
    pub problem: Option<String>,
}

impl ChosenKey {
    /// The key ARN; empty for encryption off.
    pub(super) fn target(&self) -> &str {
        self.key.as_ref().map_or("", |key| key.arn.as_str())
    }

    /// What is wrong with the first choice, and what came of it.
    pub(super) fn told(&self, is_carried: bool) -> Option<String> {
        let problem = self.problem.as_ref()?;
        let left = "as the document is left as it is; sessions fail";
        Some(match (&self.key, is_carried) {
            (Some(key), true) => format!("{problem}; until then the standby key {} stands in", key.arn),
            (Some(key), false) => format!("{problem}; the standby key {} does not stand in, {left}", key.arn),
            (None, true) => format!("{problem}; encryption is off until then, as OnKeyTrouble is Clear"),
            (None, false) => format!("{problem}; encryption is not turned off, {left}"),
        })
    }
}

/// Chooses, and notes what is wrong with the keys.
pub(super) async fn choose<P: Ports>(
    ports: &P,
    location: &Location,
    record: &Record,
    event: &ChangeEvent,
    kept: &mut Remediation,
) -> Result<KeyChoice, ReconcileError> {
    let first = record.first_choice();
    if first.is_empty() {
        return Ok(KeyChoice::Carry(ChosenKey { key: None, stands_in_for: None, problem: None }));
    }
    let problem = match look(ports, location, first).await? {
        Usable::Yes(key) => {
            if let OnTrouble::Standby(standby) = &record.on_key_trouble
                && let Usable::No(problem) | Usable::Unknown(problem) = look(ports, location, standby).await?
            {
                kept.trouble(format!("the standby key could not stand in: {problem}"));
            }
            return Ok(KeyChoice::Carry(ChosenKey { key: Some(*key), stands_in_for: None, problem: None }));
        }
        // Not to know is no reason to change the key.
        Usable::Unknown(problem) => {
            // The event is then all that tells of it.
            let news = match (&event.scope, &event.detail) {
                (Scope::Key(key), Some(ChangeDetail::DeletionDate(date))) if key.as_str() == first => {
                    format!("; it is to be deleted on {date}, by {event}")
                }
                _ => String::new(),
            };
            kept.alerts.push(format!("whether key {first} can be used is not known: {problem}{news}"));
            return stand_in(ports, location, record, kept).await;
        }
        Usable::No(problem) => problem,
    };
    let stands_in_for = Some(first.to_owned());
    match &record.on_key_trouble {
        OnTrouble::Alert => {
            kept.trouble(format!("{problem}; until then sessions fail, as OnKeyTrouble is Alert"));
            Ok(KeyChoice::Leave)
        }
        OnTrouble::Clear => {
            Ok(KeyChoice::Carry(ChosenKey { key: None, stands_in_for, problem: Some(problem) }))
        }
        OnTrouble::Standby(standby) => match look(ports, location, standby).await? {
            Usable::Yes(key) => {
                Ok(KeyChoice::Carry(ChosenKey { key: Some(*key), stands_in_for, problem: Some(problem) }))
            }
            Usable::No(other) | Usable::Unknown(other) => {
                kept.trouble(format!(
                    "{problem}; the standby key could not stand in: {other}; sessions fail"
                ));
                Ok(KeyChoice::Leave)
            }
        },
    }
}

/// What stands in already goes on to do so while nobody knows of the first choice; nothing else begins to.
async fn stand_in<P: Ports>(
    ports: &P,
    location: &Location,
    record: &Record,
    kept: &mut Remediation,
) -> Result<KeyChoice, ReconcileError> {
    if record.watch.stands_in_for.is_none() {
        return Ok(KeyChoice::Leave);
    }
    let key = match record.wanted.as_str() {
        "" => None,
        standby => match look(ports, location, standby).await? {
            Usable::Yes(key) => Some(*key),
            Usable::No(problem) | Usable::Unknown(problem) => {
                kept.trouble(format!("the standby key, which stands in, could not go on to: {problem}"));
                return Ok(KeyChoice::Leave);
            }
        },
    };
    let stands_in_for = record.watch.stands_in_for.clone();
    Ok(KeyChoice::Carry(ChosenKey { key, stands_in_for, problem: None }))
}

/// Whether a key can be used.
enum Usable {
    /// As far as the key itself goes.
    Yes(Box<KeyDescription>),
    /// It is known that it cannot, and why.
    No(String),
    /// It may not be looked at.
    Unknown(String),
}

async fn look<P: Ports>(ports: &P, location: &Location, key: &str) -> Result<Usable, ReconcileError> {
    let key = match KeyRef::parse(key) {
        Ok(key) => key,
        Err(error) => return Ok(Usable::No(error.to_string())),
    };
    match judge_key(ports, location, &key).await {
        Ok((key, _)) => Ok(Usable::Yes(Box::new(key))),
        Err(ReconcileError::Aws(error)) if matches!(error.kind, AwsErrorKind::Denied { .. }) => {
            Ok(Usable::Unknown(error.to_string()))
        }
        Err(error @ ReconcileError::Aws(_)) => Err(error),
        Err(error) => Ok(Usable::No(error.to_string())),
    }
}
