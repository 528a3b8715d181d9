//! An answer of IAM's simulator about one action on one resource.

use std::collections::HashMap;

use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType};

use crate::ports::{SimulatedDecision, Simulation};

/// Reads a result; `None` where it has a decision that is not known here.
///
/// Across accounts the decision is of both sides together, and the key's side is not simulated: then the decision of
/// the principal's own policies counts, and where the answer does not tell it, nothing but a denial is known.
pub(super) fn simulation(result: EvaluationResult, is_across_accounts: bool) -> Option<Simulation> {
    let of_resources = result.resource_specific_results.unwrap_or_default();
    // AWS's words on where members stand for a named resource contradict each other: each counts.
    let mut missing_context = result.missing_context_values.unwrap_or_default();
    let boundary = result.permissions_boundary_decision_detail.as_ref();
    let mut boundary_allows = boundary.map(|detail| detail.allowed_by_permissions_boundary);
    let mut own = result.eval_decision_details.as_ref().and_then(of_identity);
    for of_one in of_resources {
        for key in of_one.missing_context_values.unwrap_or_default() {
            if !missing_context.contains(&key) {
                missing_context.push(key);
            }
        }
        let boundary = of_one.permissions_boundary_decision_detail.as_ref();
        let allows = boundary.map(|detail| detail.allowed_by_permissions_boundary);
        boundary_allows = match (boundary_allows, allows) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (before, here) => before.or(here),
        };
        own = worse(own, of_one.eval_decision_details.as_ref().and_then(of_identity));
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

/// The decision of the principal's own policies, by the type of policy that IAM names: `IAM Policy`, or words with
/// `identity` in them.
fn of_identity(details: &HashMap<String, PolicyEvaluationDecisionType>) -> Option<SimulatedDecision> {
    let is_of_identity = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.contains("iam") || name.contains("identity")
    };
    let decisions = details.iter().filter(|(name, _)| is_of_identity(name));
    decisions.filter_map(|(_, said)| decision(said)).fold(None, |worst, said| worse(worst, Some(said)))
}

fn worse(one: Option<SimulatedDecision>, other: Option<SimulatedDecision>) -> Option<SimulatedDecision> {
    let rank = |said: &SimulatedDecision| match said {
        SimulatedDecision::Allowed => 0,
        SimulatedDecision::NotReported => 1,
        SimulatedDecision::ImplicitDeny => 2,
        SimulatedDecision::ExplicitDeny => 3,
    };
    one.into_iter().chain(other).max_by_key(rank)
}

fn decision(said: &PolicyEvaluationDecisionType) -> Option<SimulatedDecision> {
    match said {
        PolicyEvaluationDecisionType::Allowed => Some(SimulatedDecision::Allowed),
        PolicyEvaluationDecisionType::ImplicitDeny => Some(SimulatedDecision::ImplicitDeny),
        PolicyEvaluationDecisionType::ExplicitDeny => Some(SimulatedDecision::ExplicitDeny),
        _ => None,
    }
}
