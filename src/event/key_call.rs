//! CloudTrail: somebody made a call that changes what a key can do, or KMS did so by itself.
//!
//! Calls on keys of other accounts count too: the account of the key forwards its events to this one.

use serde_json::Value;

use super::cloud_trail::CallRecord;
use super::event_bridge::EventBridgeEnvelope;
use super::{Event, FunctionIdentity, ignored, log_safe};
use crate::change_event::{ALIAS_CALLS, ChangeDetail, ChangeEvent, ChangeSource, Scope};
use crate::key::{KeyArn, KeyRef};

/// The calls that change the state, the material, the policy, the grants or the tags of a key, and so who can use it. A
/// policy may ask for tags.
const CALLS: [&str; 14] = [
    "DisableKey",
    "EnableKey",
    "ScheduleKeyDeletion",
    "CancelKeyDeletion",
    "DeleteKey",
    "PutKeyPolicy",
    "CreateGrant",
    "RevokeGrant",
    "RetireGrant",
    "ImportKeyMaterial",
    "DeleteImportedKeyMaterial",
    "DeleteExpiredKeyMaterial",
    "TagResource",
    "UntagResource",
];

pub(super) fn read(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Event {
    let record = CallRecord::of(envelope);
    let Some(call) = record.name() else {
        return ignored(format_args!("the record names no call"));
    };
    let is_alias_call = ALIAS_CALLS.contains(&call);
    if !is_alias_call && !CALLS.contains(&call) {
        return ignored(format_args!("{call} does not change who can use a key"));
    }
    if let Some(error) = record.error() {
        return ignored(format_args!("{call} failed with {error}, so nothing has changed"));
    }
    // A policy may ask for aliases. The record of UpdateAlias names the key that gets the alias, and not the key that loses
    // it.
    let key = if call == "UpdateAlias" { None } else { key(&record, function) };
    Event::ChangeEvent(ChangeEvent {
        source: ChangeSource::KeyCall,
        what: call.to_owned(),
        actor: record.actor(),
        at: record.at(),
        // A policy or a date without its key would be taken for that of every key.
        detail: key.as_ref().and_then(|_| detail(call, &record)),
        scope: key.map_or(Scope::Everything, Scope::Key),
    })
}

/// The key in the first field that names one. The caller may have named it by id or alias, so the fields that
/// CloudTrail adds come first.
fn key(record: &CallRecord<'_>, function: FunctionIdentity<'_>) -> Option<KeyArn> {
    let resources = record.value("/resources").and_then(Value::as_array);
    let arn = |resource: &Value| KeyArn::parse(resource.get("ARN")?.as_str()?).ok();
    let in_resources = resources.into_iter().flatten().find_map(arn);
    let named = ["/requestParameters/keyId", "/serviceEventDetails/keyId", "/responseElements/keyId"];
    let location = (record.account(), record.region());
    in_resources
        .or_else(|| named.iter().find_map(|pointer| complete(record.text(pointer)?, location, function)))
}

/// The ARN of a key that is named by its ARN, or by its id in an account and Region.
pub(super) fn complete(
    named: &str,
    (account, region): (Option<&str>, Option<&str>),
    function: FunctionIdentity<'_>,
) -> Option<KeyArn> {
    match KeyRef::parse(named).ok()? {
        KeyRef::Arn(arn) => Some(arn),
        KeyRef::Id(id) => {
            // Events do not cross partitions.
            let partition = function.location.map_or("aws", |location| &location.partition);
            KeyArn::parse(&format!("arn:{partition}:kms:{}:{}:key/{id}", region?, account?)).ok()
        }
        KeyRef::Alias(_) | KeyRef::AliasArn { .. } => None,
    }
}

/// What the record says that no read of the key gives: a new policy, or the date of a deletion.
fn detail(call: &str, record: &CallRecord<'_>) -> Option<ChangeDetail> {
    match call {
        "PutKeyPolicy" => {
            let name = record.text("/requestParameters/policyName").unwrap_or("default");
            let policy = match record.value("/requestParameters/policy")? {
                Value::String(policy) => policy.clone(),
                policy => policy.to_string(),
            };
            (name == "default").then_some(ChangeDetail::KeyPolicy(policy))
        }
        "ScheduleKeyDeletion" => log_safe::log_safe_text(record.value("/responseElements/deletionDate"))
            .map(ChangeDetail::DeletionDate),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
