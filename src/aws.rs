//! The ports on the AWS SDK: the only room that knows it. SDK shapes are translated here, beside the call.
//!
//! Each call is logged with its duration; no content, no record and no ResponseURL is.

mod aws_json;
mod caller;
mod clock;
mod config;
mod config_rules;
mod documents;
mod ec2;
mod error;
mod fleet;
mod grants;
mod identities;
mod key_access;
mod keys;
mod organizations;
mod raw_operation;
mod reader;
mod records;

pub use config::Aws;
