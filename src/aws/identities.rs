//! The principals' own side, from IAM: the policy simulator, tags, and the roles of nodes. IAM finds roles, users and
//! instance profiles by name, which is unique in the account whatever the path.

mod simulation;

use std::collections::BTreeSet;
use std::fmt;

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};
use url::form_urlencoded;

use super::Aws;
use super::error::unreadable;
use super::iam_service::{IAM, VERSION};
use super::query_answer;
use super::raw_operation::{OperationSpec, Protocol, RawOperation};
use super::xml::{each, required, text, text_if_any};
use crate::access::{AccountPolicies, PrincipalArn, PrincipalType};
use crate::arn::{Arn, base_name};
use crate::ports::{AwsError, ContextEntry, Identities, PrincipalTags, Simulation};
use simulation::simulation;

const SIMULATE: OperationSpec = operation("SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy");
const GET_ROLE: OperationSpec = operation("GetRole", "iam:GetRole");
const GET_USER: OperationSpec = operation("GetUser", "iam:GetUser");
const GET_INSTANCE_PROFILE: OperationSpec = operation("GetInstanceProfile", "iam:GetInstanceProfile");

/// An operation of IAM.
const fn operation(name: &'static str, iam_action: &'static str) -> OperationSpec {
    OperationSpec {
        service: IAM,
        name,
        iam_action,
        protocol: Protocol::Query { version: VERSION },
        attempt: None,
    }
}

/// A role or a user.
#[derive(Debug)]
struct Entity {
    arn: String,
    tags: Vec<(String, String)>,
    trust_policy: Option<String>,
}

impl Identities for Aws {
    async fn simulate(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
        context: &[ContextEntry],
    ) -> Result<Simulation, AwsError> {
        let result = self
            .ask_iam(&SIMULATE, principal, question(principal, action, resource, context), simulation::read)
            .await?;
        let account = |arn| Arn::parse(arn).map(|arn| arn.account);
        let is_across_accounts = account(principal) != account(resource);
        simulation(result, is_across_accounts).ok_or_else(|| {
            unreadable(SIMULATE.iam_action, principal, "the answer has a decision unknown here")
        })
    }

    async fn account_policies(&self, wanted: &BTreeSet<PrincipalArn>) -> Result<AccountPolicies, AwsError> {
        self.listed_policies(wanted).await
    }

    async fn principal_tags(&self, principal: &PrincipalArn) -> Result<Option<PrincipalTags>, AwsError> {
        let (operation, field) = match principal.principal_type() {
            PrincipalType::Role => (&GET_ROLE, "RoleName"),
            PrincipalType::User => (&GET_USER, "UserName"),
        };
        let found = self.entity(operation, principal.as_str(), field, principal.name()).await?;
        // It is another one if the path differs.
        let found = found.filter(|found| found.arn == principal.as_str());
        Ok(found.map(|Entity { tags, trust_policy, .. }| PrincipalTags {
            tags: tags.into_iter().collect(),
            trust_policy,
        }))
    }

    async fn role_arn(&self, name: &str) -> Result<Option<String>, AwsError> {
        Ok(self.entity(&GET_ROLE, name, "RoleName", base_name(name)).await?.map(|role| role.arn))
    }

    async fn role_of_profile(&self, name: &str) -> Result<Option<String>, AwsError> {
        let form = form(&[("InstanceProfileName", base_name(name))]);
        let found = self.ask_iam(&GET_INSTANCE_PROFILE, name, form, role_of_profile).await;
        Ok(if_any(found)?.flatten())
    }
}

impl Aws {
    /// The role or user of this name; `None` if there is none.
    async fn entity(
        &self,
        operation: &'static OperationSpec,
        on: &str,
        field: &str,
        name: &str,
    ) -> Result<Option<Entity>, AwsError> {
        if_any(self.ask_iam(operation, on, form(&[(field, name)]), entity).await)
    }

    /// Asks IAM, at the pace that it bears. `read` reads the result.
    async fn ask_iam<T: fmt::Debug + Send + Sync + 'static>(
        &self,
        operation: &'static OperationSpec,
        on: &str,
        form: String,
        read: fn(&mut ScopedDecoder<'_, '_>) -> Result<T, XmlDecodeError>,
    ) -> Result<T, AwsError> {
        let _turn = self.in_flight.iam.turn().await;
        let read = move |response: &_| query_answer::read(operation, response, read);
        RawOperation::new(self, operation, on, read).await?.call(form).await
    }
}

/// The result, or `None` if IAM knows nothing of this name.
fn if_any<T>(result: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == "NoSuchEntity" => Ok(None),
        Err(error) => Err(error),
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The question whether a principal's own policies allow an action on a resource.
fn question(principal: &str, action: &str, resource: &str, context: &[ContextEntry]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("PolicySourceArn", principal);
    form.append_pair("ActionNames.member.1", action).append_pair("ResourceArns.member.1", resource);
    for (entry, at) in context.iter().zip(1_usize..) {
        let prefix = format!("ContextEntries.member.{at}");
        form.append_pair(&format!("{prefix}.ContextKeyName"), &entry.key);
        if entry.values.is_empty() {
            // This is how the protocol writes an empty list.
            form.append_pair(&format!("{prefix}.ContextKeyValues"), "");
        }
        for (value, at) in entry.values.iter().zip(1_usize..) {
            form.append_pair(&format!("{prefix}.ContextKeyValues.member.{at}"), value);
        }
        form.append_pair(&format!("{prefix}.ContextKeyType"), key_type(&entry.key, entry.is_multivalued));
    }
    form.finish()
}

/// Reads the role or the user of an answer.
fn entity(answer: &mut ScopedDecoder<'_, '_>) -> Result<Entity, XmlDecodeError> {
    let (mut arn, mut tags, mut trust_policy) = (None, Vec::new(), None);
    each(answer, &["Role", "User"], |_, tag| {
        each(tag, &["Arn", "Tags", "AssumeRolePolicyDocument"], |name, tag| {
            match name {
                "Arn" => arn = text_if_any(tag)?,
                "Tags" => each(tag, &["member"], |_, member| {
                    let (mut key, mut value) = (None, String::new());
                    each(member, &["Key", "Value"], |name, tag| {
                        if name == "Key" {
                            key = text_if_any(tag)?;
                        } else {
                            value = text(tag)?;
                        }
                        Ok(())
                    })?;
                    tags.push((required(key)?, value));
                    Ok(())
                })?,
                _ => trust_policy = text_if_any(tag)?.as_deref().map(decoded),
            }
            Ok(())
        })
    })?;
    Ok(Entity { arn: required(arn)?, tags, trust_policy })
}

/// Reads the ARN of the role that an instance profile holds, which is one at most.
fn role_of_profile(answer: &mut ScopedDecoder<'_, '_>) -> Result<Option<String>, XmlDecodeError> {
    let (mut has_profile, mut arn) = (false, None);
    each(answer, &["InstanceProfile"], |_, profile| {
        has_profile = true;
        each(profile, &["Roles"], |_, roles| {
            each(roles, &["member"], |_, role| {
                each(role, &["Arn"], |_, tag| {
                    arn = arn.take().or(text_if_any(tag)?);
                    Ok(())
                })
            })
        })
    })?;
    required(has_profile.then_some(arn))
}

/// The text of a policy, which IAM returns percent-encoded (RFC 3986). Malformed escapes stay as they are.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return String::from_utf8_lossy(&bytes).into_owned(),
            [b'%', high, low, after @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    after
                }
                _ => {
                    bytes.extend([b'%', *high, *low]);
                    after
                }
            },
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
        };
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The type of a condition key, by which the simulator compares. It is that of IAM's reference for global keys and of
/// KMS's reference for its own; all others are strings.
fn key_type(key: &str, is_multivalued: bool) -> &'static str {
    match (key.to_ascii_lowercase().as_str(), is_multivalued) {
        (_, true) => "stringList",
        ("aws:sourceip" | "aws:vpcsourceip", _) => "ip",
        ("aws:currenttime" | "aws:tokenissuetime", _) => "date",
        ("aws:epochtime" | "aws:multifactorauthage", _) => "numeric",
        (
            "aws:multifactorauthpresent"
            | "aws:principalisawsservice"
            | "aws:securetransport"
            | "aws:viaawsservice"
            | "kms:grantisforawsresource"
            | "kms:multiregion",
            _,
        ) => "boolean",
        _ => "string",
    }
}
