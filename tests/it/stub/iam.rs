//! The IAM of the stub: roles, users and instance profiles of several accounts, and a simulator that gives the answers
//! that the test has set.

mod details;
mod simulator;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal};
use super::services::Operation;
use super::world::World;
pub use details::Policies;
use details::{encoded, get_account_authorization_details};
pub use simulator::{AnswerShape, Details, SimulatedAnswer, SimulatedDecision};
use simulator::{Rule, simulate};

pub const OPERATIONS: &[&[Operation]] = &[&[
    Operation::read("SimulatePrincipalPolicy", simulate),
    Operation::read("GetRole", get_role),
    Operation::read("GetUser", get_user),
    Operation::read("GetInstanceProfile", get_instance_profile),
    Operation::read("GetAccountAuthorizationDetails", get_account_authorization_details),
]];

/// All principals and profiles.
#[derive(Clone, Debug, Default)]
pub struct Iam {
    pub roles: Vec<Role>,
    /// ARNs.
    pub users: Vec<String>,
    pub profiles: Vec<Profile>,
    /// The session token of each access key that AssumeRole issued.
    pub issued: BTreeMap<String, String>,
    /// The longest life of credentials that AssumeRole issues, in seconds.
    pub longest_session: Option<u64>,
    /// The tags of roles and users, by their ARN.
    pub tags: BTreeMap<String, Vec<(String, String)>>,
    /// The actions of a role's trust policy, by the role's ARN. Without an entry it is `sts:AssumeRole`.
    pub trust: BTreeMap<String, Value>,
    /// The policies, which the list of the account has and the simulator does not know.
    pub policies: Policies,
    /// The shape of the simulator's answers.
    pub shape: AnswerShape,
    simulated: Vec<Rule>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    pub account: String,
    pub name: String,
    pub arn: String,
    /// The accounts and the ARNs of roles that may assume it.
    pub trusted: Vec<String>,
    /// The external id that its trust policy asks for.
    pub external_id: Option<String>,
}

/// An instance profile.
#[derive(Clone, Debug)]
pub struct Profile {
    pub account: String,
    pub name: String,
    pub arn: String,
    /// The ARN of its role.
    pub role: Option<String>,
}

fn get_role(world: &mut World, call: &Call) -> Outcome {
    call.only(&["RoleName"]).map_err(invalid_input)?;
    let name = entity_name(call, "RoleName")?;
    let role = world.iam.roles.iter().find(|role| role.account == call.caller.account && role.name == name);
    let role = role.ok_or_else(|| no_such_entity(&format!("The role with name {name}")))?;
    let arn = role.arn.clone();
    let mut answer = described(&arn);
    answer["AssumeRolePolicyDocument"] = encoded(&trust_policy(world, &arn)).into();
    tagged(world, &arn, &mut answer);
    Ok(json!({"Role": answer}))
}

fn trust_policy(world: &World, role: &str) -> Value {
    let actions = world.iam.trust.get(role).cloned().unwrap_or_else(|| json!("sts:AssumeRole"));
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": actions},
    ]})
}

fn get_user(world: &mut World, call: &Call) -> Outcome {
    call.only(&["UserName"]).map_err(invalid_input)?;
    let name = entity_name(call, "UserName")?;
    let of_account = format!(":{}:user/", call.caller.account);
    let is_named = |arn: &&String| arn.contains(&of_account) && arn.rsplit('/').next() == Some(name);
    let user = world.iam.users.iter().find(is_named).cloned();
    let arn = user.ok_or_else(|| no_such_entity(&format!("The user with name {name}")))?;
    let mut answer = json!({
        "Path": path(&arn),
        "UserName": name,
        "UserId": "AIDAEXAMPLEEXAMPLEEXA",
        "Arn": arn,
        "CreateDate": "2020-09-13T12:26:40Z",
    });
    tagged(world, &arn, &mut answer);
    Ok(json!({"User": answer}))
}

/// The tags. Only answers about one entity show them.
fn tagged(world: &World, arn: &str, answer: &mut Value) {
    if let Some(tags) = world.iam.tags.get(arn) {
        answer["Tags"] = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    }
}

fn get_instance_profile(world: &mut World, call: &Call) -> Outcome {
    call.only(&["InstanceProfileName"]).map_err(invalid_input)?;
    let name = entity_name(call, "InstanceProfileName")?;
    let mut profiles = world.iam.profiles.iter();
    let profile = profiles.find(|one| one.account == call.caller.account && one.name == name);
    let profile = profile.ok_or_else(|| no_such_entity(&format!("Instance Profile {name}")))?;
    Ok(json!({"InstanceProfile": {
        "Path": path(&profile.arn),
        "InstanceProfileName": profile.name,
        "InstanceProfileId": "AIPAEXAMPLEEXAMPLEEXA",
        "Arn": profile.arn,
        "CreateDate": "2020-09-13T12:26:40Z",
        "Roles": profile.role.iter().map(|arn| described(arn)).collect::<Vec<_>>(),
    }}))
}

fn described(arn: &str) -> Value {
    json!({
        "Path": path(arn),
        "RoleName": arn.rsplit('/').next(),
        "RoleId": "AROAEXAMPLEEXAMPLEEXA",
        "Arn": arn,
        "CreateDate": "2020-09-13T12:26:40Z",
        "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%7D",
        "MaxSessionDuration": 3600,
    })
}

/// `/`, or `/some/path/`, of an entity's ARN.
fn path(arn: &str) -> String {
    let (_, path_and_name) = arn.split_once('/').expect("an entity's ARN has a slash");
    path_and_name.rsplit_once('/').map_or("/".to_owned(), |(path, _)| format!("/{path}/"))
}

/// A name without a path: 1 to 128 of `\w+=,.@-`.
fn entity_name<'a>(call: &'a Call, member: &str) -> Result<&'a str, Refusal> {
    let name = call.required(member).map_err(invalid_input)?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if (1..=128).contains(&name.len()) && name.bytes().all(known) {
        return Ok(name);
    }
    let message = format!(
        "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or +=,.@_-"
    );
    Err(Refusal::client("ValidationError", message))
}

fn invalid_input(refusal: Refusal) -> Refusal {
    refusal.coded(400, "InvalidInput")
}

fn no_such_entity(what: &str) -> Refusal {
    Refusal::client("NoSuchEntity", format!("{what} cannot be found.")).coded(404, "NoSuchEntity")
}

impl World {
    /// Adds a role, named by its path and name (`service-role/Node`), to the default account; returns its ARN.
    pub fn add_role(&mut self, name: &str) -> String {
        let account = self.location.account.clone();
        self.add_role_in(&account, name)
    }

    /// The same in another account.
    pub fn add_role_in(&mut self, account: &str, path_and_name: &str) -> String {
        let arn = format!("arn:{}:iam::{account}:role/{path_and_name}", self.partition);
        let name = path_and_name.rsplit('/').next().unwrap_or_default().to_owned();
        let (account, trusted) = (account.to_owned(), Vec::new());
        self.iam.roles.push(Role { account, name, arn: arn.clone(), trusted, external_id: None });
        arn
    }

    /// The role with this ARN, to read and to change.
    pub fn role(&mut self, arn: &str) -> &mut Role {
        self.iam.roles.iter_mut().find(|role| role.arn == arn).expect("the role was added")
    }

    /// Adds a user to the default account; returns its ARN.
    pub fn add_user(&mut self, path_and_name: &str) -> String {
        let arn = format!("arn:{}:iam::{}:user/{path_and_name}", self.partition, self.location.account);
        self.iam.users.push(arn.clone());
        arn
    }

    /// Tags a role or a user.
    pub fn tag(&mut self, arn: &str, name: &str, value: &str) {
        let tags = self.iam.tags.entry(arn.to_owned()).or_default();
        tags.push((name.to_owned(), value.to_owned()));
    }

    /// Adds an instance profile with this role, or none, to the default account; returns its ARN.
    pub fn add_instance_profile(&mut self, path_and_name: &str, role: Option<&str>) -> String {
        let account = self.location.account.clone();
        let arn = format!("arn:{}:iam::{account}:instance-profile/{path_and_name}", self.partition);
        let name = path_and_name.rsplit('/').next().unwrap_or_default().to_owned();
        let role = role.map(str::to_owned);
        self.iam.profiles.push(Profile { account, name, arn: arn.clone(), role });
        arn
    }

    /// Sets the simulator's answer for a principal, an action or `*`, and a resource or `*`. The last answer that
    /// matches counts; if none does, it is an implicit deny.
    pub fn simulates(&mut self, principal: &str, action: &str, resource: &str, answer: SimulatedAnswer) {
        let (principal, action, resource) = (principal.to_owned(), action.to_owned(), resource.to_owned());
        self.iam.simulated.push(Rule { principal, action, resource, answer });
    }
}
