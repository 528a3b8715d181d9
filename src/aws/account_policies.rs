//! IAM's list of everything in the account, GetAccountAuthorizationDetails, read by pages. Of each page only the entities
//! that matter are kept, and the rest is dropped before the next page comes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};
use url::form_urlencoded;

use super::Aws;
use super::iam_service::{IAM, VERSION};
use super::identities::decoded;
use super::query_answer;
use super::raw_operation::{OperationSpec, Protocol, RawOperation};
use super::xml::{each, required, text, text_if_any, value};
use crate::access::{AccountPolicies, ListedEntity, ListedPolicies, ListedPrincipal, PrincipalArn};
use crate::ports::AwsError;

const LIST: OperationSpec = OperationSpec {
    service: IAM,
    name: "GetAccountAuthorizationDetails",
    iam_action: "iam:GetAccountAuthorizationDetails",
    protocol: Protocol::Query { version: VERSION },
    attempt: Some(PATIENCE),
};

/// The largest page. IAM may give fewer items.
const PAGE: &str = "1000";

/// How long one page may take: it can have thousands of policies.
const PATIENCE: Duration = Duration::from_secs(60);

/// One page.
#[derive(Debug, Default)]
struct PolicyPage {
    entities: Vec<ListedEntity>,
    /// The next page's marker; `None` on the last page.
    marker: Option<String>,
}

impl Aws {
    /// The policies of these principals.
    pub(super) async fn listed_policies(
        &self,
        wanted: &BTreeSet<PrincipalArn>,
    ) -> Result<AccountPolicies, AwsError> {
        let wanted = Arc::new(wanted.clone());
        let read = move |response: &_| query_answer::read(&LIST, response, |result| page(result, &wanted));
        let list = RawOperation::new(self, &LIST, "*", read).await?;
        let mut policies = AccountPolicies::default();
        let mut marker = None;
        loop {
            let _turn = self.in_flight.iam.turn().await;
            let page = list.call(form(marker.as_deref())).await?;
            page.entities.into_iter().for_each(|entity| policies.add(entity));
            marker = page.marker;
            if marker.is_none() {
                return Ok(policies);
            }
        }
    }
}

/// The request for the page with this marker; without a marker for the first page.
fn form(marker: Option<&str>) -> String {
    const KINDS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (at, kind) in KINDS.iter().enumerate() {
        form.append_pair(&format!("Filter.member.{}", at + 1), kind);
    }
    form.append_pair("MaxItems", PAGE);
    if let Some(marker) = marker {
        form.append_pair("Marker", marker);
    }
    form.finish()
}

fn page(
    result: &mut ScopedDecoder<'_, '_>,
    wanted: &BTreeSet<PrincipalArn>,
) -> Result<PolicyPage, XmlDecodeError> {
    let mut page = PolicyPage::default();
    let mut is_truncated = false;
    let names = ["UserDetailList", "RoleDetailList", "GroupDetailList", "Policies", "IsTruncated", "Marker"];
    each(result, &names, |name, tag| match name {
        "IsTruncated" => {
            is_truncated = value(tag)?.unwrap_or_default();
            Ok(())
        }
        "Marker" => {
            page.marker = text_if_any(tag)?;
            Ok(())
        }
        _ => each(tag, &["member"], |_, member| {
            let entity = match name {
                "GroupDetailList" => Some(group(member)?),
                "Policies" => managed_policy(member)?,
                _ => principal(member)?,
            };
            page.entities.extend(entity.filter(|entity| entity.is_about(wanted)));
            Ok(())
        }),
    })?;
    match (is_truncated, &page.marker) {
        (true, None) => Err(XmlDecodeError::custom("the answer is truncated and has no marker")),
        (true, Some(_)) => Ok(page),
        (false, _) => Ok(PolicyPage { marker: None, ..page }),
    }
}

/// A role or a user. Nobody asks about one whose ARN has another form.
fn principal(member: &mut ScopedDecoder<'_, '_>) -> Result<Option<ListedEntity>, XmlDecodeError> {
    let (mut arn, mut policies, mut groups, mut boundary) =
        (None, ListedPolicies::default(), Vec::new(), None);
    let (mut tags, mut trust_policy) = (Vec::new(), None);
    let names = [
        "Arn",
        "UserPolicyList",
        "RolePolicyList",
        "AttachedManagedPolicies",
        "GroupList",
        "PermissionsBoundary",
        "Tags",
        "AssumeRolePolicyDocument",
    ];
    each(member, &names, |name, tag| {
        match name {
            "Arn" => arn = PrincipalArn::parse(&text(tag)?).ok(),
            "UserPolicyList" | "RolePolicyList" => policies.inline = inline(tag)?,
            "AttachedManagedPolicies" => policies.attached = attached(tag)?,
            "GroupList" => each(tag, &["member"], |_, group| {
                groups.push(text(group)?);
                Ok(())
            })?,
            "PermissionsBoundary" => each(tag, &["PermissionsBoundaryArn"], |_, of| {
                boundary = text_if_any(of)?;
                Ok(())
            })?,
            "Tags" => tags = pairs(tag, "Key", "Value")?,
            _ => trust_policy = text_if_any(tag)?.map(|text| decoded(&text)),
        }
        Ok(())
    })?;
    let listed = |principal| ListedPrincipal { principal, policies, groups, boundary, tags, trust_policy };
    Ok(arn.map(listed).map(ListedEntity::Principal))
}

fn group(member: &mut ScopedDecoder<'_, '_>) -> Result<ListedEntity, XmlDecodeError> {
    let (mut group, mut policies) = (None, ListedPolicies::default());
    each(member, &["GroupName", "GroupPolicyList", "AttachedManagedPolicies"], |name, tag| {
        match name {
            "GroupName" => group = text_if_any(tag)?,
            "GroupPolicyList" => policies.inline = inline(tag)?,
            _ => policies.attached = attached(tag)?,
        }
        Ok(())
    })?;
    Ok(ListedEntity::Group { name: required(group)?, policies })
}

/// A managed policy with its default version, the only one that counts. Without it the policy is as good as not listed.
fn managed_policy(member: &mut ScopedDecoder<'_, '_>) -> Result<Option<ListedEntity>, XmlDecodeError> {
    let (mut arn, mut document) = (None, None);
    each(member, &["Arn", "PolicyVersionList"], |name, tag| {
        if name == "Arn" {
            arn = text_if_any(tag)?;
            return Ok(());
        }
        each(tag, &["member"], |_, version| {
            let (mut is_default, mut encoded) = (false, None);
            each(version, &["Document", "IsDefaultVersion"], |name, tag| {
                match name {
                    "Document" => encoded = text_if_any(tag)?,
                    _ => is_default = value(tag)?.unwrap_or_default(),
                }
                Ok(())
            })?;
            if is_default {
                document = encoded.map(|text| decoded(&text));
            }
            Ok(())
        })
    })?;
    let arn = required(arn)?;
    Ok(document.map(|document| ListedEntity::ManagedPolicy { arn, document }))
}

/// Inline policies: names and texts.
fn inline(list: &mut ScopedDecoder<'_, '_>) -> Result<Vec<(String, String)>, XmlDecodeError> {
    let policies = pairs(list, "PolicyName", "PolicyDocument")?;
    Ok(policies.into_iter().map(|(name, text)| (name, decoded(&text))).collect())
}

/// The ARNs of attached policies.
fn attached(list: &mut ScopedDecoder<'_, '_>) -> Result<Vec<String>, XmlDecodeError> {
    Ok(pairs(list, "PolicyName", "PolicyArn")?.into_iter().map(|(_, arn)| arn).collect())
}

/// Two elements of each member of a list.
fn pairs(
    list: &mut ScopedDecoder<'_, '_>,
    first: &'static str,
    second: &'static str,
) -> Result<Vec<(String, String)>, XmlDecodeError> {
    let mut pairs = Vec::new();
    each(list, &["member"], |_, member| {
        let (mut one, mut other) = (None, None);
        each(member, &[first, second], |name, tag| {
            *(if name == first { &mut one } else { &mut other }) = Some(text(tag)?);
            Ok(())
        })?;
        pairs.push((required(one)?, required(other)?));
        Ok(())
    })?;
    Ok(pairs)
}

#[cfg(test)]
mod tests;
