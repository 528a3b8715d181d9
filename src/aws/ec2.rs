//! The one call of EC2, DescribeIamInstanceProfileAssociations, without EC2's crate, which is the size of all
//! other clients together and more. It is a one-off request through the SDK's own runtime, so that credentials,
//! signing, endpoints, time-outs and retries are the SDK's.

mod page;

use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_sdk_ssm::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;
use url::form_urlencoded;

use self::page::{Ec2Error, Page};
use super::Aws;
use super::error::{call, unreadable};
use crate::reconcile::ports::AwsError;

const ACTION: &str = "DescribeIamInstanceProfileAssociations";
const OPERATION: &str = "ec2:DescribeIamInstanceProfileAssociations";

/// The API version whose answers `page.rs` reads.
const VERSION: &str = "2016-11-15";

/// The most that EC2 gives.
const PAGE_SIZE: &str = "1000";

/// Asks for the page with this token; for the first where there is none.
type Describe = Operation<Option<String>, Page, Ec2Error>;

impl Aws {
    /// Instance id and instance profile ARN of each association in use.
    pub(super) async fn profile_associations(&self) -> Result<Vec<(String, String)>, AwsError> {
        let describe = describe(&self.config).await.map_err(|problem| unreadable(OPERATION, "*", problem))?;
        let mut associations = Vec::new();
        let mut next = None;
        loop {
            let page = call(OPERATION, "*", describe.invoke(next)).await?;
            associations.extend(page.associations);
            next = page.next_token;
            if next.is_none() {
                return Ok(associations);
            }
        }
    }
}

/// The operation, set up as an SDK client would be by the same settings.
async fn describe(config: &SdkConfig) -> Result<Describe, &'static str> {
    let region = config.region().ok_or("there is no Region to ask")?;
    let credentials = config.credentials_provider().ok_or("there are no credentials")?;
    let mut layer = Layer::new("EC2");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigningName::from_static("ec2"));
    layer.store_put(SigningRegion::from(region.clone()));
    layer.store_put(SigV4OperationSigningConfig::default());
    let components = RuntimeComponentsBuilder::new("EC2")
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_identity_cache(config.identity_cache())
        .with_identity_resolver(SCHEME_ID, credentials);
    let mut operation = Operation::builder()
        .service_name("EC2")
        .operation_name(ACTION)
        .runtime_plugin(
            StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components),
        )
        .endpoint_url(&endpoint(config, region.as_ref()).await?)
        .standard_retry(config.retry_config().unwrap_or(&RetryConfig::standard()))
        .retry_classifier(TransientErrorClassifier::<Ec2Error>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(AwsErrorCodeClassifier::<Ec2Error>::new())
        .timeout_config(config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
        .with_connection_poisoning();
    if let Some(version) = config.behavior_version() {
        operation = operation.behavior_version(version);
    }
    if let Some(client) = config.http_client() {
        operation = operation.http_client(client);
    }
    if let Some(sleep) = config.sleep_impl() {
        operation = operation.sleep_impl(sleep);
    }
    if let Some(clock) = config.time_source() {
        operation = operation.time_source(clock);
    }
    Ok(operation.serializer(|token| Ok(request(token)?)).deserializer(page::read).build())
}

fn request(token: Option<String>) -> Result<HttpRequest, aws_smithy_runtime_api::http::HttpError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", ACTION).append_pair("Version", VERSION);
    form.append_pair("Filter.1.Name", "state").append_pair("Filter.1.Value.1", "associated");
    form.append_pair("MaxResults", PAGE_SIZE);
    if let Some(token) = token {
        form.append_pair("NextToken", &token);
    }
    let mut request = HttpRequest::new(SdkBody::from(form.finish()));
    request.set_method("POST")?;
    request.set_uri("/")?;
    let headers = request.headers_mut();
    headers.try_insert("content-type", "application/x-www-form-urlencoded")?;
    headers.try_insert("user-agent", concat!("session-kms/", env!("CARGO_PKG_VERSION")))?;
    Ok(request)
}

/// The endpoint that the settings name, for EC2 or for all services; else the Region's.
async fn endpoint(config: &SdkConfig, region: &str) -> Result<String, &'static str> {
    let key = ServiceConfigKey::builder().service_id("EC2").env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let key = key.build().map_err(|_| "the setting of EC2's endpoint has no name")?;
    let set = config.service_config().and_then(|settings| settings.load_config(key));
    if let Some(url) = set.or_else(|| config.endpoint_url().map(str::to_owned)) {
        return Ok(url);
    }
    // EC2's host is SSM's but for the service's name, with FIPS and dual stack too; the SDK knows the domains of
    // all partitions.
    let params = Params::builder()
        .region(region)
        .set_use_fips(config.use_fips())
        .set_use_dual_stack(config.use_dual_stack())
        .build()
        .map_err(|_| "there is no endpoint for these settings")?;
    let ssm = DefaultResolver::new().resolve_endpoint(&params).await;
    let ssm = ssm.map_err(|_| "there is no endpoint in this Region for these settings")?;
    Ok(ssm.url().replacen("//ssm", "//ec2", 1))
}

#[cfg(test)]
mod tests;
