//! Partition, Region and account of a resource of AWS.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::arn::Arn;

/// The partition, the Region and the account that a resource is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// `eu-west-1`, …
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl Location {
    /// The location with the partition and account of an ARN, and with this Region: the ARN of a caller, for example,
    /// names no Region.
    ///
    /// `None` if the text is not an ARN with an account.
    #[must_use]
    pub fn of_arn(arn: &str, region: &str) -> Option<Self> {
        let arn = Arn::parse(arn)?;
        (!arn.partition.is_empty() && Self::is_account(arn.account)).then(|| Self {
            partition: arn.partition.to_owned(),
            region: region.to_owned(),
            account: arn.account.to_owned(),
        })
    }

    /// The partition of a Region, by the beginning of its name.
    #[must_use]
    pub fn partition_of_region(region: &str) -> &'static str {
        const PARTITIONS: [(&str, &str); 7] = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("us-isof-", "aws-iso-f"),
            ("eu-isoe-", "aws-iso-e"),
            ("eusc-", "aws-eusc"),
        ];
        let found = PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix));
        found.map_or("aws", |(_, partition)| partition)
    }

    /// Whether a text has the form of a Region's name: lower-case words with hyphens between them, and a number at the
    /// end, such as `eu-west-1`, `us-gov-west-1` or `eusc-de-east-1`. No list says which Regions there are, because new
    /// ones come.
    #[must_use]
    pub fn is_region(text: &str) -> bool {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        let Some((words, number)) = text.rsplit_once('-') else { return false };
        words.contains('-')
            && words.split('-').all(is_word)
            && matches!(number.len(), 1..=2)
            && number.bytes().all(|b| b.is_ascii_digit())
    }

    /// Whether a text is an account id: twelve digits.
    #[must_use]
    pub fn is_account(text: &str) -> bool {
        text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {}, Region {}", self.account, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_comes_from_the_functions_arn_and_the_region_from_the_environment() {
        let location = Location::of_arn(
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f:live",
            "us-gov-east-1",
        );
        assert_eq!(
            location,
            Some(Location {
                partition: "aws-us-gov".into(),
                region: "us-gov-east-1".into(),
                account: "123456789012".into(),
            })
        );
    }

    #[test]
    fn a_region_has_lower_case_words_and_a_number() {
        for region in [
            "eu-west-1",
            "ap-southeast-12",
            "us-gov-west-1",
            "cn-north-1",
            "eusc-de-east-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-west-9",
        ] {
            assert!(Location::is_region(region), "{region}");
        }
        for text in [
            "",
            "nonsense",
            "EU-WEST-1",
            "a,b",
            "eu-west",
            "eu-west-",
            "-west-1",
            "eu--west-1",
            "eu-west-1a",
            "west-1",
            "eu-west-1 ",
            "eu_west_1",
            "eu-west-123",
            "eu-west-1.evil.example",
        ] {
            assert!(!Location::is_region(text), "{text}");
        }
    }

    #[test]
    fn an_arn_with_an_account_is_needed() {
        assert_eq!(Location::of_arn("session-kms", "eu-west-1"), None);
        assert_eq!(Location::of_arn("arn:aws:lambda:eu-west-1:12:function:f", "eu-west-1"), None);
    }
}
