//! The ports on the AWS SDK: the only room that knows it. SDK shapes are translated here, beside the call.
//!
//! Each call is logged with its duration; no content, no record and no ResponseURL is.

mod clock;
mod config;
mod documents;
mod error;
mod keys;
mod records;

pub use config::Aws;
