//! Opens connections: TCP, the proxy's tunnel, TLS.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use http::{HeaderValue, Uri, uri::Scheme};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::connection::{Connection, Peer, Stream};
use crate::trust::Trust;

/// Opens connections with one set of TLS settings, which is made at the first connection that needs it. Clones share it.
#[derive(Clone)]
pub(crate) struct Dialer(Arc<Shared>);

struct Shared {
    tcp: HttpConnector,
    proxy: Matcher,
    trust: Trust,
    tls: OnceLock<Result<Arc<ClientConfig>, rustls::Error>>,
}

/// A connection was not opened in time.
#[derive(Debug)]
pub(crate) struct ConnectTimeout(Duration);

impl Dialer {
    pub(crate) fn new(trust: Trust, proxy: Matcher) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self(Arc::new(Shared { tcp, proxy, trust, tls: OnceLock::new() }))
    }

    /// Opens a connection to the host of a URL, through a proxy if one is set for it.
    pub(crate) async fn dial(&self, url: Uri, within: Option<Duration>) -> Result<Connection, BoxError> {
        // Boxed: the state of a handshake is large.
        let connection = Box::pin(self.connect(url));
        match within {
            None => connection.await,
            Some(limit) => {
                tokio::time::timeout(limit, connection).await.map_err(|_| ConnectTimeout(limit))?
            }
        }
    }

    /// What a proxy wants to see in a request that it forwards. A tunnel shows it the credentials itself.
    pub(crate) fn proxy_authorization(&self, url: &Uri) -> Option<HeaderValue> {
        let proxy = self.0.proxy.intercept(url).filter(|_| url.scheme() == Some(&Scheme::HTTP))?;
        proxy.basic_auth().cloned()
    }

    async fn connect(&self, url: Uri) -> Result<Connection, BoxError> {
        let proxy = self.0.proxy.intercept(&url);
        let is_https = url.scheme() == Some(&Scheme::HTTPS);
        let (stream, peer) = match proxy {
            None => (self.tcp(url.clone()).await?, Peer::Host),
            Some(proxy) if is_https => (self.tunnel(&proxy, url.clone()).await?, Peer::Host),
            Some(proxy) => (self.stream_to_proxy(proxy.uri().clone()).await?, Peer::ForwardingProxy),
        };
        let stream = if is_https { self.tls(stream, &url).await? } else { stream };
        Ok(Connection::new(stream, peer))
    }

    async fn tcp(&self, url: Uri) -> Result<Box<dyn Stream>, BoxError> {
        let stream = self.0.tcp.clone().call(url).await?;
        Ok(Box::new(stream.into_inner()))
    }

    async fn tls(&self, stream: Box<dyn Stream>, url: &Uri) -> Result<Box<dyn Stream>, BoxError> {
        let settings = self.0.tls.get_or_init(|| self.0.trust.tls_settings().map(Arc::new)).clone()?;
        // An IPv6 address stands in brackets.
        let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let host = ServerName::try_from(host.to_owned())?;
        Ok(Box::new(TlsConnector::from(settings).connect(host, stream).await?))
    }

    async fn stream_to_proxy(&self, proxy: Uri) -> Result<Box<dyn Stream>, BoxError> {
        let stream = self.tcp(proxy.clone()).await?;
        if proxy.scheme() == Some(&Scheme::HTTPS) { self.tls(stream, &proxy).await } else { Ok(stream) }
    }

    async fn tunnel(&self, proxy: &Intercept, url: Uri) -> Result<Box<dyn Stream>, BoxError> {
        let mut tunnel = Tunnel::new(proxy.uri().clone(), ToProxy(self.clone()));
        if let Some(credentials) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(credentials.clone());
        }
        Ok(tunnel.call(url).await?.into_inner())
    }
}

/// Connects to a proxy, in the form that a tunnel wants.
struct ToProxy(Dialer);

impl Service<Uri> for ToProxy {
    type Response = TokioIo<Box<dyn Stream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, proxy: Uri) -> Self::Future {
        let dialer = self.0.clone();
        Box::pin(async move { Ok(TokioIo::new(dialer.stream_to_proxy(proxy).await?)) })
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy's URL may hold a password.
        f.debug_struct("Dialer").field("trust", &self.0.trust).finish_non_exhaustive()
    }
}

impl fmt::Display for ConnectTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection within {:?}", self.0)
    }
}

impl std::error::Error for ConnectTimeout {}
