//! `Custom::SessionEncryption`: its properties as an intent.

use serde_json::{Map, Value};

use crate::cloudformation::{Problems, Properties, Unknown};
use crate::intent::{Encryption, Intent, OnConflict, OnDelete};
use crate::key::KeyRef;
use crate::place::Place;
use crate::session::{DocumentName, DocumentNameError};

const ON_DELETE: [(&str, OnDelete); 3] =
    [("Restore", OnDelete::Restore), ("Clear", OnDelete::Clear), ("Retain", OnDelete::Retain)];
const ON_CONFLICT: [(&str, OnConflict); 2] = [("Fail", OnConflict::Fail), ("TakeOver", OnConflict::TakeOver)];

/// Reads the properties of a Create or an Update.
///
/// # Errors
/// Every problem at once: values that are not allowed, combinations that make no sense and, where `unknown`
/// says so, properties that nothing reads.
pub fn intent(properties: &Map<String, Value>, unknown: Unknown) -> Result<Intent, Problems> {
    let mut reader = Properties::new(properties, &[]);
    let on = reader.word("Encryption", &[("Enabled", true), ("Disabled", false)]).unwrap_or(true);
    let key = reader.text("KmsKeyId");
    let encryption = match (on, key) {
        (true, None) => {
            reader.reject("KmsKeyId", "is missing; it is required unless Encryption is `Disabled`");
            Encryption::Disabled
        }
        (true, Some(key)) => match KeyRef::parse(&key) {
            Ok(key) => Encryption::Enabled(key),
            Err(error) => {
                reader.reject("KmsKeyId", error.to_string());
                Encryption::Disabled
            }
        },
        (false, Some(key)) => {
            reader.reject(
                "KmsKeyId",
                format!("is `{key}`; it must be left out where Encryption is `Disabled`"),
            );
            Encryption::Disabled
        }
        (false, None) => Encryption::Disabled,
    };
    let document = match reader.text("DocumentName").as_deref().map(DocumentName::parse) {
        None => DocumentName::default(),
        Some(Ok(document)) => document,
        Some(Err(error)) => {
            reader.reject("DocumentName", error.to_string());
            DocumentName::default()
        }
    };
    let on_delete = reader.word("OnDelete", &ON_DELETE).unwrap_or_default();
    let on_conflict = reader.word("OnConflict", &ON_CONFLICT).unwrap_or_default();
    // Read so that it is known; that it differs is all it is for.
    let _ = reader.text("Revision");
    reader.finish(unknown)?;
    Ok(Intent { document, encryption, on_delete, on_conflict })
}

/// The document that properties name, whatever else is wrong with them.
///
/// # Errors
/// Where they name one that cannot exist.
pub fn document(properties: &Map<String, Value>) -> Result<DocumentName, DocumentNameError> {
    let name = properties.get("DocumentName").and_then(Value::as_str).filter(|name| !name.is_empty());
    name.map_or_else(|| Ok(DocumentName::default()), DocumentName::parse)
}

/// What the properties of a Delete ask for; `None` where they do not say, or say what no version knew.
#[must_use]
pub fn on_delete(properties: &Map<String, Value>) -> Option<OnDelete> {
    let word = properties.get("OnDelete").and_then(Value::as_str)?;
    ON_DELETE.iter().find(|(name, _)| *name == word).map(|(_, on_delete)| *on_delete)
}

/// The physical id of a document at a place: made of account, Region and document only, so that changing
/// the key never replaces the resource.
#[must_use]
pub fn physical_id(home: &Place, document: &DocumentName) -> String {
    format!("session-kms:{}:{}:{document}", home.account, home.region)
}

/// The document that a physical id names; `None` for an id that was made up, or is of another place.
#[must_use]
pub fn document_of_id(home: &Place, id: &str) -> Option<DocumentName> {
    let name = id.strip_prefix("session-kms:")?.strip_prefix(&home.account)?.strip_prefix(':')?;
    DocumentName::parse(name.strip_prefix(&home.region)?.strip_prefix(':')?).ok()
}

#[cfg(test)]
#[path = "custom_resource/tests.rs"]
mod tests;
