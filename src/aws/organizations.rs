//! AWS Organizations: DescribeOrganization, which every account of an organization may call, and the lists of its
//! accounts, which only its management account and delegated administrators may ask for.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::{Map, Value};

use super::Aws;
use super::aws_json;
use super::raw_operation::{OperationSpec, Protocol, RawOperation, Refusal, Service, partition_region};
use crate::ports::{AwsError, OrganizationAccount, OrganizationAccounts, OrganizationalUnit, Organizations};

/// An operation of AWS Organizations.
const fn operation(name: &'static str, iam_action: &'static str, target: &'static str) -> OperationSpec {
    OperationSpec {
        service: Service { id: "Organizations", name: "organizations", endpoint_region },
        name,
        iam_action,
        protocol: Protocol::Json { target },
        attempt: None,
    }
}

const DESCRIBE_ORGANIZATION: OperationSpec = operation(
    "DescribeOrganization",
    "organizations:DescribeOrganization",
    "AWSOrganizationsV20161128.DescribeOrganization",
);
const LIST_ROOTS: OperationSpec =
    operation("ListRoots", "organizations:ListRoots", "AWSOrganizationsV20161128.ListRoots");
const LIST_UNITS: OperationSpec = operation(
    "ListOrganizationalUnitsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "AWSOrganizationsV20161128.ListOrganizationalUnitsForParent",
);
const LIST_ACCOUNTS: OperationSpec = operation(
    "ListAccountsForParent",
    "organizations:ListAccountsForParent",
    "AWSOrganizationsV20161128.ListAccountsForParent",
);

impl Organizations for Aws {
    async fn organization_id(&self) -> Result<Option<String>, AwsError> {
        let describe = RawOperation::new(self, &DESCRIBE_ORGANIZATION, "*", read).await?;
        match describe.call("{}".to_owned()).await {
            Ok(id) => Ok(Some(id)),
            Err(error) if error.code() == "AWSOrganizationsNotInUseException" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl OrganizationAccounts for Aws {
    async fn roots(&self) -> Result<Vec<OrganizationalUnit>, AwsError> {
        Ok(self.listed_of(&LIST_ROOTS, None, "Roots").await?.iter().filter_map(unit).collect())
    }

    async fn units_of(&self, parent: &str) -> Result<Vec<OrganizationalUnit>, AwsError> {
        let listed = self.listed_of(&LIST_UNITS, Some(parent), "OrganizationalUnits").await?;
        Ok(listed.iter().filter_map(unit).collect())
    }

    async fn accounts_of(&self, parent: &str) -> Result<Vec<OrganizationAccount>, AwsError> {
        let listed = self.listed_of(&LIST_ACCOUNTS, Some(parent), "Accounts").await?;
        Ok(listed.iter().filter_map(account).collect())
    }
}

impl Aws {
    /// All items of a list, on all pages.
    async fn listed_of(
        &self,
        spec: &'static OperationSpec,
        parent: Option<&str>,
        member: &'static str,
    ) -> Result<Vec<Value>, AwsError> {
        let read = move |response: &_| {
            aws_json::read(response, |answer| match answer.get(member) {
                Some(Value::Array(items)) => Ok((items.clone(), text(answer, "NextToken"))),
                _ => Err(OrchestratorError::other("the answer lacks the list")),
            })
        };
        let list = RawOperation::new(self, spec, parent.unwrap_or("*"), read).await?;
        let (mut items, mut token) = (Vec::new(), None);
        loop {
            let mut body = Map::new();
            body.extend(parent.map(|parent| ("ParentId".to_owned(), parent.into())));
            body.extend(token.map(|token: String| ("NextToken".to_owned(), token.into())));
            let _turn = self.in_flight.organization.turn().await;
            let (page, next) = list.call(Value::Object(body).to_string()).await?;
            items.extend(page);
            token = next.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(items);
            }
        }
    }
}

fn unit(item: &Value) -> Option<OrganizationalUnit> {
    Some(OrganizationalUnit { id: text(item, "Id")?, name: text(item, "Name").unwrap_or_default() })
}

/// `Status` is the older name of `State`.
fn account(item: &Value) -> Option<OrganizationAccount> {
    let state = text(item, "State").or_else(|| text(item, "Status"));
    Some(OrganizationAccount {
        id: text(item, "Id")?,
        name: text(item, "Name").unwrap_or_default(),
        state: state.unwrap_or_else(|| "ACTIVE".to_owned()),
    })
}

fn text(item: &Value, member: &str) -> Option<String> {
    item.get(member).and_then(Value::as_str).map(str::to_owned)
}

/// The Region of AWS Organizations' endpoint, of which each partition has one (AWS general reference).
pub(super) fn endpoint_region(region: &str) -> &str {
    partition_region(region, "cn-northwest-1")
}

/// Reads the organization's id.
fn read(response: &HttpResponse) -> Result<String, OrchestratorError<Refusal>> {
    aws_json::read(response, |answer| {
        match answer.get("Organization").and_then(|organization| organization.get("Id")) {
            Some(Value::String(id)) if id.starts_with("o-") => Ok(id.clone()),
            _ => Err(OrchestratorError::other("the answer names no organization")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_one_region_that_answers() {
        for (region, expected) in [
            ("eu-west-1", "us-east-1"),
            ("us-east-1", "us-east-1"),
            ("ap-southeast-7", "us-east-1"),
            ("cn-north-1", "cn-northwest-1"),
            ("us-gov-east-1", "us-gov-west-1"),
            ("us-iso-west-1", "us-iso-east-1"),
            ("us-isob-east-1", "us-isob-east-1"),
        ] {
            assert_eq!(endpoint_region(region), expected, "{region}");
        }
    }
}
