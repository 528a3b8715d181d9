//! The SDK's clients and their settings.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_https::HttpsClient;
use aws_sdk_ssm::config::SharedCredentialsProvider;

use super::assumed_role::AuditSessions;
use super::calls::{CallsInFlight, UnreadableAnswer, retry_partition};
use super::function_settings;
use super::hosts;
use super::key_policy_reader::AssumedReaders;
use super::s3::BucketRegions;

/// The clients that implement the ports.
#[derive(Clone)]
pub struct Aws {
    pub(super) ssm: Lazy<aws_sdk_ssm::Client>,
    pub(super) kms: Lazy<aws_sdk_kms::Client>,
    /// The settings for all other services, which have no client.
    pub(super) config: SdkConfig,
    /// The settings that the program was started with, with whose credentials roles are assumed.
    pub(super) started_with: SdkConfig,
    pub(super) readers: AssumedReaders,
    pub(super) audit_sessions: AuditSessions,
    pub(super) in_flight: CallsInFlight,
    pub(super) bucket_regions: BucketRegions,
    pub(super) pause: Duration,
    pub(super) region: Option<String>,
}

/// A client that is made at its first call, because each reads the endpoints of all partitions.
type Lazy<C> = Arc<LazyLock<C, Box<dyn FnOnce() -> C + Send>>>;

/// A client of one of the SDK's crates, which share no type of settings.
macro_rules! client {
    ($service:ident, $config:expr, $in_flight:expr) => {{
        let (config, in_flight) = ($config.clone(), $in_flight.clone());
        let make = move || {
            $service::Client::from_conf(
                $service::config::Builder::from(&config)
                    .interceptor(in_flight)
                    .retry_classifier(UnreadableAnswer)
                    .retry_partition(retry_partition())
                    .build(),
            )
        };
        Arc::new(LazyLock::new(Box::new(make) as Box<dyn FnOnce() -> $service::Client + Send>))
    }};
}

impl Aws {
    /// Clients with the credentials, the Region and the endpoints (`AWS_ENDPOINT_URL…`) of the environment. `region`,
    /// if given, replaces the environment's Region. `profile`, if given, is the profile whose Region and credentials
    /// count, even if the environment has credentials of its own, as with the AWS CLI. `endpoint_url`, if given, takes the
    /// calls of all services, and counts before the endpoints of the environment and of the profile. The credentials of a
    /// profile still come from where they would without it.
    ///
    /// No call is made, except to an endpoint that provides credentials.
    pub async fn from_environment(
        region: Option<&str>,
        profile: Option<&str>,
        endpoint_url: Option<&str>,
    ) -> Self {
        let client = hosts::naming_client();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(retries())
            .timeout_config(timeouts())
            .http_client(client.clone());
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(url) = endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let Some(profile) = profile else { return Self::new(&loader.load().await, PAUSE) };
        let settings = loader.profile_name(profile).load().await;
        let provider_settings =
            ProviderConfig::without_region().with_region(settings.region().cloned()).with_http_client(client);
        let credentials = ProfileFileCredentialsProvider::builder()
            .configure(&provider_settings)
            .profile_name(profile)
            .build();
        let settings =
            settings.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        Self::new(&settings, PAUSE)
    }

    /// Clients of a Lambda function, with the credentials, the Region and the endpoints (`AWS_ENDPOINT_URL…`) that stand
    /// in its environment variables. All of them send over `client`, which has read no certificate yet.
    #[must_use]
    pub fn of_function(client: HttpsClient) -> Self {
        Self::new(&function_settings::read(client, retries(), timeouts()), PAUSE)
    }

    /// Clients with these settings. `pause` is the first pause between tries; later ones are longer.
    #[must_use]
    pub fn new(config: &SdkConfig, pause: Duration) -> Self {
        Self::counting_in(config, pause, CallsInFlight::default())
    }

    /// Clients with these settings, whose calls are counted among those under way.
    pub(super) fn counting_in(config: &SdkConfig, pause: Duration, in_flight: CallsInFlight) -> Self {
        Self {
            ssm: client!(aws_sdk_ssm, config, in_flight),
            kms: client!(aws_sdk_kms, config, in_flight),
            in_flight,
            config: config.clone(),
            started_with: config.clone(),
            readers: AssumedReaders::default(),
            audit_sessions: AuditSessions::default(),
            bucket_regions: BucketRegions::default(),
            pause,
            region: config.region().map(ToString::to_string),
        }
    }

    /// The Region of the clients.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

/// The first pause between tries.
const PAUSE: Duration = Duration::from_millis(200);

/// The SDK tries again with backoff and jitter after throttling and 5xx.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(5)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(8))
        .build()
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").field("region", &self.region).finish_non_exhaustive()
    }
}
