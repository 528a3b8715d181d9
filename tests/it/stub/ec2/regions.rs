//! DescribeRegions, of the account's enabled Regions.

use serde_json::{Value, json};

use crate::stub::call::{Call, Outcome, Refusal};
use crate::stub::services::Operation;
use crate::stub::world::World;

pub const OPERATIONS: &[Operation] = &[Operation::read("DescribeRegions", describe)];

fn describe(world: &mut World, call: &Call) -> Outcome {
    call.only(&[]).map_err(|refusal: Refusal| refusal.coded(400, "UnknownParameter"))?;
    let state = |state: &str| match state {
        "ENABLED_BY_DEFAULT" => Some("opt-in-not-required"),
        "ENABLED" => Some("opted-in"),
        _ => None,
    };
    let regions = world.regions_of(&call.caller.account);
    let regions = regions.into_iter().filter_map(|(name, of)| {
        let endpoint = format!("ec2.{name}.amazonaws.com");
        Some(json!({"regionName": name, "regionEndpoint": endpoint, "optInStatus": state(of)?}))
    });
    Ok(json!({"regionInfo": regions.collect::<Vec<Value>>()}))
}
