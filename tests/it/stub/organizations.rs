//! The AWS Organizations of the stub: DescribeOrganization, at its only endpoint.

use serde_json::json;

use super::call::{Call, Outcome, Refusal};
use super::services::Operation;
use super::world::World;

pub const OPERATIONS: &[&[Operation]] = &[&[Operation::read("DescribeOrganization", describe)]];

/// The Region that answers in the partition of the tests.
pub const HOME: &str = "us-east-1";

/// Every account of an organization may call it. Other Regions have no endpoint.
fn describe(world: &mut World, call: &Call) -> Outcome {
    call.only(&[])?;
    if call.region != HOME {
        return Err(Refusal::client(
            "InvalidSignatureException",
            format!("Credential should be scoped to a valid region, not {}.", call.region),
        ));
    }
    let Some(id) = world.organization.clone() else {
        return Err(Refusal::client(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    };
    Ok(json!({"Organization": {
        "Arn": format!("arn:{}:organizations::999999999999:organization/{id}", world.partition),
        "FeatureSet": "ALL",
        "Id": id,
        "MasterAccountArn": format!("arn:{}:organizations::999999999999:account/{id}/999999999999", world.partition),
        "MasterAccountEmail": "owner@example.com",
        "MasterAccountId": "999999999999",
    }}))
}
