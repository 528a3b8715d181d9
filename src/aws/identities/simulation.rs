//! The answer of IAM's simulator about one action on one resource.

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};

use crate::aws::xml::{each, required, text, text_if_any, value};
use crate::ports::{SimulatedDecision, Simulation};

/// A result, or the part of it that is about one resource. Both have the same members.
#[derive(Clone, Debug, Default)]
pub(super) struct Evaluation {
    /// The decision, by its name in the API.
    decision: Option<String>,
    /// The decisions by type of policy.
    details: Vec<(String, String)>,
    /// The policies whose statements matched.
    policies: Vec<String>,
    missing_context: Vec<String>,
    organizations_allow: Option<bool>,
    boundary_allows: Option<bool>,
    of_resources: Vec<Self>,
}

/// Reads the one result that one action on one resource has.
pub(super) fn read(answer: &mut ScopedDecoder<'_, '_>) -> Result<Evaluation, XmlDecodeError> {
    let mut first = None;
    each(answer, &["EvaluationResults"], |_, results| {
        each(results, &["member"], |_, result| {
            let evaluation = evaluation(result)?;
            first.get_or_insert(evaluation);
            Ok(())
        })
    })?;
    required(first)
}

fn evaluation(result: &mut ScopedDecoder<'_, '_>) -> Result<Evaluation, XmlDecodeError> {
    const MEMBERS: [&str; 8] = [
        "EvalDecision",
        "EvalResourceDecision",
        "EvalDecisionDetails",
        "MatchedStatements",
        "MissingContextValues",
        "OrganizationsDecisionDetail",
        "PermissionsBoundaryDecisionDetail",
        "ResourceSpecificResults",
    ];
    let mut found = Evaluation::default();
    each(result, &MEMBERS, |name, tag| {
        match name {
            "EvalDecision" | "EvalResourceDecision" => found.decision = text_if_any(tag)?,
            "EvalDecisionDetails" => each(tag, &["entry"], |_, entry| {
                let (mut key, mut decision) = (String::new(), String::new());
                each(entry, &["key", "value"], |name, tag| {
                    *(if name == "key" { &mut key } else { &mut decision }) = text(tag)?;
                    Ok(())
                })?;
                found.details.push((key, decision));
                Ok(())
            })?,
            "MatchedStatements" => each(tag, &["member"], |_, statement| {
                each(statement, &["SourcePolicyId"], |_, tag| {
                    found.policies.extend(text_if_any(tag)?);
                    Ok(())
                })
            })?,
            "MissingContextValues" => each(tag, &["member"], |_, tag| {
                found.missing_context.extend(text_if_any(tag)?);
                Ok(())
            })?,
            "OrganizationsDecisionDetail" => {
                found.organizations_allow = Some(detail(tag, "AllowedByOrganizations")?);
            }
            "PermissionsBoundaryDecisionDetail" => {
                found.boundary_allows = Some(detail(tag, "AllowedByPermissionsBoundary")?);
            }
            _ => each(tag, &["member"], |_, resource| {
                found.of_resources.push(evaluation(resource)?);
                Ok(())
            })?,
        }
        Ok(())
    })?;
    Ok(found)
}

/// The value of a detail. One that does not say so allows nothing.
fn detail(tag: &mut ScopedDecoder<'_, '_>, name: &'static str) -> Result<bool, XmlDecodeError> {
    let mut allows = None;
    each(tag, &[name], |_, tag| {
        allows = value(tag)?;
        Ok(())
    })?;
    Ok(allows.unwrap_or(false))
}

/// What a result says; `None` if its decision is not one that session-kms knows.
///
/// In one account the result's decision counts. Across accounts it is that of both sides together, although the key's
/// side is not simulated, so the decision of the principal's own policies counts, which the details hold.
pub(super) fn simulation(result: Evaluation, is_across_accounts: bool) -> Option<Simulation> {
    let Evaluation { mut policies, mut missing_context, mut boundary_allows, .. } = result;
    let mut own = own_decision(&result.details);
    // AWS's documentation contradicts itself on which of the two places has a member for a named resource, so both
    // count.
    for resource in result.of_resources {
        missing_context.extend(resource.missing_context);
        policies.extend(resource.policies);
        boundary_allows = match (boundary_allows, resource.boundary_allows) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (before, here) => before.or(here),
        };
        own = worse(own, own_decision(&resource.details));
    }
    let decision = match decision(result.decision.as_deref().unwrap_or_default())? {
        of_both if is_across_accounts => of_own_side(of_both, own),
        decision => decision,
    };
    Some(Simulation {
        decision,
        policies: each_once(policies),
        organizations_allow: result.organizations_allow,
        boundary_allows,
        missing_context: each_once(missing_context),
    })
}

/// The texts in their order, each once.
fn each_once(texts: Vec<String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once
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
fn own_decision(details: &[(String, String)]) -> Option<SimulatedDecision> {
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

fn decision(simulated: &str) -> Option<SimulatedDecision> {
    match simulated {
        "allowed" => Some(SimulatedDecision::Allowed),
        "implicitDeny" => Some(SimulatedDecision::ImplicitDeny),
        "explicitDeny" => Some(SimulatedDecision::ExplicitDeny),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
