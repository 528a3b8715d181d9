//! How KMS finds a key and decides who may use it: ids and alias names in the caller's own account, ARNs anywhere,
//! and always in the called Region.

use super::super::call::{Call, Refusal};
use super::super::world::World;
use super::keys::Key;

/// The four ways to name a key.
enum Reference<'a> {
    Id(&'a str),
    AliasName(&'a str),
    KeyArn { account: &'a str, id: &'a str },
    AliasArn { account: &'a str, alias: &'a str },
}

/// Which names an operation takes, and whether it serves other accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Key id, key ARN, alias name, alias ARN; other accounts too.
    Any,
    /// Key id or key ARN; other accounts too.
    Key,
    /// Key id or key ARN; the caller's account only, whatever the key policy says.
    OwnKey,
}

/// The key that the member `KeyId` names, if the caller may do `action` on it.
pub fn authorised<'a>(world: &'a World, call: &Call, action: &str, scope: Scope) -> Result<&'a Key, Refusal> {
    let key = named(world, call, action, scope)?;
    let foreign = key.location.account != call.caller.account;
    if foreign && scope == Scope::OwnKey || !key.admits(&call.caller, action) {
        return Err(denied(call, action, key));
    }
    Ok(key)
}

/// The key that the member `KeyId` names, whatever the permissions. But a foreign key that does not exist is answered
/// like a missing permission, as KMS does it.
pub fn named<'a>(world: &'a World, call: &Call, action: &str, scope: Scope) -> Result<&'a Key, Refusal> {
    let text = call.required("KeyId")?;
    let own = call.caller.account.as_str();
    let reference = parse(world, call, text)?;
    if scope != Scope::Any && matches!(reference, Reference::AliasName(_) | Reference::AliasArn { .. }) {
        return Err(not_found(&format!("Invalid keyId {text}")));
    }
    let (account, id) = match reference {
        Reference::Id(id) => (own, Some(id)),
        Reference::KeyArn { account, id } => (account, Some(id)),
        Reference::AliasName(alias) => (own, alias_target(world, call, own, alias)),
        Reference::AliasArn { account, alias } => (account, alias_target(world, call, account, alias)),
    };
    let found = world.keys.list.iter().find(|key| {
        key.location.account == account && key.location.region == call.region && Some(key.id.as_str()) == id
    });
    found.ok_or_else(|| match reference {
        _ if account != own => Refusal::client(
            "AccessDeniedException",
            format!(
                "User: {} is not authorized to perform: {action} on this resource because \
            the resource does not exist in this Region, no resource-based policies allow \
            access, or a resource-based policy explicitly denies access",
                call.caller.arn
            ),
        ),
        Reference::Id(id) | Reference::KeyArn { id, .. } => not_found(&format!(
            "Key 'arn:{}:kms:{}:{account}:key/{id}' does not exist",
            world.partition, call.region
        )),
        Reference::AliasName(alias) | Reference::AliasArn { alias, .. } => not_found(&format!(
            "Alias arn:{}:kms:{}:{account}:{alias} is not found.",
            world.partition, call.region
        )),
    })
}

/// The refusal for lack of a permission, worded for the own account (IAM's side) or a foreign one (the key policy's).
pub fn denied(call: &Call, action: &str, key: &Key) -> Refusal {
    let because = if key.location.account == call.caller.account {
        format!("no identity-based policy allows the {action} action")
    } else {
        format!("no resource-based policy allows the {action} action")
    };
    Refusal::access_denied(&call.caller.arn, action, &key.arn, &because)
}

/// An ARN of another Region is NotFoundException "Invalid arn"; of another partition or shape, InvalidArnException.
fn parse<'a>(world: &World, call: &Call, text: &'a str) -> Result<Reference<'a>, Refusal> {
    if !text.starts_with("arn:") {
        return Ok(if text.starts_with("alias/") { Reference::AliasName(text) } else { Reference::Id(text) });
    }
    let invalid =
        || Refusal::client("InvalidArnException", format!("{text} is not a valid ARN of this partition"));
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "kms", region, account, resource] = parts[..] else {
        return Err(invalid());
    };
    if partition != world.partition || account.len() != 12 {
        return Err(invalid());
    }
    if region != call.region {
        return Err(not_found(&format!("Invalid arn {region}")));
    }
    match resource.strip_prefix("key/") {
        Some(id) if !id.is_empty() => Ok(Reference::KeyArn { account, id }),
        _ if resource.starts_with("alias/") => Ok(Reference::AliasArn { account, alias: resource }),
        _ => Err(invalid()),
    }
}

fn alias_target<'a>(world: &'a World, call: &Call, account: &str, name: &str) -> Option<&'a str> {
    let here = |location: &super::super::call::Location| {
        location.account == account && location.region == call.region
    };
    let alias = world.keys.aliases.iter().find(|alias| here(&alias.location) && alias.name == name)?;
    Some(alias.key_id.as_str())
}

fn not_found(message: &str) -> Refusal {
    Refusal::client("NotFoundException", message)
}
