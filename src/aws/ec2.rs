//! The one operation of EC2, DescribeIamInstanceProfileAssociations, in EC2's query protocol.

mod page;

use url::form_urlencoded;

use super::Aws;
use super::raw_operation::{OperationSpec, Protocol, RawOperation, Service};
use crate::ports::{AwsError, Instance, NatGateway, Network, RouteTable, SecurityGroup, Subnet, VpcEndpoint};

const DESCRIBE_ASSOCIATIONS: OperationSpec = OperationSpec {
    service: Service { id: "EC2", name: "ec2", endpoint_region: |region| region },
    name: "DescribeIamInstanceProfileAssociations",
    iam_action: "ec2:DescribeIamInstanceProfileAssociations",
    protocol: Protocol::Ec2Query,
};

/// The version of the API, whose answers `page.rs` reads.
const VERSION: &str = "2016-11-15";

/// The largest page of EC2.
const PAGE_SIZE: &str = "1000";

impl Aws {
    /// The instance id and the instance profile ARN of each association in use.
    pub(super) async fn profile_associations(&self) -> Result<Vec<(String, String)>, AwsError> {
        let describe = RawOperation::new(&self.config, &DESCRIBE_ASSOCIATIONS, "*", page::read).await?;
        let mut associations = Vec::new();
        let mut next = None;
        loop {
            let page = describe.call(form(next)).await?;
            associations.extend(page.associations);
            next = page.next_token;
            if next.is_none() {
                return Ok(associations);
            }
        }
    }
}

/// The request for the page with this token; without a token for the first page.
fn form(token: Option<String>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", DESCRIBE_ASSOCIATIONS.name).append_pair("Version", VERSION);
    form.append_pair("Filter.1.Name", "state").append_pair("Filter.1.Value.1", "associated");
    form.append_pair("MaxResults", PAGE_SIZE);
    if let Some(token) = token {
        form.append_pair("NextToken", &token);
    }
    form.finish()
}

impl Network for Aws {
    async fn instances(&self) -> Result<Vec<Instance>, AwsError> {
        Ok(Vec::new())
    }

    async fn vpc_endpoints(&self, _: &[String]) -> Result<Vec<VpcEndpoint>, AwsError> {
        Ok(Vec::new())
    }

    async fn subnets(&self, _: &[String]) -> Result<Vec<Subnet>, AwsError> {
        Ok(Vec::new())
    }

    async fn route_tables(&self, _: &[String]) -> Result<Vec<RouteTable>, AwsError> {
        Ok(Vec::new())
    }

    async fn nat_gateways(&self, _: &[String]) -> Result<Vec<NatGateway>, AwsError> {
        Ok(Vec::new())
    }

    async fn security_groups(&self, _: &[String]) -> Result<Vec<SecurityGroup>, AwsError> {
        Ok(Vec::new())
    }
}
