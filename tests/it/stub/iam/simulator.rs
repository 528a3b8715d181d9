//! The simulator of the stub's IAM. It gives the answers that the test has set, in each shape that AWS's reference leaves
//! open.

use serde_json::{Value, json};

use super::super::call::{Call, Outcome, Refusal};
use super::super::query::{list, texts};
use super::super::world::World;
use super::{Iam, invalid_input, no_such_entity};

/// What the simulator answers.
#[derive(Clone, Debug, Default)]
pub struct SimulatedAnswer {
    pub decision: SimulatedDecision,
    /// The policies that matched.
    pub policies: Vec<String>,
    /// AllowedByOrganizations; none if the account is in no organization.
    pub organizations: Option<bool>,
    /// The whole answer if the call has this condition key with these values.
    pub instead: Vec<(String, Vec<String>, Box<Self>)>,
    /// AllowedByPermissionsBoundary of the whole result; none if there is no boundary.
    pub boundary: Option<bool>,
    /// The same of the resource's result.
    pub boundary_of_resource: Option<bool>,
    /// Condition keys that the policies ask for. Those that the call does not have are the missing context.
    pub asks_for: Vec<String>,
    /// The decision if the call has this condition key with these values.
    pub decisions: Vec<(String, Vec<String>, SimulatedDecision)>,
    /// The organization's policies refuse a call that does not have this condition key with this value. The answer
    /// never lists the key as missing.
    pub organization_wants: Option<(String, String)>,
}

/// The simulator's decision. Without any policy nothing is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SimulatedDecision {
    Allowed,
    #[default]
    ImplicitDeny,
    ExplicitDeny,
}

/// What AWS leaves open about the shape of answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnswerShape {
    /// Where an answer about another account's key has the decision of the principal's own policies.
    pub details: Details,
    /// Whether a refusal by the organization's policies ends the simulation. The answer then lists no missing keys.
    pub ends_at_organization: bool,
    /// Whether only the resource's result lists missing keys.
    pub missing_of_resource: bool,
}

/// Where EvalDecisionDetails has an entry for identity policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Details {
    #[default]
    OfResult,
    OfResource,
    InBothPlaces,
    /// The details are there, without such an entry.
    OtherTypesOnly,
    Nowhere,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub principal: String,
    pub action: String,
    pub resource: String,
    pub answer: SimulatedAnswer,
}

impl SimulatedAnswer {
    /// Allowed by this policy.
    pub fn allowed(policy: &str) -> Self {
        Self { decision: SimulatedDecision::Allowed, policies: vec![policy.to_owned()], ..Self::default() }
    }

    /// Denied by a statement of this policy.
    pub fn denied(policy: &str) -> Self {
        Self { decision: SimulatedDecision::ExplicitDeny, ..Self::allowed(policy) }
    }
}

/// The principal's own policies only: no PolicyInputList, no ResourcePolicy.
pub fn simulate(world: &mut World, call: &Call) -> Outcome {
    call.only(&["PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries"])
        .map_err(invalid_input)?;
    let principal = call.required("PolicySourceArn").map_err(invalid_input)?;
    let Iam { roles, users, simulated, .. } = &world.iam;
    let account = principal.split(':').nth(4);
    let known = roles.iter().any(|role| role.arn == principal) || users.iter().any(|user| user == principal);
    if !known || account != Some(call.caller.account.as_str()) {
        return Err(no_such_entity(&format!("The principal {principal}")));
    }
    let context = context_of(call)?;
    let shape = world.iam.shape;
    let actions = texts(&call.body, "ActionNames")?;
    let resources = match texts(&call.body, "ResourceArns")? {
        none if none.is_empty() => vec!["*"],
        some => some,
    };
    if actions.is_empty() || actions.iter().any(|action| !action.contains(':')) {
        return Err(invalid_input(Refusal::validation("Invalid Action Name")));
    }
    let mut results = Vec::new();
    for (action, resource) in actions.iter().flat_map(|action| resources.iter().map(move |on| (action, on))) {
        let matches = |rule: &&Rule| {
            rule.principal == principal
                && [action, "*"].contains(&rule.action.as_str())
                && [resource, "*"].contains(&rule.resource.as_str())
        };
        let answer = simulated.iter().rev().find(matches).map(|rule| rule.answer.clone()).unwrap_or_default();
        let is_foreign = resource.split(':').nth(4).is_some_and(|owner| Some(owner) != account);
        results.push(result(action, resource, &answer, &context, shape, is_foreign));
    }
    Ok(json!({"EvaluationResults": results, "IsTruncated": false}))
}

/// The context of a call: the keys' names in lower case, with their values.
type CallContext = Vec<(String, Vec<String>)>;

/// Reads the context. Each value must be of its type, and no key may occur twice.
fn context_of(call: &Call) -> Result<CallContext, Refusal> {
    let mut names: CallContext = Vec::new();
    for entry in list(&call.body, "ContextEntries")? {
        let text = |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default();
        let (name, kind) = (text("ContextKeyName"), text("ContextKeyType"));
        let values = texts(entry, "ContextKeyValues")?;
        let fits = |value: &&str| match kind.trim_end_matches("List") {
            "string" => true,
            "boolean" => ["true", "false"].contains(value),
            "numeric" => value.parse::<f64>().is_ok(),
            "ip" => value.parse::<std::net::IpAddr>().is_ok(),
            "date" => value.contains('T'),
            "binary" => value.is_ascii(),
            _ => false,
        };
        let several = values.len() > 1 && !kind.ends_with("List");
        let twice = names.iter().any(|(known, _)| *known == name.to_ascii_lowercase());
        if name.is_empty() || values.is_empty() || several || twice || !values.iter().all(fits) {
            let message = format!("Invalid context entry `{name}` of type `{kind}`");
            return Err(invalid_input(Refusal::validation(message)));
        }
        names.push((name.to_ascii_lowercase(), values.iter().map(|&value| value.to_owned()).collect()));
    }
    Ok(names)
}

/// For a key of another account the decision is about both sides, and the key's side is not simulated.
fn result(
    action: &str,
    resource: &str,
    answer: &SimulatedAnswer,
    context: &CallContext,
    shape: AnswerShape,
    is_foreign: bool,
) -> Value {
    let word = |decision| match decision {
        SimulatedDecision::Allowed => "allowed",
        SimulatedDecision::ImplicitDeny => "implicitDeny",
        SimulatedDecision::ExplicitDeny => "explicitDeny",
    };
    let has = |key: &str, values: &[String]| {
        context.iter().any(|(name, found)| *name == key.to_ascii_lowercase() && found == values)
    };
    let instead = answer.instead.iter().find(|(key, values, _)| has(key, values));
    let answer = instead.map_or(answer, |(_, _, instead)| instead);
    let wanted = answer.organization_wants.as_ref();
    let wanted = wanted.map(|(key, value)| has(key, std::slice::from_ref(value)));
    let organizations = wanted.or(answer.organizations);
    let is_over = shape.ends_at_organization && organizations == Some(false);
    let decided = answer.decisions.iter().find(|(key, values, _)| has(key, values));
    let own = decided.map_or(answer.decision, |(_, _, decision)| *decision);
    let decision = match own {
        _ if is_over => word(SimulatedDecision::ImplicitDeny),
        SimulatedDecision::Allowed if is_foreign => word(SimulatedDecision::ImplicitDeny),
        own => word(own),
    };
    let matched = answer.policies.iter().map(|policy| {
        json!({
            "SourcePolicyId": policy,
            "SourcePolicyType": "IAM Policy",
            "StartPosition": {"Line": 1, "Column": 1},
            "EndPosition": {"Line": 9, "Column": 1},
        })
    });
    let missing = answer
        .asks_for
        .iter()
        .filter(|key| !is_over && !context.iter().any(|(name, _)| *name == key.to_ascii_lowercase()));
    let missing: Vec<_> = missing.collect();
    let mut result = json!({
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision,
        "MatchedStatements": matched.collect::<Vec<_>>(),
        "MissingContextValues": if shape.missing_of_resource { vec![] } else { missing.clone() },
    });
    let mut of_resource = json!({"EvalResourceName": resource, "EvalResourceDecision": decision});
    if shape.missing_of_resource {
        of_resource["MissingContextValues"] = json!(missing);
    }
    // IAM's reference says: in one account the details are empty, and a denial by the organization leaves them out.
    if organizations != Some(false) {
        let of_key = json!({"key": "Resource-based policy", "value": "implicitDeny"});
        let entries = json!([{"key": "IAM Policy", "value": word(own)}, of_key]);
        let (of_the_result, of_the_resource) = match shape.details {
            _ if !is_foreign => (json!([]), json!([])),
            Details::OfResult => (entries, json!([])),
            Details::OfResource => (json!([]), entries),
            Details::InBothPlaces => (entries.clone(), entries),
            Details::OtherTypesOnly => (json!([of_key]), json!([of_key])),
            Details::Nowhere => (Value::Null, Value::Null),
        };
        for (place, details) in [(&mut result, of_the_result), (&mut of_resource, of_the_resource)] {
            if !details.is_null() {
                place["EvalDecisionDetails"] = details;
            }
        }
    }
    if let Some(allowed) = organizations {
        result["OrganizationsDecisionDetail"] = json!({"AllowedByOrganizations": allowed});
    }
    for (place, allowed) in [(&mut result, answer.boundary), (&mut of_resource, answer.boundary_of_resource)]
    {
        if let Some(allowed) = allowed {
            place["PermissionsBoundaryDecisionDetail"] = json!({"AllowedByPermissionsBoundary": allowed});
        }
    }
    result["ResourceSpecificResults"] = json!([of_resource]);
    result
}
