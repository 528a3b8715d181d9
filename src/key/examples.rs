//! A key for tests.

use super::arn::KeyArn;
use super::fitness::{KeyDescription, MultiRegion};

/// The ARN of a key of account 111122223333.
pub(super) const EXAMPLE_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1-2";

/// [`EXAMPLE_KEY`], parsed.
pub(crate) fn example_arn() -> KeyArn {
    KeyArn::parse(EXAMPLE_KEY).unwrap()
}

/// The description of a fit key.
pub(super) fn example_key() -> KeyDescription {
    KeyDescription {
        arn: example_arn(),
        state: "Enabled".into(),
        spec: "SYMMETRIC_DEFAULT".into(),
        usage: "ENCRYPT_DECRYPT".into(),
        manager: "CUSTOMER".into(),
        origin: Some("AWS_KMS".into()),
        created: None,
        deletion_date: None,
        valid_to: None,
        custom_key_store: None,
        multi_region: MultiRegion::SingleRegion,
    }
}
