//! Tests of the stub with the real SDK clients: each rule that it enforces and each fault.

mod access;
mod documents;
mod faults;
mod keys;
mod lifecycle;
mod parameters;
mod receiver;
mod versions;

use std::fmt::Debug;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};

use crate::stub::{REGION, Stub};

const NAME: &str = "SSM-SessionManagerRunShell";
/// An account that is not the default one.
const OTHER: &str = "210987654321";

/// A client without retries, so that one call is one call.
fn ssm(stub: &Stub) -> aws_sdk_ssm::Client {
    aws_sdk_ssm::Client::new(&stub.sdk_config_of("AKIAEXAMPLE", REGION))
}

/// The same for KMS, with this access key in this Region.
fn kms(stub: &Stub, access_key: &str, region: &'static str) -> aws_sdk_kms::Client {
    aws_sdk_kms::Client::new(&stub.sdk_config_of(access_key, region))
}

/// `ok`, or the code of the error; `cut` without an answer, and `garbage` if the answer cannot be read.
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
