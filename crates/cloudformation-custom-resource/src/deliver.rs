//! Sends an answer: one PUT to the response URL, again while that can help and there is time.

use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use tokio::time::{Instant, sleep, timeout_at};

use super::response_url::ResponseUrl;

/// Carries answers to CloudFormation.
#[derive(Debug, Clone)]
pub struct Courier {
    connector: SharedHttpConnector,
    pace: Pace,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The longest time for one attempt, connecting included.
    pub attempt: Duration,
    /// The pause after the first attempt; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(5),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
        }
    }
}

/// An answer that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// The number of attempts it took.
    pub attempts: u32,
}

/// An answer that was not taken, as far as is known. It never holds the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The answer was refused with a status for which another attempt is no use.
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
        last: Trouble,
    },
    /// The URL cannot stand in an HTTP request.
    #[error("the response URL cannot stand in an HTTP request")]
    Unsendable,
}

/// Why an attempt is worth another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A status that may pass: 429, or 500 and above.
    Status(u16),
    /// No status in time.
    TimedOut,
    /// No connection, or one that broke.
    Network(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "HTTP status {status}"),
            Self::TimedOut => f.write_str("no status in time (in a VPC, the function needs a way to S3)"),
            Self::Network(cause) => write!(f, "a network error: {cause}"),
        }
    }
}

impl Courier {
    /// Sends over the network, through the proxy of the environment, like the SDK's own client.
    pub fn over_network() -> Self {
        Self::new(connector(ProxyConfig::from_env()), Pace::default())
    }

    /// Sends over a connector of one's own.
    pub fn new(connector: impl HttpConnector + 'static, pace: Pace) -> Self {
        let connector = SharedHttpConnector::new(connector);
        Self { connector, pace }
    }

    /// Puts a body to a URL within a time. Network errors, 429 and 5xx are tried again after a growing pause.
    ///
    /// # Errors
    /// [`Undelivered`]. After a time-out the answer may have been taken all the same; sending it again does no harm.
    pub async fn put(
        &self,
        url: &ResponseUrl,
        body: &str,
        within: Duration,
    ) -> Result<Delivered, Undelivered> {
        let end = Instant::now() + within;
        let mut pause = self.pace.first_pause;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let request = put_request(url, body).ok_or(Undelivered::Unsendable)?;
            let attempt_end = end.min(Instant::now() + self.pace.attempt);
            let last = match timeout_at(attempt_end, self.connector.call(request)).await {
                Err(_) => Trouble::TimedOut,
                Ok(Err(error)) => Trouble::Network(root_cause(&error)),
                Ok(Ok(response)) => match response.status().as_u16() {
                    status @ 200..=299 => return Ok(Delivered { status, attempts }),
                    status @ (429 | 500..) => Trouble::Status(status),
                    status => return Err(Undelivered::Refused { status, attempts }),
                },
            };
            let wait = jittered(pause);
            if Instant::now() + wait >= end {
                return Err(Undelivered::OutOfTime { attempts, last });
            }
            tracing::warn!(attempts, cause = %last, "answer not taken, trying again");
            sleep(wait).await;
            pause = self.pace.longest_pause.min(pause * 2);
        }
    }
}

/// HTTPS, and plain HTTP where a URL says so. No connection is kept: Lambda freezes the process between answers.
pub(super) fn connector(proxy: ProxyConfig) -> Connector {
    Connector::builder()
        .proxy_config(proxy)
        .pool_max_idle_per_host(0)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build()
}

/// The request as the URL is signed for: with an empty content type, and path and query as received.
fn put_request(url: &ResponseUrl, body: &str) -> Option<HttpRequest> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("PUT").ok()?;
    request.set_uri(url.reveal()).ok()?;
    request.headers_mut().insert("content-type", "");
    request.headers_mut().insert("content-length", body.len().to_string());
    Some(request)
}

/// The innermost error, which knows of sockets and certificates but not of URLs.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Between half and all of a pause, so that functions that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    // A new hasher's keys are random, so the hash of nothing is a random number.
    let random = RandomState::new().hash_one(()) % 1024;
    pause / 2 + (pause / 2).mul_f64(random as f64 / 1024.0)
}

#[cfg(test)]
mod tests;
