//! The EC2 of the stub: which instance has which instance profile.

use serde_json::json;

use super::call::{Call, Location, Outcome, Refusal};
use super::paging::{Asked, page};
use super::query::{list, number, texts};
use super::services::Operation;
use super::world::World;

pub const OPERATIONS: &[&[Operation]] =
    &[&[Operation::read("DescribeIamInstanceProfileAssociations", describe)]];

/// All associations.
#[derive(Debug, Default)]
pub struct Associations {
    pub list: Vec<Association>,
}

/// An instance with its profile.
#[derive(Clone, Debug)]
pub struct Association {
    pub location: Location,
    pub instance_id: String,
    pub profile_arn: String,
    /// `associating`, `associated`, `disassociating` or `disassociated`.
    pub state: &'static str,
}

/// Implements the filters `instance-id` and `state`.
fn describe(world: &mut World, call: &Call) -> Outcome {
    let unknown = |refusal: Refusal| refusal.coded(400, "UnknownParameter");
    call.only(&["Filter", "MaxResults", "NextToken"]).map_err(unknown)?;
    let location = call.location();
    let mut found: Vec<_> =
        world.associations.list.iter().enumerate().filter(|(_, one)| one.location == location).collect();
    for filter in list(&call.body, "Filter")? {
        let values = texts(filter, "Value")?;
        match filter["Name"].as_str() {
            Some("instance-id") => found.retain(|(_, one)| values.contains(&one.instance_id.as_str())),
            Some("state") => found.retain(|(_, one)| values.contains(&one.state)),
            other => {
                let message = format!("The filter '{}' is invalid", other.unwrap_or_default());
                return Err(Refusal::client("InvalidParameterValue", message));
            }
        }
    }
    let asked = Asked {
        limit: number(call, "MaxResults")?,
        token: call.text("NextToken")?,
        least: 5,
        most: 1000,
        bad_token: "InvalidNextToken",
        cap: world.page_size,
    };
    let invalid = |refusal: Refusal| match refusal.code.as_str() {
        "ValidationException" => refusal.coded(400, "InvalidParameterValue"),
        _ => refusal,
    };
    let (found, next) = page(found, &asked).map_err(invalid)?;
    let found = found.into_iter().map(|(number, one)| {
        json!({
            "associationId": format!("iip-assoc-{number:017x}"),
            "iamInstanceProfile": {"arn": one.profile_arn, "id": format!("AIPA{number:016}")},
            "instanceId": one.instance_id,
            "state": one.state,
        })
    });
    let mut answer = json!({"iamInstanceProfileAssociationSet": found.collect::<Vec<_>>()});
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    Ok(answer)
}

impl World {
    /// Gives an instance of the default account and Region an instance profile.
    pub fn associate(&mut self, instance_id: &str, profile_arn: &str) {
        self.associations.list.push(Association {
            location: self.location.clone(),
            instance_id: instance_id.to_owned(),
            profile_arn: profile_arn.to_owned(),
            state: "associated",
        });
    }
}
