//! `Custom::SessionEncryption`: its properties as an intent.

use serde_json::{Map, Value};

use super::known_keys::known_keys;
use crate::access::{PrincipalArn, PrincipalType};
use crate::intent::{
    Encryption, Intent, KeyPolicyReader, Mode, OnConflict, OnDelete, OnKeyTrouble, Safeguards,
};
use crate::key::KeyRef;
use crate::location::Location;
use crate::session::{DocumentName, DocumentNameError};
use cloudformation_custom_resource::{ObjectOrText, Problems, Properties, Unknown};
use kms_key_policy::{Policy, PolicyKind};

const ON_DELETE: [(&str, OnDelete); 3] =
    [("Restore", OnDelete::Restore), ("Clear", OnDelete::Clear), ("Retain", OnDelete::Retain)];
const ON_CONFLICT: [(&str, OnConflict); 2] = [("Fail", OnConflict::Fail), ("TakeOver", OnConflict::TakeOver)];
const ON_KEY_TROUBLE: [(&str, Trouble); 3] =
    [("Alert", Trouble::Alert), ("Standby", Trouble::Standby), ("Clear", Trouble::Clear)];
const PREFLIGHT: [(&str, Mode); 4] =
    [("Strict", Mode::Strict), ("Enforce", Mode::Enforce), ("Warn", Mode::Warn), ("Off", Mode::Off)];

/// Reads the properties of a Create or an Update.
///
/// # Errors
/// Every problem at once: values that are not allowed, combinations that make no sense and, where `unknown`
/// says so, properties that nothing reads.
pub fn intent(properties: &Map<String, Value>, unknown: Unknown) -> Result<Intent, Problems> {
    let mut reader = Properties::new(properties, &[]);
    let intent = read(&mut reader);
    reader.finish(unknown)?;
    Ok(intent)
}

/// Reads the properties, whatever their spelling. What comes back stands only if the reader then finishes without a
/// problem.
pub(super) fn read(reader: &mut Properties<'_>) -> Intent {
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
            reject_where_disabled(reader, "KmsKeyId", key);
            None
        }
    };
    let document = document_name(reader).unwrap_or_default();
    let on_delete = reader.word("OnDelete", &ON_DELETE).unwrap_or_default();
    let on_conflict = reader.word("OnConflict", &ON_CONFLICT).unwrap_or_default();
    let on_key_trouble = on_key_trouble(reader, on, named.as_deref());
    // Revision is read so that it is known. It serves only to make the properties differ.
    let _ = reader.text("Revision");
    let safeguards = safeguards(reader);
    let encryption = key.map_or(Encryption::Disabled, |key| Encryption::Enabled { key, on_key_trouble });
    Intent { document, encryption, on_delete, on_conflict, safeguards }
}

/// The document, where it is named and can exist.
pub(super) fn document_name(reader: &mut Properties<'_>) -> Option<DocumentName> {
    match DocumentName::parse(&reader.text("DocumentName")?) {
        Ok(document) => Some(document),
        Err(error) => {
            reader.reject("DocumentName", error.to_string());
            None
        }
    }
}

/// The words of OnKeyTrouble, before Standby has its key.
#[derive(Clone, Copy)]
enum Trouble {
    Alert,
    Standby,
    Clear,
}

/// What to do when the key fails. Where nothing is encrypted there is no key to fail, and Alert does nothing.
fn on_key_trouble(reader: &mut Properties<'_>, on: bool, key: Option<&str>) -> OnKeyTrouble {
    const STANDBY: &str = "StandbyKmsKeyId";
    let word = reader.word("OnKeyTrouble", &ON_KEY_TROUBLE).unwrap_or(Trouble::Alert);
    let standby = reader.text(STANDBY);
    if !on {
        reject_where_disabled(reader, STANDBY, standby.as_deref());
        return OnKeyTrouble::Alert;
    }
    match (word, standby) {
        (Trouble::Standby, Some(standby)) if key == Some(&standby) => {
            let first = reader.spelt("KmsKeyId");
            reader.reject(STANDBY, format!("is `{standby}`, as {first} is; it must name another key"));
            OnKeyTrouble::Alert
        }
        (Trouble::Standby, Some(standby)) => {
            key_ref(reader, STANDBY, &standby).map_or(OnKeyTrouble::Alert, OnKeyTrouble::Standby)
        }
        (Trouble::Standby, None) => {
            let word = reader.spelt("OnKeyTrouble");
            reader.reject(STANDBY, format!("is missing; it is required where {word} is `Standby`"));
            OnKeyTrouble::Alert
        }
        (Trouble::Alert | Trouble::Clear, Some(standby)) => {
            let word = reader.spelt("OnKeyTrouble");
            reader.reject(STANDBY, format!("is `{standby}`; it must be left out unless {word} is `Standby`"));
            OnKeyTrouble::Alert
        }
        (Trouble::Alert, None) => OnKeyTrouble::Alert,
        (Trouble::Clear, None) => OnKeyTrouble::Clear,
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

fn reject_where_disabled(reader: &mut Properties<'_>, name: &'static str, key: Option<&str>) {
    if let Some(key) = key {
        let switch = reader.spelt("Encryption");
        reader.reject(name, format!("is `{key}`; it must be left out where {switch} is `Disabled`"));
    }
}

/// The safeguards; their defaults prove as much as can be found out.
fn safeguards(reader: &mut Properties<'_>) -> Safeguards {
    let mode = reader.word("Preflight", &PREFLIGHT).unwrap_or_default();
    let users = principals(reader, "Users");
    let nodes = principals(reader, "Nodes");
    let exempt = reader.texts("Exempt").unwrap_or_default();
    let discover_users = reader.flag("DiscoverUsers").unwrap_or(true);
    let discover_nodes = reader.flag("DiscoverNodes").unwrap_or(true);
    let context = known_keys(reader);
    let external_id = reader.text("KeyPolicyReaderExternalId");
    let reader_role = reader.text("KeyPolicyReaderRoleArn").filter(|arn| {
        let role = PrincipalArn::parse(arn).is_ok_and(|arn| arn.principal_type() == PrincipalType::Role);
        if !role {
            let problem =
                format!("is `{arn}`; it must be the ARN of a role, `arn:aws:iam::ACCOUNT:role/NAME`");
            reader.reject("KeyPolicyReaderRoleArn", problem);
        }
        role
    });
    if external_id.is_some() && reader_role.is_none() {
        let role = reader.spelt("KeyPolicyReaderRoleArn");
        reader.reject("KeyPolicyReaderExternalId", format!("is given without {role}"));
    }
    let key_policy = reader.object_or_text("KeyPolicy").map(|policy| match policy {
        ObjectOrText::Object(policy) => Value::Object(policy).to_string(),
        ObjectOrText::Text(policy) => policy,
    });
    if let Some(Err(error)) = key_policy.as_deref().map(|policy| Policy::parse(PolicyKind::Key, policy)) {
        reader.reject("KeyPolicy", format!("is no key policy: {error}"));
    }
    Safeguards {
        mode,
        users,
        nodes,
        exempt,
        discover_users,
        discover_nodes,
        reader: reader_role.map(|role_arn| KeyPolicyReader { role_arn, external_id }),
        context,
        key_policy,
    }
}

/// A list of ARNs of roles and users.
pub(super) fn principals(reader: &mut Properties<'_>, name: &'static str) -> Vec<PrincipalArn> {
    let mut principals = Vec::new();
    for text in reader.texts(name).unwrap_or_default() {
        match PrincipalArn::parse(&text) {
            Ok(principal) => principals.push(principal),
            Err(error) => reader.reject(name, error.to_string()),
        }
    }
    principals
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
pub fn physical_id(location: &Location, document: &DocumentName) -> String {
    format!("session-kms:{}:{}:{document}", location.account, location.region)
}

/// The document that a physical id names; `None` for an id that was made up, or is of another place.
#[must_use]
pub fn document_of_id(location: &Location, id: &str) -> Option<DocumentName> {
    let name = id.strip_prefix("session-kms:")?.strip_prefix(&location.account)?.strip_prefix(':')?;
    DocumentName::parse(name.strip_prefix(&location.region)?.strip_prefix(':')?).ok()
}

#[cfg(test)]
#[path = "custom_resource/tests.rs"]
mod tests;
