//! IAM's list of everything in the account, GetAccountAuthorizationDetails: users, groups, roles and managed policies, on
//! pages of all of them together.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::super::call::{Call, Outcome, Refusal};
use super::super::paging::{Asked, page};
use super::super::query::{number, texts};
use super::super::world::World;
use super::{invalid_input, path};

/// The policies of roles, users and groups. A principal goes by its ARN, a group by its name.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Managed policies, by ARN.
    pub managed: BTreeMap<String, Value>,
    /// Inline policies, by their owner: name and document.
    pub inline: BTreeMap<String, Vec<(String, Value)>>,
    /// ARNs of managed policies, by their owner.
    pub attached: BTreeMap<String, Vec<String>>,
    /// The ARN of a principal's permissions boundary.
    pub boundaries: BTreeMap<String, String>,
    /// The members of each group.
    pub groups: BTreeMap<String, Vec<String>>,
}

pub fn get_account_authorization_details(world: &mut World, call: &Call) -> Outcome {
    call.only(&["Filter", "MaxItems", "Marker"]).map_err(invalid_input)?;
    const KINDS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    let filter = texts(&call.body, "Filter")?;
    if let Some(other) = filter.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(invalid_input(Refusal::validation(format!("unknown filter {other}"))));
    }
    let is_wanted = |kind: &str| filter.is_empty() || filter.contains(&kind);
    let of_account = |arn: &str| arn.split(':').nth(4) == Some(call.caller.account.as_str());
    let iam = &world.iam;
    let mut entities: Vec<(&str, Value)> = Vec::new();
    if is_wanted("User") {
        let users = iam.users.iter().filter(|arn| of_account(arn));
        entities.extend(users.map(|arn| ("UserDetailList", user(world, arn))));
    }
    if is_wanted("Group") {
        entities.extend(iam.policies.groups.keys().map(|name| ("GroupDetailList", group(world, name))));
    }
    if is_wanted("Role") {
        let roles = iam.roles.iter().filter(|role| of_account(&role.arn));
        entities.extend(roles.map(|role| ("RoleDetailList", self::role(world, &role.arn))));
    }
    for (arn, document) in &iam.policies.managed {
        let kind = if of_account(arn) { "LocalManagedPolicy" } else { "AWSManagedPolicy" };
        if is_wanted(kind) {
            entities.push(("Policies", managed_policy(arn, document)));
        }
    }
    let asked = Asked {
        limit: number(call, "MaxItems")?,
        token: call.text("Marker")?,
        least: 1,
        most: 1000,
        bad_token: "ValidationError",
        cap: world.page_size,
    };
    let (entities, marker) = page(entities, &asked)?;
    let mut answer = json!({
        "IsTruncated": marker.is_some(),
        "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [],
    });
    for (list, entity) in entities {
        answer[list].as_array_mut().expect("it is a list").push(entity);
    }
    if let Some(marker) = marker {
        answer["Marker"] = marker.into();
    }
    Ok(answer)
}

fn user(world: &World, arn: &str) -> Value {
    let groups = &world.iam.policies.groups;
    let of_user = groups.iter().filter(|(_, members)| members.iter().any(|member| member == arn));
    let mut user = json!({
        "Path": path(arn),
        "UserName": name(arn),
        "UserId": "AIDAEXAMPLEEXAMPLEEXA",
        "Arn": arn,
        "CreateDate": "2020-09-13T12:26:40Z",
        "UserPolicyList": inline(world, arn),
        "GroupList": of_user.map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        "AttachedManagedPolicies": attached(world, arn),
    });
    complete(world, arn, &mut user);
    user
}

fn group(world: &World, name: &str) -> Value {
    json!({
        "Path": "/",
        "GroupName": name,
        "GroupId": "AGPAEXAMPLEEXAMPLEEXA",
        "Arn": format!("arn:aws:iam::{}:group/{name}", world.location.account),
        "CreateDate": "2020-09-13T12:26:40Z",
        "GroupPolicyList": inline(world, name),
        "AttachedManagedPolicies": attached(world, name),
    })
}

fn role(world: &World, arn: &str) -> Value {
    let profiles = world.iam.profiles.iter().filter(|profile| profile.role.as_deref() == Some(arn));
    let profiles = profiles.map(|profile| {
        json!({
            "InstanceProfileName": profile.name,
            "Arn": profile.arn,
            "Roles": [{"RoleName": name(arn), "Arn": arn, "AssumeRolePolicyDocument": encoded(&json!({}))}],
        })
    });
    let mut role = json!({
        "Path": path(arn),
        "RoleName": name(arn),
        "RoleId": "AROAEXAMPLEEXAMPLEEXA",
        "Arn": arn,
        "CreateDate": "2020-09-13T12:26:40Z",
        "AssumeRolePolicyDocument": encoded(&super::trust_policy(world, arn)),
        "InstanceProfileList": profiles.collect::<Vec<_>>(),
        "RolePolicyList": inline(world, arn),
        "AttachedManagedPolicies": attached(world, arn),
    });
    complete(world, arn, &mut role);
    role
}

/// The boundary and the tags of a principal.
fn complete(world: &World, arn: &str, entity: &mut Value) {
    if let Some(boundary) = world.iam.policies.boundaries.get(arn) {
        entity["PermissionsBoundary"] =
            json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary});
    }
    super::tagged(world, arn, entity);
}

/// A managed policy whose default version is not its newest one.
fn managed_policy(arn: &str, document: &Value) -> Value {
    let other =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
    let version = |id: &str, is_default: bool, document: &Value| {
        json!({
            "Document": encoded(document),
            "VersionId": id,
            "IsDefaultVersion": is_default,
            "CreateDate": "2020-09-13T12:26:40Z",
        })
    };
    json!({
        "PolicyName": name(arn),
        "PolicyId": "ANPAEXAMPLEEXAMPLEEXA",
        "Arn": arn,
        "Path": path(arn),
        "DefaultVersionId": "v1",
        "AttachmentCount": 1,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": true,
        "PolicyVersionList": [version("v2", false, &other), version("v1", true, document)],
    })
}

fn inline(world: &World, owner: &str) -> Value {
    let policies = world.iam.policies.inline.get(owner).into_iter().flatten();
    policies
        .map(|(name, document)| json!({"PolicyName": name, "PolicyDocument": encoded(document)}))
        .collect()
}

fn attached(world: &World, owner: &str) -> Value {
    let policies = world.iam.policies.attached.get(owner).into_iter().flatten();
    policies.map(|arn| json!({"PolicyName": name(arn), "PolicyArn": arn})).collect()
}

fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A document percent-encoded by RFC 3986, spaces included.
pub fn encoded(document: &Value) -> String {
    form_urlencoded::byte_serialize(document.to_string().as_bytes()).collect::<String>().replace('+', "%20")
}

impl World {
    /// Adds a managed policy of the account; returns its ARN.
    pub fn add_policy(&mut self, path_and_name: &str, document: Value) -> String {
        let arn = format!("arn:{}:iam::{}:policy/{path_and_name}", self.partition, self.location.account);
        self.iam.policies.managed.insert(arn.clone(), document);
        arn
    }

    /// Adds a managed policy of AWS; returns its ARN.
    pub fn add_aws_policy(&mut self, path_and_name: &str, document: Value) -> String {
        let arn = format!("arn:{}:iam::aws:policy/{path_and_name}", self.partition);
        self.iam.policies.managed.insert(arn.clone(), document);
        arn
    }

    /// Adds an inline policy to a principal, by its ARN, or to a group, by its name.
    pub fn put_policy(&mut self, owner: &str, name: &str, document: Value) {
        self.iam.policies.inline.entry(owner.to_owned()).or_default().push((name.to_owned(), document));
    }

    /// Attaches a managed policy to a principal or a group.
    pub fn attach_policy(&mut self, owner: &str, arn: &str) {
        self.iam.policies.attached.entry(owner.to_owned()).or_default().push(arn.to_owned());
    }

    /// Sets the permissions boundary of a principal.
    pub fn set_boundary(&mut self, principal: &str, arn: &str) {
        self.iam.policies.boundaries.insert(principal.to_owned(), arn.to_owned());
    }

    /// Adds a user to a group, which is made if it is new.
    pub fn join_group(&mut self, group: &str, user: &str) {
        self.iam.policies.groups.entry(group.to_owned()).or_default().push(user.to_owned());
    }
}
