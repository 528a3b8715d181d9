//! A direct call: `{"action": "status" | "check" | "plan" | "reconcile", …}`, with the properties of
//! `Custom::SessionEncryption` in camelCase.

use serde_json::{Map, Value};

use super::{Arrival, custom_resource};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::intent::Intent;
use crate::session::DocumentName;
use cloudformation_custom_resource::{Properties, Unknown};

/// What somebody asks for. To reconcile by the record alone is a [`ChangeEvent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// What is there.
    Status {
        /// The document.
        document: DocumentName,
    },
    /// Whether those who need the key can use it. The intent names a key.
    Check(Box<Intent>),
    /// What would change.
    Plan(Box<Intent>),
    /// Change it.
    Reconcile(Box<Intent>),
}

#[derive(Clone, Copy)]
enum Action {
    Status,
    Check,
    Plan,
    Reconcile,
}

const ACTIONS: [(&str, Action); 4] = [
    ("status", Action::Status),
    ("check", Action::Check),
    ("plan", Action::Plan),
    ("reconcile", Action::Reconcile),
];

pub(super) fn read(fields: &Map<String, Value>) -> Arrival {
    let mut reader = Properties::camel_case(fields, &[]);
    let Some(action) = reader.word("Action", &ACTIONS) else {
        if fields.get("action").is_none_or(Value::is_null) {
            reader.reject("Action", "is null; it must be one of `status`, `check`, `plan`, `reconcile`");
        }
        // The call is a stand-in: the reader has found a problem. Without the action nobody can say which
        // properties belong there, so they are passed over.
        let document = DocumentName::default();
        return Arrival::Direct(reader.finish(Unknown::Ignored).map(|_| Call::Status { document }));
    };
    let says_what = ["encryption", "kmsKeyId"].iter().any(|name| fields.contains_key(*name));
    match action {
        Action::Status => {
            let document = custom_resource::document_name(&mut reader).unwrap_or_default();
            reader.reject_others("is not taken by action `status`, which takes `documentName` alone");
            Arrival::Direct(reader.finish(Unknown::Refused).map(|_| Call::Status { document }))
        }
        Action::Reconcile if !says_what => by_record(reader),
        Action::Reconcile => with_intent(reader, Call::Reconcile),
        Action::Plan => with_intent(reader, Call::Plan),
        Action::Check => {
            if fields.get("encryption").and_then(Value::as_str) == Some("Disabled") {
                reader.reject(
                    "Encryption",
                    "is `Disabled`; action `check` is about a key, so it must be `Enabled` or left out",
                );
            }
            with_intent(reader, Call::Check)
        }
    }
}

fn with_intent(mut reader: Properties<'_>, call: fn(Box<Intent>) -> Call) -> Arrival {
    let intent = Box::new(custom_resource::read(&mut reader));
    Arrival::Direct(reader.finish(Unknown::Refused).map(|_| call(intent)))
}

/// Put right what the records want: of one document, or of all.
fn by_record(mut reader: Properties<'_>) -> Arrival {
    let document = custom_resource::document_name(&mut reader);
    reader.reject_others(
        "is not taken by action `reconcile` without `kmsKeyId` or `encryption`; it then puts right what the \
         record wants, and takes `documentName` alone",
    );
    match reader.finish(Unknown::Refused) {
        Err(problems) => Arrival::Direct(Err(problems)),
        Ok(_) => Arrival::ChangeEvent(ChangeEvent {
            source: ChangeSource::DirectCall,
            what: "reconcile".to_owned(),
            scope: document.map_or(Scope::Everything, Scope::Document),
            actor: None,
            at: None,
            detail: None,
        }),
    }
}

#[cfg(test)]
mod tests;
