//! The question of an audit: what is so in one account and Region, and by which role it is looked at.

use std::fmt;

use thiserror::Error;

use super::{KeyPolicyReader, Safeguards};
use crate::access::{PrincipalArn, PrincipalArnError, is_iam_name, is_iam_path};
use crate::quote::quoted;
use crate::session::DocumentName;

/// What is to be looked at in one account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuestion {
    /// The account's id.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The account's name in AWS Organizations, which the line repeats.
    pub account_name: Option<String>,
    /// The path of names from the root to the account's organizational unit, which the line repeats.
    pub organizational_unit: Option<String>,
    /// The role by which the account is looked at. Without one, only the own account can be.
    pub role: Option<AuditRole>,
    /// The preferences document.
    pub document: DocumentName,
    /// Who must be able to use its key. The mode does not matter, because an audit blocks nothing.
    pub safeguards: Safeguards,
}

/// The role that every account of an audit has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRole {
    /// Its name.
    pub name: RoleName,
    /// The external id that its trust policy requires.
    pub external_id: Option<ExternalId>,
}

/// The name of a role, with its path in front if it has one: `session-kms-audit`, `security/session-kms-audit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName(String);

/// Why a text is not the name of a role.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RoleNameError {
    /// It is the ARN of a role or of its session, and so names an account.
    #[error("is `{arn}`; it must be the role's name, `{name}`, since every account has a role of this name")]
    Arn {
        /// The ARN.
        arn: String,
        /// The name in it, path included.
        name: String,
    },
    /// It is neither.
    #[error(
        "is `{0}`; it must be the name of a role: 1 to 64 letters, digits and characters of `+=,.@_-`, with the path \
         in front if the role has one, such as `security/session-kms-audit`"
    )]
    Malformed(String),
}

/// An external id: what a trust policy demands besides the caller's identity. It is no secret, and is not shown all the
/// same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(String);

/// Why a text is not an external id. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be an external id: 2 to 1,224 letters, digits and characters of `+=,.@:/_-`")]
pub struct ExternalIdError;

impl AuditQuestion {
    /// The question about the preferences document of an account and Region. No role is named, and the users and nodes are
    /// discovered.
    #[must_use]
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
            account_name: None,
            organizational_unit: None,
            role: None,
            document: DocumentName::default(),
            safeguards: Safeguards { discover_users: true, discover_nodes: true, ..Safeguards::default() },
        }
    }
}

impl AuditRole {
    /// The ARN of the role in an account.
    #[must_use]
    pub fn arn(&self, partition: &str, account: &str) -> String {
        format!("arn:{partition}:iam::{account}:role/{}", self.name)
    }

    /// The role of an account that owns a key, as the reader of the key's policy.
    #[must_use]
    pub fn as_reader(&self, partition: &str, account: &str) -> KeyPolicyReader {
        KeyPolicyReader {
            role_arn: self.arn(partition, account),
            external_id: self.external_id.as_ref().map(|id| id.as_str().to_owned()),
        }
    }
}

impl RoleName {
    /// Reads a name.
    ///
    /// # Errors
    /// If no role can have this name (IAM API reference, `CreateRole`).
    pub fn parse(text: &str) -> Result<Self, RoleNameError> {
        if text.starts_with("arn:") {
            let of_session = match PrincipalArn::parse_role(text) {
                Err(PrincipalArnError::RoleSession { role, .. }) => Some(role),
                _ => None,
            };
            let role = of_session.as_deref().unwrap_or(text);
            let name = role.split_once(":role/").map_or("", |(_, name)| name);
            return Err(match Self::parse(name) {
                Ok(name) => RoleNameError::Arn { arn: quoted(text), name: name.0 },
                Err(_) => RoleNameError::Malformed(quoted(text)),
            });
        }
        let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
        let is_name = name.len() <= 64 && is_iam_name(name);
        // IAM takes empty parts too. Here they are more likely a mistake, such as a slash before the path.
        let is_path = path.is_empty() && !text.starts_with('/')
            || path.len() <= 510 && is_iam_path(path) && path.split('/').all(|part| !part.is_empty());
        if is_name && is_path {
            Ok(Self(text.to_owned()))
        } else {
            Err(RoleNameError::Malformed(quoted(text)))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ExternalId {
    /// Reads an external id.
    ///
    /// # Errors
    /// If STS does not take this text (STS API reference, `AssumeRole`).
    pub fn parse(text: &str) -> Result<Self, ExternalIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@:/_-".contains(&byte);
        let is_id = (2..=1224).contains(&text.len()) && text.bytes().all(allowed);
        if is_id { Ok(Self(text.to_owned())) } else { Err(ExternalIdError) }
    }

    /// The external id as text, for STS.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_as_iam_names_it_with_or_without_a_path() {
        let longest = "r".repeat(64);
        for name in ["session-kms-audit", "security/session-kms-audit", "a/b/C+=,.@_-9", longest.as_str()] {
            assert_eq!(RoleName::parse(name).map(|name| name.to_string()).as_deref(), Ok(name));
        }
        let (too_long, long_path) = ("r".repeat(65), format!("{}/r", "p".repeat(511)));
        for text in ["", "/audit", "a//b", "a/", "a b", "ä", "a/b c/d", "a:b", "a*", &too_long, &long_path] {
            assert_eq!(RoleName::parse(text), Err(RoleNameError::Malformed(quoted(text))), "{text}");
        }
    }

    #[test]
    fn an_arn_is_answered_with_the_name_to_give() {
        let message = |text: &str| RoleName::parse(text).unwrap_err().to_string();
        let arn = "arn:aws:iam::111122223333:role/security/session-kms-audit";
        assert_eq!(
            message(arn),
            format!(
                "is `{arn}`; it must be the role's name, `security/session-kms-audit`, since every account has a role of \
                 this name"
            )
        );
        let session = message("arn:aws:sts::111122223333:assumed-role/session-kms-audit/ann");
        assert!(session.contains("it must be the role's name, `session-kms-audit`, since"), "{session}");
        assert!(message("arn:aws:iam::111122223333:user/x").contains("it must be the name of a role"));
    }

    #[test]
    fn an_external_id_is_one_that_sts_takes_and_is_not_shown() {
        let longest = "x".repeat(1224);
        for id in ["ab", "a1B2/c3:d4@e.f=g,h+i-j_k", longest.as_str()] {
            assert_eq!(ExternalId::parse(id).unwrap().as_str(), id);
        }
        for text in ["", "a", "a b", "ä-ä", "a*b", &"x".repeat(1225)] {
            assert_eq!(ExternalId::parse(text), Err(ExternalIdError), "{text}");
        }
        let role = AuditRole {
            name: RoleName::parse("audit").unwrap(),
            external_id: Some(ExternalId::parse("open-sesame").unwrap()),
        };
        assert!(!format!("{role:?}").contains("sesame"));
    }

    #[test]
    fn the_role_has_an_arn_in_each_account() {
        let role = AuditRole { name: RoleName::parse("security/audit").unwrap(), external_id: None };
        assert_eq!(role.arn("aws-cn", "111122223333"), "arn:aws-cn:iam::111122223333:role/security/audit");
    }
}
