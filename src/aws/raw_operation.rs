//! Operations made by hand on the SDK's runtime, for services of which one operation is needed: their crates are
//! too large for it. EC2's crate is larger than all other clients together.
//!
//! Credentials, signing, endpoints, time-outs and retries are the SDK's. The body of the request, and the function
//! that reads the answer, are the caller's.

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

use super::Aws;
use super::calls::{UnreadableAnswer, retry_partition};
use super::error::{call, unreadable};
use super::iam_service::{IAM, iam_endpoint};
use crate::ports::AwsError;

/// A service that has no client here.
#[derive(Debug)]
pub(super) struct Service {
    /// Its service id, by which settings name it: `Config Service`.
    pub(super) id: &'static str,
    /// Its name in signatures, which is the first label of its host too: `config`.
    pub(super) name: &'static str,
    /// The Region of the endpoint that answers for a Region: the same one, unless the service has one endpoint in
    /// each partition.
    pub(super) endpoint_region: fn(&str) -> &str,
}

/// How a request is written.
#[derive(Debug)]
pub(super) enum Protocol {
    /// EC2's query protocol: a form that names the operation.
    Ec2Query,
    /// The query protocol of IAM and STS. The name of the operation and the version are put before the form that the
    /// caller gives.
    Query {
        /// The version of the API: `2010-05-08`.
        version: &'static str,
    },
    /// AWS JSON 1.1: a header names the operation.
    Json {
        /// The header's value: `StarlingDoveService.PutEvaluations`.
        target: &'static str,
    },
}

/// What is fixed about an operation.
#[derive(Debug)]
pub(super) struct OperationSpec {
    pub(super) service: Service,
    /// Its name: `PutEvaluations`.
    pub(super) name: &'static str,
    /// The action, as IAM names it: `config:PutEvaluations`.
    pub(super) iam_action: &'static str,
    pub(super) protocol: Protocol,
}

/// An operation on one subject, with the settings that an SDK client would have.
#[derive(Debug)]
pub(super) struct RawOperation<'a, O> {
    operation: Operation<Body, O, Refusal>,
    iam_action: &'static str,
    /// What the log and an error name.
    on: &'a str,
}

/// A service's refusal: code and message.
#[derive(Debug)]
pub(super) struct Refusal(ErrorMetadata);

/// The body of a request. Its `Debug` hides the text, which may hold a result token of AWS Config.
struct Body(String);

impl<'a, O: fmt::Debug + Send + Sync + 'static> RawOperation<'a, O> {
    /// Sets the operation up; `read` reads its answers.
    pub(super) async fn new(
        aws: &Aws,
        spec: &'static OperationSpec,
        on: &'a str,
        read: impl Fn(&HttpResponse) -> Result<O, OrchestratorError<Refusal>> + Send + Sync + 'static,
    ) -> Result<Self, AwsError> {
        let iam_action = spec.iam_action;
        let operation = set_up(aws, spec).await.map_err(|problem| unreadable(iam_action, on, problem))?;
        let serialize = |Body(body)| Ok(request(spec, body)?);
        Ok(Self { operation: operation.serializer(serialize).deserializer(read).build(), iam_action, on })
    }

    /// Makes one call with this body.
    pub(super) async fn call(&self, body: String) -> Result<O, AwsError> {
        self.call_and_look(body, |_| ()).await
    }

    /// The same. `look` is shown the SDK's error, if the call fails.
    pub(super) async fn call_and_look(
        &self,
        body: String,
        look: impl FnOnce(&SdkError<Refusal, HttpResponse>),
    ) -> Result<O, AwsError> {
        let sent = async { self.operation.invoke(Body(body)).await.inspect_err(look) };
        call(self.iam_action, self.on, sent).await
    }
}

impl Refusal {
    /// The error for an answer that refuses. If it has no code, the SDK still decides by its status whether to try
    /// again.
    pub(super) fn error(code: Option<String>, message: Option<String>) -> OrchestratorError<Self> {
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        if let Some(message) = message {
            metadata = metadata.message(message);
        }
        OrchestratorError::operation(Self(metadata.build()))
    }
}

async fn set_up(
    Aws { config, in_flight, .. }: &Aws,
    OperationSpec { service, name, .. }: &'static OperationSpec,
) -> Result<OperationBuilder, &'static str> {
    let own = config.region().ok_or("there is no Region to ask")?;
    let region = Region::new((service.endpoint_region)(own.as_ref()).to_owned());
    let credentials = config.credentials_provider().ok_or("there are no credentials")?;
    let mut layer = Layer::new(service.id);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigningName::from_static(service.name));
    layer.store_put(SigningRegion::from(region.clone()));
    layer.store_put(SigV4OperationSigningConfig::default());
    layer.store_put(retry_partition());
    let components = RuntimeComponentsBuilder::new(service.id)
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_identity_cache(config.identity_cache())
        .with_identity_resolver(SCHEME_ID, credentials);
    let mut operation = Operation::builder()
        .service_name(service.id)
        .operation_name(*name)
        .runtime_plugin(
            StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components),
        )
        .endpoint_url(&endpoint(config, service, region.as_ref()).await?)
        .standard_retry(config.retry_config().unwrap_or(&RetryConfig::standard()))
        .retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
        .retry_classifier(UnreadableAnswer)
        .interceptor(in_flight.clone())
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

fn request(
    OperationSpec { name, protocol, .. }: &OperationSpec,
    body: String,
) -> Result<HttpRequest, HttpError> {
    let body = match protocol {
        Protocol::Query { version } if body.is_empty() => format!("Action={name}&Version={version}"),
        Protocol::Query { version } => format!("Action={name}&Version={version}&{body}"),
        Protocol::Ec2Query | Protocol::Json { .. } => body,
    };
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    let headers = request.headers_mut();
    headers.try_insert("user-agent", concat!("session-kms/", env!("CARGO_PKG_VERSION")))?;
    match protocol {
        Protocol::Ec2Query | Protocol::Query { .. } => {
            headers.try_insert("content-type", "application/x-www-form-urlencoded")?;
        }
        Protocol::Json { target } => {
            headers.try_insert("content-type", "application/x-amz-json-1.1")?;
            headers.try_insert("x-amz-target", *target)?;
        }
    }
    Ok(request)
}

/// The endpoint that the settings name for the service, else the one that they name for all services, else the
/// Region's.
async fn endpoint(config: &SdkConfig, service: &Service, region: &str) -> Result<String, &'static str> {
    let key =
        ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let key = key.build().map_err(|_| "the setting of the service's endpoint has no name")?;
    let set = config.service_config().and_then(|settings| settings.load_config(key));
    if let Some(url) = set.or_else(|| config.endpoint_url().map(str::to_owned)) {
        return Ok(url);
    }
    // The host differs from SSM's only in the service's name, with FIPS and dual stack too, and SSM's client knows the
    // domains of all partitions.
    let params = Params::builder()
        .region(region)
        .set_use_fips(config.use_fips())
        .set_use_dual_stack(config.use_dual_stack())
        .build()
        .map_err(|_| "there is no endpoint for these settings")?;
    let ssm = DefaultResolver::new().resolve_endpoint(&params).await;
    let ssm = ssm.map_err(|_| "there is no endpoint in this Region for these settings")?;
    let regional = ssm.url().replacen("//ssm", &format!("//{}", service.name), 1);
    Ok(if service.name == IAM.name { iam_endpoint(regional) } else { regional })
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
