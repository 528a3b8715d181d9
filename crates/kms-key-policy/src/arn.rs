//! ARNs, accounts and partitions, each parsed once.

use std::fmt;

use crate::error::RequestError;

/// A 12-digit account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(u64);

impl AccountId {
    /// Reads exactly twelve digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse().ok().map(Self) } else { None }
    }

    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

/// The six parts of an ARN. The resource part may hold more colons.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArnParts<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> ArnParts<'a> {
    pub(crate) fn split(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let prefix = parts.next()?;
        let parts = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        (prefix == "arn").then_some(parts)
    }
}

/// The ARN of a KMS key: `arn:aws:kms:eu-west-1:111122223333:key/1234abcd-…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyArn {
    arn: String,
    partition: String,
    region: String,
    account: AccountId,
    multi_region: bool,
}

impl KeyArn {
    /// Reads the ARN of a key. An alias is refused, because the key behind an alias can change.
    ///
    /// # Errors
    /// [`RequestError::KeyArn`] if `text` is anything but the ARN of a key.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        Self::read(text).ok_or_else(|| RequestError::KeyArn(text.to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        let parts = ArnParts::split(text)?;
        let id = parts.resource.strip_prefix("key/")?;
        let plain =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let sound = parts.service == "kms" && plain(parts.partition) && plain(parts.region) && plain(id);
        if !sound {
            return None;
        }
        Some(Self {
            arn: text.to_owned(),
            partition: parts.partition.to_owned(),
            region: parts.region.to_owned(),
            account: AccountId::parse(parts.account)?,
            multi_region: id.starts_with("mrk-"),
        })
    }

    /// The whole ARN.
    pub(crate) fn as_str(&self) -> &str {
        &self.arn
    }

    /// The partition, such as `aws`.
    pub(crate) fn partition(&self) -> &str {
        &self.partition
    }

    /// The Region that the key is in, and in which it is called.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The account that owns the key.
    pub(crate) const fn account(&self) -> AccountId {
        self.account
    }

    /// Whether this is a multi-Region key. The id of such a key begins with `mrk-`.
    pub(crate) const fn is_multi_region(&self) -> bool {
        self.multi_region
    }

    /// The key's id: the part of the ARN behind `key/`.
    pub(crate) fn id(&self) -> &str {
        self.arn.rsplit_once('/').map_or("", |(_, id)| id)
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)
    }
}

/// Whether an account must enable this Region before it can call there. That holds for every Region that was opened
/// after March 2019 (AWS account management, Regions).
pub(crate) fn is_opt_in(region: &str) -> bool {
    const ALWAYS_ON: [&str; 17] = [
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "ca-central-1",
        "sa-east-1",
        "eu-central-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-north-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-south-1",
    ];
    let commercial = !["cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-"].iter().any(|p| region.starts_with(p));
    commercial && !ALWAYS_ON.contains(&region)
}
