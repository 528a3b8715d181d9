//! The ARN of a KMS key, and the location (partition, Region, account) that it names.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::arn::Arn;
use crate::location::Location;
use crate::quote::quoted;

/// The ARN of a KMS key, `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`. A preferences document gets no other form of
/// reference, because an ARN means the same key to every account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct KeyArn {
    text: String,
    location: Location,
    id: String,
}

/// Why a text is not the ARN of a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is not the ARN of a KMS key; it looks like `arn:aws:kms:REGION:ACCOUNT:key/KEY-ID`")]
pub struct KeyArnError {
    text: String,
}

impl KeyArn {
    /// Reads an ARN.
    ///
    /// # Errors
    /// The text is anything but the ARN of one key, such as an alias ARN, a wildcard or an ARN with a part missing.
    pub fn parse(text: &str) -> Result<Self, KeyArnError> {
        let error = || KeyArnError { text: quoted(text) };
        let arn = Arn::parse(text).ok_or_else(error)?;
        let location = kms_location(&arn).ok_or_else(error)?;
        let id = arn.resource.strip_prefix("key/").filter(|id| is_word(id)).ok_or_else(error)?;
        Ok(Self { text: text.to_owned(), location, id: id.to_owned() })
    }

    /// The ARN as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key's partition, Region and account.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The key id; `mrk-…` for a multi-Region key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The location that an ARN of KMS names, a key's or an alias's; `None` for another service's ARN, or for one whose
/// partition, Region or account is malformed.
pub(super) fn kms_location(arn: &Arn<'_>) -> Option<Location> {
    let is_well_formed = arn.service == "kms"
        && is_word(arn.partition)
        && is_word(arn.region)
        && Location::is_account(arn.account);
    is_well_formed.then(|| Location {
        partition: arn.partition.to_owned(),
        region: arn.region.to_owned(),
        account: arn.account.to_owned(),
    })
}

/// Whether a text can be a part of an ARN, or a key id: letters, digits and hyphens.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for KeyArn {
    type Error = KeyArnError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<KeyArn> for String {
    fn from(arn: KeyArn) -> Self {
        arn.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_arn_has_a_location_and_an_id() {
        let arn = KeyArn::parse("arn:aws-cn:kms:cn-north-1:222222222222:key/mrk-12").unwrap();
        assert_eq!(arn.location().partition, "aws-cn");
        assert_eq!(arn.location().region, "cn-north-1");
        assert_eq!(arn.location().account, "222222222222");
        assert_eq!(arn.id(), "mrk-12");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "alias/session",
            "arn:aws:kms:eu-west-1:111122223333:alias/session",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            "arn:aws:kms:eu-west-1:111122223333:key/*",
            "arn:aws:kms:eu-west-1:1111:key/12",
            "arn:aws:s3:eu-west-1:111122223333:key/12",
            "arn:aws:kms::111122223333:key/12",
            "arn:aws:kms:eu-west-1:111122223333:key/12 ",
            "arn:aws:kms:eu-west-1:111122223333:key/12:x",
        ] {
            assert!(KeyArn::parse(text).is_err(), "{text}");
        }
    }
}
