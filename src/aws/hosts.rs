//! An HTTP client whose errors name the host that did not answer, and say why. The SDK's errors name no host.
//!
//! It wraps the client of the function, and trusts the system's certificates alone. Only the command line uses it: there
//! the host shows that a Region's name is wrong, or that an endpoint is.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter;

use aws_https::{HttpsClient, Trust};
use aws_sdk_ssm::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_sdk_ssm::error::{BoxError, ConnectorError};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use url::Url;

/// A client whose errors name the host.
pub(super) fn naming_client() -> SharedHttpClient {
    SharedHttpClient::new(NamingClient(SharedHttpClient::new(HttpsClient::new(Trust::System))))
}

/// A host that could not be reached, or did not answer.
#[derive(Debug)]
pub(super) struct Unreachable {
    host: String,
    cause: Cause,
    source: BoxError,
}

/// Why a host did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// No name server knows the name, or none can be asked.
    NoSuchHost,
    /// Nothing listens there.
    Refused,
    /// There is no way to it.
    NoNetwork,
    /// It took too long.
    TooSlow,
    /// TLS failed: the certificate is not trusted, or the host does not speak TLS.
    Tls,
    /// The connection was cut.
    Cut,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match self.cause {
            Cause::NoSuchHost if is_of_aws(host) => write!(
                f,
                "there is no host {host}, or no name server can be asked: is the name of the Region right, and is there \
                 a network?"
            ),
            Cause::NoSuchHost => write!(
                f,
                "there is no host {host}, or no name server can be asked: is the endpoint right, and is there a network?"
            ),
            Cause::Refused => {
                write!(f, "{host} refuses connections: is the endpoint right, and is it running?")
            }
            Cause::NoNetwork => {
                write!(f, "no network leads to {host}: is there a network, a VPN or a proxy (HTTPS_PROXY)?")
            }
            Cause::TooSlow => {
                write!(
                    f,
                    "{host} took too long to answer: does a firewall or a missing proxy (HTTPS_PROXY) stop it?"
                )
            }
            Cause::Tls => write!(
                f,
                "there is no TLS connection with {host} ({}): does the endpoint speak TLS, and does this machine trust \
                 its certificate?",
                innermost(self.source.as_ref())
            ),
            Cause::Cut => write!(f, "the connection to {host} failed or was cut"),
        }
    }
}

impl Error for Unreachable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// Whether a host is an endpoint of AWS, whose name holds the Region.
fn is_of_aws(host: &str) -> bool {
    host.contains(".amazonaws.") || host.ends_with(".aws")
}

/// An error and the errors that caused it. An I/O error holds its cause inside, where `source` does not show it.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match inside {
            Some(inside) => Some(inside as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// The texts of an error and of the errors that caused it, each once.
pub(super) fn texts(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = chain(error).map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn cause(error: &ConnectorError) -> Cause {
    if error.is_timeout() {
        return Cause::TooSlow;
    }
    let texts = texts(error).to_lowercase();
    if ["dns error", "failed to lookup address", "resolve dns"].iter().any(|part| texts.contains(part)) {
        return Cause::NoSuchHost;
    }
    for error in chain(error).filter_map(|error| error.downcast_ref::<io::Error>()) {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => return Cause::Refused,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => return Cause::NoNetwork,
            io::ErrorKind::TimedOut => return Cause::TooSlow,
            _ => {}
        }
    }
    // The texts of rustls, whose types the SDK does not show.
    let of_tls = ["certificate", "corrupt message", "received fatal alert", "tls", "peer is incompatible"];
    if of_tls.iter().any(|part| texts.contains(part)) { Cause::Tls } else { Cause::Cut }
}

/// The same error, with a source that names the host.
fn naming(host: String, error: ConnectorError) -> ConnectorError {
    let cause = cause(&error);
    let (is_timeout, is_io, is_user, kind) =
        (error.is_timeout(), error.is_io(), error.is_user(), error.as_other());
    let source = BoxError::from(Unreachable { host, cause, source: error.into_source() });
    match () {
        () if is_timeout => ConnectorError::timeout(source),
        () if is_io => ConnectorError::io(source),
        () if is_user => ConnectorError::user(source),
        () => ConnectorError::other(source, kind),
    }
}

#[derive(Debug)]
struct NamingClient(SharedHttpClient);

impl HttpClient for NamingClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(NamingConnector(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct NamingConnector(SharedHttpConnector);

impl HttpConnector for NamingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = Url::parse(request.uri()).ok().and_then(|url| {
            let host = url.host_str()?;
            Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        });
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            answer.await.map_err(|error| match host {
                Some(host) => naming(host, error),
                None => error,
            })
        })
    }
}

#[cfg(test)]
#[path = "hosts/tests.rs"]
mod tests;
