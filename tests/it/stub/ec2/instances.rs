//! Instances: DescribeInstances lists them by reservations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::list::{List, answer};
use crate::stub::call::{Call, Location, Outcome};
use crate::stub::services::Operation;
use crate::stub::world::World;

pub const OPERATIONS: &[Operation] = &[Operation::read("DescribeInstances", describe)];

/// How many instances a reservation of the stub has.
const OF_RESERVATION: usize = 2;

/// All instances, by id.
#[derive(Clone, Debug, Default)]
pub struct Instances {
    pub by_id: BTreeMap<String, Instance>,
}

/// An instance with one network interface.
#[derive(Clone, Debug)]
pub struct Instance {
    pub location: Location,
    pub id: String,
    /// `pending`, `running`, `shutting-down`, `terminated`, `stopping` or `stopped`.
    pub state: &'static str,
    pub vpc: String,
    pub subnet: String,
    pub private_ip: String,
    pub public_ip: Option<String>,
    pub ipv6: Option<String>,
    pub security_groups: Vec<String>,
}

const LIST: List<Instance> = List {
    most: 1000,
    filters: &[
        ("instance-state-name", |one| vec![one.state]),
        ("instance-id", |one| vec![one.id.as_str()]),
        ("vpc-id", |one| vec![one.vpc.as_str()]),
    ],
};

fn describe(world: &mut World, call: &Call) -> Outcome {
    let location = call.location();
    let all: Vec<_> =
        world.instances.by_id.values().filter(|one| one.location == location).cloned().collect();
    let page = LIST.page(world, call, &all)?;
    let reservations = page.items.chunks(OF_RESERVATION).enumerate().map(|(number, instances)| {
        json!({
            "reservationId": format!("r-{number:017x}"),
            "ownerId": location.account,
            "groupSet": [],
            "instancesSet": instances.iter().map(shown).collect::<Vec<_>>(),
        })
    });
    Ok(answer("reservationSet", &reservations.collect::<Vec<_>>(), page.next))
}

/// A terminated instance keeps its id and its state, and has no network any more.
fn shown(instance: &Instance) -> Value {
    let code = match instance.state {
        "pending" => 0,
        "running" => 16,
        "shutting-down" => 32,
        "terminated" => 48,
        "stopping" => 64,
        _ => 80,
    };
    let mut shown = json!({
        "instanceId": instance.id,
        "imageId": "ami-00000000000000000",
        "instanceState": {"code": code, "name": instance.state},
        "tagSet": [{"key": "Name", "value": "<a & b>"}],
        "networkInterfaceSet": [],
    });
    if instance.state == "terminated" {
        return shown;
    }
    let groups: Vec<_> = instance
        .security_groups
        .iter()
        .map(|id| json!({"groupId": id, "groupName": format!("name of {id}")}))
        .collect();
    let mut interface = json!({
        "networkInterfaceId": format!("eni-of-{}", instance.id),
        "subnetId": instance.subnet,
        "vpcId": instance.vpc,
        "status": "in-use",
        "privateIpAddress": instance.private_ip,
        "groupSet": groups,
        "attachment": {"attachmentId": "eni-attach-1", "deviceIndex": 0, "status": "attached"},
        "privateIpAddressesSet": [{"privateIpAddress": instance.private_ip, "primary": true}],
        "ipv6AddressesSet": [],
    });
    shown["vpcId"] = instance.vpc.as_str().into();
    shown["subnetId"] = instance.subnet.as_str().into();
    shown["privateIpAddress"] = instance.private_ip.as_str().into();
    shown["groupSet"] = groups.into();
    if let Some(address) = &instance.public_ip {
        shown["ipAddress"] = address.as_str().into();
        interface["association"] = json!({"publicIp": address, "ipOwnerId": "amazon"});
        interface["privateIpAddressesSet"][0]["association"] = interface["association"].clone();
    }
    if let Some(address) = &instance.ipv6 {
        shown["ipv6Address"] = address.as_str().into();
        interface["ipv6AddressesSet"] = json!([{"ipv6Address": address, "isPrimaryIpv6": false}]);
    }
    shown["networkInterfaceSet"] = json!([interface]);
    shown
}

impl World {
    /// Adds a running instance of the default account and Region in this subnet, which must be there. It takes the place
    /// of an instance with the same id.
    pub fn add_instance(&mut self, id: &str, subnet: &str) -> &mut Instance {
        let number = self.instances.by_id.len();
        let instance = Instance {
            location: self.location.clone(),
            id: id.to_owned(),
            state: "running",
            vpc: self.subnet(subnet).vpc.clone(),
            subnet: subnet.to_owned(),
            private_ip: format!("10.0.{}.{}", number / 250 % 250, number % 250 + 4),
            public_ip: None,
            ipv6: None,
            security_groups: vec!["sg-nodes".to_owned()],
        };
        self.instances.by_id.insert(id.to_owned(), instance);
        self.instances.by_id.get_mut(id).expect("it has just been added")
    }

    /// Adds an instance to the default VPC, where it has a public address and a route to the internet.
    pub fn add_default_instance(&mut self, id: &str) {
        if !self.vpcs.subnets.iter().any(|subnet| subnet.id == "subnet-default") {
            self.add_subnet("subnet-default", "vpc-default");
            self.add_route("vpc-default", "0.0.0.0/0", "igw-default");
        }
        self.add_instance(id, "subnet-default").public_ip = Some("198.51.100.1".to_owned());
    }
}
