//! The ports on the AWS SDK. No other module imports it: SDK types are translated here, beside the call.
//!
//! The log has each call and its duration, but no document's content, no record and no ResponseURL.

mod account;
mod account_policies;
mod assumed_role;
mod aws_json;
mod caller;
mod calls;
mod clients;
mod clock;
mod config_rules;
mod documents;
mod ec2;
mod error;
mod fleet;
mod function_settings;
mod grants;
mod hosts;
mod iam_service;
mod identities;
mod key_access;
mod key_policy_reader;
mod keys;
mod organizations;
mod pace;
mod query_answer;
mod raw_operation;
mod records;
mod s3;
mod security_tokens;
mod shared_values;
mod xml;

pub use caller::{CallerError, CredentialsProblem};
pub use clients::Aws;
pub use clock::utc_now;
