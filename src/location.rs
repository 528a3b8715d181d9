//! Where something of AWS lives: partition, Region and account.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::arn::Arn;

/// A partition, a Region of it, and an account.
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
    /// Partition and account of an ARN, with a Region from elsewhere: a function may be asked about another Region
    /// than its own, and a caller's ARN names none.
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
    fn a_function_name_is_no_place() {
        assert_eq!(Location::of_arn("session-kms", "eu-west-1"), None);
        assert_eq!(Location::of_arn("arn:aws:lambda:eu-west-1:12:function:f", "eu-west-1"), None);
    }
}
