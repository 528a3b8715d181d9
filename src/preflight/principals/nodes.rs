//! The nodes: the roles that the agents of the managed nodes work by, and those of instances that are stopped.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream;

use super::agent_role::{AgentRoles, DefaultHostManagement, ProfileRole};
use super::{FoundPrincipal, FoundPrincipals, parse_role_arn};
use crate::access::{
    KnownContext, PrincipalArn, Registration, RegistrationCall, UPDATE_INSTANCE_INFORMATION,
};
use crate::arn::base_name;
use crate::ports::{AwsError, Environment, Instance, ManagedNode, PreflightPorts};
use crate::preflight::READS_AT_A_TIME;
use crate::preflight::observation::{InstanceNode, Need, NodeCount, Nodes};

/// What was found of the nodes.
#[derive(Debug)]
pub(in crate::preflight) struct FoundNodes {
    /// The roles.
    pub(in crate::preflight) principals: Vec<FoundPrincipal>,
    /// A summary of the nodes.
    pub(in crate::preflight) nodes: Nodes,
    /// The instances of the account and Region; `None` if nobody asked, since there is none among the nodes.
    pub(in crate::preflight) instances: Option<Result<Vec<Instance>, AwsError>>,
}

/// What decides which role an agent works by. Nodes of one group have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// Hybrid activated, with this role, by name.
    Hybrid(String),
    /// An EC2 instance with this instance profile, by name.
    Profile(String),
    /// An EC2 instance without an instance profile.
    NoProfile,
    /// An EC2 instance that names the role of Default Host Management as its own.
    Host,
    /// An EC2 instance of which no instance profile could be read.
    UnknownProfile,
    /// A hybrid node without a role.
    NoRole,
}

/// What the groups need of IAM, read once for each name.
struct Roles {
    host: DefaultHostManagement,
    profiles: BTreeMap<String, ProfileRole>,
    hybrid: BTreeMap<String, PrincipalArn>,
}

/// The roles of all managed nodes and of stopped instances, and a summary of the nodes.
///
/// # Errors
/// If the nodes themselves cannot be listed. Whatever else is missing is a gap in the summary.
pub(in crate::preflight) async fn found_nodes<P: PreflightPorts>(
    environment: Environment<'_, P>,
    known: &KnownContext,
) -> Result<FoundNodes, AwsError> {
    let (managed, profiles, host_role) =
        tokio::join!(environment.nodes(), environment.instance_profiles(), environment.default_host_role());
    let managed = managed?;
    let mut nodes = Nodes { count: managed.len(), ..Nodes::default() };
    let has_instances = managed.iter().any(is_instance);
    let profiles: Option<BTreeMap<String, String>> = match profiles {
        Ok(profiles) => Some(profiles.into_iter().collect()),
        Err(error) => {
            // Without them the stopped instances are not known either.
            nodes.gaps.push(format!("the instance profiles of EC2 instances could not be read: {error}"));
            None
        }
    };
    // `None` if it is not known whether Default Host Management is on.
    let host_role = match host_role {
        Ok(role) => Some(role),
        Err(error) => {
            nodes.gaps.push(format!("whether Default Host Management is on could not be read: {error}"));
            None
        }
    };
    let managed_ids: BTreeSet<&str> = managed.iter().map(|node| node.id.as_str()).collect();
    let not_managed = || profiles.iter().flatten().filter(|(id, _)| !managed_ids.contains(id.as_str()));
    let instances = match has_instances || not_managed().next().is_some() {
        true => Some(environment.instances().await),
        false => None,
    };
    let mut groups: BTreeMap<Group, NodeCount> = BTreeMap::new();
    let mut group_of: Vec<(&ManagedNode, Group)> = Vec::new();
    for node in &managed {
        let version = node.agent_version.clone().unwrap_or_default();
        nodes.agents.entry(version).or_default().add(&node.id);
        let group = group(node, profiles.as_ref(), host_role.iter().flatten().next().map(String::as_str));
        groups.entry(group.clone()).or_default().add(&node.id);
        group_of.push((node, group));
    }
    let (stopped, is_state_known) = stopped(not_managed(), instances.as_ref());
    let roles = Box::pin(read_roles(environment, known, host_role, &groups, &stopped, &mut nodes.gaps)).await;
    // Each role with its sources, summed up over the groups.
    let mut sources: BTreeMap<(PrincipalArn, String), (Need, NodeCount)> = BTreeMap::new();
    let mut by_group: BTreeMap<&Group, Vec<PrincipalArn>> = BTreeMap::new();
    for (group, members) in &groups {
        let agents = roles.of(group);
        if agents.roles.is_empty() {
            nodes.without_role.merge(members);
        }
        let names: Vec<PrincipalArn> = agents.roles.iter().map(|(role, ..)| role.clone()).collect();
        for (role, need, how) in agents.roles {
            sources.entry((role, how)).or_insert_with(|| (need, NodeCount::default())).1.merge(members);
        }
        if agents.is_complete {
            if names.len() > 1 {
                nodes.alternative_roles.push(names.clone());
            }
            by_group.insert(group, names);
        }
    }
    let mut found = FoundPrincipals::default();
    for ((role, how), (need, NodeCount { count, example })) in sources {
        found.add(role, need, format!("{count} {}, such as {example}, {how}", nodes_of(count)));
    }
    for (profile, NodeCount { count, example }) in &stopped {
        let what = match (is_state_known, count) {
            (true, 1) => "stopped instance",
            (true, _) => "stopped instances",
            (false, 1) => "instance that is stopped or not managed",
            (false, _) => "instances that are stopped or not managed",
        };
        for (role, _, how) in roles.of(&Group::Profile(profile.clone())).roles {
            let need = match is_state_known {
                true => Need::StoppedOnly,
                false => Need::Possible("whether these instances are stopped is not known".to_owned()),
            };
            found.add(role, need, format!("{count} {what}, such as {example}, {how}"));
        }
    }
    nodes.instances = group_of
        .iter()
        .filter(|(node, _)| is_instance(node))
        .map(|(node, group)| InstanceNode {
            id: node.id.clone(),
            roles: by_group.get(group).cloned().unwrap_or_default(),
        })
        .collect();
    Ok(FoundNodes { principals: found.into_list(), nodes, instances })
}

fn group(node: &ManagedNode, profiles: Option<&BTreeMap<String, String>>, host_role: Option<&str>) -> Group {
    if !is_instance(node) {
        return node.role.as_ref().map_or(Group::NoRole, |role| Group::Hybrid(base_name(role).to_owned()));
    }
    // AWS does not document whether it names the role of nodes under Default Host Management. If it does, that decides.
    if let (Some(role), Some(host)) = (&node.role, host_role)
        && base_name(role) == base_name(host)
    {
        return Group::Host;
    }
    match profiles.map(|profiles| profiles.get(&node.id)) {
        None => Group::UnknownProfile,
        Some(None) => Group::NoProfile,
        Some(Some(profile)) => Group::Profile(base_name(profile).to_owned()),
    }
}

/// The stopped instances that have an instance profile, by its name, and whether it is known that they are stopped.
/// `not_managed` are the instances that have a profile and are no managed nodes.
fn stopped<'a>(
    not_managed: impl Iterator<Item = (&'a String, &'a String)>,
    instances: Option<&Result<Vec<Instance>, AwsError>>,
) -> (BTreeMap<String, NodeCount>, bool) {
    let stopped_ids: Option<BTreeSet<&str>> = match instances {
        Some(Ok(instances)) => {
            let stopped = instances.iter().filter(|instance| instance.is_stopped);
            Some(stopped.map(|instance| instance.id.as_str()).collect())
        }
        Some(Err(_)) | None => None,
    };
    let mut stopped: BTreeMap<String, NodeCount> = BTreeMap::new();
    for (id, profile) in not_managed {
        if stopped_ids.as_ref().is_none_or(|ids| ids.contains(id.as_str())) {
            stopped.entry(base_name(profile).to_owned()).or_default().add(id);
        }
    }
    (stopped, stopped_ids.is_some())
}

/// Looks each role up, and asks of the roles of instance profiles whether they may register a node if Default Host
/// Management is or may be on. `host_role` is `None` if it is not known whether that is on.
async fn read_roles<P: PreflightPorts>(
    environment: Environment<'_, P>,
    known: &KnownContext,
    host_role: Option<Option<String>>,
    groups: &BTreeMap<Group, NodeCount>,
    stopped: &BTreeMap<String, NodeCount>,
    gaps: &mut Vec<String>,
) -> Roles {
    let is_host_off = matches!(host_role, Some(None));
    let mut profiles: BTreeMap<&String, (&NodeCount, &str)> =
        stopped.iter().map(|(profile, members)| (profile, (members, "stopped instances"))).collect();
    let mut hybrids: Vec<(&String, &NodeCount)> = Vec::new();
    let mut needs_host = !stopped.is_empty();
    for (group, members) in groups {
        match group {
            Group::Hybrid(role) => hybrids.push((role, members)),
            Group::Profile(profile) => {
                profiles.insert(profile, (members, nodes_of(members.count)));
                needs_host = true;
            }
            Group::NoProfile | Group::Host | Group::UnknownProfile => needs_host = true,
            Group::NoRole => {}
        }
    }
    let host = async {
        match host_role {
            None => (DefaultHostManagement::Unknown, None),
            Some(None) => (DefaultHostManagement::Off, None),
            Some(Some(_)) if !needs_host => (DefaultHostManagement::Unknown, None),
            Some(Some(role)) => match parse_role_arn(environment.role_arn(base_name(&role)).await) {
                Ok(Some(arn)) => (DefaultHostManagement::On(arn), None),
                Ok(None) => (
                    DefaultHostManagement::Unknown,
                    Some(format!("role {role} of Default Host Management is gone")),
                ),
                Err(error) => (
                    DefaultHostManagement::Unknown,
                    Some(format!("role {role} of Default Host Management could not be looked up: {error}")),
                ),
            },
        }
    };
    let hybrid =
        stream::iter(hybrids)
            .map(|(role, members)| async move {
                (role, members, parse_role_arn(environment.role_arn(role).await))
            })
            .buffered(READS_AT_A_TIME)
            .collect::<Vec<_>>();
    let of_profiles = stream::iter(profiles)
        .map(|(profile, (members, noun))| async move {
            let role = parse_role_arn(environment.role_of_profile(profile).await);
            let registration = match &role {
                Ok(Some(role)) if !is_host_off => {
                    Some(Box::pin(registration(environment, known, role, &members.example)).await)
                }
                _ => None,
            };
            (profile, members, noun, role, registration)
        })
        .buffered(READS_AT_A_TIME)
        .collect::<Vec<_>>();
    let ((host, gap), hybrid, of_profiles) =
        tokio::join!(Box::pin(host), Box::pin(hybrid), Box::pin(of_profiles));
    gaps.extend(gap);
    let mut roles = Roles { host, profiles: BTreeMap::new(), hybrid: BTreeMap::new() };
    for (name, NodeCount { count, example }, role) in hybrid {
        let of = format!("the role {name} of {count} {}", nodes_of(*count));
        match role {
            Ok(Some(role)) => drop(roles.hybrid.insert(name.clone(), role)),
            Ok(None) => gaps.push(format!("{of}, such as {example}, does not exist")),
            Err(error) => gaps.push(format!("{of} could not be looked up: {error}")),
        }
    }
    for (name, NodeCount { count, example }, noun, role, registration) in of_profiles {
        let of = format!("the instance profile {name} of {count} {noun}");
        let role = match (role, registration) {
            (Ok(Some(_)), Some(None)) | (Ok(None), _) => {
                // If Default Host Management is on, these nodes work by its role, and nothing is missing.
                if !matches!(roles.host, DefaultHostManagement::On(_)) {
                    gaps.push(format!("{of}, such as {example}, has no role that exists"));
                }
                ProfileRole::None
            }
            (Ok(Some(role)), registration) => ProfileRole::Role(role, registration.flatten()),
            (Err(error), _) => {
                gaps.push(format!("{of} could not be looked up: {error}"));
                ProfileRole::Unknown
            }
        };
        roles.profiles.insert(name.clone(), role);
    }
    roles
}

/// Whether a role may register an instance, given by its id; `None` if there is no such role any more.
async fn registration<P: PreflightPorts>(
    environment: Environment<'_, P>,
    known: &KnownContext,
    role: &PrincipalArn,
    instance: &str,
) -> Option<Registration> {
    let Environment { ports, location, .. } = environment;
    let call = RegistrationCall::new(role, instance, location, known);
    let context = call.context_entries();
    match ports.simulate(role.as_str(), UPDATE_INSTANCE_INFORMATION, &call.instance, &context).await {
        Ok(simulation) => Some(call.registration(&simulation)),
        // A role that was just made may not be known to the simulator yet.
        Err(error) if error.code() == "NoSuchEntity" => match ports.role_arn(role.name()).await {
            Ok(None) => None,
            Ok(Some(_)) => Some(Registration::Unknown(error.to_string())),
            Err(error) => Some(Registration::Unknown(error.to_string())),
        },
        Err(error) => Some(Registration::Unknown(error.to_string())),
    }
}

impl Roles {
    /// The roles that the agents of a group work by.
    fn of(&self, group: &Group) -> AgentRoles {
        match group {
            Group::Hybrid(name) => match self.hybrid.get(name) {
                Some(role) => AgentRoles::certain(role.clone(), "by hybrid activation".to_owned()),
                None => AgentRoles::unknown(),
            },
            Group::Profile(name) => match self.profiles.get(name) {
                Some(profile) => AgentRoles::of_profile(name, profile, &self.host),
                None => AgentRoles::unknown(),
            },
            Group::NoProfile => AgentRoles::of_host(&self.host, "they have no instance profile"),
            Group::Host => AgentRoles::of_host(&self.host, "Systems Manager names its role as theirs"),
            Group::UnknownProfile => match &self.host {
                DefaultHostManagement::On(role) => AgentRoles::perhaps_host(
                    role,
                    "the instance profiles of EC2 nodes are not known".to_owned(),
                ),
                DefaultHostManagement::Off | DefaultHostManagement::Unknown => AgentRoles::unknown(),
            },
            Group::NoRole => AgentRoles::unknown(),
        }
    }
}

fn is_instance(node: &ManagedNode) -> bool {
    node.id.starts_with("i-")
}

fn nodes_of(count: usize) -> &'static str {
    if count == 1 { "node" } else { "nodes" }
}
