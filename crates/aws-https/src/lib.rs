//! An HTTPS client for the AWS SDK in a Lambda function, made for the start of the function.
//!
//! - Nothing is read and nothing is computed before the first connection: neither certificates nor keys.
//! - The TLS settings are made once, and all clients of the process share them ([`HttpsClient`] is cheap to clone).
//! - A host of AWS is first checked against the five roots of Amazon Trust Services, which are part of the binary. The
//!   system's certificates, often more than a hundred, are read only if that does not suffice ([`Trust`]).
//! - A connection can be opened before the request is known ([`ConnectionPerRequest::open_ahead`]).
//!
//! It speaks HTTP/1.1, over TLS 1.2 and 1.3, through the proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`,
//! `ALL_PROXY`, `NO_PROXY`).
//!
//! # Invariants
//!
//! - A certificate that the system's store accepts is accepted for every host: the roots in the binary are asked first,
//!   and never alone.
//! - The roots in the binary count for hosts of AWS alone, and not at all if the environment names certificates.
//! - No error holds a path or a query of a URL.

mod ahead;
mod client;
mod connection;
mod dialer;
mod trust;

#[cfg(test)]
mod test_certificates;
#[cfg(test)]
mod tests;

pub use client::{ConnectionPerRequest, HttpsClient};
pub use trust::Trust;

/// The code in README.md, as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
