//! The client of the SDK, and a connector that opens a connection for each request.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::iter;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::ErrorKind;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::Uri;
use http::header::PROXY_AUTHORIZATION;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{Client, Error as HyperError};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use crate::ahead::Ahead;
use crate::connection::Connection;
use crate::dialer::{ConnectTimeout, Dialer};
use crate::trust::Trust;

/// The client for the SDK's settings. Clones share TLS settings and connections.
#[derive(Clone, Debug)]
pub struct HttpsClient {
    dialer: Dialer,
    pools: Arc<Mutex<Vec<Pool>>>,
}

/// Opens a connection for each request and keeps none. One connection may be opened ahead. Clones share it.
#[derive(Clone, Debug)]
pub struct ConnectionPerRequest {
    dialer: Dialer,
    ahead: Ahead,
    requests: Requests,
}

/// The longest time for a connection that is opened ahead.
const OPENING_AHEAD: Duration = Duration::from_secs(3);

impl HttpsClient {
    /// A client that goes through the proxy that the environment names. Nothing is read before the first connection.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self::through(trust, Matcher::from_env())
    }

    /// A client that goes through no proxy, whatever the environment says.
    #[must_use]
    pub fn without_proxy(trust: Trust) -> Self {
        Self::through(trust, Matcher::builder().build())
    }

    fn through(trust: Trust, proxy: Matcher) -> Self {
        Self { dialer: Dialer::new(trust, proxy), pools: Arc::default() }
    }

    /// A connector with the same TLS settings that keeps no connection. It is for a request after which the process may
    /// stand still for longer than a connection lives, as a Lambda function does between two events.
    #[must_use]
    pub fn connection_per_request(&self) -> ConnectionPerRequest {
        let (dialer, ahead) = (self.dialer.clone(), Ahead::default());
        let connect = Connect { dialer: dialer.clone(), ahead: Some(ahead.clone()), within: None };
        let requests = Requests::new(connect, Keep::Nothing, None);
        ConnectionPerRequest { dialer, ahead, requests }
    }
}

impl HttpClient for HttpsClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.iter().find(|pool| pool.timeouts == timeouts) {
            return pool.connector.clone();
        }
        let connect = Connect { dialer: self.dialer.clone(), ahead: None, within: timeouts.0 };
        let connector = SharedHttpConnector::new(Requests::new(connect, Keep::Idle, timeouts.1));
        pools.push(Pool { timeouts, connector: connector.clone() });
        connector
    }
}

impl ConnectionPerRequest {
    /// Begins to open a connection to the host of a URL, which the next request to that host takes. Nothing is sent on it
    /// before. A connection that fails, or that the host closes before the request, is as if it had not been opened.
    ///
    /// If one is open or being opened, nothing happens. The URL's path and query are not looked at.
    pub fn open_ahead(&self, url: &str) {
        if let Ok(url) = url.parse() {
            self.ahead.open(&self.dialer, &url, OPENING_AHEAD);
        }
    }
}

impl HttpConnector for ConnectionPerRequest {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.requests.call(request)
    }
}

/// The connections that are opened within one limit. All clients of the SDK with the same limits share them.
#[derive(Debug)]
struct Pool {
    /// For the connection, and for the beginning of the answer.
    timeouts: (Option<Duration>, Option<Duration>),
    connector: SharedHttpConnector,
}

/// Which connections stay open after a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Idle,
    Nothing,
}

/// Sends requests over connections of one kind.
#[derive(Clone)]
struct Requests {
    client: Client<Connect, SdkBody>,
    dialer: Dialer,
    read_timeout: Option<Duration>,
}

impl Requests {
    fn new(connect: Connect, keep: Keep, read_timeout: Option<Duration>) -> Self {
        let dialer = connect.dialer.clone();
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new());
        if keep == Keep::Nothing {
            client.pool_max_idle_per_host(0);
        }
        Self { client: client.build(connect), dialer, read_timeout }
    }
}

impl HttpConnector for Requests {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        if let Some(credentials) = self.dialer.proxy_authorization(request.uri()) {
            request.headers_mut().entry(PROXY_AUTHORIZATION).or_insert(credentials);
        }
        // The SDK closes the connection of a request that failed for a passing reason.
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let answer = self.client.request(request);
        let limit = self.read_timeout;
        HttpConnectorFuture::new(async move {
            let answer = match limit {
                None => answer.await,
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .map_err(|_| ConnectorError::timeout(format!("no answer within {limit:?}").into()))?,
            };
            let answer = answer.map_err(connector_error)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn metadata(capture: &CaptureConnection) -> Option<ConnectionMetadata> {
    let is_proxied = capture.connection_metadata().as_ref()?.is_proxied();
    let capture = capture.clone();
    let close = move || {
        if let Some(connection) = capture.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(is_proxied).poison_fn(close).build())
}

/// Opens the connections of a pool.
#[derive(Clone)]
struct Connect {
    dialer: Dialer,
    ahead: Option<Ahead>,
    within: Option<Duration>,
}

impl Service<Uri> for Connect {
    type Response = Connection;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Connection, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let Self { dialer, ahead, within } = self.clone();
        Box::pin(async move {
            if let Some(ahead) = ahead
                && let Some(connection) = ahead.take(&url).await
            {
                return Ok(connection);
            }
            dialer.dial(url, within).await
        })
    }
}

/// Tells the SDK what kind of error it is, by which it decides whether to try again.
fn connector_error(error: HyperError) -> ConnectorError {
    if find::<ConnectTimeout>(&error).is_some() {
        return ConnectorError::timeout(error.into());
    }
    let hyper = find::<hyper::Error>(&error);
    if hyper.is_some_and(hyper::Error::is_timeout) {
        return ConnectorError::timeout(error.into());
    }
    if hyper.is_some_and(hyper::Error::is_user) {
        return ConnectorError::user(error.into());
    }
    let is_cut = hyper.is_some_and(|error| error.is_closed() || error.is_canceled());
    if is_cut || error.is_connect() || find::<io::Error>(&error).is_some() {
        return ConnectorError::io(error.into());
    }
    let kind = hyper.filter(|error| error.is_incomplete_message()).map(|_| ErrorKind::TransientError);
    ConnectorError::other(error.into(), kind)
}

/// The error of this type among the causes of an error.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("dialer", &self.dialer).finish_non_exhaustive()
    }
}
