//! The SDK's settings in a Lambda function, which finds everything in its environment variables: credentials, Region,
//! endpoints. The loader that the command line uses looks into profiles, containers and instances too. The function does
//! without that code, which is a large part of its size.

use std::env;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_https::HttpsClient;
use aws_sdk_ssm::config::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The settings that the environment variables hold, by the names that all SDKs of AWS give them.
pub(super) fn read(client: HttpsClient, retries: RetryConfig, timeouts: TimeoutConfig) -> SdkConfig {
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).map(Region::new);
    let mut settings = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(client)
        .region(region)
        .retry_config(retries)
        .service_config(Endpoints)
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new())
        .timeout_config(timeouts);
    settings.set_endpoint_url(variable("AWS_ENDPOINT_URL").filter(|_| !ignores_endpoints()));
    settings.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    settings.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    settings.build()
}

/// The endpoints that are set for one service, such as `AWS_ENDPOINT_URL_KMS`.
#[derive(Debug)]
struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_uppercase().replace(' ', "_");
        variable(&format!("{}_{service}", key.env())).filter(|_| !ignores_endpoints())
    }
}

fn ignores_endpoints() -> bool {
    flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == Some(true)
}

fn flag(name: &str) -> Option<bool> {
    variable(name).map(|text| text.eq_ignore_ascii_case("true"))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}
