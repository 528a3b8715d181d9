//! The answer of IAM's simulator about one action on one resource.

use std::collections::HashMap;

use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType};

use crate::ports::{SimulatedDecision, Simulation};

/// Reads a result; `None` if its decision is not one that session-kms knows.
///
/// Across accounts the result's decision is that of both sides together, although the key's side is not simulated. Then
/// the decision of the principal's own policies counts. If the answer does not have it, only an explicit deny is
/// certain.
pub(super) fn simulation(result: EvaluationResult, is_across_accounts: bool) -> Option<Simulation> {
    let resource_results = result.resource_specific_results.unwrap_or_default();
    // AWS's documentation contradicts itself on which of the two places has a member for a named resource, so both
    // count.
    let mut missing_context = result.missing_context_values.unwrap_or_default();
    let boundary = result.permissions_boundary_decision_detail.as_ref();
    let mut boundary_allows = boundary.map(|detail| detail.allowed_by_permissions_boundary);
    let mut own = result.eval_decision_details.as_ref().and_then(own_decision);
    for resource in resource_results {
        for key in resource.missing_context_values.unwrap_or_default() {
            if !missing_context.contains(&key) {
                missing_context.push(key);
            }
        }
        let boundary = resource.permissions_boundary_decision_detail.as_ref();
        let allows = boundary.map(|detail| detail.allowed_by_permissions_boundary);
        boundary_allows = match (boundary_allows, allows) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (before, here) => before.or(here),
        };
        own = worse(own, resource.eval_decision_details.as_ref().and_then(own_decision));
    }
    let decision = match (decision(&result.eval_decision)?, is_across_accounts) {
        (decision, false) => decision,
        (SimulatedDecision::ImplicitDeny, true) => own.unwrap_or(SimulatedDecision::NotReported),
        (decision, true) => own.unwrap_or(decision),
    };
    let mut policies: Vec<String> = Vec::new();
    for policy in result.matched_statements.unwrap_or_default().into_iter().filter_map(|s| s.source_policy_id)
    {
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }
    Some(Simulation {
        decision,
        policies,
        organizations_allow: result.organizations_decision_detail.map(|d| d.allowed_by_organizations),
        boundary_allows,
        missing_context,
    })
}

/// The decision of the principal's own policies: of the policy types that IAM names `IAM Policy`, or with `identity` in
/// the name.
fn own_decision(details: &HashMap<String, PolicyEvaluationDecisionType>) -> Option<SimulatedDecision> {
    let is_identity_policy = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.contains("iam") || name.contains("identity")
    };
    let decisions = details.iter().filter(|(name, _)| is_identity_policy(name));
    decisions.filter_map(|(_, own)| decision(own)).fold(None, |worst, own| worse(worst, Some(own)))
}

fn worse(one: Option<SimulatedDecision>, other: Option<SimulatedDecision>) -> Option<SimulatedDecision> {
    let rank = |decision: &SimulatedDecision| match decision {
        SimulatedDecision::Allowed => 0,
        SimulatedDecision::NotReported => 1,
        SimulatedDecision::ImplicitDeny => 2,
        SimulatedDecision::ExplicitDeny => 3,
    };
    one.into_iter().chain(other).max_by_key(rank)
}

fn decision(simulated: &PolicyEvaluationDecisionType) -> Option<SimulatedDecision> {
    match simulated {
        PolicyEvaluationDecisionType::Allowed => Some(SimulatedDecision::Allowed),
        PolicyEvaluationDecisionType::ImplicitDeny => Some(SimulatedDecision::ImplicitDeny),
        PolicyEvaluationDecisionType::ExplicitDeny => Some(SimulatedDecision::ExplicitDeny),
        _ => None,
    }
}
