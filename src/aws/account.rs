//! The Regions of an account: as AWS Account Management lists them for the accounts of an organization, and as EC2 tells
//! them to the account itself.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::{Value, json};

use super::Aws;
use super::aws_json;
use super::organizations::endpoint_region;
use super::raw_operation::{OperationSpec, Protocol, RawOperation, Refusal, Service};
use crate::ports::{AccountRegions, AwsError};

const LIST_REGIONS: OperationSpec = OperationSpec {
    service: Service { id: "Account", name: "account", endpoint_region },
    name: "ListRegions",
    iam_action: "account:ListRegions",
    protocol: Protocol::RestJson { path: "/listRegions" },
    attempt: None,
};

/// The largest page (Account Management API reference, ListRegions).
const PAGE_SIZE: u32 = 50;

/// The states of a Region whose resources can be used.
const ENABLED: [&str; 2] = ["ENABLED", "ENABLED_BY_DEFAULT"];

impl AccountRegions for Aws {
    async fn enabled_regions(&self, account: Option<&str>) -> Result<Vec<String>, AwsError> {
        let list = RawOperation::new(self, &LIST_REGIONS, account.unwrap_or("*"), read).await?;
        let (mut regions, mut token) = (Vec::new(), None);
        loop {
            let mut body = json!({"MaxResults": PAGE_SIZE, "RegionOptStatusContains": ENABLED});
            if let Value::Object(members) = &mut body {
                members.extend(account.map(|account| ("AccountId".to_owned(), account.into())));
                members.extend(token.map(|token: String| ("NextToken".to_owned(), token.into())));
            }
            let _turn = self.in_flight.organization.turn().await;
            let (page, next) = list.call(body.to_string()).await?;
            regions.extend(page);
            token = next;
            if token.is_none() {
                return Ok(regions);
            }
        }
    }

    async fn described_regions(&self) -> Result<Vec<String>, AwsError> {
        self.ec2_regions().await
    }
}

/// Reads a page, and the token of the next one.
fn read(response: &HttpResponse) -> Result<(Vec<String>, Option<String>), OrchestratorError<Refusal>> {
    aws_json::read(response, |answer| {
        let Some(Value::Array(listed)) = answer.get("Regions") else {
            return Err(OrchestratorError::other("the answer lacks the Regions"));
        };
        let enabled = listed.iter().filter(|region| {
            region.get("RegionOptStatus").and_then(Value::as_str).is_none_or(|state| ENABLED.contains(&state))
        });
        let name = |region: &Value| region.get("RegionName").and_then(Value::as_str).map(str::to_owned);
        let next = answer.get("NextToken").and_then(Value::as_str).filter(|token| !token.is_empty());
        Ok((enabled.filter_map(name).collect(), next.map(str::to_owned)))
    })
}
