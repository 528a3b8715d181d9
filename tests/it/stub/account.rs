//! The Account Management of the stub: ListRegions, at its only endpoint. It has a protocol of its own, JSON at a path.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal};
use super::organizations::HOME;
use super::paging::{Asked, page};
use super::services::{Operation, Service};
use super::wire::{Incoming, Reply, Understood, Wire};
use super::world::World;

pub const OPERATIONS: &[&[Operation]] = &[&[Operation::read("ListRegions", list)]];

/// JSON at a path for each operation.
pub const REST_JSON: Wire = Wire { read, write };

const STATES: [&str; 5] = ["ENABLED", "ENABLING", "DISABLING", "DISABLED", "ENABLED_BY_DEFAULT"];

fn read(_: &Service, incoming: &Incoming) -> Understood {
    if incoming.method != "POST"
        || incoming.target != "/listRegions"
        || incoming.header("content-type") != Some("application/json")
    {
        return Err(Refusal::server(404, "UnknownOperationException", "no such path"));
    }
    match serde_json::from_slice(&incoming.body) {
        Ok(body @ Value::Object(_)) => Ok(("ListRegions".to_owned(), body)),
        _ => Err(Refusal::client("SerializationException", "The request's body is no JSON object")),
    }
}

fn write(_: &Service, _: &str, request_id: &str, outcome: &Outcome) -> Reply {
    let mut headers =
        vec![("content-type", "application/json".to_owned()), ("x-amzn-requestid", request_id.to_owned())];
    match outcome {
        Ok(answer) => Reply { status: 200, headers, body: answer.to_string() },
        Err(Refusal { status, code, message }) => {
            headers.push(("x-amzn-errortype", code.clone()));
            Reply { status: *status, headers, body: json!({"message": message}).to_string() }
        }
    }
}

/// The account itself must not be named. Others are listed if Account Management is trusted by the organization.
fn list(world: &mut World, call: &Call) -> Outcome {
    call.only(&["AccountId", "MaxResults", "NextToken", "RegionOptStatusContains"])?;
    if call.region != HOME {
        return Err(Refusal::client(
            "InvalidSignatureException",
            "Credential should be scoped to a valid region",
        ));
    }
    let denied = || {
        let because = "no identity-based policy allows the account:ListRegions action";
        Refusal::access_denied(&call.caller.arn, "account:ListRegions", "*", because)
            .coded(403, "AccessDeniedException")
    };
    let account = match call.text("AccountId")? {
        None => call.caller.account.clone(),
        Some(own) if own == call.caller.account => return Err(denied()),
        Some(other) if !world.tree.trusts_account_management || !world.tree.holds(other) => {
            return Err(denied());
        }
        Some(other) => other.to_owned(),
    };
    let wanted: Vec<&str> = match call.body.get("RegionOptStatusContains") {
        None => STATES.to_vec(),
        Some(Value::Array(states)) => states.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(Refusal::wrong_type("RegionOptStatusContains")),
    };
    if let Some(unknown) = wanted.iter().find(|state| !STATES.contains(state)) {
        return Err(Refusal::validation(format!("Value '{unknown}' at 'regionOptStatusContains'")));
    }
    let regions = world.regions_of(&account);
    let regions = regions.into_iter().filter(|(_, state)| wanted.contains(state)).collect();
    let asked = Asked {
        limit: call.number("MaxResults")?,
        token: call.text("NextToken")?,
        least: 1,
        most: 50,
        bad_token: "ValidationException",
        cap: world.page_size,
    };
    let (regions, next) = page(regions, &asked)?;
    let regions: Vec<_> =
        regions.iter().map(|(name, state)| json!({"RegionName": name, "RegionOptStatus": state})).collect();
    let mut answer = json!({"Regions": regions});
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

impl World {
    /// The Regions of an account, each with its state. Without others they are Ireland and Virginia.
    pub fn regions_of(&self, account: &str) -> Vec<(&'static str, &'static str)> {
        let usual = || vec![("eu-west-1", "ENABLED_BY_DEFAULT"), ("us-east-1", "ENABLED_BY_DEFAULT")];
        self.account_regions.get(account).cloned().unwrap_or_else(usual)
    }
}
