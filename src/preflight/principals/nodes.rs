//! The nodes: the roles that the agents of the managed nodes work by, and those of instances that are stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::agent_role::{AgentRoles, DefaultHostManagement};
use super::node_roles::{RoleReader, Roles};
use super::{FoundPrincipal, FoundPrincipals};
use crate::access::{KnownContext, PrincipalArn};
use crate::arn::base_name;
use crate::ports::{AwsError, Environment, Instance, ManagedNode, PreflightPorts};
use crate::preflight::observation::{InstanceNode, Need, NodeCount, Nodes};

/// What was found of the nodes.
#[derive(Debug)]
pub(in crate::preflight) struct FoundNodes {
    /// The roles.
    pub(in crate::preflight) principals: Vec<FoundPrincipal>,
    /// A summary of the nodes.
    pub(in crate::preflight) nodes: Nodes,
}

/// The instances, whose network is read while their roles are.
#[derive(Debug)]
pub(in crate::preflight) struct FoundInstances {
    /// The managed nodes, with instances among them.
    pub(in crate::preflight) managed: Arc<Vec<ManagedNode>>,
    /// The instances of the account and Region.
    pub(in crate::preflight) all: Result<Arc<Vec<Instance>>, AwsError>,
}

/// What decides which role an agent works by. Nodes of one group have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group<'a> {
    /// Hybrid activated, with this role, by name.
    Hybrid(&'a str),
    /// An EC2 instance with this instance profile, by name.
    Profile(&'a str),
    /// An EC2 instance without an instance profile.
    NoProfile,
    /// An EC2 instance that names the role of Default Host Management as its own.
    Host,
    /// An EC2 instance of which no instance profile could be read.
    UnknownProfile,
    /// A hybrid node without a role.
    NoRole,
}

/// The roles of all managed nodes and of stopped instances, and a summary of the nodes. If there are instances among the
/// nodes, they are sent to `instances` as soon as they are known.
///
/// # Errors
/// If the nodes themselves cannot be listed. Whatever else is missing is a gap in the summary.
pub(in crate::preflight) async fn found_nodes<P: PreflightPorts>(
    environment: Environment<'_, P>,
    known: &KnownContext,
    instances: oneshot::Sender<FoundInstances>,
) -> Result<FoundNodes, AwsError> {
    let to_network = instances;
    let (managed, profiles, host_role) =
        tokio::join!(environment.nodes(), environment.instance_profiles(), environment.default_host_role());
    let managed = managed?;
    let mut nodes = Nodes { count: managed.len(), ..Nodes::default() };
    let has_instances = managed.iter().any(is_instance);
    let profiles: Option<BTreeMap<&str, &str>> = match &profiles {
        Ok(profiles) => {
            Some(profiles.iter().map(|profile| (profile.instance.as_str(), &*profile.arn)).collect())
        }
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
    let managed_ids: BTreeSet<&str> = managed.iter().map(|node| &*node.id).collect();
    let not_managed = || {
        let profiles = profiles.iter().flatten().map(|(id, profile)| (*id, *profile));
        profiles.filter(|(id, _)| !managed_ids.contains(id))
    };
    let mut groups: BTreeMap<Group<'_>, NodeCount> = BTreeMap::new();
    let mut group_of: Vec<(&ManagedNode, Group<'_>)> = Vec::new();
    for node in managed.iter() {
        let version = node.agent_version.as_deref().unwrap_or_default().to_owned();
        nodes.agents.entry(version).or_default().add(&node.id);
        let group = group(node, profiles.as_ref(), host_role.iter().flatten().next().map(String::as_str));
        groups.entry(group).or_default().add(&node.id);
        group_of.push((node, group));
    }
    let instances = async {
        match has_instances || not_managed().next().is_some() {
            true => Some(environment.instances().await),
            false => None,
        }
    };
    let reader = RoleReader { environment, known, host_role: host_role.as_ref() };
    let (instances, mut roles) = tokio::join!(Box::pin(instances), Box::pin(reader.roles_of_groups(&groups)));
    let (stopped, is_state_known) = stopped(not_managed(), instances.as_ref());
    if let Some(all) = instances.filter(|_| has_instances) {
        // Nobody receives them if the network is not observed.
        let _ = to_network.send(FoundInstances { managed: Arc::clone(&managed), all });
    }
    Box::pin(reader.add_roles_of_stopped(&mut roles, &stopped)).await;
    let roles = roles.into_roles(host_role.as_ref(), &mut nodes.gaps);
    // Each role with its sources, summed up over the groups.
    let mut sources: BTreeMap<(PrincipalArn, String), (Need, NodeCount)> = BTreeMap::new();
    let mut by_group: BTreeMap<Group<'_>, Arc<[PrincipalArn]>> = BTreeMap::new();
    for (group, members) in &groups {
        let agents = roles.of(*group);
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
            by_group.insert(*group, names.into());
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
        for (role, _, how) in roles.of(Group::Profile(profile)).roles {
            let need = match is_state_known {
                true => Need::StoppedOnly,
                false => Need::Possible("whether these instances are stopped is not known".to_owned()),
            };
            found.add(role, need, format!("{count} {what}, such as {example}, {how}"));
        }
    }
    let instances = group_of.iter().filter(|(node, _)| is_instance(node));
    let instances = instances.map(|(node, group)| InstanceNode {
        id: Arc::clone(&node.id),
        roles: by_group.get(group).cloned().unwrap_or_default(),
    });
    nodes.instances = instances.collect();
    Ok(FoundNodes { principals: found.into_list(), nodes })
}

fn group<'a>(
    node: &'a ManagedNode,
    profiles: Option<&BTreeMap<&str, &'a str>>,
    host_role: Option<&str>,
) -> Group<'a> {
    if !is_instance(node) {
        return node.role.as_ref().map_or(Group::NoRole, |role| Group::Hybrid(base_name(role)));
    }
    // AWS does not document whether it names the role of nodes under Default Host Management. If it does, that decides.
    if let (Some(role), Some(host)) = (&node.role, host_role)
        && base_name(role) == base_name(host)
    {
        return Group::Host;
    }
    match profiles.map(|profiles| profiles.get(&*node.id)) {
        None => Group::UnknownProfile,
        Some(None) => Group::NoProfile,
        Some(Some(profile)) => Group::Profile(base_name(profile)),
    }
}

/// The stopped instances that have an instance profile, by its name, and whether it is known that they are stopped.
/// `not_managed` are the instances that have a profile and are no managed nodes.
fn stopped<'a>(
    not_managed: impl Iterator<Item = (&'a str, &'a str)>,
    instances: Option<&Result<Arc<Vec<Instance>>, AwsError>>,
) -> (BTreeMap<&'a str, NodeCount>, bool) {
    let stopped_ids: Option<BTreeSet<&str>> = match instances {
        Some(Ok(instances)) => {
            let stopped = instances.iter().filter(|instance| instance.is_stopped);
            Some(stopped.map(|instance| instance.id.as_str()).collect())
        }
        Some(Err(_)) | None => None,
    };
    let mut stopped: BTreeMap<&str, NodeCount> = BTreeMap::new();
    for (id, profile) in not_managed {
        if stopped_ids.as_ref().is_none_or(|ids| ids.contains(id)) {
            stopped.entry(base_name(profile)).or_default().add(id);
        }
    }
    (stopped, stopped_ids.is_some())
}

impl Roles {
    /// The roles that the agents of a group work by.
    fn of(&self, group: Group<'_>) -> AgentRoles {
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

pub(super) fn nodes_of(count: usize) -> &'static str {
    if count == 1 { "node" } else { "nodes" }
}
