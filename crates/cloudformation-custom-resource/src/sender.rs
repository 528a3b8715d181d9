//! Sends a response: one PUT to the response URL, repeated while that can help and there is time.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_https::{ConnectionPerRequest, HttpsClient, Trust};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use tokio::time::{Instant, sleep, timeout_at};

use super::backoff::Backoff;
use super::response_url::ResponseUrl;

/// Sends responses to CloudFormation.
#[derive(Debug, Clone)]
pub struct ResponseSender {
    connector: SharedHttpConnector,
    /// The same connector, if it can open a connection ahead.
    opener: Option<ConnectionPerRequest>,
    policy: RetryPolicy,
}

/// How long one attempt may take, and how long to pause between attempts.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The longest time for one attempt, including the connection.
    pub attempt_timeout: Duration,
    /// The pauses between attempts.
    pub backoff: Backoff,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(5) };
        Self { attempt_timeout: Duration::from_secs(5), backoff }
    }
}

/// A response that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// The number of attempts, the successful one included.
    pub attempts: u32,
}

/// A response that was not accepted, as far as is known. It never holds the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The response was refused with a status that another attempt would not change.
    #[error(
        "the answer was refused with HTTP status {status} in attempt {attempts}; 403 means that the URL has expired or is not signed for this"
    )]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The number of attempts.
        attempts: u32,
    },
    /// No attempt succeeded in time.
    #[error(
        "the answer was not taken in {attempts} attempts, and the time is over; the last ended with {last}"
    )]
    OutOfTime {
        /// The number of attempts.
        attempts: u32,
        /// How the last attempt ended.
        last: AttemptError,
    },
    /// The URL cannot stand in an HTTP request.
    #[error("the response URL cannot stand in an HTTP request")]
    Unsendable,
}

/// Why an attempt failed, if another one may succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptError {
    /// A status that may be temporary: 429, or 500 and above.
    Status(u16),
    /// No status in time.
    TimedOut,
    /// No connection, or a connection that broke.
    Network(String),
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "HTTP status {status}"),
            Self::TimedOut => f.write_str("no status in time (in a VPC, the function needs a way to S3)"),
            Self::Network(cause) => write!(f, "a network error: {cause}"),
        }
    }
}

impl ResponseSender {
    /// Sends over the network, through the proxy that the environment names, like the client of the AWS SDK.
    pub fn over_network() -> Self {
        Self::over(&HttpsClient::new(Trust::of_environment()))
    }

    /// Sends with the TLS settings and the proxy of a client. While a provider works, the connection for the response is
    /// opened. No connection is kept afterwards: Lambda freezes the process between events.
    pub fn over(client: &HttpsClient) -> Self {
        let connector = client.connection_per_request();
        Self { opener: Some(connector.clone()), ..Self::new(connector, RetryPolicy::default()) }
    }

    /// Sends over a connector of your own. No connection is opened before the response is sent.
    pub fn new(connector: impl HttpConnector + 'static, policy: RetryPolicy) -> Self {
        let connector = SharedHttpConnector::new(connector);
        Self { connector, opener: None, policy }
    }

    /// The connection for a response to a URL. The caller has found that responses may go to the URL's host.
    pub(crate) fn connection_to(&self, url: &ResponseUrl) -> Option<ResponseConnection> {
        self.opener.clone().map(|opener| ResponseConnection { opener, url: url.clone() })
    }

    /// Puts a body to a URL within a time. Network errors, 429 and 5xx are retried after a growing pause.
    ///
    /// # Errors
    /// [`DeliveryError`]. After a time-out the response may have been accepted all the same; to send it again does no harm.
    pub async fn put(
        &self,
        url: &ResponseUrl,
        body: &str,
        within: Duration,
    ) -> Result<Delivered, DeliveryError> {
        let end = Instant::now() + within;
        let mut attempts = 0;
        loop {
            let pause = self.policy.backoff.pause(attempts);
            attempts += 1;
            let request = put_request(url, body).ok_or(DeliveryError::Unsendable)?;
            let attempt_end = end.min(Instant::now() + self.policy.attempt_timeout);
            let last = match timeout_at(attempt_end, self.connector.call(request)).await {
                Err(_) => AttemptError::TimedOut,
                Ok(Err(error)) => AttemptError::Network(root_cause(&error)),
                Ok(Ok(response)) => match response.status().as_u16() {
                    status @ 200..=299 => return Ok(Delivered { status, attempts }),
                    status @ (429 | 500..) => AttemptError::Status(status),
                    status => return Err(DeliveryError::Refused { status, attempts }),
                },
            };
            if Instant::now() + pause >= end {
                return Err(DeliveryError::OutOfTime { attempts, last });
            }
            tracing::warn!(attempts, cause = %last, "answer not taken, trying again");
            sleep(pause).await;
        }
    }
}

/// The connection over which a response will be sent.
#[derive(Debug)]
pub(crate) struct ResponseConnection {
    opener: ConnectionPerRequest,
    url: ResponseUrl,
}

impl ResponseConnection {
    /// Begins to open the connection, unless it is open. Nothing is sent on it, and nobody hears of a failure: the
    /// response is then sent over another connection.
    pub(crate) fn open(&self) {
        self.opener.open_ahead(self.url.reveal());
    }
}

/// The request for which the URL is signed: the content type is empty, path and query are as received.
fn put_request(url: &ResponseUrl, body: &str) -> Option<HttpRequest> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("PUT").ok()?;
    request.set_uri(url.reveal()).ok()?;
    request.headers_mut().insert("content-type", "");
    request.headers_mut().insert("content-length", body.len().to_string());
    Some(request)
}

/// The innermost error. It names sockets and certificates, but no URL.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
