//! `Custom::SessionKey`: its properties as a question.

use serde_json::{Map, Value};

use super::question::Question;
use super::session_encryption::{document_name, encryption};
use crate::intent::SessionKeyQuestion;
use crate::key::KeyArn;
use cloudformation_custom_resource::{Properties, PropertyProblems, UnknownProperties};

impl Question for SessionKeyQuestion {
    fn read(properties: &Map<String, Value>) -> Result<Self, PropertyProblems> {
        let mut reader = Properties::new(properties);
        let encryption = encryption(&mut reader);
        let document = document_name(&mut reader).unwrap_or_default();
        let mut granted = Vec::new();
        for text in reader.texts("GrantKeyArns").unwrap_or_default() {
            match KeyArn::parse(&text) {
                Ok(key) => granted.push(key),
                Err(error) => reader.reject("GrantKeyArns", error.to_string()),
            }
        }
        let _ = reader.text("Revision");
        reader.finish(UnknownProperties::Refuse)?;
        Ok(Self { encryption, document, previous_document: None, granted })
    }

    fn after(self, old_properties: &Map<String, Value>) -> Self {
        let document = document_name(&mut Properties::new(old_properties)).unwrap_or_default();
        let previous_document = Some(document).filter(|document| *document != self.document);
        Self { previous_document, ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::intent::{Encryption, OnKeyTrouble};
    use crate::key::KeyRef;
    use crate::session::DocumentName;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1-2";

    fn read(value: &Value) -> Result<SessionKeyQuestion, String> {
        SessionKeyQuestion::read(value.as_object().unwrap()).map_err(|problems| problems.to_string())
    }

    #[test]
    fn each_property_is_read() {
        let question = read(&json!({
            "Encryption": "Enabled",
            "KmsKeyId": "alias/first",
            "OnKeyTrouble": "Standby",
            "StandbyKmsKeyId": "alias/second",
            "DocumentName": "Team-Shell",
            "GrantKeyArns": [KEY],
            "Revision": "2"
        }))
        .unwrap();
        assert_eq!(
            question.encryption,
            Encryption::Enabled {
                key: KeyRef::Alias("alias/first".to_owned()),
                on_key_trouble: OnKeyTrouble::Standby(KeyRef::Alias("alias/second".to_owned())),
            }
        );
        assert_eq!(question.document, DocumentName::parse("Team-Shell").unwrap());
        assert_eq!(question.granted, [KeyArn::parse(KEY).unwrap()]);
    }

    #[test]
    fn an_update_to_another_document_names_the_one_before() {
        let question = || read(&json!({"KmsKeyId": KEY, "DocumentName": "Team-Shell"})).unwrap();
        let after = |old: Value| question().after(old.as_object().unwrap()).previous_document;
        assert_eq!(after(json!({"DocumentName": "Team-Old"})), DocumentName::parse("Team-Old").ok());
        assert_eq!(after(json!({})), Some(DocumentName::default()));
        assert_eq!(after(json!({"DocumentName": "Team-Shell"})), None);
    }

    #[test]
    fn encryption_off_needs_no_key() {
        let question = read(&json!({"Encryption": "Disabled"})).unwrap();
        assert_eq!((question.encryption, question.granted), (Encryption::Disabled, Vec::new()));
        assert_eq!(question.document, DocumentName::default());
    }

    #[test]
    fn each_mistake_is_named() {
        for (value, words) in [
            (json!({}), vec!["KmsKeyId", "is missing"]),
            (json!({"KmsKeyId": KEY, "GrantKeyArns": ["alias/a"]}), vec!["GrantKeyArns", "`alias/a`"]),
            (json!({"KmsKeyId": KEY, "Preflight": "Off"}), vec!["Preflight"]),
        ] {
            let message = read(&value).unwrap_err();
            for word in words {
                assert!(message.contains(word), "{value}: {message} does not hold {word}");
            }
        }
    }
}
