//! The one call of AWS Organizations, DescribeOrganization, which every account of an organization may make: its
//! request and its answer in AWS JSON 1.1.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::Value;

use super::Aws;
use super::aws_json::refused;
use super::error::{call, unreadable};
use super::raw_operation::{RawOperation, Refusal, Service};
use crate::ports::{AwsError, Organizations};

const ACTION: &str = "DescribeOrganization";
const OPERATION: &str = "organizations:DescribeOrganization";
const ORGANIZATIONS: Service = Service {
    id: "Organizations",
    name: "organizations",
    content_type: "application/x-amz-json-1.1",
    headers: &[("x-amz-target", "AWSOrganizationsV20161128.DescribeOrganization")],
    region: home_region,
};

impl Organizations for Aws {
    async fn organization_id(&self) -> Result<Option<String>, AwsError> {
        let describe = RawOperation::new(&self.config, &ORGANIZATIONS, ACTION, read).await;
        let describe = describe.map_err(|problem| unreadable(OPERATION, "*", problem))?;
        match call(OPERATION, "*", describe.ask("{}".to_owned())).await {
            Ok(id) => Ok(Some(id)),
            Err(error) if error.code() == "AWSOrganizationsNotInUseException" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The one Region of each partition that AWS Organizations has its endpoint in (AWS general reference).
fn home_region(region: &str) -> &str {
    const HOMES: [(&str, &str); 7] = [
        ("cn-", "cn-northwest-1"),
        ("us-gov-", "us-gov-west-1"),
        ("us-iso-", "us-iso-east-1"),
        ("us-isob-", "us-isob-east-1"),
        ("us-isof-", "us-isof-south-1"),
        ("eu-isoe-", "eu-isoe-west-1"),
        ("eusc-", "eusc-de-east-1"),
    ];
    let location = HOMES.iter().find(|(prefix, _)| region.starts_with(prefix));
    location.map_or("us-east-1", |(_, location)| location)
}

/// The organization's id.
fn read(response: &HttpResponse) -> Result<String, OrchestratorError<Refusal>> {
    if !response.status().is_success() {
        return refused(response);
    }
    let answer: Value = serde_json::from_slice(response.body().bytes().unwrap_or_default())
        .map_err(OrchestratorError::other)?;
    match answer.get("Organization").and_then(|organization| organization.get("Id")) {
        Some(Value::String(id)) if id.starts_with("o-") => Ok(id.clone()),
        _ => Err(OrchestratorError::other("the answer names no organization")),
    }
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
            assert_eq!(home_region(region), expected, "{region}");
        }
    }
}
