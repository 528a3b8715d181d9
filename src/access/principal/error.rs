//! Why a text is not the ARN of a role or a user, and what to give in its place.
//!
//! People have the ARNs that AWS shows them: `aws sts get-caller-identity` prints the ARN of a session, and EC2 that of an
//! instance profile. So each kind of ARN has an answer of its own.

use thiserror::Error;

use super::iam_name::{is_iam_name, is_iam_path};
use crate::arn::{Arn, base_name};
use crate::location::Location;
use crate::quote::{quoted, shell_word};

/// What the names of IAM Identity Center's roles begin with.
const IDENTITY_CENTER_NAME: &str = "AWSReservedSSO_";
/// The path of these roles. The Region of Identity Center may follow as a further part.
const IDENTITY_CENTER_PATH: &str = "aws-reserved/sso.amazonaws.com";

/// The longest ARN of a role, with a path of 512 characters and a name of 64.
const LONGEST_ROLE: usize = 640;

/// Why a text is not the ARN of a role or a user.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PrincipalArnError {
    /// The ARN of a role session. Its ARN has no path, so the ARN of the role may have more than is known here.
    #[error("`{given}` is a session of a role; give the ARN of the role, `{role}`{note}")]
    RoleSession {
        /// The text.
        given: String,
        /// The ARN of the role, as far as the session's ARN says it.
        role: String,
        /// What the role's ARN may have besides, and the command that prints it.
        note: String,
    },
    /// A federated user, who has a session from `GetFederationToken`.
    #[error(
        "`{given}` is a federated user, who can do no more than the user that asked for the session; give the ARN of this \
         user, `arn:{partition}:iam::{account}:user/NAME`"
    )]
    FederatedUser {
        /// The text.
        given: String,
        /// The partition.
        partition: String,
        /// The account.
        account: String,
    },
    /// An account, by the ARN of its root user or by its digits.
    #[error(
        "`{given}` stands for a whole account; give the ARN of each role and user of it, \
         `arn:{partition}:iam::{account}:role/NAME` or `arn:{partition}:iam::{account}:user/NAME`"
    )]
    Account {
        /// The text.
        given: String,
        /// The partition.
        partition: String,
        /// The account.
        account: String,
    },
    /// A group.
    #[error(
        "`{given}` is a group, which makes no calls itself; give the ARN of each user in it, \
         `arn:{partition}:iam::{account}:user/NAME`"
    )]
    Group {
        /// The text.
        given: String,
        /// The partition.
        partition: String,
        /// The account.
        account: String,
    },
    /// An instance profile.
    #[error(
        "`{given}` is an instance profile; give the ARN of the role in it, `arn:{partition}:iam::{account}:role/NAME`, which \
         `aws iam get-instance-profile --instance-profile-name {name}` prints"
    )]
    InstanceProfile {
        /// The text.
        given: String,
        /// The partition.
        partition: String,
        /// The account.
        account: String,
        /// The profile's name, as a word of a command.
        name: String,
    },
    /// A pattern, which stands for no certain role or user.
    #[error(
        "`{0}` is a pattern; give the ARN of each role and user, `arn:aws:iam::ACCOUNT:role/NAME` or \
         `arn:aws:iam::ACCOUNT:user/NAME` (only the list of who is exempt takes patterns)"
    )]
    Pattern(String),
    /// A user, a pattern or any other text in a place where only a role can stand.
    #[error("`{0}` is not the ARN of a role; it looks like `arn:aws:iam::ACCOUNT:role/NAME`")]
    NoRole(String),
    /// Any other text.
    #[error(
        "`{0}` is not the ARN of a role or a user; it looks like `arn:aws:iam::ACCOUNT:role/NAME` or \
         `arn:aws:iam::ACCOUNT:user/NAME`"
    )]
    Other(String),
}

impl PrincipalArnError {
    /// What is wrong with a text that is not the ARN of a role or a user.
    pub(super) fn of(text: &str) -> Self {
        if text == "*" {
            return Self::Pattern(text.to_owned());
        }
        if Location::is_account(text) {
            let (given, partition, account) = (text.to_owned(), "aws".to_owned(), text.to_owned());
            return Self::Account { given, partition, account };
        }
        Self::of_other_principal(text, Location::is_account)
            .or_else(|| Self::of_pattern(text))
            .unwrap_or_else(|| Self::Other(quoted(text)))
    }

    /// What is wrong with the ARN of a principal of another kind. `is_account` says which texts may stand for the account.
    fn of_other_principal(text: &str, is_account: impl Fn(&str) -> bool) -> Option<Self> {
        let arn = Arn::parse(text)?;
        let is_well_formed =
            arn.partition.starts_with("aws") && arn.region.is_empty() && is_account(arn.account);
        if !is_well_formed || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (given, partition, account) = (quoted(text), quoted(arn.partition), quoted(arn.account));
        match (arn.service, arn.resource.split_once('/')) {
            ("iam", None) if arn.resource == "root" => Some(Self::Account { given, partition, account }),
            ("iam", Some(("group", _))) => Some(Self::Group { given, partition, account }),
            ("iam", Some(("instance-profile", path_and_name))) => {
                let name = shell_word(&quoted(base_name(path_and_name)));
                Some(Self::InstanceProfile { given, partition, account, name })
            }
            ("sts", Some(("federated-user", _))) => Some(Self::FederatedUser { given, partition, account }),
            ("sts", Some(("assumed-role", role_and_session))) => {
                Self::of_session(&arn, given, role_and_session)
            }
            _ => None,
        }
    }

    fn of_session(arn: &Arn<'_>, given: String, role_and_session: &str) -> Option<Self> {
        // A session's ARN has no path. If somebody writes it out all the same, the name stands before the session.
        let path_and_name = role_and_session.rsplit_once('/').map_or(role_and_session, |(role, _)| role);
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        // A pattern of sessions has wildcards in the name of its role too.
        if !is_iam_path(path) || !is_iam_name(&name.replace(['*', '?'], "x")) {
            return None;
        }
        let is_of_identity_center = path.is_empty() && name.starts_with(IDENTITY_CENTER_NAME);
        let path_and_name = if is_of_identity_center {
            format!("{IDENTITY_CENTER_PATH}/{name}")
        } else {
            path_and_name.to_owned()
        };
        let role = format!("arn:{}:iam::{}:role/{path_and_name}", arn.partition, arn.account);
        let prints = if name.contains(['*', '?']) {
            String::new()
        } else {
            format!(" (`aws iam get-role --role-name {name} --query Role.Arn` prints it)")
        };
        let note = if is_of_identity_center {
            format!(", with the Region of IAM Identity Center before the name if the path has it{prints}")
        } else if path.is_empty() {
            format!(", with its path before the name if it has one{prints}")
        } else {
            String::new()
        };
        (role.len() <= LONGEST_ROLE).then_some(Self::RoleSession { given, role, note })
    }

    /// That a text is a pattern of the ARNs of roles or users.
    fn of_pattern(text: &str) -> Option<Self> {
        let has_wildcard = |text: &str| text.contains(['*', '?']);
        let arn = Arn::parse(text)?;
        let (word, path_and_name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        let is_of_iam = arn.service == "iam" && (["role", "user"].contains(&word) || has_wildcard(word));
        let is_pattern = [word, arn.account, base_name(path_and_name)].into_iter().any(has_wildcard);
        (is_of_iam && is_pattern).then(|| Self::Pattern(quoted(text)))
    }
}

/// Reads a pattern of the ARNs of roles and users, with `*` and `?`, such as those of who is exempt.
///
/// # Errors
/// The pattern is for principals of another kind, and so for no role and no user.
pub fn parse_principal_pattern(text: &str) -> Result<String, PrincipalArnError> {
    let is_account = |account: &str| {
        Location::is_account(account) || (account.contains(['*', '?']) && account.len() <= 12)
    };
    match PrincipalArnError::of_other_principal(text, is_account) {
        Some(error) => Err(error),
        None => Ok(text.to_owned()),
    }
}
