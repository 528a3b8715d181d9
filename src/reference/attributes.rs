//! The attributes of the custom resources. The resources name them one by one, so tests hold these types to what is
//! answered.

use schemars::JsonSchema;

/// The attributes of `Custom::SessionEncryption`, as `Fn::GetAtt` reads them.
#[derive(JsonSchema)]
#[schemars(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only the schema is made from it")]
pub(super) struct SessionEncryptionAttributes {
    /// The key's ARN; empty without encryption.
    key_arn: String,
    /// The account that owns the key; empty without encryption.
    key_account: String,
    /// The document.
    document_name: String,
    /// The number of the document's latest version.
    document_version: String,
    /// The key from before the first owner, which `Restore` sets again; empty if there was none.
    previous_kms_key_id: String,
    /// Whether the request changed the document: `true` or `false`.
    changed: String,
    /// What the checks found, in a short line.
    findings: String,
    /// The standby key's ARN. It is there only if there is a standby key.
    #[schemars(with = "String", skip_serializing_if = "Option::is_none")]
    standby_key_arn: Option<String>,
}

/// The attributes of `Custom::SessionKey`, as `Fn::GetAtt` reads them.
#[derive(JsonSchema)]
#[schemars(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only the schema is made from it")]
pub(super) struct SessionKeyAttributes {
    /// The key's ARN; empty without encryption.
    key_arn: String,
    /// The account that owns the key; empty without encryption.
    key_account: String,
    /// The standby key's ARN; empty if there is none.
    standby_key_arn: String,
    /// The key that the document has by now, as far as this stack has set it; empty if there is none.
    present_key_arn: String,
}

/// The attributes of `Custom::SessionKeyAccess`, as `Fn::GetAtt` reads them.
#[derive(JsonSchema)]
#[schemars(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only the schema is made from it")]
pub(super) struct SessionKeyAccessAttributes {
    /// The key's ARN.
    key_arn: String,
    /// The account that owns the key.
    key_account: String,
    /// What the checks found, in a short line.
    findings: String,
}
