//! `Custom::SessionEncryption`: a request as what to do with a document, and its properties as an intent.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::custom_resource::{CustomResourceRequest, UNKNOWN_REQUEST, owner};
use super::safeguards::safeguards;
use crate::intent::{Encryption, Intent, OnConflict, OnDelete, OnKeyTrouble, Owner};
use crate::key::KeyRef;
use crate::location::Location;
use crate::quote::quoted;
use crate::session::{DocumentName, DocumentNameError};
use cloudformation_custom_resource::{Properties, PropertyProblems, UnknownProperties};

const ON_DELETE: [(&str, OnDelete); 3] =
    [("Restore", OnDelete::Restore), ("Clear", OnDelete::Clear), ("Retain", OnDelete::Retain)];
const ON_CONFLICT: [(&str, OnConflict); 2] = [("Fail", OnConflict::Fail), ("TakeOver", OnConflict::TakeOver)];
const ON_KEY_TROUBLE: [(&str, KeyTroubleWord); 3] = [
    ("Alert", KeyTroubleWord::Alert),
    ("Standby", KeyTroubleWord::Standby),
    ("Clear", KeyTroubleWord::Clear),
];
/// The property that names what CloudFormation is to make before the request. A reference in it states a dependency on
/// a resource that has a condition. What it holds does not matter, also not for whether a request is the same as before.
const REQUIRES: &str = "Requires";

/// A request, read whole.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "CustomResourceRequest")]
pub(crate) struct SessionEncryptionRequest {
    /// The resource in its stack.
    pub(crate) owner: Owner,
    /// The type in the template, such as `Custom::SessionEncryption`.
    pub(crate) resource_type: String,
    /// The document that the properties name, or why there can be no such document.
    pub(crate) document: Result<DocumentName, DocumentNameError>,
    /// What to do.
    pub(crate) change: EncryptionChange,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EncryptionChange {
    /// Create or Update: make the document as the properties want it.
    Establish {
        /// The properties, boxed because an intent is large.
        wanted: Box<WantedEncryption>,
        /// What an Update replaces; `None` for a Create.
        previous: Option<PreviousResource>,
    },
    /// Delete: release the document.
    Release {
        /// The id in the last response, or one that CloudFormation made up.
        physical_resource_id: String,
        /// What the properties ask for.
        on_delete: Option<OnDelete>,
    },
}

/// The properties of a Create or an Update.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WantedEncryption {
    /// The properties as they arrived, without what does not matter.
    pub(crate) properties: Map<String, Value>,
    /// The intent, or every problem with the properties.
    pub(crate) intent: Result<Intent, PropertyProblems>,
    /// The intent if unknown properties are ignored; `None` if `intent` can be read, or has other problems.
    pub(crate) intent_of_known_properties: Option<Intent>,
}

/// The resource before an Update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreviousResource {
    /// The id in the last response.
    pub(crate) physical_resource_id: String,
    /// The document of the old properties; `None` if there can be no such document.
    pub(crate) document: Option<DocumentName>,
    /// What the old properties ask for when the resource is deleted.
    pub(crate) on_delete: Option<OnDelete>,
}

impl TryFrom<CustomResourceRequest> for SessionEncryptionRequest {
    type Error = &'static str;

    fn try_from(request: CustomResourceRequest) -> Result<Self, Self::Error> {
        Ok(match request {
            CustomResourceRequest::Create(create) => Self {
                owner: owner(create.stack_id, create.logical_resource_id),
                resource_type: create.resource_type,
                document: document(&create.resource_properties),
                change: EncryptionChange::Establish {
                    wanted: Box::new(WantedEncryption::read(create.resource_properties)),
                    previous: None,
                },
            },
            CustomResourceRequest::Update(update) => Self {
                owner: owner(update.stack_id, update.logical_resource_id),
                resource_type: update.resource_type,
                document: document(&update.resource_properties),
                change: EncryptionChange::Establish {
                    wanted: Box::new(WantedEncryption::read(update.resource_properties)),
                    previous: Some(PreviousResource {
                        physical_resource_id: update.physical_resource_id,
                        document: document(&update.old_resource_properties).ok(),
                        on_delete: on_delete(&update.old_resource_properties),
                    }),
                },
            },
            CustomResourceRequest::Delete(delete) => Self {
                owner: owner(delete.stack_id, delete.logical_resource_id),
                resource_type: delete.resource_type,
                document: document(&delete.resource_properties),
                change: EncryptionChange::Release {
                    physical_resource_id: delete.physical_resource_id,
                    on_delete: on_delete(&delete.resource_properties),
                },
            },
            _ => return Err(UNKNOWN_REQUEST),
        })
    }
}

impl WantedEncryption {
    fn read(mut properties: Map<String, Value>) -> Self {
        let intent = read_intent(&properties, UnknownProperties::Refuse);
        let lenient = || read_intent(&properties, UnknownProperties::Ignore).ok();
        let intent_of_known_properties = intent.is_err().then(lenient).flatten();
        properties.shift_remove(REQUIRES);
        Self { properties, intent, intent_of_known_properties }
    }
}

/// Reads the properties of a Create or an Update.
///
/// # Errors
/// Every problem at once: values that are not allowed, combinations that make no sense and, if `unknown` says so,
/// unknown properties.
fn read_intent(
    properties: &Map<String, Value>,
    unknown: UnknownProperties,
) -> Result<Intent, PropertyProblems> {
    let mut reader = Properties::new(properties);
    let intent = intent(&mut reader);
    reader.finish(unknown)?;
    Ok(intent)
}

/// Reads the properties in either spelling. Use the intent only if the reader then finishes without a problem.
pub(super) fn intent(reader: &mut Properties<'_>) -> Intent {
    let encryption = encryption(reader);
    let document = document_name(reader).unwrap_or_default();
    let on_delete = on_delete_word(reader).unwrap_or_default();
    let on_conflict = reader.word("OnConflict", &ON_CONFLICT).unwrap_or_default();
    let create_document = reader.flag("CreateDocument").unwrap_or(false);
    // Nothing uses the value of Revision: a changed one makes CloudFormation send an Update. It is read so that it
    // is known.
    let _ = reader.text("Revision");
    // The same holds for what CloudFormation is to make before the request.
    let _ = reader.texts(REQUIRES);
    let safeguards = safeguards(reader);
    Intent { document, encryption, on_delete, on_conflict, create_document, safeguards }
}

/// What the properties ask for when the document is given back.
pub(super) fn on_delete_word(reader: &mut Properties<'_>) -> Option<OnDelete> {
    reader.word("OnDelete", &ON_DELETE)
}

/// The keys that the properties name, and what happens if the first cannot be used.
pub(super) fn encryption(reader: &mut Properties<'_>) -> Encryption {
    let on = reader.word("Encryption", &[("Enabled", true), ("Disabled", false)]).unwrap_or(true);
    let named = reader.text("KmsKeyId");
    let key = match (on, named.as_deref()) {
        (true, None) => {
            let problem =
                format!("is missing; it is required unless {} is `Disabled`", reader.spelt("Encryption"));
            reader.reject("KmsKeyId", problem);
            None
        }
        (true, Some(key)) => key_ref(reader, "KmsKeyId", key),
        (false, key) => {
            reject_if_disabled(reader, "KmsKeyId", key);
            None
        }
    };
    let on_key_trouble = on_key_trouble(reader, on, named.as_deref());
    key.map_or(Encryption::Disabled, |key| Encryption::Enabled { key, on_key_trouble })
}

/// The document, if the properties name one that can exist.
pub(super) fn document_name(reader: &mut Properties<'_>) -> Option<DocumentName> {
    match DocumentName::parse(&reader.text("DocumentName")?) {
        Ok(document) => Some(document),
        Err(error) => {
            reader.reject("DocumentName", error.to_string());
            None
        }
    }
}

/// The words of OnKeyTrouble. Standby still lacks its key.
#[derive(Clone, Copy)]
enum KeyTroubleWord {
    Alert,
    Standby,
    Clear,
}

/// What to do when the key cannot be used. Without encryption there is no key, and Alert does nothing.
fn on_key_trouble(reader: &mut Properties<'_>, on: bool, key: Option<&str>) -> OnKeyTrouble {
    const STANDBY: &str = "StandbyKmsKeyId";
    let word = reader.word("OnKeyTrouble", &ON_KEY_TROUBLE).unwrap_or(KeyTroubleWord::Alert);
    let standby = reader.text(STANDBY);
    if !on {
        reject_if_disabled(reader, STANDBY, standby.as_deref());
        return OnKeyTrouble::Alert;
    }
    match (word, standby) {
        (KeyTroubleWord::Standby, Some(standby)) if key == Some(&standby) => {
            let first = reader.spelt("KmsKeyId");
            reader.reject(
                STANDBY,
                format!("is `{}`, as {first} is; it must name another key", quoted(&standby)),
            );
            OnKeyTrouble::Alert
        }
        (KeyTroubleWord::Standby, Some(standby)) => {
            key_ref(reader, STANDBY, &standby).map_or(OnKeyTrouble::Alert, OnKeyTrouble::Standby)
        }
        (KeyTroubleWord::Standby, None) => {
            let word = reader.spelt("OnKeyTrouble");
            reader.reject(STANDBY, format!("is missing; it is required if {word} is `Standby`"));
            OnKeyTrouble::Alert
        }
        (KeyTroubleWord::Alert | KeyTroubleWord::Clear, Some(standby)) => {
            let word = reader.spelt("OnKeyTrouble");
            reader.reject(
                STANDBY,
                format!("is `{}`; it must be left out unless {word} is `Standby`", quoted(&standby)),
            );
            OnKeyTrouble::Alert
        }
        (KeyTroubleWord::Alert, None) => OnKeyTrouble::Alert,
        (KeyTroubleWord::Clear, None) => OnKeyTrouble::Clear,
    }
}

fn key_ref(reader: &mut Properties<'_>, name: &'static str, text: &str) -> Option<KeyRef> {
    match KeyRef::parse(text) {
        Ok(key) => Some(key),
        Err(error) => {
            reader.reject(name, error.to_string());
            None
        }
    }
}

fn reject_if_disabled(reader: &mut Properties<'_>, name: &'static str, key: Option<&str>) {
    if let Some(key) = key {
        let switch = reader.spelt("Encryption");
        reader.reject(name, format!("is `{}`; it must be left out if {switch} is `Disabled`", quoted(key)));
    }
}

/// The document that the properties name, whatever else is wrong with them.
///
/// # Errors
/// If there can be no document of that name.
fn document(properties: &Map<String, Value>) -> Result<DocumentName, DocumentNameError> {
    // As the reader of the properties takes it: scalars are text.
    let name = Properties::new(properties).text("DocumentName");
    name.map_or_else(|| Ok(DocumentName::default()), |name| DocumentName::parse(&name))
}

/// What the properties ask for when the resource is deleted; `None` if they do not say, or if no version knew the
/// word.
fn on_delete(properties: &Map<String, Value>) -> Option<OnDelete> {
    on_delete_word(&mut Properties::new(properties))
}

/// The physical id of a document in an account and Region. Nothing else is part of it, so that a changed key never
/// replaces the resource.
#[must_use]
pub(crate) fn id_of_document(location: &Location, document: &DocumentName) -> String {
    format!("session-kms:{}:{}:{document}", location.account, location.region)
}

/// The document that a physical id names; `None` for an id that CloudFormation made up, or that belongs to another
/// account or Region.
#[must_use]
pub(crate) fn document_of_id(location: &Location, id: &str) -> Option<DocumentName> {
    let name = id.strip_prefix("session-kms:")?.strip_prefix(&location.account)?.strip_prefix(':')?;
    DocumentName::parse(name.strip_prefix(&location.region)?.strip_prefix(':')?).ok()
}

#[cfg(test)]
mod tests;
