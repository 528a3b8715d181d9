//! The principals' own side, from IAM: the policy simulator, tags, and the roles of nodes. IAM finds roles, users and
//! instance profiles by name, which is unique in the account whatever the path.

mod simulation;

use aws_sdk_iam::types::{ContextEntry as IamContextEntry, ContextKeyTypeEnum, Tag};

use super::Aws;
use super::error::{call, unreadable};
use crate::access::{PrincipalArn, PrincipalType};
use crate::arn::{Arn, base_name};
use crate::ports::{AwsError, ContextEntry, Identities, PrincipalTags, Simulation};
use simulation::simulation;

impl Identities for Aws {
    async fn simulate(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
        context: &[ContextEntry],
    ) -> Result<Simulation, AwsError> {
        let operation = "iam:SimulatePrincipalPolicy";
        let _turn = self.in_flight.iam.turn().await;
        let simulate = self
            .iam
            .simulate_principal_policy()
            .policy_source_arn(principal)
            .action_names(action)
            .resource_arns(resource)
            .set_context_entries((!context.is_empty()).then(|| context.iter().map(entry).collect()))
            .send();
        let page = call(operation, principal, simulate).await?;
        // One action on one resource has one result.
        let result = page.evaluation_results.and_then(|results| results.into_iter().next());
        let result = result.ok_or_else(|| unreadable(operation, principal, "the answer has no result"))?;
        let account = |arn| Arn::parse(arn).map(|arn| arn.account);
        let is_across_accounts = account(principal) != account(resource);
        simulation(result, is_across_accounts)
            .ok_or_else(|| unreadable(operation, principal, "the answer has a decision unknown here"))
    }

    async fn principal_tags(&self, principal: &PrincipalArn) -> Result<Option<PrincipalTags>, AwsError> {
        let (on, name) = (principal.as_str(), principal.name());
        let _turn = self.in_flight.iam.turn().await;
        let tags = |tags: Option<Vec<Tag>>| {
            tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
        };
        let found = match principal.principal_type() {
            PrincipalType::Role => {
                let operation = "iam:GetRole";
                call(operation, on, self.iam.get_role().role_name(name).send()).await.and_then(|output| {
                    let role =
                        output.role.ok_or_else(|| unreadable(operation, on, "the answer has no role"))?;
                    let trust_policy = role.assume_role_policy_document.as_deref().map(decoded);
                    // It is another role if the path differs.
                    let is_same = role.arn == on;
                    Ok(is_same.then(|| PrincipalTags { tags: tags(role.tags), trust_policy }))
                })
            }
            PrincipalType::User => {
                let operation = "iam:GetUser";
                call(operation, on, self.iam.get_user().user_name(name).send()).await.and_then(|output| {
                    let user =
                        output.user.ok_or_else(|| unreadable(operation, on, "the answer has no user"))?;
                    let is_same = user.arn == on;
                    Ok(is_same.then(|| PrincipalTags { tags: tags(user.tags), trust_policy: None }))
                })
            }
        };
        match found {
            Err(error) if error.code() == "NoSuchEntity" => Ok(None),
            found => found,
        }
    }

    async fn role_arn(&self, name: &str) -> Result<Option<String>, AwsError> {
        let operation = "iam:GetRole";
        let _turn = self.in_flight.iam.turn().await;
        match call(operation, name, self.iam.get_role().role_name(base_name(name)).send()).await {
            Ok(output) => match output.role {
                Some(role) => Ok(Some(role.arn)),
                None => Err(unreadable(operation, name, "the answer has no role")),
            },
            Err(error) if error.code() == "NoSuchEntity" => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn role_of_profile(&self, name: &str) -> Result<Option<String>, AwsError> {
        let operation = "iam:GetInstanceProfile";
        let _turn = self.in_flight.iam.turn().await;
        let get = self.iam.get_instance_profile().instance_profile_name(base_name(name)).send();
        match call(operation, name, get).await {
            Ok(output) => match output.instance_profile {
                // An instance profile holds one role at most.
                Some(profile) => Ok(profile.roles.into_iter().next().map(|role| role.arn)),
                None => Err(unreadable(operation, name, "the answer has no instance profile")),
            },
            Err(error) if error.code() == "NoSuchEntity" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The text of a policy, which IAM returns percent-encoded (RFC 3986). Malformed escapes stay as they are.
fn decoded(text: &str) -> String {
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

fn entry(entry: &ContextEntry) -> IamContextEntry {
    IamContextEntry::builder()
        .context_key_name(&entry.key)
        .set_context_key_values(Some(entry.values.clone()))
        .context_key_type(key_type(&entry.key, entry.is_multivalued))
        .build()
}

/// The type of a condition key, by which the simulator compares. It is that of IAM's reference for global keys and of
/// KMS's reference for its own; all others are strings.
fn key_type(key: &str, is_multivalued: bool) -> ContextKeyTypeEnum {
    match (key.to_ascii_lowercase().as_str(), is_multivalued) {
        (_, true) => ContextKeyTypeEnum::StringList,
        ("aws:sourceip" | "aws:vpcsourceip", _) => ContextKeyTypeEnum::Ip,
        ("aws:currenttime" | "aws:tokenissuetime", _) => ContextKeyTypeEnum::Date,
        ("aws:epochtime" | "aws:multifactorauthage", _) => ContextKeyTypeEnum::Numeric,
        (
            "aws:multifactorauthpresent"
            | "aws:principalisawsservice"
            | "aws:securetransport"
            | "aws:viaawsservice"
            | "kms:grantisforawsresource"
            | "kms:multiregion",
            _,
        ) => ContextKeyTypeEnum::Boolean,
        _ => ContextKeyTypeEnum::String,
    }
}
