//! STS: who the caller is, and the credentials of roles.

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
    }
}

/// A role to assume, and what its session may do.
#[derive(Debug)]
pub(super) struct RoleSession<'a> {
    pub(super) role_arn: &'a str,
    /// The name that the role's account finds in its CloudTrail.
    pub(super) name: &'a str,
    pub(super) external_id: Option<&'a str>,
    /// The session may do no more than this policy allows.
    pub(super) policy: &'a str,
    pub(super) seconds: u64,
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

    /// Assumes a role. The credentials know when they expire.
    pub(super) async fn assume_role(&self, session: &RoleSession<'_>) -> Result<Credentials, AwsError> {
        let seconds = session.seconds.to_string();
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("RoleArn", session.role_arn).append_pair("RoleSessionName", session.name);
        form.append_pair("Policy", session.policy).append_pair("DurationSeconds", &seconds);
        if let Some(external_id) = session.external_id {
            form.append_pair("ExternalId", external_id);
        }
        RawOperation::new(self, &ASSUME_ROLE, session.role_arn, |response| {
            query_answer::read(&ASSUME_ROLE, response, credentials)
        })
        .await?
        .call(form.finish())
        .await
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

fn credentials(answer: &mut ScopedDecoder<'_, '_>) -> Result<Credentials, XmlDecodeError> {
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
    let expires = expires.and_then(|time| time.try_into().ok());
    Ok(Credentials::new(
        required(key)?,
        required(secret)?,
        Some(required(token)?),
        Some(required(expires)?),
        "AssumeRole",
    ))
}
