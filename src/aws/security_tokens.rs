//! STS: who the caller is, and the credentials of roles.

use std::time::{Duration, SystemTime};

use aws_sdk_ssm::config::Credentials;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};
use url::form_urlencoded;

use super::Aws;
use super::query_answer;
use super::raw_operation::{OperationSpec, Protocol, RawOperation, Service};
use super::xml::{each, required, text_if_any};
use crate::ports::AwsError;

pub(super) const GET_CALLER_IDENTITY: OperationSpec = operation("GetCallerIdentity", "sts:GetCallerIdentity");
const ASSUME_ROLE: OperationSpec = operation("AssumeRole", "sts:AssumeRole");

/// An operation of STS, at the endpoint of the Region.
const fn operation(name: &'static str, iam_action: &'static str) -> OperationSpec {
    OperationSpec {
        service: Service { id: "STS", name: "sts", endpoint_region: |region| region },
        name,
        iam_action,
        protocol: Protocol::Query { version: "2011-06-15" },
        attempt: None,
    }
}

/// A role that is to be assumed.
pub(super) struct RoleRequest<'a> {
    pub(super) role_arn: &'a str,
    pub(super) external_id: Option<&'a str>,
    pub(super) session_name: &'static str,
    /// What the session may do at most.
    pub(super) session_policy: String,
    pub(super) lifetime: Duration,
}

/// The credentials of a role, and when they expire.
#[derive(Clone, Debug)]
pub(super) struct RoleCredentials {
    pub(super) credentials: Credentials,
    pub(super) expires: SystemTime,
}

impl Aws {
    /// The operation that says the ARN of the caller.
    pub(super) async fn caller_identity(
        &self,
        on: &'static str,
    ) -> Result<RawOperation<'_, String>, AwsError> {
        RawOperation::new(self, &GET_CALLER_IDENTITY, on, |response| {
            query_answer::read(&GET_CALLER_IDENTITY, response, arn)
        })
        .await
    }

    /// Assumes a role with the credentials that the program was started with.
    pub(super) async fn assume_role(&self, request: RoleRequest<'_>) -> Result<RoleCredentials, AwsError> {
        let starting = Self { config: self.started_with.clone(), ..self.clone() };
        let seconds = request.lifetime.as_secs().to_string();
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("RoleArn", request.role_arn).append_pair("RoleSessionName", request.session_name);
        form.append_pair("Policy", &request.session_policy).append_pair("DurationSeconds", &seconds);
        if let Some(external_id) = request.external_id {
            form.append_pair("ExternalId", external_id);
        }
        let read = |response: &_| query_answer::read(&ASSUME_ROLE, response, credentials);
        RawOperation::new(&starting, &ASSUME_ROLE, request.role_arn, read).await?.call(form.finish()).await
    }
}

fn arn(answer: &mut ScopedDecoder<'_, '_>) -> Result<String, XmlDecodeError> {
    let mut arn = None;
    each(answer, &["Arn"], |_, tag| {
        arn = text_if_any(tag)?;
        Ok(())
    })?;
    required(arn)
}

fn credentials(answer: &mut ScopedDecoder<'_, '_>) -> Result<RoleCredentials, XmlDecodeError> {
    let (mut key, mut secret, mut token, mut expires) = (None, None, None, None);
    each(answer, &["Credentials"], |_, tag| {
        each(tag, &["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"], |name, tag| {
            let field = match name {
                "AccessKeyId" => &mut key,
                "SecretAccessKey" => &mut secret,
                "SessionToken" => &mut token,
                _ => &mut expires,
            };
            *field = text_if_any(tag)?;
            Ok(())
        })
    })?;
    let expires = DateTime::from_str(&required(expires)?, Format::DateTimeWithOffset).ok();
    let expires = required(expires.and_then(|time| SystemTime::try_from(time).ok()))?;
    let credentials = Credentials::new(
        required(key)?,
        required(secret)?,
        Some(required(token)?),
        Some(expires),
        "AssumeRole",
    );
    Ok(RoleCredentials { credentials, expires })
}
