//! The ports that read keys, principals and nodes.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::Value;
use session_kms::access::{AccountPolicies, PrincipalArn};
use session_kms::intent::KeyPolicyReader;
use session_kms::key::{KeyArn, KeyDescription, MultiRegion};
use session_kms::ports::{
    AwsError, ContextEntry, DryRun, Fleet, Identities, Instance, KeyAccess, Keys, ManagedNode, NatGateway,
    Network, Organizations, PastSession, PrincipalTags, RouteTable, SecurityGroup, SessionCall,
    SessionDocument, SimulatedDecision, Simulation, Subnet, VpcEndpoint,
};

use super::InMemoryPorts;
use crate::model::in_memory_aws::{InMemoryAws, KeyState, denied, refused};

impl Keys for InMemoryPorts<'_> {
    async fn describe(&self, key: &str) -> Result<Option<KeyDescription>, AwsError> {
        let describe = |aws: &mut InMemoryAws| {
            if aws.unreadable_key == Some(key) {
                return Err(denied("kms:DescribeKey"));
            }
            let found = aws.keys.get(key).filter(|found| found.state != KeyState::Gone);
            Ok(found.map(|found| KeyDescription {
                arn: KeyArn::parse(key).expect("a key ARN"),
                state: format!("{:?}", found.state),
                spec: "SYMMETRIC_DEFAULT".to_owned(),
                usage: "ENCRYPT_DECRYPT".to_owned(),
                manager: "CUSTOMER".to_owned(),
                origin: Some("AWS_KMS".to_owned()),
                created: None,
                deletion_date: (found.state == KeyState::PendingDeletion).then(|| DELETION.to_owned()),
                valid_to: None,
                custom_key_store: None,
                multi_region: MultiRegion::SingleRegion,
            }))
        };
        self.call("kms:DescribeKey", describe).await
    }
}

/// The deletion date of every key whose deletion is scheduled.
pub const DELETION: &str = "2027-01-01T00:00:00Z";

impl KeyAccess for InMemoryPorts<'_> {
    async fn key_policy(&self, key: &KeyArn, _: Option<&KeyPolicyReader>) -> Result<String, AwsError> {
        let read = |aws: &mut InMemoryAws| {
            if aws.hides_policies {
                return Err(denied("kms:GetKeyPolicy"));
            }
            let found = aws.keys.get(key.as_str());
            found
                .map(|key| key.policy.clone())
                .ok_or_else(|| refused("kms:GetKeyPolicy", "NotFoundException"))
        };
        self.call("kms:GetKeyPolicy", read).await
    }

    async fn grants(&self, key: &KeyArn, _: Option<&KeyPolicyReader>) -> Result<Vec<Value>, AwsError> {
        let list = |aws: &mut InMemoryAws| {
            Ok(aws.keys.get(key.as_str()).map(|key| key.grants.clone()).unwrap_or_default())
        };
        self.call("kms:ListGrants", list).await
    }

    async fn dry_run(&self, _: &KeyArn, _: SessionCall) -> Result<DryRun, AwsError> {
        self.call("kms:GenerateDataKey", |_| Ok(DryRun::WouldSucceed)).await
    }

    async fn key_tags(
        &self,
        _: &KeyArn,
        _: Option<&KeyPolicyReader>,
    ) -> Result<Vec<(String, String)>, AwsError> {
        self.call("kms:ListResourceTags", |_| Ok(Vec::new())).await
    }

    async fn key_aliases(&self, _: &KeyArn, _: Option<&KeyPolicyReader>) -> Result<Vec<String>, AwsError> {
        self.call("kms:ListAliases", |_| Ok(Vec::new())).await
    }

    async fn keys(&self) -> Result<Vec<(KeyArn, Vec<String>)>, AwsError> {
        self.call("kms:ListKeys", |_| Ok(Vec::new())).await
    }
}

impl Identities for InMemoryPorts<'_> {
    async fn simulate(&self, _: &str, _: &str, _: &str, _: &[ContextEntry]) -> Result<Simulation, AwsError> {
        let allowed = Simulation {
            decision: SimulatedDecision::Allowed,
            policies: vec!["role_Node_AllowKms".to_owned()],
            organizations_allow: None,
            boundary_allows: None,
            missing_context: Vec::new(),
        };
        self.call("iam:SimulatePrincipalPolicy", |_| Ok(allowed)).await
    }

    async fn account_policies(&self, _: &BTreeSet<PrincipalArn>) -> Result<AccountPolicies, AwsError> {
        let listed = |_: &mut InMemoryAws| Ok(AccountPolicies::default());
        self.call("iam:GetAccountAuthorizationDetails", listed).await
    }

    async fn principal_tags(&self, _: &PrincipalArn) -> Result<Option<PrincipalTags>, AwsError> {
        self.call("iam:GetRole", |_| Ok(None)).await
    }

    async fn role_arn(&self, _: &str) -> Result<Option<String>, AwsError> {
        self.call("iam:GetRole", |_| Ok(None)).await
    }

    async fn role_of_profile(&self, _: &str) -> Result<Option<String>, AwsError> {
        self.call("iam:GetInstanceProfile", |_| Ok(None)).await
    }
}

impl Organizations for InMemoryPorts<'_> {
    async fn organization_id(&self) -> Result<Option<String>, AwsError> {
        self.call("organizations:DescribeOrganization", |_| Ok(None)).await
    }
}

impl Fleet for InMemoryPorts<'_> {
    async fn nodes(&self) -> Result<Vec<ManagedNode>, AwsError> {
        self.call("ssm:DescribeInstanceInformation", |_| Ok(Vec::new())).await
    }

    async fn instance_profiles(&self) -> Result<Vec<session_kms::ports::InstanceProfile>, AwsError> {
        self.call("ec2:DescribeIamInstanceProfileAssociations", |_| Ok(Vec::new())).await
    }

    async fn default_host_role(&self) -> Result<Option<String>, AwsError> {
        self.call("ssm:GetServiceSetting", |_| Ok(None)).await
    }

    async fn sessions(&self, _: SystemTime) -> Result<Vec<PastSession>, AwsError> {
        self.call("ssm:DescribeSessions", |_| Ok(Vec::new())).await
    }

    async fn session_document(&self, _: &str) -> Result<Option<SessionDocument>, AwsError> {
        self.call("ssm:GetDocument", |_| Ok(None)).await
    }
}

impl Network for InMemoryPorts<'_> {
    async fn instances(&self) -> Result<Vec<Instance>, AwsError> {
        self.call("ec2:DescribeInstances", |_| Ok(Vec::new())).await
    }

    async fn vpc_endpoints(&self, _: &[String]) -> Result<Vec<VpcEndpoint>, AwsError> {
        self.call("ec2:DescribeVpcEndpoints", |_| Ok(Vec::new())).await
    }

    async fn subnets(&self, _: &[String]) -> Result<Vec<Subnet>, AwsError> {
        self.call("ec2:DescribeSubnets", |_| Ok(Vec::new())).await
    }

    async fn route_tables(&self, _: &[String]) -> Result<Vec<RouteTable>, AwsError> {
        self.call("ec2:DescribeRouteTables", |_| Ok(Vec::new())).await
    }

    async fn nat_gateways(&self, _: &[String]) -> Result<Vec<NatGateway>, AwsError> {
        self.call("ec2:DescribeNatGateways", |_| Ok(Vec::new())).await
    }

    async fn security_groups(&self, _: &[String]) -> Result<Vec<SecurityGroup>, AwsError> {
        self.call("ec2:DescribeSecurityGroups", |_| Ok(Vec::new())).await
    }
}
