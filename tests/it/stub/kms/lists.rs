//! ListKeys, ListAliases and ListGrants, paginated.

use serde_json::{Value, json};

use super::super::call::{Call, Outcome, Refusal};
use super::super::paging::{Asked, page};
use super::super::services::Operation;
use super::super::world::World;
use super::lookup::{Scope, authorised};

pub const OPERATIONS: &[Operation] = &[
    Operation::read("ListKeys", list_keys),
    Operation::read("ListAliases", list_aliases),
    Operation::read("ListGrants", list_grants),
    Operation::read("ListResourceTags", list_tags),
];

fn list_keys(world: &mut World, call: &Call) -> Outcome {
    let location = call.location();
    let keys = world.keys.list.iter().filter(|key| key.location == location);
    let keys = keys.map(|key| json!({"KeyId": key.id, "KeyArn": key.arn})).collect();
    listed(world, call, "Keys", 1000, keys)
}

/// Lists only the aliases of the own account.
fn list_aliases(world: &mut World, call: &Call) -> Outcome {
    let location = call.location();
    let only = match call.text("KeyId")? {
        Some(_) => Some(authorised(world, call, "kms:ListAliases", Scope::OwnKey)?.id.clone()),
        None => None,
    };
    let aliases = world.keys.aliases.iter().filter(|alias| alias.location == location);
    let aliases = aliases.filter(|alias| only.as_ref().is_none_or(|id| *id == alias.key_id)).map(|alias| {
        json!({
            "AliasName": alias.name,
            "AliasArn": format!("arn:{}:kms:{}:{}:{}", world.partition, location.region, location.account, alias.name),
            "TargetKeyId": alias.key_id,
            "CreationDate": 1_600_000_000.0,
        })
    });
    listed(world, call, "Aliases", 100, aliases.collect())
}

/// Works across accounts if the key admits it.
fn list_grants(world: &mut World, call: &Call) -> Outcome {
    let key = authorised(world, call, "kms:ListGrants", Scope::Key)?;
    let mut grants = key.grants.clone();
    for filter in ["GrantId", "GranteePrincipal"] {
        if let Some(wanted) = call.text(filter)? {
            grants.retain(|grant| grant[filter] == wanted);
        }
    }
    listed(world, call, "Grants", 100, grants)
}

/// Lists only the keys of the own account.
fn list_tags(world: &mut World, call: &Call) -> Outcome {
    call.only(&["KeyId", "Limit", "Marker"])?;
    let key = authorised(world, call, "kms:ListResourceTags", Scope::OwnKey)?;
    let tags = key.tags.iter().map(|(key, value)| json!({"TagKey": key, "TagValue": value})).collect();
    listed(world, call, "Tags", 50, tags)
}

fn listed(
    world: &World,
    call: &Call,
    member: &str,
    most: usize,
    items: Vec<Value>,
) -> Result<Value, Refusal> {
    let asked = Asked {
        limit: call.number("Limit")?,
        token: call.text("Marker")?,
        least: 1,
        most,
        bad_token: "InvalidMarkerException",
        cap: world.page_size,
    };
    let (items, next) = page(items, &asked)?;
    let mut answer = json!({member: items, "Truncated": next.is_some()});
    if let Some(next) = next {
        answer["NextMarker"] = next.into();
    }
    Ok(answer)
}
