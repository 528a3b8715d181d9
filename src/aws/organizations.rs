//! The one operation of AWS Organizations, DescribeOrganization, which every account of an organization may call.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::Value;

use super::Aws;
use super::aws_json;
use super::raw_operation::{OperationSpec, Protocol, RawOperation, Refusal, Service};
use crate::ports::{AwsError, Organizations};

const DESCRIBE_ORGANIZATION: OperationSpec = OperationSpec {
    service: Service { id: "Organizations", name: "organizations", endpoint_region },
    name: "DescribeOrganization",
    iam_action: "organizations:DescribeOrganization",
    protocol: Protocol::Json { target: "AWSOrganizationsV20161128.DescribeOrganization" },
};

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

/// The Region of AWS Organizations' endpoint, of which each partition has one (AWS general reference).
fn endpoint_region(region: &str) -> &str {
    const ENDPOINTS: [(&str, &str); 7] = [
        ("cn-", "cn-northwest-1"),
        ("us-gov-", "us-gov-west-1"),
        ("us-iso-", "us-iso-east-1"),
        ("us-isob-", "us-isob-east-1"),
        ("us-isof-", "us-isof-south-1"),
        ("eu-isoe-", "eu-isoe-west-1"),
        ("eusc-", "eusc-de-east-1"),
    ];
    let endpoint = ENDPOINTS.iter().find(|(prefix, _)| region.starts_with(prefix));
    endpoint.map_or("us-east-1", |(_, region)| region)
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
