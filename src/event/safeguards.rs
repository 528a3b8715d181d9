//! The safeguards among the properties: who must be able to use the key, what is checked, and which findings block.

use serde_json::Value;

use super::context_property::context_property;
use crate::access::{PrincipalArn, PrincipalArnError, parse_principal_pattern};
use crate::intent::{KeyPolicyReader, PreflightMode, Safeguards};
use cloudformation_custom_resource::{ObjectOrText, Properties};
use kms_key_policy::{Policy, PolicyKind};

const PREFLIGHT: [(&str, PreflightMode); 4] = [
    ("Strict", PreflightMode::Strict),
    ("Enforce", PreflightMode::Enforce),
    ("Warn", PreflightMode::Warn),
    ("Off", PreflightMode::Off),
];

/// The safeguards. By default, they check as much as can be found out.
pub(super) fn safeguards(reader: &mut Properties<'_>) -> Safeguards {
    let mode = reader.word("Preflight", &PREFLIGHT).unwrap_or_default();
    let who_needs_key = who_needs_key(reader);
    let key_policy = reader.object_or_text("KeyPolicy").map(|policy| match policy {
        ObjectOrText::Object(policy) => Value::Object(policy).to_string(),
        ObjectOrText::Text(policy) => policy,
    });
    if let Some(Err(error)) = key_policy.as_deref().map(|policy| Policy::parse(PolicyKind::Key, policy)) {
        reader.reject("KeyPolicy", format!("is no key policy: {error}"));
    }
    Safeguards { mode, key_policy, ..who_needs_key }
}

/// The part of the safeguards that is about no certain key, and blocks nothing.
pub(super) fn who_needs_key(reader: &mut Properties<'_>) -> Safeguards {
    let users = principals(reader, "Users");
    let nodes = principals(reader, "Nodes");
    let exempt = read_each(reader, "Exempt", parse_principal_pattern);
    let discover_users = reader.flag("DiscoverUsers").unwrap_or(true);
    let discover_nodes = reader.flag("DiscoverNodes").unwrap_or(true);
    let context = context_property(reader);
    let external_id = reader.text("KeyPolicyReaderExternalId");
    let reader_role = reader.text("KeyPolicyReaderRoleArn").filter(|arn| {
        let role = PrincipalArn::parse_role(arn);
        if let Err(error) = &role {
            reader.reject("KeyPolicyReaderRoleArn", format!("must be the ARN of a role: {error}"));
        }
        role.is_ok()
    });
    if external_id.is_some() && reader_role.is_none() {
        let role = reader.spelt("KeyPolicyReaderRoleArn");
        reader.reject("KeyPolicyReaderExternalId", format!("is given without {role}"));
    }
    Safeguards {
        mode: PreflightMode::default(),
        users,
        nodes,
        exempt,
        discover_users,
        discover_nodes,
        reader: reader_role.map(|role_arn| KeyPolicyReader { role_arn, external_id }),
        context,
        key_policy: None,
    }
}

/// A list of the ARNs of roles and users.
pub(super) fn principals(reader: &mut Properties<'_>, name: &'static str) -> Vec<PrincipalArn> {
    read_each(reader, name, PrincipalArn::parse)
}

/// A list of texts, each read by `read`.
fn read_each<T>(
    reader: &mut Properties<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, PrincipalArnError>,
) -> Vec<T> {
    let mut items = Vec::new();
    for text in reader.texts(name).unwrap_or_default() {
        match read(&text) {
            Ok(item) => items.push(item),
            Err(error) => reader.reject(name, format!("has a wrong item: {error}")),
        }
    }
    items
}
