//! The direct call `{"action": "audit", …}`: one account and Region of an audit.

use cloudformation_custom_resource::Properties;

use super::safeguards::who_needs_key;
use super::session_encryption::document_name;
use crate::intent::{AuditQuestion, AuditRole, ExternalId, RoleName};
use crate::location::Location;
use crate::quote::quoted;

/// The longest text that AWS Organizations gives, a path of names of organizational units, is shorter.
const LONGEST: usize = 1_000;

/// Reads the properties. Use the question only if the reader then finishes without a problem.
pub(super) fn question(reader: &mut Properties<'_>) -> AuditQuestion {
    let account = reader.required_text("Account");
    if !account.is_empty() && !Location::is_account(&account) {
        reader.reject(
            "Account",
            format!("is `{}`; it must be an account id, which has twelve digits", quoted(&account)),
        );
    }
    let region = reader.required_text("Region");
    if !region.is_empty() && !Location::is_region(&region) {
        reader.reject(
            "Region",
            format!("is `{}`; it must be the name of a Region, such as `eu-west-1`", quoted(&region)),
        );
    }
    let [account_name, organizational_unit] = ["AccountName", "OrganizationalUnit"].map(|name| {
        let text = reader.text(name)?;
        if text.len() > LONGEST {
            reader.reject(name, format!("has {} bytes; it may have {LONGEST}", text.len()));
        }
        Some(text)
    });
    AuditQuestion {
        account,
        region,
        account_name,
        organizational_unit,
        role: audit_role(reader),
        document: document_name(reader).unwrap_or_default(),
        safeguards: who_needs_key(reader),
    }
}

/// The role that every account has, if one is named.
pub(super) fn audit_role(reader: &mut Properties<'_>) -> Option<AuditRole> {
    let name = reader.text("RoleName");
    let external_id = reader.text("ExternalId");
    if external_id.is_some() && name.is_none() {
        let role = reader.spelt("RoleName");
        reader.reject("ExternalId", format!("is given without {role}"));
    }
    let external_id = external_id.and_then(|text| {
        ExternalId::parse(&text).map_err(|error| reader.reject("ExternalId", error.to_string())).ok()
    });
    let name = RoleName::parse(&name?).map_err(|error| reader.reject("RoleName", error.to_string())).ok()?;
    Some(AuditRole { name, external_id })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::access::PrincipalArn;
    use crate::event::Event;
    use crate::event::direct::DirectCall;
    use crate::event::tests::{function, parsed, sample};
    use crate::intent::{KeyPolicyReader, Safeguards};
    use crate::session::DocumentName;

    fn read(event: &Value) -> Result<AuditQuestion, String> {
        match crate::event::read(event, function()) {
            Event::DirectCall { call: Ok(DirectCall::Audit(question)), is_question: false, .. } => {
                Ok(*question)
            }
            Event::DirectCall { call: Err(problems), is_question: false, .. } => Err(problems.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_sample_names_an_account_and_a_role() {
        let expected = AuditQuestion {
            account_name: Some("payments-production".to_owned()),
            organizational_unit: Some("Root/Workloads/Production".to_owned()),
            role: Some(AuditRole {
                name: RoleName::parse("session-kms-audit").unwrap(),
                external_id: Some(ExternalId::parse("4f1e0a52-7c9d-4b60-9d55-0c5a2f6f3a11").unwrap()),
            }),
            safeguards: Safeguards {
                exempt: vec!["arn:aws:iam::*:role/BreakGlass".to_owned()],
                ..AuditQuestion::new("", "").safeguards
            },
            ..AuditQuestion::new("111122223333", "eu-west-1")
        };
        assert_eq!(read(&parsed(sample!("direct-audit"))), Ok(expected));
    }

    #[test]
    fn all_that_a_check_asks_may_be_asked() {
        let arn = |text| PrincipalArn::parse(text).unwrap();
        let question = read(&json!({
            "action": "audit", "account": "111122223333", "region": "us-gov-west-1", "documentName": "Other",
            "users": "arn:aws-us-gov:iam::111122223333:role/Ops", "nodes": ["arn:aws-us-gov:iam::111122223333:role/App"],
            "discoverUsers": false, "discoverNodes": "false", "context": {"aws:SourceVpc": null},
            "keyPolicyReaderRoleArn": "arn:aws-us-gov:iam::444455556666:role/Reader", "keyPolicyReaderExternalId": "xy"
        }))
        .unwrap();
        assert_eq!(question.document, DocumentName::parse("Other").unwrap());
        assert_eq!(question.role, None);
        let safeguards = question.safeguards;
        assert_eq!(safeguards.users, [arn("arn:aws-us-gov:iam::111122223333:role/Ops")]);
        assert_eq!(safeguards.nodes, [arn("arn:aws-us-gov:iam::111122223333:role/App")]);
        assert!(!safeguards.discover_users && !safeguards.discover_nodes);
        assert!(!safeguards.context.is_empty());
        let reader = KeyPolicyReader {
            role_arn: "arn:aws-us-gov:iam::444455556666:role/Reader".to_owned(),
            external_id: Some("xy".to_owned()),
        };
        assert_eq!(safeguards.reader, Some(reader));
    }

    #[test]
    fn each_mistake_is_named_with_what_is_allowed_and_no_external_id_is_repeated() {
        let call = |name: &str, value: Value| {
            let mut call = json!({"action": "audit", "account": "111122223333", "region": "eu-west-1"});
            call[name] = value;
            call
        };
        for (event, words) in [
            (json!({"action": "audit"}), vec!["`account` is required", "`region` is required"]),
            (call("account", json!("1234")), vec!["`account` is `1234`", "twelve digits"]),
            (call("account", json!(12_345)), vec!["`account` is `12345`", "twelve digits"]),
            (call("account", json!([])), vec!["`account`", "a list"]),
            (call("region", json!("nowhere")), vec!["`region` is `nowhere`", "`eu-west-1`"]),
            (call("roleName", json!("a b")), vec!["`roleName` is `a b`", "1 to 64 letters"]),
            (
                call("roleName", json!("arn:aws:iam::111122223333:role/audit")),
                vec!["`roleName`", "must be the role's name, `audit`"],
            ),
            (call("externalId", json!("open-sesame")), vec!["`externalId` is given without roleName"]),
            (call("documentName", json!("a/b")), vec!["`documentName`", "`a/b`"]),
            (call("users", json!(["Ops"])), vec!["`users`", "`Ops`"]),
            (call("discoverNodes", json!("perhaps")), vec!["`discoverNodes`", "true or false", "`perhaps`"]),
            (call("accountName", json!("x".repeat(1_001))), vec!["`accountName` has 1001 bytes"]),
            (call("rolename", json!("audit")), vec!["`rolename`", "did you mean `roleName`"]),
            (call("preflight", json!("Off")), vec!["`preflight` is not a property"]),
            (call("kmsKeyId", json!("alias/x")), vec!["`kmsKeyId` is not a property"]),
        ] {
            let message = read(&event).unwrap_err();
            for word in words {
                assert!(message.contains(word), "{event}: {message} does not hold {word}");
            }
        }
        for id in [json!("sesame*open"), json!("s"), json!(["sesame"])] {
            let mut event = call("roleName", json!("audit"));
            event["externalId"] = id;
            let message = read(&event).unwrap_err();
            assert!(message.contains("`externalId`") && !message.contains("sesame"), "{message}");
        }
    }
}
