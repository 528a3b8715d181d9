//! The roles that the groups of nodes need of IAM, each read once: those of instance profiles, of hybrid activations and
//! of Default Host Management.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;

use super::agent_role::{DefaultHostManagement, ProfileRole};
use super::nodes::{Group, nodes_of};
use super::parse_role_arn;
use crate::access::{
    KnownContext, PrincipalArn, Registration, RegistrationCall, UPDATE_INSTANCE_INFORMATION,
};
use crate::arn::base_name;
use crate::ports::{AwsError, Environment, PreflightPorts};
use crate::preflight::READS_AT_A_TIME;
use crate::preflight::observation::NodeCount;

/// What the groups need of IAM.
pub(super) struct Roles {
    pub(super) host: DefaultHostManagement,
    /// By the name of the instance profile.
    pub(super) profiles: BTreeMap<String, ProfileRole>,
    /// By the name of the role.
    pub(super) hybrid: BTreeMap<String, PrincipalArn>,
}

/// Reads the roles.
pub(super) struct RoleReader<'a, P> {
    pub(super) environment: Environment<'a, P>,
    pub(super) known: &'a KnownContext,
    /// The role of Default Host Management. The outer `None` means that it is not known whether there is one.
    pub(super) host_role: Option<&'a Option<String>>,
}

type RoleAnswer = Result<Option<PrincipalArn>, AwsError>;

/// The role of an instance profile, as it was read.
struct ReadProfile {
    members: NodeCount,
    /// What has the profile: `nodes`, `stopped instances`.
    noun: &'static str,
    role: RoleAnswer,
    /// Whether the role may register a node, if that was asked. The inner `None` means that the role is gone.
    registration: Option<Option<Registration>>,
}

/// The roles, as they were read.
pub(super) struct ReadRoles {
    /// `None` if no group needs it.
    host: Option<(DefaultHostManagement, Option<String>)>,
    hybrid: Vec<(String, NodeCount, RoleAnswer)>,
    profiles: BTreeMap<String, ReadProfile>,
}

impl<P: PreflightPorts> RoleReader<'_, P> {
    /// Looks the roles of the managed nodes up, and asks of the roles of instance profiles whether they may register a
    /// node if Default Host Management is or may be on.
    pub(super) async fn roles_of_groups(&self, groups: &BTreeMap<Group<'_>, NodeCount>) -> ReadRoles {
        let (mut profiles, mut hybrids, mut needs_host) = (Vec::new(), Vec::new(), false);
        for (group, members) in groups {
            match group {
                Group::Hybrid(role) => hybrids.push((*role, members)),
                Group::Profile(profile) => {
                    profiles.push((*profile, members, nodes_of(members.count)));
                    needs_host = true;
                }
                Group::NoProfile | Group::Host | Group::UnknownProfile => needs_host = true,
                Group::NoRole => {}
            }
        }
        let hybrid = stream::iter(hybrids)
            .map(|(role, members)| async move {
                (role.to_owned(), members.clone(), parse_role_arn(self.environment.role_arn(role).await))
            })
            .buffered(READS_AT_A_TIME)
            .collect::<Vec<_>>();
        let host = async {
            match needs_host {
                true => Some(self.host().await),
                false => None,
            }
        };
        let (host, hybrid, profiles) =
            tokio::join!(Box::pin(host), Box::pin(hybrid), Box::pin(self.roles_of_profiles(profiles)));
        ReadRoles { host, hybrid, profiles }
    }

    /// Adds the roles of instance profiles that only stopped instances have.
    pub(super) async fn add_roles_of_stopped(
        &self,
        roles: &mut ReadRoles,
        stopped: &BTreeMap<&str, NodeCount>,
    ) {
        let profiles: Vec<_> = stopped
            .iter()
            .filter(|(profile, _)| !roles.profiles.contains_key(**profile))
            .map(|(profile, members)| (*profile, members, "stopped instances"))
            .collect();
        let host = async {
            match roles.host.is_none() && !stopped.is_empty() {
                true => Some(self.host().await),
                false => None,
            }
        };
        let (host, profiles) = tokio::join!(Box::pin(host), Box::pin(self.roles_of_profiles(profiles)));
        roles.profiles.extend(profiles);
        roles.host = roles.host.take().or(host);
    }

    /// Default Host Management, and what could not be read of it.
    async fn host(&self) -> (DefaultHostManagement, Option<String>) {
        let role = match self.host_role {
            None => return (DefaultHostManagement::Unknown, None),
            Some(None) => return (DefaultHostManagement::Off, None),
            Some(Some(role)) => role,
        };
        match parse_role_arn(self.environment.role_arn(base_name(role)).await) {
            Ok(Some(arn)) => (DefaultHostManagement::On(arn), None),
            Ok(None) => (
                DefaultHostManagement::Unknown,
                Some(format!("role {role} of Default Host Management is gone")),
            ),
            Err(error) => (
                DefaultHostManagement::Unknown,
                Some(format!("role {role} of Default Host Management could not be looked up: {error}")),
            ),
        }
    }

    async fn roles_of_profiles(
        &self,
        profiles: Vec<(&str, &NodeCount, &'static str)>,
    ) -> BTreeMap<String, ReadProfile> {
        let is_host_off = matches!(self.host_role, Some(None));
        stream::iter(profiles)
            .map(|(profile, members, noun)| async move {
                let role = parse_role_arn(self.environment.role_of_profile(profile).await);
                let registration = match &role {
                    Ok(Some(role)) if !is_host_off => {
                        Some(Box::pin(self.registration(role, &members.example)).await)
                    }
                    _ => None,
                };
                (profile.to_owned(), ReadProfile { members: members.clone(), noun, role, registration })
            })
            .buffered(READS_AT_A_TIME)
            .collect()
            .await
    }

    /// Whether a role may register an instance, given by its id; `None` if there is no such role any more.
    async fn registration(&self, role: &PrincipalArn, instance: &str) -> Option<Registration> {
        let Environment { ports, location, .. } = self.environment;
        let call = RegistrationCall::new(role, instance, location, self.known);
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
}

impl ReadRoles {
    /// What is known of the roles. What is not is added to the gaps.
    pub(super) fn into_roles(self, host_role: Option<&Option<String>>, gaps: &mut Vec<String>) -> Roles {
        // Whether it is off is known without a lookup.
        let unasked = match host_role {
            Some(None) => DefaultHostManagement::Off,
            Some(Some(_)) | None => DefaultHostManagement::Unknown,
        };
        let (host, gap) = self.host.unwrap_or((unasked, None));
        gaps.extend(gap);
        let mut roles = Roles { host, profiles: BTreeMap::new(), hybrid: BTreeMap::new() };
        for (name, NodeCount { count, example }, role) in self.hybrid {
            let of = format!("the role {name} of {count} {}", nodes_of(count));
            match role {
                Ok(Some(role)) => drop(roles.hybrid.insert(name, role)),
                Ok(None) => gaps.push(format!("{of}, such as {example}, does not exist")),
                Err(error) => gaps.push(format!("{of} could not be looked up: {error}")),
            }
        }
        for (name, ReadProfile { members, noun, role, registration }) in self.profiles {
            let NodeCount { count, example } = members;
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
            roles.profiles.insert(name, role);
        }
        roles
    }
}
