//! The pre-signed URL to which a response goes. It is a credential, so it shows nothing but its host.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use url::{Host, Url};

/// DNS suffixes of the AWS partitions, the dual-stack ones included, as the SDK's endpoint rules list them.
const AWS_SUFFIXES: [&str; 14] = [
    "amazonaws.com",
    "api.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
];

/// Where a response goes. `Debug` and `Display` show scheme and host, never the path or the query.
///
/// ```
/// use cloudformation_custom_resource::ResponseUrl;
///
/// let url = ResponseUrl::parse("https://bucket.s3.amazonaws.com/key?Expires=1000&Signature=secret").unwrap();
/// assert_eq!(url.to_string(), "https://bucket.s3.amazonaws.com/…");
/// assert!(url.is_allowed(&[]));
/// ```
#[derive(Clone, PartialEq)]
pub struct ResponseUrl {
    as_received: String,
    origin: Origin,
    expires: Option<SystemTime>,
}

impl ResponseUrl {
    /// Reads a URL. Its text stays as received.
    ///
    /// # Errors
    /// [`InvalidUrl`], which never holds the URL.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let url = strict_url(text)?;
        Ok(Self { as_received: text.to_owned(), origin: Origin(url.origin()), expires: expiry(&url) })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// When the signature expires, if the query says so.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// Whether the signature has expired.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether a response may go there: to AWS over https, or to one of the configured endpoints.
    pub fn is_allowed(&self, endpoints: &[Origin]) -> bool {
        self.origin.is_aws() || endpoints.contains(&self.origin)
    }

    /// The whole URL, for the request line alone. Path and query are as received and must not be encoded again.
    pub(super) fn reveal(&self) -> &str {
        &self.as_received
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseUrl({self})")
    }
}

impl fmt::Display for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…", self.origin)
    }
}

/// Scheme, host and port of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(url::Origin);

impl Origin {
    /// The origin of an endpoint URL, as in `AWS_ENDPOINT_URL`.
    ///
    /// # Errors
    /// [`InvalidUrl`] if it is no http or https URL.
    pub fn parse(endpoint: &str) -> Result<Self, InvalidUrl> {
        strict_url(endpoint).map(|url| Self(url.origin()))
    }

    /// Whether it is https, on the usual port, to a host below an AWS partition's DNS suffix.
    fn is_aws(&self) -> bool {
        let url::Origin::Tuple(scheme, Host::Domain(host), 443) = &self.0 else {
            return false;
        };
        let below = |suffix: &&str| {
            host.strip_suffix(*suffix).is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
        };
        scheme == "https" && AWS_SUFFIXES.iter().any(below)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.ascii_serialization())
    }
}

/// Why a URL cannot be sent to. It says nothing of the URL's text, which may be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// It is not a URL with scheme http or https and a plain host.
    #[error("is not an http or https URL with a plain host")]
    Malformed,
    /// It carries a user name or a password.
    #[error("holds a user name or a password")]
    UserInfo,
}

/// Parses a URL that every parser reads alike: another parser than this one finds the host to connect to.
fn strict_url(text: &str) -> Result<Url, InvalidUrl> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#');
    if !text.bytes().all(plain) {
        return Err(InvalidUrl::Malformed);
    }
    let url = Url::parse(text).map_err(|_| InvalidUrl::Malformed)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidUrl::UserInfo);
    }
    // The text must hold the host exactly as it was understood: not percent-encoded, not rewritten.
    let host = url.host_str().unwrap_or_default();
    let written = text.split_once("://").and_then(|(_, rest)| rest.get(..host.len()));
    let alike = !host.is_empty() && written.is_some_and(|written| written.eq_ignore_ascii_case(host));
    if alike && matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(InvalidUrl::Malformed) }
}

/// `Expires` counts seconds from the epoch (signature version 2); `X-Amz-Expires` seconds from `X-Amz-Date`
/// (version 4).
fn expiry(url: &Url) -> Option<SystemTime> {
    let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
    let seconds = |name| query(name)?.parse().ok().map(Duration::from_secs);
    match seconds("Expires") {
        Some(since_epoch) => SystemTime::UNIX_EPOCH.checked_add(since_epoch),
        None => signed_at(&query("X-Amz-Date")?)?.checked_add(seconds("X-Amz-Expires")?),
    }
}

/// Reads `20260131T235959Z`.
fn signed_at(date: &str) -> Option<SystemTime> {
    let part = |range| date.get(range).filter(|part: &&str| part.bytes().all(|b| b.is_ascii_digit()));
    if date.len() != 16 || date.get(8..9) != Some("T") || date.get(15..) != Some("Z") {
        return None;
    }
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(9..11)?, part(11..13)?, part(13..15)?);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    DateTime::from_str(&text, Format::DateTime).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
