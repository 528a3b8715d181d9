//! The ports on the SDK, driven against the stub: what they ask, what they read, and what they
//! make of AWS's refusals.

mod compliance;
mod denials;
mod fleet;
mod identities;
mod key_access;
mod key_states;
mod records;

use std::time::Duration;

use session_kms::aws::Aws;
use session_kms::key::KeyArn;

use crate::stub::Stub;

/// The account that owns the foreign key.
const OTHER: &str = "210987654321";

/// The ports as the function has them, but for short pauses.
fn aws(stub: &Stub) -> Aws {
    Aws::new(&stub.sdk_config(5, None), Duration::from_millis(1))
}

fn key(arn: &str) -> KeyArn {
    KeyArn::parse(arn).unwrap()
}
