//! The users and the nodes of the account and Region, from SSM and EC2. All lists have the largest pages that AWS
//! allows.

use std::collections::HashSet;
use std::time::SystemTime;

use aws_sdk_ssm::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ssm::types::{InstanceInformation, SessionFilter, SessionFilterKey, SessionState};

use super::Aws;
use super::error::{call, unreadable};
use crate::ports::{AwsError, Fleet, ManagedNode};

/// The service setting that holds the role of Default Host Management.
const DEFAULT_HOST_ROLE: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

/// The value of a service setting that is off.
const NONE: &str = "$None";

impl Fleet for Aws {
    async fn nodes(&self) -> Result<Vec<ManagedNode>, AwsError> {
        let operation = "ssm:DescribeInstanceInformation";
        let mut nodes = Vec::new();
        let mut next = None;
        loop {
            let describe =
                self.ssm.describe_instance_information().max_results(50).set_next_token(next).send();
            let page = call(operation, "*", describe).await?;
            for node in page.instance_information_list.unwrap_or_default() {
                nodes.push(managed(node).ok_or_else(|| unreadable(operation, "*", "a node has no id"))?);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(nodes);
            }
        }
    }

    async fn instance_profiles(&self) -> Result<Vec<(String, String)>, AwsError> {
        self.profile_associations().await
    }

    async fn default_host_role(&self) -> Result<Option<String>, AwsError> {
        let get = self.ssm.get_service_setting().setting_id(DEFAULT_HOST_ROLE).send();
        match call("ssm:GetServiceSetting", DEFAULT_HOST_ROLE, get).await {
            Ok(output) => {
                let value = output.service_setting.and_then(|setting| setting.setting_value);
                Ok(value.filter(|role| !role.is_empty() && role != NONE))
            }
            Err(error) if error.code() == "ServiceSettingNotFound" => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn session_owners(&self, since: SystemTime) -> Result<Vec<String>, AwsError> {
        // A session that ends between the two calls is in both lists.
        let mut seen = HashSet::new();
        let mut owners = Vec::new();
        for state in [SessionState::Active, SessionState::History] {
            for (session, owner) in self.sessions(state, since).await? {
                if seen.insert(session) {
                    owners.push(owner);
                }
            }
        }
        Ok(owners)
    }
}

impl Aws {
    /// The id and the owner of each session that began since then.
    async fn sessions(
        &self,
        state: SessionState,
        since: SystemTime,
    ) -> Result<Vec<(String, String)>, AwsError> {
        let operation = "ssm:DescribeSessions";
        let on = state.as_str().to_owned();
        let filter = invoked_after(since)
            .ok_or_else(|| unreadable(operation, &on, "the time asked for is beyond AWS's calendar"))?;
        let mut sessions = Vec::new();
        let mut next = None;
        loop {
            let describe = self
                .ssm
                .describe_sessions()
                .state(state.clone())
                .filters(filter.clone())
                .max_results(200)
                .set_next_token(next)
                .send();
            let page = call(operation, &on, describe).await?;
            for session in page.sessions.unwrap_or_default() {
                let (Some(id), Some(owner)) = (session.session_id, session.owner) else {
                    return Err(unreadable(operation, &on, "a session has no id or no owner"));
                };
                sessions.push((id, owner));
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(sessions);
            }
        }
    }
}

/// The filter with the time in whole seconds, as the SSM API reference writes it: `2018-08-29T00:00:00Z`.
fn invoked_after(since: SystemTime) -> Option<SessionFilter> {
    let since = DateTime::from_secs(DateTime::from(since).secs());
    let since = since.fmt(DateTimeFormat::DateTime).ok()?;
    SessionFilter::builder().key(SessionFilterKey::InvokedAfter).value(since).build().ok()
}

fn managed(node: InstanceInformation) -> Option<ManagedNode> {
    let id = node.instance_id?;
    // For an EC2 instance only the role of its instance profile counts.
    let hybrid_role = node.iam_role.filter(|role| id.starts_with("mi-") && !role.is_empty());
    Some(ManagedNode { id, agent_version: node.agent_version, hybrid_role })
}
