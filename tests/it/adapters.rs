//! The ports of the proof of access on the SDK, driven against the stub: what they ask, what they read, and what they
//! make of AWS's refusals.

mod denials;
mod fleet;
mod identities;
mod key_access;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
use session_kms::aws::Aws;
use session_kms::key::KeyArn;

use crate::stub::{REGION, Stub};

/// The account that owns the foreign key.
const OTHER: &str = "210987654321";

/// The ports as the function has them, but for short pauses.
fn aws(stub: &Stub) -> Aws {
    let retries = RetryConfig::standard()
        .with_max_attempts(5)
        .with_initial_backoff(Duration::from_millis(1))
        .with_max_backoff(Duration::from_millis(2));
    let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(stub.endpoint())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Aws::new(&config, Duration::from_millis(1))
}

fn key(arn: &str) -> KeyArn {
    KeyArn::parse(arn).unwrap()
}
