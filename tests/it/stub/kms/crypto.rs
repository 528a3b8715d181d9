//! GenerateDataKey and Decrypt, the two calls of an encrypted session, and their dry runs.

use serde_json::{Value, json};

use super::super::call::{Call, Outcome, Refusal};
use super::super::services::Operation;
use super::super::world::World;
use super::keys::{Ciphertext, DryRunOrder, Key};
use super::lookup::{Scope, denied, named};

pub const OPERATIONS: &[Operation] =
    &[Operation::read("GenerateDataKey", generate_data_key), Operation::read("Decrypt", decrypt)];

fn generate_data_key(world: &mut World, call: &Call) -> Outcome {
    let bytes = match (call.number("NumberOfBytes")?, call.text("KeySpec")?) {
        (Some(bytes @ 1..=1024), None) => bytes,
        (None, Some("AES_256")) => 32,
        (None, Some("AES_128")) => 16,
        _ => {
            return Err(Refusal::validation("Please specify either number of bytes or key spec."));
        }
    };
    let arn = usable(world, call, "kms:GenerateDataKey")?;
    let serial = world.keys.ciphertexts.len();
    // 24 characters are 18 bytes of base64; the zeros stand for a data key of the length asked for.
    let ciphertext = Ciphertext {
        blob: format!("c3R1Yi1jaXBoZXJ0{serial:08}"),
        plaintext: zeros(bytes),
        key_arn: arn,
        context: context(call),
    };
    let answer = json!({"CiphertextBlob": ciphertext.blob, "Plaintext": ciphertext.plaintext, "KeyId": ciphertext.key_arn});
    world.keys.ciphertexts.push(ciphertext);
    Ok(answer)
}

/// A dry run with `IGNORE_CIPHERTEXT` and a KeyId needs no ciphertext.
fn decrypt(world: &mut World, call: &Call) -> Outcome {
    let modifiers = call.body.get("DryRunModifiers").and_then(Value::as_array);
    if modifiers.is_some_and(|modifiers| modifiers.contains(&"IGNORE_CIPHERTEXT".into())) {
        if !call.flag("DryRun")? {
            return Err(Refusal::validation("DryRunModifiers can be used with DryRun only."));
        }
        return Err(usable(world, call, "kms:Decrypt").map_or_else(|refusal| refusal, |_| would_succeed()));
    }
    let blob = call.required("CiphertextBlob")?;
    let invalid = || Refusal::client("InvalidCiphertextException", "The ciphertext is invalid.");
    let ciphertext = world
        .keys
        .ciphertexts
        .iter()
        .find(|ciphertext| ciphertext.blob == blob)
        .cloned()
        .ok_or_else(invalid)?;
    let mut by_key = call.clone();
    if call.text("KeyId")?.is_none() {
        by_key.body["KeyId"] = ciphertext.key_arn.as_str().into();
    }
    if named(world, &by_key, "kms:Decrypt", Scope::Any)?.arn != ciphertext.key_arn {
        return Err(Refusal::client(
            "IncorrectKeyException",
            "The key ID in the request does not identify a key that can perform this operation.",
        ));
    }
    let arn = usable(world, &by_key, "kms:Decrypt")?;
    if ciphertext.context != context(call) {
        return Err(invalid());
    }
    Ok(json!({"Plaintext": ciphertext.plaintext, "KeyId": arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}))
}

/// The ARN of the key that the call names, if the caller may use it. `DryRunOrder` says which check comes first. A dry
/// run always ends in an error, which is `DryRunOperationException` for "would succeed".
fn usable(world: &World, call: &Call, action: &str) -> Result<String, Refusal> {
    let key = named(world, call, action, Scope::Any)?;
    let dry_run = call.flag("DryRun")? && world.keys.dry_run != DryRunOrder::Ignored;
    let access = || {
        if key.admits(&call.caller, action) { Ok(()) } else { Err(denied(call, action, key)) }
    };
    match world.keys.dry_run {
        DryRunOrder::StateThenAccess if dry_run => state(key).and_then(|()| access()),
        DryRunOrder::AccessOnly if dry_run => access(),
        _ => access().and_then(|()| state(key)),
    }?;
    if dry_run { Err(would_succeed()) } else { Ok(key.arn.clone()) }
}

fn state(key: &Key) -> Result<(), Refusal> {
    match key.state {
        "Enabled" | "Updating" if (key.spec, key.usage) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT") => Ok(()),
        "Enabled" | "Updating" => Err(Refusal::client(
            "InvalidKeyUsageException",
            format!("{} key usage is {} which is not valid for this operation.", key.arn, key.usage),
        )),
        "Disabled" => Err(Refusal::client("DisabledException", format!("{} is disabled.", key.arn))),
        state => Err(Refusal::client("KMSInvalidStateException", format!("{} is {state}.", key.arn))),
    }
}

fn would_succeed() -> Refusal {
    Refusal::client(
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
    )
}

fn context(call: &Call) -> Value {
    match call.body.get("EncryptionContext") {
        None | Some(Value::Null) => json!({}),
        Some(context) => context.clone(),
    }
}

/// The base64 of as many zero bytes.
fn zeros(bytes: usize) -> String {
    let rest = match bytes % 3 {
        0 => "",
        1 => "AA==",
        _ => "AAA=",
    };
    format!("{}{rest}", "AAAA".repeat(bytes / 3))
}
