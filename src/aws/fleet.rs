//! The users and the nodes of the account and Region, from SSM and EC2. All lists have the largest pages that AWS
//! allows.

use std::collections::HashSet;
use std::time::SystemTime;

use aws_sdk_ssm::operation::get_document::GetDocumentOutput;
use aws_sdk_ssm::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ssm::types::{
    AccessType, DocumentFormat, DocumentType, InstanceInformation, SessionFilter, SessionFilterKey,
    SessionState,
};
use serde_json::Value;

use super::Aws;
use super::error::{call, unreadable};
use super::shared_values::SharedValues;
use crate::ports::{AwsError, Fleet, InstanceProfile, ManagedNode, PastSession, SessionDocument};

/// The service setting that holds the role of Default Host Management.
const DEFAULT_HOST_ROLE: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

/// The value of a service setting that is off.
const NONE: &str = "$None";

impl Fleet for Aws {
    async fn nodes(&self) -> Result<Vec<ManagedNode>, AwsError> {
        let operation = "ssm:DescribeInstanceInformation";
        let (mut nodes, mut texts) = (Vec::new(), SharedValues::default());
        let mut next = None;
        loop {
            let describe =
                self.ssm.describe_instance_information().max_results(50).set_next_token(next).send();
            let page = call(operation, "*", describe).await?;
            for node in page.instance_information_list.unwrap_or_default() {
                let node = managed(node, &mut texts);
                nodes.push(node.ok_or_else(|| unreadable(operation, "*", "a node has no id"))?);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(nodes);
            }
        }
    }

    async fn instance_profiles(&self) -> Result<Vec<InstanceProfile>, AwsError> {
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

    async fn sessions(&self, since: SystemTime) -> Result<Vec<PastSession>, AwsError> {
        // A session that ends between the two calls is in both lists.
        let mut seen = HashSet::new();
        let mut sessions = Vec::new();
        for state in [SessionState::Active, SessionState::History] {
            for (id, session) in self.sessions_in(state, since).await? {
                if seen.insert(id) {
                    sessions.push(session);
                }
            }
        }
        Ok(sessions)
    }

    async fn session_document(&self, name: &str) -> Result<Option<SessionDocument>, AwsError> {
        let get = self.ssm.get_document().name(name).document_format(DocumentFormat::Json).send();
        match call("ssm:GetDocument", name, get).await {
            Ok(output) => Ok(Some(session_document(&output))),
            Err(error) if error.code() == "InvalidDocument" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Aws {
    /// The id of each session in this state that began since then, and the session.
    async fn sessions_in(
        &self,
        state: SessionState,
        since: SystemTime,
    ) -> Result<Vec<(String, PastSession)>, AwsError> {
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
                let session = PastSession {
                    owner,
                    target: session.target.unwrap_or_default(),
                    document: session.document_name.filter(|name| !name.is_empty()),
                    is_just_in_time: session.access_type == Some(AccessType::Justintime),
                };
                sessions.push((id, session));
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(sessions);
            }
        }
    }
}

/// What a document says of its sessions. Nothing else of its content is used.
fn session_document(output: &GetDocumentOutput) -> SessionDocument {
    let content: Value =
        output.content().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let is_session = output.document_type() == Some(&DocumentType::Session);
    let session_type = content.get("sessionType").and_then(Value::as_str).filter(|_| is_session);
    let key = content.pointer("/inputs/kmsKeyId").and_then(Value::as_str);
    SessionDocument {
        session_type: session_type.map(str::to_owned),
        names_key: key.is_some_and(|key| !key.is_empty()),
    }
}

/// The filter with the time in whole seconds, as the SSM API reference writes it: `2018-08-29T00:00:00Z`.
fn invoked_after(since: SystemTime) -> Option<SessionFilter> {
    let since = DateTime::from_secs(DateTime::from(since).secs());
    let since = since.fmt(DateTimeFormat::DateTime).ok()?;
    SessionFilter::builder().key(SessionFilterKey::InvokedAfter).value(since).build().ok()
}

/// A node, which shares its texts with those before. `None` if it has no id.
fn managed(node: InstanceInformation, texts: &mut SharedValues<str>) -> Option<ManagedNode> {
    let role = node.iam_role.filter(|role| !role.is_empty());
    Some(ManagedNode {
        id: node.instance_id?.into(),
        agent_version: node.agent_version.map(|version| texts.of(&version)),
        role: role.map(|role| texts.of(&role)),
    })
}
