//! The answer of IAM's simulator about one action on one resource.

use std::collections::HashMap;

use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType};

use crate::ports::{SimulatedDecision, Simulation};

/// Reads a result; `None` if its decision is not one that session-kms knows.
///
/// In one account the result's decision counts. Across accounts it is that of both sides together, although the key's
/// side is not simulated, so the decision of the principal's own policies counts, which the details hold.
pub(super) fn simulation(result: EvaluationResult, is_across_accounts: bool) -> Option<Simulation> {
    let resource_results = result.resource_specific_results.unwrap_or_default();
    // AWS's documentation contradicts itself on which of the two places has a member for a named resource, so both
    // count.
    let mut missing_context = result.missing_context_values.unwrap_or_default();
    let mut matched = result.matched_statements.unwrap_or_default();
    let boundary = result.permissions_boundary_decision_detail.as_ref();
    let mut boundary_allows = boundary.map(|detail| detail.allowed_by_permissions_boundary);
    let mut own = result.eval_decision_details.as_ref().and_then(own_decision);
    for resource in resource_results {
        for key in resource.missing_context_values.unwrap_or_default() {
            if !missing_context.contains(&key) {
                missing_context.push(key);
            }
        }
        matched.extend(resource.matched_statements.unwrap_or_default());
        let boundary = resource.permissions_boundary_decision_detail.as_ref();
        let allows = boundary.map(|detail| detail.allowed_by_permissions_boundary);
        boundary_allows = match (boundary_allows, allows) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (before, here) => before.or(here),
        };
        own = worse(own, resource.eval_decision_details.as_ref().and_then(own_decision));
    }
    let decision = match decision(&result.eval_decision)? {
        of_both if is_across_accounts => of_own_side(of_both, own),
        decision => decision,
    };
    let mut policies: Vec<String> = Vec::new();
    for policy in matched.into_iter().filter_map(|statement| statement.source_policy_id) {
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

/// The decision of the principal's own side across accounts, from the decision of both sides together and that of the
/// identity policies, if the answer has it.
fn of_own_side(of_both: SimulatedDecision, own: Option<SimulatedDecision>) -> SimulatedDecision {
    use SimulatedDecision::{Allowed, ExplicitDeny, ImplicitDeny, NotReported};
    match (of_both, own) {
        (Allowed, None) => Allowed,
        // No policy of the key is part of the simulation, so what denies explicitly is on the principal's side.
        (ExplicitDeny, None) => ExplicitDeny,
        // The key's side alone may cause the implicit deny.
        (ImplicitDeny | NotReported, None) => NotReported,
        // The two contradict each other: something denies, and the identity policies do not.
        (ExplicitDeny, Some(Allowed)) => NotReported,
        (_, Some(own)) => own,
    }
}

/// The decision of the principal's identity policies, which any of them may allow and any may deny. AWS does not
/// publish the names that policy types have in these details. IAM calls a policy of a principal `IAM Policy` elsewhere,
/// and knows the sources `user`, `group`, `role`, `aws-managed` and `user-managed`.
fn own_decision(details: &HashMap<String, PolicyEvaluationDecisionType>) -> Option<SimulatedDecision> {
    let decisions = details.iter().filter(|(name, _)| is_of_identity(name));
    let rank = |decision: &SimulatedDecision| match decision {
        SimulatedDecision::NotReported => 0,
        SimulatedDecision::ImplicitDeny => 1,
        SimulatedDecision::Allowed => 2,
        SimulatedDecision::ExplicitDeny => 3,
    };
    decisions.filter_map(|(_, own)| decision(own)).max_by_key(rank)
}

/// Whether the name of a policy type means identity policies.
fn is_of_identity(name: &str) -> bool {
    const OTHERS: [&str; 7] =
        ["resource", "boundary", "boundaries", "organization", "control", "scp", "session"];
    const IDENTITY: [&str; 6] = ["iam", "identity", "user", "group", "role", "managed"];
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    has(&IDENTITY) && !has(&OTHERS)
}

/// The worse of the decisions in the two places of an answer.
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

#[cfg(test)]
mod tests;
