//! Operations made by hand on the SDK's runtime, for services of which one operation is needed: their crates are
//! too large for it. EC2's crate is larger than all other clients together.
//!
//! Credentials, signing, endpoints, time-outs and retries are the SDK's. The body of the request, and the function
//! that reads the answer, are the caller's.

mod endpoint;

use std::fmt;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
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

use super::Aws;
use super::calls::{UnreadableAnswer, retry_partition};
use super::error::{call, unreadable};
use crate::ports::AwsError;
pub(super) use endpoint::{bucket_endpoint, own_endpoint, partition_region};

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
    /// JSON that is sent to a path of its own.
    RestJson {
        /// The path: `/listRegions`.
        path: &'static str,
    },
    /// S3's protocol, in which each request has its own method, path and headers.
    S3,
}

/// Where an operation is sent.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) url: String,
    /// The Region that the signature names.
    pub(super) region: String,
}

/// A request in S3's protocol. Its `Debug` hides the body.
pub(super) struct S3Request {
    pub(super) method: &'static str,
    /// Path and query, encoded.
    pub(super) uri: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: SdkBody,
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
    /// How long one attempt may take where attempts are limited; `None` for as long as with other calls.
    pub(super) attempt: Option<Duration>,
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

/// What a request is made of. Its `Debug` hides the text, which may hold a result token of AWS Config.
enum Body {
    Text(String),
    S3(S3Request),
}

impl<'a, O: fmt::Debug + Send + Sync + 'static> RawOperation<'a, O> {
    /// Sets the operation up; `read` reads its answers.
    pub(super) async fn new(
        aws: &Aws,
        spec: &'static OperationSpec,
        on: &'a str,
        read: impl Fn(&HttpResponse) -> Result<O, OrchestratorError<Refusal>> + Send + Sync + 'static,
    ) -> Result<Self, AwsError> {
        let endpoint = own_endpoint(&aws.config, &spec.service).await;
        let endpoint = endpoint.map_err(|problem| unreadable(spec.iam_action, on, problem))?;
        Self::at(aws, spec, endpoint, on, read)
    }

    /// The same at a given endpoint.
    pub(super) fn at(
        aws: &Aws,
        spec: &'static OperationSpec,
        endpoint: Endpoint,
        on: &'a str,
        read: impl Fn(&HttpResponse) -> Result<O, OrchestratorError<Refusal>> + Send + Sync + 'static,
    ) -> Result<Self, AwsError> {
        let iam_action = spec.iam_action;
        let operation = set_up(aws, spec, endpoint).map_err(|problem| unreadable(iam_action, on, problem))?;
        let serialize = |body| Ok(request(spec, body)?);
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
        let sent = async { self.operation.invoke(Body::Text(body)).await.inspect_err(look) };
        call(self.iam_action, self.on, sent).await
    }

    /// Makes one call in S3's protocol.
    pub(super) async fn send(&self, request: S3Request) -> Result<O, AwsError> {
        call(self.iam_action, self.on, self.operation.invoke(Body::S3(request))).await
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

fn set_up(
    Aws { config, in_flight, .. }: &Aws,
    OperationSpec { service, name, protocol, attempt, .. }: &'static OperationSpec,
    Endpoint { url, region }: Endpoint,
) -> Result<OperationBuilder, &'static str> {
    let credentials = config.credentials_provider().ok_or("there are no credentials")?;
    let is_s3 = matches!(protocol, Protocol::S3);
    let mut layer = Layer::new(service.id);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigningName::from_static(service.name));
    layer.store_put(SigningRegion::from(Region::new(region)));
    layer.store_put(if is_s3 { s3_signing() } else { SigV4OperationSigningConfig::default() });
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
        .endpoint_url(&url)
        .standard_retry(config.retry_config().unwrap_or(&RetryConfig::standard()))
        .retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
        .retry_classifier(UnreadableAnswer)
        .interceptor(in_flight.clone())
        .timeout_config(timeouts(config, *attempt))
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

/// S3 takes the path as it is, and wants the digest of the body in a header.
fn s3_signing() -> SigV4OperationSigningConfig {
    let mut options = SigningOptions::default();
    options.double_uri_encode = false;
    options.normalize_uri_path = false;
    options.content_sha256_header = true;
    SigV4OperationSigningConfig { signing_options: options, ..SigV4OperationSigningConfig::default() }
}

fn timeouts(config: &SdkConfig, attempt: Option<Duration>) -> TimeoutConfig {
    match (config.timeout_config(), attempt) {
        (Some(set), Some(attempt)) if set.operation_attempt_timeout().is_some() => {
            set.to_builder().operation_attempt_timeout(attempt).build()
        }
        (Some(set), _) => set.clone(),
        (None, _) => TimeoutConfig::disabled(),
    }
}

fn request(
    OperationSpec { name, protocol, .. }: &OperationSpec,
    body: Body,
) -> Result<HttpRequest, HttpError> {
    let (method, uri, more, body) = match body {
        Body::Text(text) => {
            let path = if let Protocol::RestJson { path } = protocol { path } else { "/" };
            let text = match protocol {
                Protocol::Query { version } if text.is_empty() => format!("Action={name}&Version={version}"),
                Protocol::Query { version } => format!("Action={name}&Version={version}&{text}"),
                _ => text,
            };
            ("POST", path.to_owned(), Vec::new(), SdkBody::from(text))
        }
        Body::S3(S3Request { method, uri, headers, body }) => (method, uri, headers, body),
    };
    let mut request = HttpRequest::new(body);
    request.set_method(method)?;
    request.set_uri(uri)?;
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
        Protocol::RestJson { .. } => {
            headers.try_insert("content-type", "application/json")?;
        }
        Protocol::S3 => {
            for (name, value) in more {
                headers.try_insert(name, value)?;
            }
        }
    }
    Ok(request)
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body(…)")
    }
}

impl fmt::Debug for S3Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri)
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
