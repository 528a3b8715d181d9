//! What the preflight reads: the key's policy and grants, the principals' own policies, and who the principals are.
//!
//! Nothing here writes. A missing permission makes a check unknown, so every error says which action was denied.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::{AwsAnswer, AwsError};
use crate::access::{AccountPolicies, PrincipalArn};
pub use crate::access::{ContextEntry, SessionCall, SimulatedDecision, Simulation};
use crate::intent::KeyPolicyReader;
use crate::key::KeyArn;

/// The result of a call with DryRun. It says nothing of any role but the function's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// It would succeed.
    WouldSucceed,
    /// The caller may not.
    Denied(AwsAnswer),
    /// It would fail for another reason, such as the key's state.
    WouldFail(AwsAnswer),
}

/// The key's side.
pub trait KeyAccess {
    /// The key's policy, as text. Another account's is read through a reader only.
    async fn key_policy(&self, key: &KeyArn, reader: Option<&KeyPolicyReader>) -> Result<String, AwsError>;
    /// The key's grants, each as ListGrants returns it in JSON.
    async fn grants(&self, key: &KeyArn, reader: Option<&KeyPolicyReader>) -> Result<Vec<Value>, AwsError>;
    /// One of a session's calls, with DryRun. A data key that comes back all the same is dropped unseen.
    async fn dry_run(&self, key: &KeyArn, call: SessionCall) -> Result<DryRun, AwsError>;
    /// The key's tags, by name. Another account's are read through a reader only.
    async fn key_tags(
        &self,
        key: &KeyArn,
        reader: Option<&KeyPolicyReader>,
    ) -> Result<Vec<(String, String)>, AwsError>;
    /// The names of the key's aliases, each with its `alias/`. Another account's are read through a reader only.
    async fn key_aliases(
        &self,
        key: &KeyArn,
        reader: Option<&KeyPolicyReader>,
    ) -> Result<Vec<String>, AwsError>;
    /// The ARNs of all keys of the account and Region, each with its alias names.
    async fn keys(&self) -> Result<Vec<(KeyArn, Vec<String>)>, AwsError>;
}

/// The tags of a role or user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalTags {
    /// All of them, by name.
    pub tags: Vec<(String, String)>,
    /// A role's trust policy, as JSON text.
    pub trust_policy: Option<String>,
}

/// The principals' own side.
pub trait Identities {
    /// iam:SimulatePrincipalPolicy for one action on one resource, such as `kms:Decrypt` on the ARN of a key.
    /// `principal` is the ARN of a role or user of the function's own account.
    async fn simulate(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
        context: &[ContextEntry],
    ) -> Result<Simulation, AwsError>;
    /// The policies of these principals of the function's own account, from iam:GetAccountAuthorizationDetails, which
    /// lists everything in the account by pages. It takes a permission that simulations do not.
    async fn account_policies(&self, wanted: &BTreeSet<PrincipalArn>) -> Result<AccountPolicies, AwsError>;
    /// The tags of a role or user of the function's own account; `None` if there is no such principal.
    async fn principal_tags(&self, principal: &PrincipalArn) -> Result<Option<PrincipalTags>, AwsError>;
    /// The ARN of a role by its name, path included; `None` if there is none.
    async fn role_arn(&self, name: &str) -> Result<Option<String>, AwsError>;
    /// The ARN of the role in an instance profile; `None` if there is no profile, or no role in it.
    async fn role_of_profile(&self, name: &str) -> Result<Option<String>, AwsError>;
}

/// The organization of the function's own account.
pub trait Organizations {
    /// Its id; `None` if the account is in none.
    async fn organization_id(&self) -> Result<Option<String>, AwsError>;
}

/// A managed node. There may be many thousands, which share what they have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedNode {
    /// `i-…` or `mi-…`.
    pub id: Arc<str>,
    /// The version of its agent.
    pub agent_version: Option<Arc<str>>,
    /// The node's role, by name, as DescribeInstanceInformation returns it. Hybrid activated nodes have one. AWS
    /// does not document whether nodes under Default Host Management have one.
    pub role: Option<Arc<str>>,
}

/// The instance profile of an EC2 instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceProfile {
    /// The id of the instance.
    pub instance: String,
    /// The ARN of the profile.
    pub arn: Arc<str>,
}

/// A session that has begun, and may have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastSession {
    /// The ARN of the user or role session that started it.
    pub owner: String,
    /// What it was started on: `i-…`, `mi-…`, `ecs:…`.
    pub target: String,
    /// The document that it was started with, by name or ARN.
    pub document: Option<String>,
    /// Whether it was approved just in time.
    pub is_just_in_time: bool,
}

/// What a document says of the sessions that are started with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDocument {
    /// `sessionType`: `Standard_Stream`, `Port`, `InteractiveCommands`, `NonInteractiveCommands`. `None` if the
    /// document is no Session document or does not say.
    pub session_type: Option<String>,
    /// Whether it names a key of its own.
    pub names_key: bool,
}

/// The users and the nodes of the account and Region.
pub trait Fleet {
    /// All managed nodes.
    async fn nodes(&self) -> Result<Vec<ManagedNode>, AwsError>;
    /// The instance profile of each EC2 instance that has one.
    async fn instance_profiles(&self) -> Result<Vec<InstanceProfile>, AwsError>;
    /// The role of Default Host Management, by name (with its path, if it has one); `None` if it is off.
    async fn default_host_role(&self) -> Result<Option<String>, AwsError>;
    /// The sessions that began since then, each once.
    async fn sessions(&self, since: SystemTime) -> Result<Vec<PastSession>, AwsError>;
    /// What a document, by name or ARN, says of its sessions; `None` if there is no such document.
    async fn session_document(&self, name: &str) -> Result<Option<SessionDocument>, AwsError>;
}
