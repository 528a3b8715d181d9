//! Grants in the JSON of ListGrants. The SDK's types are written back to JSON, so that grants from a call and from a
//! file of `aws kms list-grants` have one form.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_kms::types::{GrantConstraints, GrantListEntry};
use serde_json::{Map, Value};

/// The JSON of a grant. Members that it does not have are left out.
pub(super) fn to_json(grant: &GrantListEntry) -> Value {
    let text = |value: Option<&str>| value.map(Value::from);
    let operations = grant.operations.as_deref();
    object([
        ("KeyId", text(grant.key_id())),
        ("GrantId", text(grant.grant_id())),
        ("Name", text(grant.name())),
        ("CreationDate", grant.creation_date().map(|date| date.as_secs_f64().into())),
        ("GranteePrincipal", text(grant.grantee_principal())),
        ("RetiringPrincipal", text(grant.retiring_principal())),
        ("GranteeServicePrincipal", text(grant.grantee_service_principal())),
        ("RetiringServicePrincipal", text(grant.retiring_service_principal())),
        ("IssuingAccount", text(grant.issuing_account())),
        ("Operations", operations.map(|all| all.iter().map(|one| Value::from(one.as_str())).collect())),
        ("Constraints", grant.constraints().map(constraints)),
    ])
}

fn constraints(constraints: &GrantConstraints) -> Value {
    object([
        ("EncryptionContextSubset", constraints.encryption_context_subset().map(pairs)),
        ("EncryptionContextEquals", constraints.encryption_context_equals().map(pairs)),
        ("SourceArn", constraints.source_arn().map(Value::from)),
    ])
}

/// The pairs are sorted, so that the same grant always has the same JSON.
fn pairs(context: &HashMap<String, String>) -> Value {
    let sorted: BTreeMap<_, _> = context.iter().collect();
    Value::Object(sorted.into_iter().map(|(key, value)| (key.clone(), value.clone().into())).collect())
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}
