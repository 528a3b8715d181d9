//! The choice: which key a document is to carry now, by what the keys are like.
//!
//! Trouble is what DescribeKey tells of the key itself. A principal that lost access is told, and never makes
//! the key change: whoever may edit a key's policy would otherwise choose the key of all sessions.

use super::kept::Kept;
use crate::key::{KeyDescription, KeyRef};
use crate::notice::{About, News, Notice};
use crate::place::Place;
use crate::reconcile::error::ReconcileError;
use crate::reconcile::judge::judge_key;
use crate::reconcile::ports::{AwsErrorKind, Ports};
use crate::reconcile::record::{OnTrouble, Record};

/// What to do with the document.
pub(super) enum Choice {
    /// It is to carry a key, or none.
    Carry(Carried),
    /// No key that is wanted can be used: it stays as it is.
    Leave,
}

/// What the document is to carry.
pub(super) struct Carried {
    /// The key; `None` for encryption off.
    pub key: Option<KeyDescription>,
    /// The first choice, where this is not it.
    pub stands_in_for: Option<String>,
}

/// Chooses, and notes what is wrong with the keys.
pub(super) async fn choose<P: Ports>(
    ports: &P,
    home: &Place,
    record: &Record,
    notice: &Notice,
    kept: &mut Kept,
) -> Result<Choice, ReconcileError> {
    let first = record.first_choice();
    if first.is_empty() {
        return Ok(Choice::Carry(Carried { key: None, stands_in_for: None }));
    }
    let problem = match look(ports, home, first).await? {
        Usable::Yes(key) => {
            if let OnTrouble::Standby(standby) = &record.on_key_trouble
                && let Usable::No(problem) | Usable::Unknown(problem) = look(ports, home, standby).await?
            {
                kept.trouble(format!("the standby key could not stand in: {problem}"));
            }
            return Ok(Choice::Carry(Carried { key: Some(*key), stands_in_for: None }));
        }
        // Not to know is no reason to change the key.
        Usable::Unknown(problem) => {
            // The event is then all that tells of it.
            let news = match (&notice.about, &notice.news) {
                (About::Key(key), Some(News::DeletionDate(date))) if key.as_str() == first => {
                    format!("; it is to be deleted on {date}, by {notice}")
                }
                _ => String::new(),
            };
            kept.alerts.push(format!("whether key {first} can be used is not known: {problem}{news}"));
            return Ok(Choice::Leave);
        }
        Usable::No(problem) => problem,
    };
    let stands_in_for = Some(first.to_owned());
    match &record.on_key_trouble {
        OnTrouble::Alert => {
            kept.trouble(format!("{problem}; until then sessions fail, as OnKeyTrouble is Alert"));
            Ok(Choice::Leave)
        }
        OnTrouble::Clear => {
            kept.trouble(format!("{problem}; encryption is off until then, as OnKeyTrouble is Clear"));
            Ok(Choice::Carry(Carried { key: None, stands_in_for }))
        }
        OnTrouble::Standby(standby) => match look(ports, home, standby).await? {
            Usable::Yes(key) => {
                kept.trouble(format!("{problem}; until then the standby key {standby} stands in"));
                Ok(Choice::Carry(Carried { key: Some(*key), stands_in_for }))
            }
            Usable::No(other) | Usable::Unknown(other) => {
                kept.trouble(format!(
                    "{problem}; the standby key could not stand in: {other}; sessions fail"
                ));
                Ok(Choice::Leave)
            }
        },
    }
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

async fn look<P: Ports>(ports: &P, home: &Place, key: &str) -> Result<Usable, ReconcileError> {
    let key = match KeyRef::parse(key) {
        Ok(key) => key,
        Err(error) => return Ok(Usable::No(error.to_string())),
    };
    match judge_key(ports, home, &key).await {
        Ok((key, _)) => Ok(Usable::Yes(Box::new(key))),
        Err(ReconcileError::Aws(error)) if matches!(error.kind, AwsErrorKind::Denied { .. }) => {
            Ok(Usable::Unknown(error.to_string()))
        }
        Err(error @ ReconcileError::Aws(_)) => Err(error),
        Err(error) => Ok(Usable::No(error.to_string())),
    }
}
