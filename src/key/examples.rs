//! A key for tests.

use super::arn::KeyArn;
use super::fitness::KeyDescription;

/// The ARN of a key of account 111122223333.
pub(super) const EXAMPLE_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1-2";

/// [`EXAMPLE_KEY`], parsed.
pub(crate) fn example_arn() -> KeyArn {
    KeyArn::parse(EXAMPLE_KEY).unwrap()
}

/// The description of a fit key.
pub(super) fn example_key() -> KeyDescription {
    KeyDescription { origin: Some("AWS_KMS".into()), ..KeyDescription::assumed(example_arn()) }
}
