//! Which instance has which instance profile.

use serde_json::json;

use super::list::{List, answer};
use crate::stub::call::{Call, Location, Outcome};
use crate::stub::services::Operation;
use crate::stub::world::World;

pub const OPERATIONS: &[Operation] = &[Operation::read("DescribeIamInstanceProfileAssociations", describe)];

/// All associations.
#[derive(Clone, Debug, Default)]
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

const LIST: List<(usize, Association)> = List {
    most: 1000,
    filters: &[
        ("instance-id", |(_, one)| vec![one.instance_id.as_str()]),
        ("state", |(_, one)| vec![one.state]),
    ],
};

fn describe(world: &mut World, call: &Call) -> Outcome {
    let location = call.location();
    let all = world.associations.list.iter().cloned().enumerate();
    let all: Vec<_> = all.filter(|(_, one)| one.location == location).collect();
    let page = LIST.page(world, call, &all)?;
    let found = page.items.into_iter().map(|(number, one)| {
        json!({
            "associationId": format!("iip-assoc-{number:017x}"),
            "iamInstanceProfile": {"arn": one.profile_arn, "id": format!("AIPA{number:016}")},
            "instanceId": one.instance_id,
            "state": one.state,
        })
    });
    Ok(answer("iamInstanceProfileAssociationSet", &found.collect::<Vec<_>>(), page.next))
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
