//! The ARNs of the roles and users that need a key.

mod error;
mod iam_name;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use error::{PrincipalArnError, parse_principal_pattern};
pub(crate) use iam_name::{is_iam_name, is_iam_path};

use crate::arn::{Arn, base_name};
use crate::location::Location;
use crate::quote::quoted;

/// The ARN of an IAM role or user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct PrincipalArn {
    text: String,
    principal_type: PrincipalType,
    partition: String,
    account: String,
}

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalType {
    /// A role.
    Role,
    /// A user.
    User,
}

/// The owner of a session, as DescribeSessions names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionOwner {
    /// A user.
    User(PrincipalArn),
    /// A role session. Its ARN has the role's account and name, but not its path.
    Role {
        /// The role's account.
        account: String,
        /// The role's name.
        name: String,
    },
    /// The account's root user, or another identity that IAM's simulator does not take.
    Other(String),
}

impl PrincipalType {
    /// Its word in ARNs and in names of IAM: `role` or `user`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
        }
    }
}

impl PrincipalArn {
    /// Reads the ARN of a role or a user, path included.
    ///
    /// # Errors
    /// The text is anything else, such as a role session, the account's root or a wildcard. The error says what to give in
    /// its place.
    pub fn parse(text: &str) -> Result<Self, PrincipalArnError> {
        Self::read(text).ok_or_else(|| PrincipalArnError::of(text))
    }

    /// Reads the ARN of a role, path included.
    ///
    /// # Errors
    /// The text is anything else, such as a user. The error says what to give in its place.
    pub fn parse_role(text: &str) -> Result<Self, PrincipalArnError> {
        match Self::parse(text) {
            Ok(principal) if principal.principal_type == PrincipalType::Role => Ok(principal),
            Ok(_) | Err(PrincipalArnError::Other(_) | PrincipalArnError::Pattern(_)) => {
                Err(PrincipalArnError::NoRole(quoted(text)))
            }
            Err(error) => Err(error),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let arn = Arn::parse(text)?;
        let (word, path_and_name) = arn.resource.split_once('/')?;
        let principal_type = match word {
            "role" => PrincipalType::Role,
            "user" => PrincipalType::User,
            _ => return None,
        };
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        let is_well_formed = arn.partition.starts_with("aws")
            && arn.service == "iam"
            && arn.region.is_empty()
            && Location::is_account(arn.account)
            && is_iam_path(path)
            && is_iam_name(name);
        is_well_formed.then(|| Self {
            text: text.to_owned(),
            principal_type,
            partition: arn.partition.to_owned(),
            account: arn.account.to_owned(),
        })
    }

    /// The ARN as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a role or a user.
    #[must_use]
    pub fn principal_type(&self) -> PrincipalType {
        self.principal_type
    }

    /// The account, twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The name without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        base_name(&self.text)
    }
}

impl SessionOwner {
    /// Reads the owner of a session.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Ok(user) = PrincipalArn::parse(text)
            && user.principal_type() == PrincipalType::User
        {
            return Self::User(user);
        }
        let role = || {
            let arn = Arn::parse(text)?;
            let role_and_session = arn.resource.strip_prefix("assumed-role/")?;
            // A session's ARN has no path. If somebody writes it out all the same, the name stands before the session.
            let role = role_and_session.rsplit_once('/').map_or(role_and_session, |(role, _)| role);
            let name = Some(base_name(role)).filter(|name| !name.is_empty())?;
            let is_well_formed = arn.partition.starts_with("aws")
                && arn.service == "sts"
                && arn.region.is_empty()
                && Location::is_account(arn.account);
            is_well_formed.then(|| Self::Role { account: arn.account.to_owned(), name: name.to_owned() })
        };
        role().unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl fmt::Display for PrincipalArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for PrincipalArn {
    type Error = PrincipalArnError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PrincipalArn> for String {
    fn from(arn: PrincipalArn) -> Self {
        arn.text
    }
}

#[cfg(test)]
mod tests;
