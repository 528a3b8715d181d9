//! The ARNs of the roles and users that need a key.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::arn::{Arn, base_name};
use crate::location::Location;
use crate::quote::quoted;

/// The ARN of an IAM role or user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// Why a text is not the ARN of a role or a user.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not the ARN of a role or a user; it looks like `arn:aws:iam::ACCOUNT:role/NAME` or \
     `arn:aws:iam::ACCOUNT:user/NAME`"
)]
pub struct PrincipalArnError(String);

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
    /// The text is anything else, such as a role session, the account's root or a wildcard.
    pub fn parse(text: &str) -> Result<Self, PrincipalArnError> {
        let error = || PrincipalArnError(quoted(text));
        let arn = Arn::parse(text).ok_or_else(error)?;
        let (word, name) = arn.resource.split_once('/').ok_or_else(error)?;
        let principal_type = match word {
            "role" => PrincipalType::Role,
            "user" => PrincipalType::User,
            _ => return Err(error()),
        };
        // IAM's alphabet for paths and names.
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/+=,.@_-".contains(&b);
        let is_well_formed = arn.partition.starts_with("aws")
            && arn.service == "iam"
            && arn.region.is_empty()
            && Location::is_account(arn.account)
            && !name.is_empty()
            && !name.ends_with('/')
            && name.bytes().all(allowed);
        if !is_well_formed {
            return Err(error());
        }
        Ok(Self {
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
mod tests {
    use super::*;

    #[test]
    fn roles_and_users_are_read_with_their_path() {
        let role = PrincipalArn::parse("arn:aws:iam::111122223333:role/team/App").unwrap();
        assert_eq!(
            (role.principal_type(), role.account(), role.name()),
            (PrincipalType::Role, "111122223333", "App")
        );
        let user = PrincipalArn::parse("arn:aws-cn:iam::111122223333:user/ann@example.com").unwrap();
        assert_eq!((user.principal_type(), user.partition()), (PrincipalType::User, "aws-cn"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "App",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:sts::111122223333:assumed-role/App/x",
            "arn:aws:iam::1:role/App",
            "arn:aws:iam::111122223333:group/Ops",
        ] {
            assert!(PrincipalArn::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_session_s_owner_is_a_user_a_role_or_another_identity() {
        assert!(matches!(SessionOwner::parse("arn:aws:iam::111122223333:user/ann"), SessionOwner::User(_)));
        assert_eq!(
            SessionOwner::parse("arn:aws:sts::111122223333:assumed-role/App/ann@example.com"),
            SessionOwner::Role { account: "111122223333".into(), name: "App".into() }
        );
        for other in ["arn:aws:iam::111122223333:root", "arn:aws:sts::111122223333:assumed-role/", "App", ""]
        {
            assert!(matches!(SessionOwner::parse(other), SessionOwner::Other(_)), "{other}");
        }
    }

    #[test]
    fn a_session_of_identity_center_has_the_role_s_name_with_and_without_the_path() {
        let name = "AWSReservedSSO_Ops_Admin_0123456789abcdef";
        for path in ["", "aws-reserved/sso.amazonaws.com/", "aws-reserved/sso.amazonaws.com/eu-west-1/"] {
            let owner = format!("arn:aws:sts::111122223333:assumed-role/{path}{name}/jane@example.com");
            assert_eq!(
                SessionOwner::parse(&owner),
                SessionOwner::Role { account: "111122223333".into(), name: name.into() },
                "{owner}"
            );
        }
    }
}
