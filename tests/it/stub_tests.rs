//! The stub, driven by the real SDK clients: each strictness and each fault.

mod access;
mod documents;
mod faults;
mod keys;
mod lifecycle;
mod parameters;
mod receiver;
mod versions;

use std::fmt::Debug;

use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};

use crate::stub::Stub;

const NAME: &str = "SSM-SessionManagerRunShell";

/// A client without retries, so that one call is one call.
fn ssm(stub: &Stub) -> aws_sdk_ssm::Client {
    aws_sdk_ssm::Client::from_conf(
        aws_sdk_ssm::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(stub.endpoint())
            .credentials_provider(Credentials::new("AKIAEXAMPLE", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .build(),
    )
}

/// The same for KMS, called by the owner of the access key in the Region given.
fn kms(stub: &Stub, access_key: &str, region: &'static str) -> aws_sdk_kms::Client {
    aws_sdk_kms::Client::from_conf(
        aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .endpoint_url(stub.endpoint())
            .credentials_provider(Credentials::new(access_key, "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .build(),
    )
}

/// `ok`, the code of the error, or `cut` where there was no answer at all.
fn code<T, E: ProvideErrorMetadata + Debug, R: Debug>(result: Result<T, SdkError<E, R>>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(SdkError::DispatchFailure(_)) => "cut".to_owned(),
        Err(SdkError::ResponseError(_)) => "garbage".to_owned(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

/// A session document with this key.
fn content(key: &str) -> String {
    format!(r#"{{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{{"kmsKeyId":"{key}"}}}}"#)
}
