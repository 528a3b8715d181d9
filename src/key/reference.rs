//! References to keys as users write them: a key ARN, a key id, an alias name or an alias ARN; and whether a reference
//! suits a document's partition, Region and account.

use std::fmt;

use thiserror::Error;

use super::arn::{KeyArn, is_word, kms_location};
use crate::arn::Arn;
use crate::location::Location;
use crate::quote::quoted;

/// A reference to a key. Only [`KeyRef::Arn`] can name a key of another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRef {
    /// `arn:aws:kms:REGION:ACCOUNT:key/ID`
    Arn(KeyArn),
    /// `1234abcd-…` or `mrk-…`, in the caller's own account and Region.
    Id(String),
    /// `alias/NAME`, in the caller's own account and Region.
    Alias(String),
    /// `arn:aws:kms:REGION:ACCOUNT:alias/NAME`
    AliasArn {
        /// The whole ARN.
        text: String,
        /// The alias's partition, Region and account.
        location: Location,
    },
}

/// Why a text does not name a key that sessions could use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyRefError {
    /// It has none of the four forms.
    #[error(
        "`{0}` names no KMS key; give a key ARN (`arn:aws:kms:REGION:ACCOUNT:key/ID`), a key id, an alias \
         name (`alias/NAME`) or an alias ARN"
    )]
    Malformed(String),
    /// It is an alias of an AWS managed key.
    #[error(
        "`{0}` is an alias of an AWS managed key; its policy admits calls through one AWS service only, and \
         sessions call KMS directly; give a customer managed key"
    )]
    AwsManaged(String),
}

/// Why a key cannot serve a document of another location.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Misplaced {
    /// The key is in another partition.
    #[error("key `{key}` is in partition {partition}, the document is in {wanted}; give a key of {wanted}")]
    Partition {
        /// The reference as given.
        key: String,
        /// The key's partition.
        partition: String,
        /// The document's partition.
        wanted: String,
    },
    /// The key is in another Region.
    #[error(
        "key `{key}` is in Region {region}, the document is in {wanted}, and sessions look for the key in the \
         document's Region; give a key of {wanted}, for a multi-Region key the ARN of its replica there"
    )]
    Region {
        /// The reference as given.
        key: String,
        /// The key's Region.
        region: String,
        /// The document's Region.
        wanted: String,
    },
    /// The reference is an alias of another account.
    #[error(
        "`{alias}` is an alias of account {account}; another account's key can only be named by its key ARN"
    )]
    ForeignAlias {
        /// The alias ARN as given.
        alias: String,
        /// The alias's account.
        account: String,
    },
}

impl KeyRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// The text has none of the four forms, or is an alias of an AWS managed key (`alias/aws/…`).
    pub fn parse(text: &str) -> Result<Self, KeyRefError> {
        let malformed = || KeyRefError::Malformed(quoted(text));
        // No reference is longer (KMS API reference, DescribeKey).
        if text.len() > 2048 {
            return Err(malformed());
        }
        if let Ok(arn) = KeyArn::parse(text) {
            return Ok(Self::Arn(arn));
        }
        if let Some(alias) = text.strip_prefix("alias/") {
            check_alias(text, alias)?;
            return Ok(Self::Alias(text.to_owned()));
        }
        if let Some((_, alias)) = text.split_once(":alias/") {
            check_alias(text, alias)?;
            let arn = Arn::parse(text).filter(|arn| arn.resource.strip_prefix("alias/") == Some(alias));
            let location = arn.and_then(|arn| kms_location(&arn)).ok_or_else(malformed)?;
            return Ok(Self::AliasArn { text: text.to_owned(), location });
        }
        // A key id is a UUID, or `mrk-` with hexadecimal digits. Both have a hyphen and digits; an alias name that
        // lacks its prefix mostly does not look like either.
        let is_id = is_word(text) && text.contains('-') && text.bytes().any(|b| b.is_ascii_digit());
        if is_id { Ok(Self::Id(text.to_owned())) } else { Err(malformed()) }
    }

    /// The reference as it was given, which DescribeKey takes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Arn(arn) => arn.as_str(),
            Self::Id(text) | Self::Alias(text) | Self::AliasArn { text, .. } => text,
        }
    }

    /// Checks that the key can serve a document in this partition, Region and account.
    ///
    /// # Errors
    /// The key is in another partition or Region, or the reference is an alias of another account.
    pub fn check_location(&self, document: &Location) -> Result<(), Misplaced> {
        let location = match self {
            Self::Id(_) | Self::Alias(_) => return Ok(()),
            Self::Arn(arn) => arn.location(),
            Self::AliasArn { location, .. } => location,
        };
        if location.partition != document.partition {
            return Err(Misplaced::Partition {
                key: quoted(self.as_str()),
                partition: location.partition.clone(),
                wanted: document.partition.clone(),
            });
        }
        if location.region != document.region {
            return Err(Misplaced::Region {
                key: quoted(self.as_str()),
                region: location.region.clone(),
                wanted: document.region.clone(),
            });
        }
        if matches!(self, Self::AliasArn { .. }) && location.account != document.account {
            return Err(Misplaced::ForeignAlias {
                alias: quoted(self.as_str()),
                account: location.account.clone(),
            });
        }
        Ok(())
    }
}

impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An alias name has letters, digits, `/`, `_` and `-`, at most 256 with the prefix (KMS API reference, CreateAlias).
fn check_alias(text: &str, name: &str) -> Result<(), KeyRefError> {
    if name.starts_with("aws/") {
        return Err(KeyRefError::AwsManaged(quoted(text)));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-');
    if name.is_empty() || name.len() > 250 || !name.bytes().all(allowed) {
        return Err(KeyRefError::Malformed(quoted(text)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::examples::EXAMPLE_KEY;
    use super::*;

    fn document() -> Location {
        Location { partition: "aws".into(), region: "eu-west-1".into(), account: "111122223333".into() }
    }

    #[test]
    fn each_of_the_four_forms_is_recognized() {
        let parse = |text| KeyRef::parse(text).unwrap();
        assert!(matches!(parse(EXAMPLE_KEY), KeyRef::Arn(_)));
        assert!(matches!(parse("1234abcd-12ab-34cd-56ef-1234567890ab"), KeyRef::Id(_)));
        assert!(matches!(parse("mrk-1234abcd12ab34cd56ef1234567890ab"), KeyRef::Id(_)));
        assert!(matches!(parse("alias/team/session_key"), KeyRef::Alias(_)));
        assert!(matches!(parse("arn:aws:kms:eu-west-1:111122223333:alias/session"), KeyRef::AliasArn { .. }));
    }

    #[test]
    fn a_text_that_names_no_key_is_refused() {
        for text in
            ["", "session", "alias/", "alias/a b", "arn:aws:kms:eu-west-1:1:alias/x", "{{ key }}", "arn:x"]
        {
            assert_eq!(KeyRef::parse(text), Err(KeyRefError::Malformed(quoted(text))), "{text}");
        }
        for text in ["alias/aws/ssm", "arn:aws:kms:eu-west-1:111122223333:alias/aws/ssm"] {
            assert_eq!(KeyRef::parse(text), Err(KeyRefError::AwsManaged(text.into())));
        }
    }

    #[test]
    fn a_key_serves_its_own_partition_and_region_only() {
        let check = |text| KeyRef::parse(text).unwrap().check_location(&document());
        assert_eq!(check("arn:aws:kms:eu-west-1:222222222222:key/1-2"), Ok(()));
        assert_eq!(check("1234abcd-12ab"), Ok(()));
        assert_eq!(check("arn:aws:kms:eu-west-1:111122223333:alias/x"), Ok(()));
        assert!(matches!(
            check("arn:aws-cn:kms:cn-north-1:111122223333:key/1-2"),
            Err(Misplaced::Partition { .. })
        ));
        assert!(matches!(check("arn:aws:kms:us-east-1:111122223333:key/1-2"), Err(Misplaced::Region { .. })));
        assert!(matches!(
            check("arn:aws:kms:eu-west-1:222222222222:alias/x"),
            Err(Misplaced::ForeignAlias { .. })
        ));
    }
}
