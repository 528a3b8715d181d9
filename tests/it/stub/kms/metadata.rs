//! DescribeKey and GetKeyPolicy.

use serde_json::{Value, json};

use super::super::call::{Call, Outcome, Refusal};
use super::super::services::Operation;
use super::super::world::World;
use super::keys::Key;
use super::lookup::{Scope, authorised};

pub const OPERATIONS: &[Operation] =
    &[Operation::read("DescribeKey", describe_key), Operation::read("GetKeyPolicy", get_key_policy)];

/// Works across accounts if the key admits it. The answer names the owner.
fn describe_key(world: &mut World, call: &Call) -> Outcome {
    let key = authorised(world, call, "kms:DescribeKey", Scope::Any)?;
    Ok(json!({"KeyMetadata": metadata(key)}))
}

/// Reads only the policies of the own account's keys, and never that of a foreign key.
fn get_key_policy(world: &mut World, call: &Call) -> Outcome {
    let key = authorised(world, call, "kms:GetKeyPolicy", Scope::OwnKey)?;
    match call.text("PolicyName")? {
        None | Some("default") => Ok(json!({"Policy": key.policy, "PolicyName": "default"})),
        Some(other) => Err(Refusal::client("NotFoundException", format!("No such policy exists: {other}"))),
    }
}

fn metadata(key: &Key) -> Value {
    let mut answer = json!({
        "AWSAccountId": key.location.account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": 1_600_000_000.0,
        "Enabled": key.state == "Enabled",
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state,
        "Origin": key.origin,
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "MultiRegion": key.multi_region.is_some(),
    });
    if key.spec == "SYMMETRIC_DEFAULT" {
        answer["EncryptionAlgorithms"] = json!(["SYMMETRIC_DEFAULT"]);
    }
    if key.origin == "EXTERNAL" {
        let expires =
            if key.valid_to.is_some() { "KEY_MATERIAL_EXPIRES" } else { "KEY_MATERIAL_DOES_NOT_EXPIRE" };
        answer["ExpirationModel"] = expires.into();
    }
    let optional = [
        ("ValidTo", key.valid_to.map(Value::from)),
        ("DeletionDate", key.deletion_date.map(Value::from)),
        ("CustomKeyStoreId", key.custom_key_store_id.clone().map(Value::from)),
        ("MultiRegionConfiguration", key.multi_region.clone()),
    ];
    for (member, value) in optional {
        if let Some(value) = value {
            answer[member] = value;
        }
    }
    answer
}
