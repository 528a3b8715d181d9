//! Roles of IAM Identity Center, and the key policy statements that admit them.
//!
//! Identity Center makes a role in an account for each permission set that is assigned there, and only the permission
//! set can change the role. If Identity Center makes the role again, its name has another suffix. So a statement names
//! such roles by a pattern, and never by an ARN.

use serde_json::{Value, json};

use super::call::CallerKind;
use super::principal::{PrincipalArn, PrincipalType};
use crate::arn::Arn;

/// The path of these roles. The Region of Identity Center may follow as a further part.
const PATH: &str = "role/aws-reserved/sso.amazonaws.com/";
/// What their names begin with.
const PREFIX: &str = "AWSReservedSSO_";
/// How many hexadecimal digits follow the permission set's name and an underscore.
const DIGITS: usize = 16;

/// A permission set in an account, by its roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PermissionSet<'a> {
    name: &'a str,
    partition: &'a str,
    account: &'a str,
}

impl PrincipalArn {
    /// Whether IAM Identity Center made the role, so that no policy can be attached to it.
    #[must_use]
    pub fn is_of_identity_center(&self) -> bool {
        self.role_of_identity_center().is_some()
    }

    /// The name of the permission set, if IAM Identity Center made the role. `None` also if the role's name does not end
    /// as Identity Center ends it: then the permission set's name is not certain.
    #[must_use]
    pub fn permission_set_name(&self) -> Option<&str> {
        let (name, digits) = self.role_of_identity_center()?.strip_prefix(PREFIX)?.rsplit_once('_')?;
        let is_suffix = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_suffix && !name.is_empty()).then_some(name)
    }

    /// The name of a role under the path of Identity Center.
    fn role_of_identity_center(&self) -> Option<&str> {
        if self.principal_type() != PrincipalType::Role {
            return None;
        }
        Arn::parse(self.as_str())?.resource.strip_prefix(PATH)?;
        Some(self.name())
    }
}

impl<'a> PermissionSet<'a> {
    /// The permission set of a role; `None` as for [`PrincipalArn::permission_set_name`].
    #[must_use]
    pub fn of(principal: &'a PrincipalArn) -> Option<Self> {
        let name = principal.permission_set_name()?;
        Some(Self { name, partition: principal.partition(), account: principal.account() })
    }

    /// The permission set's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The key policy statement that leaves their side's call to the permission set's roles, which need an Allow of their
    /// own besides.
    #[must_use]
    pub fn key_policy_statement(&self, side: CallerKind) -> Value {
        let root = format!("arn:{}:iam::{}:root", self.partition, self.account);
        self.statement(side, &root, &json!({ "ArnLike": { "aws:PrincipalArn": self.patterns() } }))
    }

    /// The key policy statement that alone allows the permission set's roles their side's call. It does so only for a key
    /// of the roles' own account: another account's key needs an Allow of their own besides.
    #[must_use]
    pub fn sufficient_key_policy_statement(&self, side: CallerKind) -> Value {
        let condition = json!({
            "StringEquals": { "kms:CallerAccount": self.account },
            "ArnLike": { "aws:PrincipalArn": self.patterns() }
        });
        self.statement(side, "*", &condition)
    }

    fn statement(&self, side: CallerKind, principal: &str, condition: &Value) -> Value {
        let sid = match side {
            CallerKind::User => "AllowSessionManagerUsersOf",
            CallerKind::Node => "AllowSessionManagerNodesOf",
        };
        let name: String = self.name.chars().filter(char::is_ascii_alphanumeric).collect();
        json!({
            "Sid": format!("{sid}{name}{}", self.account),
            "Effect": "Allow",
            "Principal": { "AWS": principal },
            "Action": side.call().action(),
            "Resource": "*",
            "Condition": condition
        })
    }

    /// The patterns of the roles' ARNs, without and with a Region in the path. The number of digits is exact, because
    /// `AWSReservedSSO_Ops_*` would also match the roles of permission set `Ops_Admin`.
    fn patterns(&self) -> [String; 2] {
        let Self { name, partition, account } = self;
        let digits = "?".repeat(DIGITS);
        ["", "*/"]
            .map(|region| format!("arn:{partition}:iam::{account}:{PATH}{region}{PREFIX}{name}_{digits}"))
    }
}

#[cfg(test)]
mod tests;
