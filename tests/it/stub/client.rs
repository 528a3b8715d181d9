//! The settings with which SDK clients call the stub.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};

use super::control::Stub;
use super::world::REGION;

impl Stub {
    /// A caller with this access key in this Region, who tries a call only once.
    pub fn sdk_config_of(&self, access_key: &str, region: &'static str) -> SdkConfig {
        let credentials = Credentials::new(access_key, "secret", None, None, "test");
        self.sdk_config(1, None)
            .to_builder()
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// The default caller in the default Region. A client tries a call up to `attempts` times, with a pause of a
    /// millisecond or two. It waits for each answer until `attempt` is over, or for ever.
    pub fn sdk_config(&self, attempts: u32, attempt: Option<Duration>) -> SdkConfig {
        let retries = RetryConfig::standard()
            .with_max_attempts(attempts)
            .with_initial_backoff(Duration::from_millis(1))
            .with_max_backoff(Duration::from_millis(2));
        let mut timeouts = TimeoutConfig::builder();
        timeouts.set_operation_attempt_timeout(attempt);
        let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.endpoint())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries)
            .timeout_config(timeouts.build())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }
}
