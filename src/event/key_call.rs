//! CloudTrail: somebody called an API that changes what a key can do, or KMS did so by itself.
//!
//! Keys of other accounts are not passed over: their owner's account forwards its events here.

use serde_json::Value;

use super::cloud_trail::Record;
use super::event_bridge::Envelope;
use super::{Arrival, FunctionIdentity, plain};
use crate::change_event::{ChangeDetail, ChangeEvent, ChangeSource, Scope};
use crate::key::{KeyArn, KeyRef};

/// What takes a key away or gives it back: its state, its material, its policy, its grants.
const CALLS: [&str; 12] = [
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
];
const ALIAS_CALLS: [&str; 3] = ["CreateAlias", "UpdateAlias", "DeleteAlias"];

pub(super) fn read(envelope: &Envelope<'_>, function: FunctionIdentity<'_>) -> Arrival {
    let record = Record::of(envelope);
    let Some(call) = record.name() else {
        return ignored(format_args!("the record names no call"));
    };
    if ALIAS_CALLS.contains(&call) {
        return ignored(format_args!(
            "{call} changes nothing for sessions: a document carries its key's ARN, which no alias can turn"
        ));
    }
    if !CALLS.contains(&call) {
        return ignored(format_args!("{call} takes no key away and gives none back"));
    }
    if let Some(error) = record.error() {
        return ignored(format_args!("{call} failed with {error}, so nothing has changed"));
    }
    let key = key(&record, function);
    Arrival::ChangeEvent(ChangeEvent {
        source: ChangeSource::KeyCall,
        what: call.to_owned(),
        actor: record.by(),
        at: record.at(),
        // Without its key, a policy or a date would be held against every key there is.
        detail: key.as_ref().and_then(|_| news(call, &record)),
        scope: key.map_or(Scope::Everything, Scope::Key),
    })
}

/// The key, by the first field that tells. The caller may have named it by id or alias, so what CloudTrail adds goes
/// before what was asked.
fn key(record: &Record<'_>, function: FunctionIdentity<'_>) -> Option<KeyArn> {
    let resources = record.value("/resources").and_then(Value::as_array);
    let arn = |resource: &Value| KeyArn::parse(resource.get("ARN")?.as_str()?).ok();
    let of_resources = resources.into_iter().flatten().find_map(arn);
    let named = ["/requestParameters/keyId", "/serviceEventDetails/keyId", "/responseElements/keyId"];
    let location = (record.account(), record.region());
    of_resources
        .or_else(|| named.iter().find_map(|pointer| complete(record.text(pointer)?, location, function)))
}

/// The ARN of a key that is named by its ARN, or by its id within an account and a Region.
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

fn news(call: &str, record: &Record<'_>) -> Option<ChangeDetail> {
    match call {
        "PutKeyPolicy" => {
            let name = record.text("/requestParameters/policyName").unwrap_or("default");
            let policy = match record.value("/requestParameters/policy")? {
                Value::String(policy) => policy.clone(),
                policy => policy.to_string(),
            };
            (name == "default").then_some(ChangeDetail::KeyPolicy(policy))
        }
        "ScheduleKeyDeletion" => {
            plain::text(record.value("/responseElements/deletionDate")).map(ChangeDetail::DeletionDate)
        }
        _ => None,
    }
}

fn ignored(why: std::fmt::Arguments<'_>) -> Arrival {
    Arrival::Ignored(plain::line(why))
}

#[cfg(test)]
mod tests;
