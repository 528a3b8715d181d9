//! Changes of keys: DisableKey, EnableKey, ScheduleKeyDeletion, CancelKeyDeletion, PutKeyPolicy, and the end of a
//! deletion's waiting time.

use serde_json::{Value, json};

use super::super::call::{Call, Outcome, Refusal};
use super::super::services::Operation;
use super::super::world::World;
use super::keys::Key;
use super::lookup::{Scope, authorised};

pub const OPERATIONS: &[Operation] = &[
    Operation::write("DisableKey", disable),
    Operation::write("EnableKey", enable),
    Operation::write("ScheduleKeyDeletion", schedule_deletion),
    Operation::write("CancelKeyDeletion", cancel_deletion),
    Operation::write("PutKeyPolicy", put_policy),
];

/// The longest key policy, in bytes.
const LONGEST_POLICY: usize = 32_768;
const DAY: f64 = 86_400.0;

fn disable(world: &mut World, call: &Call) -> Outcome {
    let key = changed(world, call, "kms:DisableKey", &["KeyId"])?;
    in_state(key, &["Enabled", "Disabled"])?;
    key.state = "Disabled";
    Ok(json!({}))
}

fn enable(world: &mut World, call: &Call) -> Outcome {
    let key = changed(world, call, "kms:EnableKey", &["KeyId"])?;
    in_state(key, &["Enabled", "Disabled"])?;
    key.state = "Enabled";
    Ok(json!({}))
}

/// The waiting time is 7 to 30 days, and 30 if the call names none.
fn schedule_deletion(world: &mut World, call: &Call) -> Outcome {
    let now = world.now();
    let days = match call.number("PendingWindowInDays")? {
        None => 30,
        Some(days @ 7..=30) => u8::try_from(days).expect("at most 30"),
        Some(_) => return Err(Refusal::validation("PendingWindowInDays must be between 7 and 30")),
    };
    let key = changed(world, call, "kms:ScheduleKeyDeletion", &["KeyId", "PendingWindowInDays"])?;
    in_state(key, &["Enabled", "Disabled", "PendingImport", "Unavailable"])?;
    let date = now + f64::from(days) * DAY;
    (key.state, key.deletion_date) = ("PendingDeletion", Some(date));
    Ok(json!({
        "KeyId": key.arn,
        "DeletionDate": date,
        "KeyState": key.state,
        "PendingWindowInDays": days,
    }))
}

/// The key is disabled afterwards, whatever it was before.
fn cancel_deletion(world: &mut World, call: &Call) -> Outcome {
    let key = changed(world, call, "kms:CancelKeyDeletion", &["KeyId"])?;
    in_state(key, &["PendingDeletion"])?;
    (key.state, key.deletion_date) = ("Disabled", None);
    Ok(json!({"KeyId": key.arn}))
}

/// Changes the text that GetKeyPolicy returns. [`Key::allow`] and [`Key::deny`] decide about access.
fn put_policy(world: &mut World, call: &Call) -> Outcome {
    let policy = call.required("Policy")?;
    let malformed = |why: &str| Refusal::client("MalformedPolicyDocumentException", why);
    if policy.len() > LONGEST_POLICY {
        return Err(Refusal::client("LimitExceededException", "The policy is larger than 32768 bytes."));
    }
    match serde_json::from_str::<Value>(policy) {
        Ok(Value::Object(members)) if members.contains_key("Statement") => {}
        Ok(_) => return Err(malformed("Syntax errors in policy: a policy has statements.")),
        Err(_) => return Err(malformed("Syntax errors in policy: it is no JSON.")),
    }
    if !matches!(call.text("PolicyName")?, None | Some("default")) {
        return Err(Refusal::client("NotFoundException", "No such policy exists"));
    }
    let members = ["KeyId", "Policy", "PolicyName", "BypassPolicyLockoutSafetyCheck"];
    let key = changed(world, call, "kms:PutKeyPolicy", &members)?;
    policy.clone_into(&mut key.policy);
    Ok(json!({}))
}

/// The key to change, one of the caller's account.
fn changed<'a>(
    world: &'a mut World,
    call: &Call,
    action: &str,
    members: &[&str],
) -> Result<&'a mut Key, Refusal> {
    call.only(members)?;
    let arn = authorised(world, call, action, Scope::OwnKey)?.arn.clone();
    Ok(world.key(&arn))
}

fn in_state(key: &Key, states: &[&str]) -> Result<(), Refusal> {
    if states.contains(&key.state) {
        Ok(())
    } else {
        Err(Refusal::client("KMSInvalidStateException", format!("{} is {}.", key.arn, key.state)))
    }
}

impl World {
    /// Ends the waiting time of a key's deletion: the key and its aliases are deleted.
    pub fn delete_key(&mut self, arn: &str) {
        let key = self.key(arn).clone();
        assert_eq!(key.state, "PendingDeletion", "only a scheduled deletion comes to its end");
        self.keys.list.retain(|known| known.arn != arn);
        self.keys.aliases.retain(|alias| alias.location != key.location || alias.key_id != key.id);
    }
}
