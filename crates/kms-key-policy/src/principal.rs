//! The principal that calls, and which principals of a policy cover it.

use std::fmt;

use crate::arn::{AccountId, ArnParts, KeyArn};
use crate::error::RequestError;
use crate::policy::{Pools, TextRange};
use crate::text::hash;

/// The principal that makes the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    text: String,
    kind: PrincipalKind,
    /// Partition, account and name. A service has none.
    in_account: Option<AccountPrincipal>,
}

/// The kind of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The root user of an account.
    Root,
    /// An IAM user.
    User,
    /// A role: some session of it, whose name is unknown.
    Role,
    /// One session of a role.
    Session,
    /// A federated user, from `sts:GetFederationToken`.
    FederatedUser,
    /// An AWS service that calls for itself.
    Service,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AccountPrincipal {
    /// `None` for an account that is given by its digits. It has the partition of the key.
    partition: Option<String>,
    account: AccountId,
    /// The name without the path. For a session it is the name of the role.
    name: String,
}

impl Principal {
    /// Reads the ARN of a user, a role, an assumed-role session, a federated user or an account's root user. Twelve
    /// digits are an account's root user, and a name such as `ssm.amazonaws.com` is a service.
    ///
    /// # Errors
    /// [`RequestError::Principal`] if `text` is none of these.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        Self::read(text).ok_or_else(|| RequestError::Principal(text.to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(account) = AccountId::parse(text) {
            let in_account = AccountPrincipal { partition: None, account, name: String::new() };
            return Some(Self {
                text: text.to_owned(),
                kind: PrincipalKind::Root,
                in_account: Some(in_account),
            });
        }
        if is_service_name(text) {
            return Some(Self { text: text.to_owned(), kind: PrincipalKind::Service, in_account: None });
        }
        let named = NamedArn::read(text)?;
        let kind = match named.kind {
            NamedKind::Root => PrincipalKind::Root,
            NamedKind::User => PrincipalKind::User,
            NamedKind::Role => PrincipalKind::Role,
            NamedKind::Session => PrincipalKind::Session,
            NamedKind::FederatedUser => PrincipalKind::FederatedUser,
        };
        let in_account = AccountPrincipal {
            partition: Some(named.partition.to_owned()),
            account: named.account,
            name: named.name.to_owned(),
        };
        Some(Self { text: text.to_owned(), kind, in_account: Some(in_account) })
    }

    /// The principal as it was given.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind of the principal.
    pub(crate) const fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The account. A service has none.
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.in_account.as_ref().map(|in_account| in_account.account)
    }

    /// The partition, if the principal was given as an ARN.
    pub(crate) fn partition(&self) -> Option<&str> {
        self.in_account.as_ref().and_then(|in_account| in_account.partition.as_deref())
    }

    /// The name of the user, role or federated user without its path. For a session it is the name of the role, and for
    /// other principals it is empty.
    pub(crate) fn name(&self) -> &str {
        self.in_account.as_ref().map_or("", |in_account| &in_account.name)
    }

    /// Whether it is a service-linked role or a session of one. Service and resource control policies do not apply to
    /// these.
    pub(crate) fn is_service_linked(&self) -> bool {
        match self.kind {
            PrincipalKind::Role => {
                let resource = ArnParts::split(&self.text).map(|parts| parts.resource);
                resource.is_some_and(|resource| resource.starts_with("role/aws-service-role/"))
            }
            PrincipalKind::Session => self.name().starts_with("AWSServiceRoleFor"),
            _ => false,
        }
    }

    /// Whether principal and key are in the same partition.
    pub(crate) fn same_partition(&self, key: &KeyArn) -> bool {
        self.partition().is_none_or(|partition| partition == key.partition())
    }

    /// Whether principal and key are in the same account.
    pub(crate) fn same_account(&self, key: &KeyArn) -> bool {
        self.same_partition(key) && self.account() == Some(key.account())
    }

    /// The keys by which the index finds statements. A statement that may cover this principal has one of them.
    pub(crate) fn selectors(&self) -> [u64; 3] {
        let account = self.account().map_or(0, AccountId::number);
        let named = match self.kind {
            PrincipalKind::Root => 0,
            PrincipalKind::Role | PrincipalKind::Session => selector_of_role(account, self.name()),
            PrincipalKind::User | PrincipalKind::FederatedUser | PrincipalKind::Service => hash(&self.text),
        };
        [EVERYBODY, selector_of_account(account), named]
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The selector of a statement that may cover every principal.
pub(crate) const EVERYBODY: u64 = 1;

const fn selector_of_account(account: u64) -> u64 {
    account.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 2
}

fn selector_of_role(account: u64, name: &str) -> u64 {
    hash(name).wrapping_add(selector_of_account(account))
}

fn is_service_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    text.contains('.') && !text.starts_with('.') && text.bytes().all(plain)
}

/// An IAM or STS ARN that names a principal that can call.
struct NamedArn<'a> {
    kind: NamedKind,
    partition: &'a str,
    account: AccountId,
    /// The name without the path. For a session it is the name of the role.
    name: &'a str,
}

enum NamedKind {
    Root,
    User,
    Role,
    Session,
    FederatedUser,
}

impl<'a> NamedArn<'a> {
    /// Reads an ARN. Returns `None` for other ARNs, and for those with wildcards, which name nobody. In the path of a role
    /// or user `*` and `?` are characters like any other (IAM API reference, `CreateRole`).
    fn read(arn: &'a str) -> Option<Self> {
        let has_wildcard = |text: &str| text.contains(['*', '?']);
        let parts = ArnParts::split(arn)?;
        let account = AccountId::parse(parts.account)?;
        if parts.partition.is_empty() || has_wildcard(parts.partition) || !parts.region.is_empty() {
            return None;
        }
        if parts.service != "iam" && has_wildcard(parts.resource) {
            return None;
        }
        let base_name =
            |path: &'a str| path.rsplit('/').next().filter(|name| !name.is_empty() && !has_wildcard(name));
        let (kind, name) = match (parts.service, parts.resource.split_once('/')) {
            ("iam", None) if parts.resource == "root" => (NamedKind::Root, ""),
            ("iam", Some(("user", path))) => (NamedKind::User, base_name(path)?),
            ("iam", Some(("role", path))) => (NamedKind::Role, base_name(path)?),
            ("sts", Some(("assumed-role", path))) => {
                let (role, session) = path.split_once('/')?;
                if role.is_empty() || session.is_empty() || session.contains('/') {
                    return None;
                }
                (NamedKind::Session, role)
            }
            ("sts", Some(("federated-user", name))) if !name.is_empty() && !name.contains('/') => {
                (NamedKind::FederatedUser, name)
            }
            _ => return None,
        };
        Some(Self { kind, partition: parts.partition, account, name })
    }
}

/// A principal of a statement, or the grantee of a grant, in compiled form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PrincipalMatcher {
    /// `*`.
    Everyone,
    /// An account, by the ARN of its root user or by its digits. Digits mean the key's partition.
    Account { partition: Option<TextRange>, account: AccountId },
    /// A user or a federated user, by its exact ARN.
    User { arn: TextRange },
    /// One session of a role.
    Session { arn: TextRange, account: AccountId, role: TextRange },
    /// A role, and all of its sessions.
    Role { arn: TextRange, partition: TextRange, account: AccountId, name: TextRange },
    /// A service, by its exact name.
    Service { name: TextRange },
    /// A principal that no caller matches: a wildcard inside an ARN, the id of a deleted principal, an identity
    /// provider, a canonical user.
    Nobody,
}

/// How a statement covers the caller. Which other layers must allow the request depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// The statement names the caller: the user, the session, the federated user, the root user, the service, or
    /// everybody.
    Direct,
    /// The statement names the role of the session.
    Role,
    /// The statement names the caller's account.
    Account,
}

impl Pools {
    /// Compiles the ARN of a principal that can call. Returns `None` for any other text.
    pub(crate) fn named_principal(&mut self, arn: &str) -> Option<PrincipalMatcher> {
        let named = NamedArn::read(arn)?;
        let account = named.account;
        Some(match named.kind {
            NamedKind::Root => {
                PrincipalMatcher::Account { partition: Some(self.add_text(named.partition)), account }
            }
            NamedKind::User | NamedKind::FederatedUser => PrincipalMatcher::User { arn: self.add_text(arn) },
            NamedKind::Session => PrincipalMatcher::Session {
                arn: self.add_text(arn),
                account,
                role: self.add_text(named.name),
            },
            NamedKind::Role => PrincipalMatcher::Role {
                arn: self.add_text(arn),
                partition: self.add_text(named.partition),
                account,
                name: self.add_text(named.name),
            },
        })
    }
}

impl PrincipalMatcher {
    pub(crate) fn covers(self, caller: &Principal, key: &KeyArn, texts: &str) -> Option<Coverage> {
        match self {
            Self::Everyone => Some(Coverage::Direct),
            Self::Account { partition, account } => {
                let partition = partition.map_or(key.partition(), |p| p.of(texts));
                let same = caller.account() == Some(account)
                    && caller.partition().unwrap_or(key.partition()) == partition;
                let coverage =
                    if caller.kind == PrincipalKind::Root { Coverage::Direct } else { Coverage::Account };
                same.then_some(coverage)
            }
            Self::User { arn } | Self::Session { arn, .. } => {
                (caller.text == arn.of(texts)).then_some(Coverage::Direct)
            }
            Self::Role { arn, partition, account, name } => match caller.kind {
                PrincipalKind::Role => (caller.text == arn.of(texts)).then_some(Coverage::Role),
                PrincipalKind::Session => {
                    let same = caller.account() == Some(account)
                        && caller.name() == name.of(texts)
                        && caller.partition() == Some(partition.of(texts));
                    same.then_some(Coverage::Role)
                }
                _ => None,
            },
            Self::Service { name } => {
                let same = caller.kind == PrincipalKind::Service && caller.text == name.of(texts);
                same.then_some(Coverage::Direct)
            }
            Self::Nobody => None,
        }
    }

    /// Whether this is a session of the role that calls. It does not cover the role's other sessions.
    pub(crate) fn is_session_of(self, caller: &Principal, texts: &str) -> bool {
        let Self::Session { account, role, .. } = self else { return false };
        let same = caller.account() == Some(account) && caller.name() == role.of(texts);
        caller.kind == PrincipalKind::Role && same
    }

    /// The key by which the index finds the statement; 0 if no caller matches.
    pub(crate) fn selector(self, texts: &str) -> u64 {
        match self {
            Self::Everyone => EVERYBODY,
            Self::Account { account, .. } => selector_of_account(account.number()),
            Self::User { arn } => hash(arn.of(texts)),
            Self::Role { account, name, .. } | Self::Session { account, role: name, .. } => {
                selector_of_role(account.number(), name.of(texts))
            }
            Self::Service { name } => hash(name.of(texts)),
            Self::Nobody => 0,
        }
    }
}
