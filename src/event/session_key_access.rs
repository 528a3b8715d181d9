//! `Custom::SessionKeyAccess`: its properties as a question.

use serde_json::{Map, Value};

use super::context_property::context_property;
use super::question::Question;
use super::safeguards::principals;
use crate::intent::{KeyAccessQuestion, Require};
use crate::key::KeyRef;
use crate::quote::quoted;
use cloudformation_custom_resource::{Properties, PropertyProblems, UnknownProperties};
use kms_key_policy::AccountId;

impl Question for KeyAccessQuestion {
    fn read(properties: &Map<String, Value>) -> Result<Self, PropertyProblems> {
        question(properties)
    }
}

/// Reads the properties of a Create or an Update.
///
/// # Errors
/// Every problem at once.
fn question(properties: &Map<String, Value>) -> Result<KeyAccessQuestion, PropertyProblems> {
    let mut reader = Properties::new(properties);
    let named = reader.required_text("KmsKeyId");
    let key = KeyRef::parse(&named);
    if let Err(error) = &key
        && !named.is_empty()
    {
        reader.reject("KmsKeyId", error.to_string());
    }
    let mut accounts = Vec::new();
    for text in reader.texts("ConsumerAccounts").unwrap_or_default() {
        match AccountId::parse(&text) {
            Some(account) => accounts.push(account),
            None => {
                reader.reject(
                    "ConsumerAccounts",
                    format!("holds `{}`; an account id has twelve digits", quoted(&text)),
                );
            }
        }
    }
    let users = principals(&mut reader, "Users");
    let nodes = principals(&mut reader, "Nodes");
    let context = context_property(&mut reader);
    let require = reader
        .word("Require", &[("Allowed", Require::Allowed), ("NotDenied", Require::NotDenied)])
        .unwrap_or_default();
    let _ = reader.text("Revision");
    if accounts.is_empty() && users.is_empty() && nodes.is_empty() {
        reader
            .reject("ConsumerAccounts", "is missing, and so are Users and Nodes: there is nothing to prove");
    }
    // If the key is missing or invalid, the problem is known, and `finish` fails.
    let key = key.unwrap_or(KeyRef::Id(named));
    reader.finish(UnknownProperties::Refuse)?;
    Ok(KeyAccessQuestion { key, accounts, users, nodes, context, require })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<KeyAccessQuestion, String> {
        question(value.as_object().unwrap()).map_err(|problems| problems.to_string())
    }

    #[test]
    fn each_property_is_read() {
        let question = read(&json!({
            "KmsKeyId": "alias/session",
            "ConsumerAccounts": ["222222222222"],
            "Users": "arn:aws:iam::222222222222:role/Ops",
            "Nodes": ["arn:aws:iam::222222222222:role/App"],
            "Context": {"aws:PrincipalOrgID": "o-1", "aws:PrincipalOrgPaths": ["o-1/r-1/"], "aws:SourceVpc": null},
            "Require": "NotDenied"
        }))
        .unwrap();
        assert_eq!((question.users.len(), question.nodes.len(), question.accounts.len()), (1, 1, 1));
        let known: Vec<_> = question.context.iter().map(ToString::to_string).collect();
        assert_eq!(
            known,
            ["aws:PrincipalOrgID is o-1", "aws:PrincipalOrgPaths is o-1/r-1/", "aws:SourceVpc is absent"]
        );
        assert_eq!(question.require, Require::NotDenied);
    }

    #[test]
    fn each_mistake_is_named() {
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/1-2";
        for (value, words) in [
            (json!({"ConsumerAccounts": ["222222222222"]}), vec!["KmsKeyId"]),
            (json!({"KmsKeyId": arn}), vec!["ConsumerAccounts", "nothing to prove"]),
            (
                json!({"KmsKeyId": arn, "ConsumerAccounts": ["22"]}),
                vec!["ConsumerAccounts", "`22`", "twelve digits"],
            ),
            (json!({"KmsKeyId": arn, "Users": ["Ops"]}), vec!["Users", "`Ops`"]),
            (
                json!({"KmsKeyId": arn, "Nodes": ["arn:aws:sts::222222222222:assumed-role/App/i-1"]}),
                vec!["Nodes", "`arn:aws:iam::222222222222:role/App`"],
            ),
            (
                json!({"KmsKeyId": arn, "ConsumerAccounts": "222222222222", "Require": "Maybe"}),
                vec!["Require", "NotDenied"],
            ),
            (
                json!({"KmsKeyId": arn, "ConsumerAccounts": "222222222222", "Context": {"aws:a": {}}}),
                vec!["Context", "`aws:a`", "{}"],
            ),
            (
                json!({"KmsKeyId": arn, "ConsumerAccounts": "222222222222", "Context": "{\"kms:ViaService\": 1}"}),
                vec!["Context", "`kms:ViaService`", "absent"],
            ),
            (
                json!({"KmsKeyId": arn, "ConsumerAccount": "222222222222"}),
                vec!["ConsumerAccount", "ConsumerAccounts"],
            ),
        ] {
            let message = read(&value).unwrap_err();
            for word in words {
                assert!(message.contains(word), "{value}: {message} does not hold {word}");
            }
        }
    }
}
