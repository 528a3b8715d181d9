//! Who the users and the nodes are: the roles of the managed nodes, and the owners of past sessions, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::StreamExt;
use futures_util::stream;

use super::READS_AT_A_TIME;
use super::observation::{Nodes, NodesOfAgent, OtherOwner, Sessions};
use crate::access::{PrincipalArn, SessionOwner};
use crate::arn::{Arn, base_name};
use crate::ports::{AwsError, ManagedNode, PreflightPorts};

/// A principal that was found, and how.
pub(super) struct FoundPrincipal {
    pub(super) principal: PrincipalArn,
    pub(super) source: String,
}

/// How a node's role is named before its ARN is looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RoleOf {
    /// By the instance profile of an EC2 instance.
    Profile(String),
    /// By name: hybrid activations, Default Host Management.
    Name(String),
}

/// The roles of all managed nodes, and a summary of the nodes.
///
/// # Errors
/// If the nodes themselves cannot be listed. Whatever else is missing is a gap in the summary.
pub(super) async fn found_nodes<P: PreflightPorts>(
    ports: &P,
) -> Result<(Vec<FoundPrincipal>, Nodes), AwsError> {
    let (nodes, profiles, host_role) =
        tokio::join!(ports.nodes(), ports.instance_profiles(), ports.default_host_role());
    let nodes = nodes?;
    let mut summary = Nodes { count: nodes.len(), ..Nodes::default() };
    let has_instances = nodes.iter().any(is_instance);
    let profiles: Option<BTreeMap<String, String>> = match profiles {
        Ok(profiles) => Some(profiles.into_iter().collect()),
        Err(error) => {
            if has_instances {
                summary.gaps.push(format!("the instance profiles of EC2 nodes could not be read: {error}"));
            }
            None
        }
    };
    let host_role = match host_role {
        Ok(role) => role,
        Err(error) => {
            summary.gaps.push(format!("whether Default Host Management is on could not be read: {error}"));
            None
        }
    };
    let mut by_role: BTreeMap<RoleOf, (usize, String)> = BTreeMap::new();
    let mut without = (0, String::new());
    for node in &nodes {
        let agents: &mut NodesOfAgent =
            summary.agents.entry(node.agent_version.clone().unwrap_or_default()).or_default();
        count(&mut agents.count, &mut agents.example, &node.id);
        match role_of(node, profiles.as_ref(), host_role.as_deref()) {
            Some(role) => {
                let (nodes, example) = by_role.entry(role).or_default();
                count(nodes, example, &node.id);
            }
            None => count(&mut without.0, &mut without.1, &node.id),
        }
    }
    let looked_up: Vec<_> = stream::iter(by_role)
        .map(|(role, (nodes, example))| async move {
            let arn = match &role {
                RoleOf::Profile(name) => ports.role_of_profile(name).await,
                RoleOf::Name(name) => ports.role_arn(name).await,
            };
            (role, arn, nodes, example)
        })
        .buffered(READS_AT_A_TIME)
        .collect()
        .await;
    let mut found = Vec::new();
    for (role, arn, nodes, example) in looked_up {
        let named = match role {
            RoleOf::Profile(name) => format!("instance profile {name}"),
            RoleOf::Name(name) => format!("role {name}"),
        };
        match arn.map(|arn| arn.and_then(|arn| PrincipalArn::parse(&arn).ok())) {
            Ok(Some(principal)) => {
                found.push(FoundPrincipal { principal, source: format!("{nodes} nodes, such as {example}") });
            }
            Ok(None) => {
                summary
                    .gaps
                    .push(format!("the {named} of {nodes} nodes, such as {example}, leads to no role"));
            }
            Err(error) => {
                summary.gaps.push(format!("the {named} of {nodes} nodes could not be looked up: {error}"));
            }
        }
    }
    summary.without_role = Some(without).filter(|(nodes, _)| *nodes > 0);
    Ok((found, summary))
}

/// The owners of past sessions, roles by their ARN.
///
/// # Errors
/// If the history cannot be read.
pub(super) async fn found_users<P: PreflightPorts>(
    ports: &P,
    account: &str,
    since: SystemTime,
) -> Result<(Vec<FoundPrincipal>, Sessions), AwsError> {
    let owners = ports.session_owners(since).await?;
    let mut summary = Sessions { count: owners.len(), ..Sessions::default() };
    let distinct: BTreeSet<&String> = owners.iter().collect();
    let mut found = Vec::new();
    let mut roles: BTreeMap<String, String> = BTreeMap::new();
    for owner in distinct {
        match SessionOwner::parse(owner) {
            SessionOwner::User(principal) => {
                found.push(FoundPrincipal { principal, source: "session history".to_owned() });
            }
            SessionOwner::Role { account: of, name } if of == account => {
                roles.entry(name).or_insert_with(|| owner.clone());
            }
            SessionOwner::Role { .. } | SessionOwner::Other(_) => {
                let why = "its policies cannot be asked about".to_owned();
                summary.others.push(OtherOwner { arn: owner.clone(), why });
            }
        }
    }
    let looked_up: Vec<_> = stream::iter(roles)
        .map(|(name, example)| async move { (ports.role_arn(&name).await, name, example) })
        .buffered(READS_AT_A_TIME)
        .collect()
        .await;
    for (arn, name, example) in looked_up {
        let why = match arn.map(|arn| arn.and_then(|arn| PrincipalArn::parse(&arn).ok())) {
            Ok(Some(principal)) => {
                found.push(FoundPrincipal {
                    principal,
                    source: format!("session history, such as {example}"),
                });
                continue;
            }
            Ok(None) => "that role no longer exists".to_owned(),
            Err(error) => format!("that role could not be looked up: {error}"),
        };
        let partition = Arn::parse(&example).map_or("aws", |arn| arn.partition);
        summary.others.push(OtherOwner { arn: format!("arn:{partition}:iam::{account}:role/{name}"), why });
    }
    Ok((found, summary))
}

/// The role that a node works with. An instance profile's role goes before the one of Default Host Management.
fn role_of(
    node: &ManagedNode,
    profiles: Option<&BTreeMap<String, String>>,
    host_role: Option<&str>,
) -> Option<RoleOf> {
    if let Some(name) = &node.hybrid_role {
        return Some(RoleOf::Name(base_name(name).to_owned()));
    }
    // Only EC2 instances have an instance profile or fall to Default Host Management.
    if !is_instance(node) {
        return None;
    }
    match profiles?.get(&node.id) {
        Some(profile) => Some(RoleOf::Profile(base_name(profile).to_owned())),
        None => host_role.map(|name| RoleOf::Name(base_name(name).to_owned())),
    }
}

fn is_instance(node: &ManagedNode) -> bool {
    node.id.starts_with("i-")
}

fn count(count: &mut usize, example: &mut String, id: &str) {
    *count += 1;
    if example.is_empty() {
        id.clone_into(example);
    }
}
