//! Managed nodes, sessions, and the service setting of Default Host Management.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};

use super::super::call::{Call, Location, Outcome, Refusal};
use super::super::paging::{Asked, page};
use super::super::services::Operation;
use super::super::world::World;

pub const OPERATIONS: &[Operation] = &[
    Operation::read("DescribeInstanceInformation", describe_nodes),
    Operation::read("DescribeSessions", describe_sessions),
    Operation::read("GetServiceSetting", get_service_setting),
];

const DEFAULT_HOST_ROLE: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

/// The nodes and sessions of all accounts.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub nodes: Vec<Node>,
    pub sessions: Vec<Session>,
    /// The role of Default Host Management, if it is on.
    pub default_host_role: BTreeMap<Location, String>,
}

/// A managed node.
#[derive(Clone, Debug)]
pub struct Node {
    pub location: Location,
    /// `i-…` or `mi-…`.
    pub id: String,
    pub agent_version: String,
    /// The role's name. Only nodes of a hybrid activation have one.
    pub iam_role: Option<String>,
    /// Online, ConnectionLost or Inactive.
    pub ping_status: &'static str,
}

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    pub location: Location,
    pub id: String,
    pub owner: String,
    pub target: String,
    pub document: Option<&'static str>,
    pub is_just_in_time: bool,
    /// Epoch seconds.
    pub started: f64,
    /// Whether it is listed as `Active` or as `History`.
    pub active: bool,
}

/// Implements no filters.
fn describe_nodes(world: &mut World, call: &Call) -> Outcome {
    call.only(&["MaxResults", "NextToken"])?;
    let location = call.location();
    let nodes = world.fleet.nodes.iter().filter(|node| node.location == location).collect();
    let (nodes, next) = page(nodes, &asked(world, call, (5, 50))?)?;
    let nodes = nodes.into_iter().map(|node| {
        let hybrid = node.id.starts_with("mi-");
        let mut answer = json!({
            "InstanceId": node.id,
            "PingStatus": node.ping_status,
            "LastPingDateTime": 1_767_225_600.0,
            "AgentVersion": node.agent_version,
            "IsLatestVersion": false,
            "PlatformType": "Linux",
            "PlatformName": "Amazon Linux",
            "PlatformVersion": "2023",
            "ResourceType": if hybrid { "ManagedInstance" } else { "EC2Instance" },
            "IPAddress": "10.0.0.1",
            "ComputerName": "node.example",
        });
        if let Some(role) = &node.iam_role {
            answer["IamRole"] = role.as_str().into();
        }
        answer
    });
    Ok(listed("InstanceInformationList", &nodes.collect::<Vec<_>>(), next))
}

/// Implements the filters `InvokedAfter`, `InvokedBefore`, `Owner` and `Target`.
fn describe_sessions(world: &mut World, call: &Call) -> Outcome {
    call.only(&["State", "MaxResults", "NextToken", "Filters"])?;
    let active = match call.required("State")? {
        "Active" => true,
        "History" => false,
        other => return Err(Refusal::validation(format!("Value '{other}' at 'state'"))),
    };
    let location = call.location();
    let held = world.fleet.sessions.iter();
    let mut sessions: Vec<_> =
        held.filter(|session| session.active == active && session.location == location).collect();
    for filter in call.body.get("Filters").and_then(Value::as_array).into_iter().flatten() {
        let (Some(key), Some(value)) = (filter["key"].as_str(), filter["value"].as_str()) else {
            return Err(Refusal::validation("a filter has a key and a value"));
        };
        match key {
            "InvokedAfter" => {
                let time = time(value)?;
                sessions.retain(|session| session.started >= time);
            }
            "InvokedBefore" => {
                let time = time(value)?;
                sessions.retain(|session| session.started < time);
            }
            "Owner" => sessions.retain(|session| session.owner == value),
            "Target" => sessions.retain(|session| session.target == value),
            _ => return Err(Refusal::client("InvalidFilterKey", "The specified key isn't valid.")),
        }
    }
    let (sessions, next) = page(sessions, &asked(world, call, (1, 200))?)?;
    let sessions = sessions.into_iter().map(|session| {
        let mut answer = json!({
            "SessionId": session.id,
            "Target": session.target,
            "Status": if active { "Connected" } else { "Terminated" },
            "StartDate": session.started,
            "Owner": session.owner,
            "OutputUrl": {},
            "AccessType": if session.is_just_in_time { "JustInTime" } else { "Standard" },
        });
        if let Some(document) = session.document {
            answer["DocumentName"] = document.into();
        }
        answer
    });
    Ok(listed("Sessions", &sessions.collect::<Vec<_>>(), next))
}

/// Takes the setting's path or its ARN.
fn get_service_setting(world: &mut World, call: &Call) -> Outcome {
    call.only(&["SettingId"])?;
    let asked = call.required("SettingId")?;
    let location = call.location();
    let arn = format!(
        "arn:{}:ssm:{}:{}:servicesetting{DEFAULT_HOST_ROLE}",
        world.partition, location.region, location.account
    );
    if asked != DEFAULT_HOST_ROLE && asked != arn {
        return Err(Refusal::client(
            "ServiceSettingNotFound",
            "The specified service setting was not found. Either the service name or the setting has not been \
            provisioned by the AWS service team.",
        ));
    }
    let role = world.fleet.default_host_role.get(&location);
    Ok(json!({"ServiceSetting": {
        "SettingId": DEFAULT_HOST_ROLE,
        "SettingValue": role.map_or("$None", String::as_str),
        "LastModifiedDate": 1_600_000_000.0,
        "LastModifiedUser": "System",
        "ARN": arn,
        "Status": if role.is_some() { "Customized" } else { "Default" },
    }}))
}

fn asked<'a>(world: &World, call: &'a Call, (least, most): (usize, usize)) -> Result<Asked<'a>, Refusal> {
    Ok(Asked {
        limit: call.number("MaxResults")?,
        token: call.text("NextToken")?,
        least,
        most,
        bad_token: "InvalidNextToken",
        cap: world.page_size,
    })
}

fn listed(member: &str, items: &[Value], next: Option<String>) -> Value {
    let mut answer = json!({member: items});
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    answer
}

fn time(text: &str) -> Result<f64, Refusal> {
    let time = DateTime::from_str(text, Format::DateTime);
    time.map(|time| time.as_secs_f64())
        .map_err(|_| Refusal::validation(format!("`{text}` is no ISO 8601 time")))
}

impl World {
    /// Adds a node that is online to the default account and Region. An EC2 node is an instance of the default VPC.
    pub fn add_node(&mut self, id: &str, agent_version: &str) -> &mut Node {
        if id.starts_with("i-") {
            self.add_default_instance(id);
        }
        let node = Node {
            location: self.location.clone(),
            id: id.to_owned(),
            agent_version: agent_version.to_owned(),
            iam_role: None,
            ping_status: "Online",
        };
        self.fleet.nodes.push(node);
        self.fleet.nodes.last_mut().expect("one was added")
    }

    /// Adds a session of the default account and Region that has ended; the time in epoch seconds.
    pub fn add_session(&mut self, id: &str, owner: &str, started: f64) -> &mut Session {
        let session = Session {
            location: self.location.clone(),
            id: id.to_owned(),
            owner: owner.to_owned(),
            target: "i-00000000000000001".to_owned(),
            document: Some("SSM-SessionManagerRunShell"),
            is_just_in_time: false,
            started,
            active: false,
        };
        self.fleet.sessions.push(session);
        self.fleet.sessions.last_mut().expect("one was added")
    }

    /// Switches Default Host Management on in the default account and Region.
    pub fn set_default_host_role(&mut self, name: &str) {
        self.fleet.default_host_role.insert(self.location.clone(), name.to_owned());
    }
}
