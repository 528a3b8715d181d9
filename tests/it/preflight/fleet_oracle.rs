//! The oracle of the tables about nodes and sessions. It lists by hand what may be the case, follows the agent's and the
//! client's behaviour, and shares no code with the program.

use super::oracle::Truth;

/// Whether a role can use the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    Can,
    Cannot,
    /// Its policies ask for something that nobody knows.
    Unclear,
}

/// The instance profile of an EC2 node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    None,
    /// A profile that holds no role.
    WithoutRole,
    /// A profile whose role has been deleted.
    RoleGone,
    /// A profile with this role, which may register the node, may not, or nobody knows (`None`).
    Role(Ability, Option<bool>),
}

/// Default Host Management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Off,
    On(Ability),
    /// The setting cannot be read.
    Unread,
}

/// Whether a node can reach KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Yes,
    No,
    Unknown,
}

/// A node.
#[derive(Clone, Copy, Debug)]
pub struct NodeSituation {
    pub profile: Profile,
    pub host: Host,
    pub reach: Reach,
}

impl NodeSituation {
    /// Whether the node can use the key, over everything that may be the case.
    pub fn truth(&self) -> Truth {
        let unknown_role = vec![true, false];
        let host_role = match self.host {
            Host::On(ability) => cases(ability),
            Host::Off | Host::Unread => unknown_role.clone(),
        };
        let role = match (self.profile, self.host) {
            // The agent has nothing but the role of Default Host Management.
            (Profile::None | Profile::WithoutRole | Profile::RoleGone, _) => host_role,
            (Profile::Role(ability, _), Host::Off) | (Profile::Role(ability, Some(true)), _) => {
                cases(ability)
            }
            (Profile::Role(_, Some(false)), _) => host_role,
            (Profile::Role(ability, None), _) => [cases(ability), host_role].concat(),
        };
        let reach = match self.reach {
            Reach::Yes => vec![true],
            Reach::No => vec![false],
            Reach::Unknown => vec![true, false],
        };
        let all: Vec<bool> =
            role.iter().flat_map(|role| reach.iter().map(move |reach| *role && *reach)).collect();
        truth_of(&all)
    }
}

/// The document that a session was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The key encrypts its sessions.
    Encrypted,
    /// It does not.
    Other,
    /// Nobody knows.
    Unclear,
}

/// Whether the owner of a session of this kind, who can use the key or cannot, is let in. Whoever does not need the key
/// is not kept out.
pub fn truth_of_owner(kind: Kind, ability: Ability) -> Truth {
    let all = match kind {
        Kind::Encrypted => cases(ability),
        Kind::Other => vec![true],
        Kind::Unclear => [cases(ability), vec![true]].concat(),
    };
    truth_of(&all)
}

/// The key's tag of just-in-time node access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    Right,
    OtherValue,
    Missing,
    Unread,
}

/// Whether just-in-time access works, if nothing but AWS's managed policy gives its role permissions.
pub fn truth_of_just_in_time(tag: Tag) -> Truth {
    match tag {
        Tag::Right => Truth::Can,
        Tag::OtherValue | Tag::Missing => Truth::Cannot,
        Tag::Unread => Truth::Unknown,
    }
}

fn cases(ability: Ability) -> Vec<bool> {
    match ability {
        Ability::Can => vec![true],
        Ability::Cannot => vec![false],
        Ability::Unclear => vec![true, false],
    }
}

fn truth_of(all: &[bool]) -> Truth {
    match (all.contains(&true), all.contains(&false)) {
        (true, false) => Truth::Can,
        (false, true) => Truth::Cannot,
        _ => Truth::Unknown,
    }
}

#[test]
fn the_oracle_follows_the_agent() {
    let truth = |profile, host, reach| NodeSituation { profile, host, reach }.truth();
    let role = Profile::Role;
    use Ability::{Can, Cannot};
    for (profile, host, reach, expected) in [
        (role(Can, Some(false)), Host::On(Cannot), Reach::Yes, Truth::Cannot),
        (role(Cannot, Some(false)), Host::On(Can), Reach::Yes, Truth::Can),
        (role(Cannot, Some(true)), Host::On(Can), Reach::Yes, Truth::Cannot),
        (role(Can, None), Host::On(Cannot), Reach::Yes, Truth::Unknown),
        (role(Cannot, None), Host::On(Cannot), Reach::Yes, Truth::Cannot),
        (role(Can, None), Host::On(Can), Reach::Yes, Truth::Can),
        (role(Can, Some(false)), Host::Off, Reach::Yes, Truth::Can),
        (Profile::None, Host::Off, Reach::Yes, Truth::Unknown),
        (Profile::RoleGone, Host::On(Can), Reach::Yes, Truth::Can),
        (role(Can, Some(true)), Host::Off, Reach::No, Truth::Cannot),
        (role(Can, Some(true)), Host::Off, Reach::Unknown, Truth::Unknown),
        (role(Cannot, Some(true)), Host::Off, Reach::Unknown, Truth::Cannot),
    ] {
        assert_eq!(truth(profile, host, reach), expected, "{profile:?} {host:?} {reach:?}");
    }
    assert_eq!(truth_of_owner(Kind::Other, Cannot), Truth::Can);
    assert_eq!(truth_of_owner(Kind::Unclear, Cannot), Truth::Unknown);
}
