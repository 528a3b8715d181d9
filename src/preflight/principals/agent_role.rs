//! Which role an agent works by: what is known of an EC2 node's instance profile, of its role's registration and of
//! Default Host Management, put together. Pure.

use crate::access::{PrincipalArn, Registration};
use crate::preflight::observation::Need;

/// The role behind an instance profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProfileRole {
    /// The role, and whether it may register a node. That is not asked if Default Host Management is off.
    Role(PrincipalArn, Option<Registration>),
    /// The profile has no role, or the profile or its role is gone.
    None,
    /// It could not be read.
    Unknown,
}

/// Default Host Management.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DefaultHostManagement {
    /// It is off.
    Off,
    /// It is on, with this role.
    On(PrincipalArn),
    /// It is not known whether it is on, or which role it has.
    Unknown,
}

/// The roles that the agents of some nodes work by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AgentRoles {
    /// Each role with how certain it is that it is used, and why.
    pub(super) roles: Vec<(PrincipalArn, Need, String)>,
    /// Whether the agents certainly work by one of these roles.
    pub(super) is_complete: bool,
}

impl AgentRoles {
    /// No role is known.
    pub(super) fn unknown() -> Self {
        Self::default()
    }

    /// Certainly this role.
    pub(super) fn certain(role: PrincipalArn, how: String) -> Self {
        Self { roles: vec![(role, Need::Certain, how)], is_complete: true }
    }

    /// The role of Default Host Management, because the instances have no role of their own that works.
    pub(super) fn of_host(host: &DefaultHostManagement, because: &str) -> Self {
        match host {
            DefaultHostManagement::On(role) => {
                Self::certain(role.clone(), format!("by Default Host Management, because {because}"))
            }
            DefaultHostManagement::Off | DefaultHostManagement::Unknown => Self::unknown(),
        }
    }

    /// The roles of instances with a profile of this name.
    pub(super) fn of_profile(name: &str, profile: &ProfileRole, host: &DefaultHostManagement) -> Self {
        let by_profile = format!("by instance profile {name}");
        match (profile, host) {
            (ProfileRole::None, host) => {
                Self::of_host(host, "their instance profile has no role that exists")
            }
            (ProfileRole::Role(role, None | Some(Registration::Allowed)), _)
            | (ProfileRole::Role(role, _), DefaultHostManagement::Off) => {
                Self::certain(role.clone(), by_profile)
            }
            (ProfileRole::Role(_, Some(Registration::Denied)), host) => Self::of_host(
                host,
                "the role of their instance profile may not call ssm:UpdateInstanceInformation",
            ),
            (ProfileRole::Role(role, Some(Registration::Unknown(why))), host) => {
                let why = format!(
                    "whether role {} may call ssm:UpdateInstanceInformation is not known ({why}), and agents work by \
                     the role of Default Host Management if it may not",
                    role.name()
                );
                let mut roles =
                    vec![(role.clone(), Need::Possible(why.clone()), format!("perhaps {by_profile}"))];
                if let DefaultHostManagement::On(host) = host {
                    let how = "perhaps by Default Host Management".to_owned();
                    roles.push((host.clone(), Need::Possible(why), how));
                }
                Self { roles, is_complete: *host != DefaultHostManagement::Unknown }
            }
            (ProfileRole::Unknown, DefaultHostManagement::On(role)) => {
                Self::perhaps_host(role, format!("the role of instance profile {name} is not known"))
            }
            (ProfileRole::Unknown, DefaultHostManagement::Off | DefaultHostManagement::Unknown) => {
                Self::unknown()
            }
        }
    }

    /// Perhaps the role of Default Host Management, and perhaps one that is not known.
    pub(super) fn perhaps_host(role: &PrincipalArn, why: String) -> Self {
        let how = "perhaps by Default Host Management".to_owned();
        Self { roles: vec![(role.clone(), Need::Possible(why), how)], is_complete: false }
    }
}

#[cfg(test)]
#[path = "agent_role/tests.rs"]
mod tests;
