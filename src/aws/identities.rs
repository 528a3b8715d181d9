//! The principals' own side, by IAM: its policy simulator, and the roles behind nodes.

use aws_sdk_iam::types::{ContextEntry as IamContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use super::Aws;
use super::error::{call, unreadable};
use crate::key::KeyArn;
use crate::reconcile::ports::{AwsError, ContextEntry, Identities, SessionCall, Simulated, Simulation};

impl Identities for Aws {
    async fn simulate(
        &self,
        principal: &str,
        session_call: SessionCall,
        key: &KeyArn,
        context: &[ContextEntry],
    ) -> Result<Simulation, AwsError> {
        let operation = "iam:SimulatePrincipalPolicy";
        let simulate = self
            .iam
            .simulate_principal_policy()
            .policy_source_arn(principal)
            .action_names(session_call.action())
            .resource_arns(key.as_str())
            .set_context_entries((!context.is_empty()).then(|| context.iter().map(entry).collect()))
            .send();
        let page = call(operation, principal, simulate).await?;
        // One action on one resource is one result.
        let result = page.evaluation_results.and_then(|results| results.into_iter().next());
        let result = result.ok_or_else(|| unreadable(operation, principal, "the answer has no result"))?;
        // AWS's words on where they stand for a named resource contradict each other.
        let of_resources = result.resource_specific_results.unwrap_or_default();
        let mut missing_context = result.missing_context_values.unwrap_or_default();
        for key in
            of_resources.into_iter().flat_map(|of_one| of_one.missing_context_values.unwrap_or_default())
        {
            if !missing_context.contains(&key) {
                missing_context.push(key);
            }
        }
        let decision = match result.eval_decision {
            PolicyEvaluationDecisionType::Allowed => Simulated::Allowed,
            PolicyEvaluationDecisionType::ImplicitDeny => Simulated::ImplicitDeny,
            PolicyEvaluationDecisionType::ExplicitDeny => Simulated::ExplicitDeny,
            _ => return Err(unreadable(operation, principal, "the answer has a decision unknown here")),
        };
        let mut policies: Vec<String> = Vec::new();
        for policy in
            result.matched_statements.unwrap_or_default().into_iter().filter_map(|s| s.source_policy_id)
        {
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
        Ok(Simulation {
            decision,
            policies,
            organizations_allow: result.organizations_decision_detail.map(|d| d.allowed_by_organizations),
            boundary_allows: result
                .permissions_boundary_decision_detail
                .map(|d| d.allowed_by_permissions_boundary),
            missing_context,
        })
    }

    async fn role_arn(&self, name: &str) -> Result<Option<String>, AwsError> {
        let operation = "iam:GetRole";
        match call(operation, name, self.iam.get_role().role_name(without_path(name)).send()).await {
            Ok(output) => match output.role {
                Some(role) => Ok(Some(role.arn)),
                None => Err(unreadable(operation, name, "the answer has no role")),
            },
            Err(error) if error.code() == "NoSuchEntity" => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn role_of_profile(&self, name: &str) -> Result<Option<String>, AwsError> {
        let operation = "iam:GetInstanceProfile";
        let get = self.iam.get_instance_profile().instance_profile_name(without_path(name)).send();
        match call(operation, name, get).await {
            Ok(output) => match output.instance_profile {
                // An instance profile holds one role at most.
                Some(profile) => Ok(profile.roles.into_iter().next().map(|role| role.arn)),
                None => Err(unreadable(operation, name, "the answer has no instance profile")),
            },
            Err(error) if error.code() == "NoSuchEntity" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// IAM finds roles and profiles by the name alone, which is unique in the account whatever the path.
fn without_path(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn entry(entry: &ContextEntry) -> IamContextEntry {
    IamContextEntry::builder()
        .context_key_name(&entry.key)
        .set_context_key_values(Some(entry.values.clone()))
        .context_key_type(key_type(&entry.key, entry.multivalued))
        .build()
}

/// The type of a global condition key, as IAM's reference of them has it; all others are strings. The simulator
/// compares by it.
fn key_type(key: &str, multivalued: bool) -> ContextKeyTypeEnum {
    match (key.to_ascii_lowercase().as_str(), multivalued) {
        (_, true) => ContextKeyTypeEnum::StringList,
        ("aws:sourceip" | "aws:vpcsourceip", _) => ContextKeyTypeEnum::Ip,
        ("aws:currenttime" | "aws:tokenissuetime", _) => ContextKeyTypeEnum::Date,
        ("aws:epochtime" | "aws:multifactorauthage", _) => ContextKeyTypeEnum::Numeric,
        (
            "aws:multifactorauthpresent"
            | "aws:principalisawsservice"
            | "aws:securetransport"
            | "aws:viaawsservice"
            | "kms:grantisforawsresource",
            _,
        ) => ContextKeyTypeEnum::Boolean,
        _ => ContextKeyTypeEnum::String,
    }
}
