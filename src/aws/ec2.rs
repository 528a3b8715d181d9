//! EC2's operations that list something, in EC2's query protocol: instance profile associations, instances, and the
//! network of VPCs.

mod instances;
mod page;
mod security_groups;
mod vpcs;

use std::fmt;

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};
use url::form_urlencoded;

use super::Aws;
use super::raw_operation::{OperationSpec, Protocol, RawOperation, Service};
use super::shared_values::SharedValues;
use super::xml::{each, text};
use crate::ports::{
    AwsError, Instance, InstanceProfile, NatGateway, Network, RouteTable, SecurityGroup, Subnet, VpcEndpoint,
};
use instances::{ASSOCIATIONS, INSTANCES, SharedSettings};
use security_groups::SECURITY_GROUPS;
use vpcs::{NAT_GATEWAYS, ROUTE_TABLES, SUBNETS, VPC_ENDPOINTS};

/// The version of the API, whose answers these modules read.
const VERSION: &str = "2016-11-15";

/// The most values that one filter may have.
const MOST_VALUES: usize = 200;

/// An operation that lists items of one type.
struct Listing<T> {
    operation: OperationSpec,
    /// The largest page.
    page_size: &'static str,
    /// The element of an answer that holds the items.
    set: &'static str,
    /// Reads an element of the set, which may hold several items.
    read: fn(&mut ScopedDecoder<'_, '_>, &mut Vec<T>) -> Result<(), XmlDecodeError>,
}

/// An operation of EC2.
const fn operation(name: &'static str, iam_action: &'static str) -> OperationSpec {
    OperationSpec {
        service: Service { id: "EC2", name: "ec2", endpoint_region: |region| region },
        name,
        iam_action,
        protocol: Protocol::Ec2Query,
        attempt: None,
    }
}

/// DescribeRegions has neither pages nor a filter here: it leaves out the Regions that are not enabled.
static REGIONS: Listing<String> = Listing {
    operation: operation("DescribeRegions", "ec2:DescribeRegions"),
    page_size: "",
    set: "regionInfo",
    read: |item, regions| {
        each(item, &["regionName"], |_, tag| {
            regions.push(text(tag)?);
            Ok(())
        })
    },
};

impl Aws {
    /// The Regions that are enabled in the account.
    pub(super) async fn ec2_regions(&self) -> Result<Vec<String>, AwsError> {
        let read = |response: &_| page::read(&REGIONS, response);
        let describe = RawOperation::new(self, &REGIONS.operation, "*", read).await?;
        Ok(describe.call(format!("Action=DescribeRegions&Version={VERSION}")).await?.items)
    }

    /// Each association in use.
    pub(super) async fn profile_associations(&self) -> Result<Vec<InstanceProfile>, AwsError> {
        let mut arns = SharedValues::default();
        let share = |profile: &mut InstanceProfile| profile.arn = arns.of(&profile.arn);
        self.listed_and_shared(&ASSOCIATIONS, "state", &["associated"], share).await
    }

    /// All items for which the filter has one of these values, on all pages.
    async fn listed<T: fmt::Debug + Send + Sync + 'static>(
        &self,
        listing: &'static Listing<T>,
        filter: &str,
        values: &[impl AsRef<str>],
    ) -> Result<Vec<T>, AwsError> {
        self.listed_and_shared(listing, filter, values, |_| ()).await
    }

    /// The same. Each item shares what it has in common with those before as soon as its page has come.
    async fn listed_and_shared<T: fmt::Debug + Send + Sync + 'static>(
        &self,
        listing: &'static Listing<T>,
        filter: &str,
        values: &[impl AsRef<str>],
        mut share: impl FnMut(&mut T),
    ) -> Result<Vec<T>, AwsError> {
        let mut items = Vec::new();
        if values.is_empty() {
            return Ok(items);
        }
        let read = |response: &_| page::read(listing, response);
        let describe = RawOperation::new(self, &listing.operation, "*", read).await?;
        for values in values.chunks(MOST_VALUES) {
            let mut next = None;
            loop {
                let mut page = describe.call(form(listing, filter, values, next.as_deref())).await?;
                page.items.iter_mut().for_each(&mut share);
                items.append(&mut page.items);
                next = page.next_token;
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(items)
    }
}

/// The request for the page with this token; without a token for the first page.
fn form<T>(listing: &Listing<T>, filter: &str, values: &[impl AsRef<str>], token: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", listing.operation.name).append_pair("Version", VERSION);
    form.append_pair("Filter.1.Name", filter);
    for (at, value) in values.iter().enumerate() {
        form.append_pair(&format!("Filter.1.Value.{}", at + 1), value.as_ref());
    }
    form.append_pair("MaxResults", listing.page_size);
    if let Some(token) = token {
        form.append_pair("NextToken", token);
    }
    form.finish()
}

impl Network for Aws {
    async fn instances(&self) -> Result<Vec<Instance>, AwsError> {
        let states = ["pending", "running", "stopping", "stopped"];
        let mut settings = SharedSettings::default();
        let share = |instance: &mut Instance| settings.share(instance);
        self.listed_and_shared(&INSTANCES, "instance-state-name", &states, share).await
    }

    async fn vpc_endpoints(&self, vpcs: &[String]) -> Result<Vec<VpcEndpoint>, AwsError> {
        self.listed(&VPC_ENDPOINTS, "vpc-id", vpcs).await
    }

    async fn subnets(&self, vpcs: &[String]) -> Result<Vec<Subnet>, AwsError> {
        self.listed(&SUBNETS, "vpc-id", vpcs).await
    }

    async fn route_tables(&self, vpcs: &[String]) -> Result<Vec<RouteTable>, AwsError> {
        self.listed(&ROUTE_TABLES, "vpc-id", vpcs).await
    }

    async fn nat_gateways(&self, vpcs: &[String]) -> Result<Vec<NatGateway>, AwsError> {
        self.listed(&NAT_GATEWAYS, "vpc-id", vpcs).await
    }

    async fn security_groups(&self, ids: &[String]) -> Result<Vec<SecurityGroup>, AwsError> {
        self.listed(&SECURITY_GROUPS, "group-id", ids).await
    }
}
