//! One-off operations: calls of services whose crates would be larger than what is asked of them. EC2's crate is
//! the size of all other clients together and more.
//!
//! A call goes through the SDK's own runtime, so that credentials, signing, endpoints, time-outs and retries are
//! the SDK's. What is said and what is answered is the caller's: a body, and a function that reads the answer.

use std::fmt;

use aws_config::{Region, SdkConfig};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_sdk_ssm::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_ssm::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;

/// A service that is asked without a client of its own.
#[derive(Debug)]
pub(super) struct Service {
    /// Its service id, by which settings name it: `Config Service`.
    pub(super) id: &'static str,
    /// Its name in signatures, which is its host's first label too: `config`.
    pub(super) name: &'static str,
    /// The content type of what it is sent.
    pub(super) content_type: &'static str,
    /// What its protocol wants in the head of a request besides.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// The Region that answers what is asked of a Region: the same, but for services that have one a partition.
    pub(super) region: fn(&str) -> &str,
}

/// One operation of such a service, set up as an SDK client would be by the same settings.
#[derive(Debug)]
pub(super) struct RawOperation<O>(Operation<Body, O, Refusal>);

/// A service's refusal: code and message.
#[derive(Debug)]
pub(super) struct Refusal(ErrorMetadata);

/// What is sent. It is nobody else's to see.
struct Body(String);

impl<O: fmt::Debug + Send + Sync + 'static> RawOperation<O> {
    /// The operation with this name, and how its answer is read.
    pub(super) async fn new(
        config: &SdkConfig,
        service: &'static Service,
        action: &'static str,
        read: impl Fn(&HttpResponse) -> Result<O, OrchestratorError<Refusal>> + Send + Sync + 'static,
    ) -> Result<Self, &'static str> {
        let operation = set_up(config, service, action).await?;
        let send = |Body(body)| Ok(request(service, body)?);
        Ok(Self(operation.serializer(send).deserializer(read).build()))
    }

    /// Sends a body, and reads the answer.
    pub(super) async fn ask(&self, body: String) -> Result<O, SdkError<Refusal, HttpResponse>> {
        self.0.invoke(Body(body)).await
    }
}

impl Refusal {
    /// A refusal. One without a code could not be read; its status still says whether to try again.
    pub(super) fn new<O>(
        code: Option<String>,
        message: Option<String>,
    ) -> Result<O, OrchestratorError<Self>> {
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        if let Some(message) = message {
            metadata = metadata.message(message);
        }
        Err(OrchestratorError::operation(Self(metadata.build())))
    }
}

async fn set_up(
    config: &SdkConfig,
    service: &'static Service,
    action: &'static str,
) -> Result<OperationBuilder, &'static str> {
    let own = config.region().ok_or("there is no Region to ask")?;
    let region = Region::new((service.region)(own.as_ref()).to_owned());
    let credentials = config.credentials_provider().ok_or("there are no credentials")?;
    let mut layer = Layer::new(service.id);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigningName::from_static(service.name));
    layer.store_put(SigningRegion::from(region.clone()));
    layer.store_put(SigV4OperationSigningConfig::default());
    let components = RuntimeComponentsBuilder::new(service.id)
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_identity_cache(config.identity_cache())
        .with_identity_resolver(SCHEME_ID, credentials);
    let mut operation = Operation::builder()
        .service_name(service.id)
        .operation_name(action)
        .runtime_plugin(
            StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components),
        )
        .endpoint_url(&endpoint(config, service, region.as_ref()).await?)
        .standard_retry(config.retry_config().unwrap_or(&RetryConfig::standard()))
        .retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
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
    Ok(operation)
}

fn request(service: &Service, body: String) -> Result<HttpRequest, HttpError> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    let headers = request.headers_mut();
    headers.try_insert("content-type", service.content_type)?;
    headers.try_insert("user-agent", concat!("session-kms/", env!("CARGO_PKG_VERSION")))?;
    for (name, value) in service.headers {
        headers.try_insert(*name, *value)?;
    }
    Ok(request)
}

/// The endpoint that the settings name, for the service or for all; else the Region's.
async fn endpoint(config: &SdkConfig, service: &Service, region: &str) -> Result<String, &'static str> {
    let key =
        ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let key = key.build().map_err(|_| "the setting of the service's endpoint has no name")?;
    let set = config.service_config().and_then(|settings| settings.load_config(key));
    if let Some(url) = set.or_else(|| config.endpoint_url().map(str::to_owned)) {
        return Ok(url);
    }
    // The host is SSM's but for the service's name, with FIPS and dual stack too; the SDK knows the domains of
    // all partitions.
    let params = Params::builder()
        .region(region)
        .set_use_fips(config.use_fips())
        .set_use_dual_stack(config.use_dual_stack())
        .build()
        .map_err(|_| "there is no endpoint for these settings")?;
    let ssm = DefaultResolver::new().resolve_endpoint(&params).await;
    let ssm = ssm.map_err(|_| "there is no endpoint in this Region for these settings")?;
    Ok(ssm.url().replacen("//ssm", &format!("//{}", service.name), 1))
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body(…)")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

#[cfg(test)]
mod tests;
