//! Grants as ListGrants returns them: what the SDK took apart is put together again, so that grants read here
//! and grants from a file of `aws kms list-grants` are one thing.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_kms::types::{GrantConstraints, GrantListEntry};
use serde_json::{Map, Value};

/// A grant in the members of ListGrants; those that it does not have are left out.
pub(super) fn rendered(grant: &GrantListEntry) -> Value {
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

/// Sorted, so that the same grant always reads the same.
fn pairs(context: &HashMap<String, String>) -> Value {
    let sorted: BTreeMap<_, _> = context.iter().collect();
    Value::Object(sorted.into_iter().map(|(key, value)| (key.clone(), value.clone().into())).collect())
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}
