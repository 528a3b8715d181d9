//! A principal's own side, as IAM's simulator sees it. It is called with what is certain, and again with the
//! condition keys that its answer lists as missing.

use super::lookups::{Lookups, RequestedReads};
use super::observation::{Read, Subject};
use crate::access::{
    CHALLENGE, JUST_IN_TIME_TAG, KeyFacts, OwnSide, SimulatedCall, Tags, asks_for_encryption_context,
    encryption_contexts,
};
use crate::ports::{AwsError, ContextEntry, PreflightPorts, SimulatedDecision, Simulation};

/// A subject with what is known of its own side. The simulator answers for the function's own account only.
pub(super) async fn with_own_side<P: PreflightPorts>(lookups: &Lookups<'_, P>, subject: Subject) -> Subject {
    let account = subject.principal.account();
    if account != lookups.environment.location.account {
        let why = format!("it belongs to account {account}, whose policies cannot be read from here");
        return Subject { own: OwnSide::Unknown(why), ..subject };
    }
    match Box::pin(simulated(lookups, &subject)).await {
        Ok((simulation, asked_of_context, tags)) => {
            let tags = tags.or(subject.tags);
            Subject { own: OwnSide::Simulated(simulation), asked_of_context, tags, ..subject }
        }
        Err(error) => {
            Subject { own: OwnSide::Unknown(error.to_string()), asked_of_context: Vec::new(), ..subject }
        }
    }
}

/// Simulates a principal's call: the result, the keys of Context that it asked for, and the principal's tags if they were
/// read. Each encryption context is simulated only if a policy looks at the names in it. Then the worst result counts.
async fn simulated<P: PreflightPorts>(
    lookups: &Lookups<'_, P>,
    subject: &Subject,
) -> Result<(Simulation, Vec<String>, Option<Read<Tags>>), AwsError> {
    let call = SimulatedCall { principal: &subject.principal, side: subject.side, key: &lookups.key.arn };
    let ask = async |context: Vec<ContextEntry>| {
        let (principal, action) = (subject.principal.as_str(), subject.side.call().action());
        lookups.environment.ports.simulate(principal, action, lookups.key.arn.as_str(), &context).await
    };
    let certain = KeyFacts::from(lookups.key);
    let is_just_in_time = subject.principal.is_just_in_time_role();
    let mut first = if is_just_in_time {
        // Its managed policy asks for a tag of the key.
        lookups.read_of_key(RequestedReads { resource_tags: true, ..RequestedReads::default() }).await;
        ask(call.context_entries(&lookups.facts(&subject.principal, subject.side, None), None)).await?
    } else {
        ask(call.certain_entries(&certain)).await?
    };
    if is_just_in_time && matches!(lookups.attributes().resource_tags, Some(Read::Unknown(_))) {
        let tag = format!("aws:ResourceTag/{JUST_IN_TIME_TAG}");
        if first.missing_context.iter().all(|name| !name.eq_ignore_ascii_case(&tag)) {
            first.missing_context.push(tag);
        }
    }
    let known = &lookups.safeguards.context;
    let missing = first.missing_context.clone();
    let mut asked = RequestedReads::of(missing.iter().map(String::as_str), known);
    // The simulator does not list the condition keys that service control policies use. If such a policy refuses the
    // principal, the call is simulated again with the keys that these policies usually use.
    if first.organizations_allow == Some(false) {
        asked.principal_tags = true;
        asked.principal_organization = true;
    }
    lookups.read_of_key(asked).await;
    let tags = match (&subject.tags, asked.principal_tags) {
        (Some(tags), _) => Some(tags.clone()),
        (None, true) => Some(lookups.tags_of(&subject.principal, subject.side).await),
        (None, false) => None,
    };
    let facts = lookups.facts(&subject.principal, subject.side, tags.as_ref());
    let all_contexts = encryption_contexts(known);
    let mut of_context: Vec<String> =
        missing.iter().filter(|name| known.get(name).is_some()).cloned().collect();
    let contexts: Vec<Option<&[&str]>> = if asks_for_encryption_context(&missing) {
        // Context may say which of the encryption contexts come.
        of_context.extend(known.get(CHALLENGE).map(|known| known.name().to_owned()));
        all_contexts.iter().map(|names| Some(*names)).collect()
    } else if would_know_more(&first, &call, &facts, &certain) {
        vec![None]
    } else {
        Vec::new()
    };
    // The encryption contexts differ in their names only, so any of them serves here.
    let any_names = all_contexts.first().copied();
    let before = (first.decision, first.organizations_allow, first.boundary_allows);
    first.missing_context = call.still_missing(&facts, any_names, &missing);
    let mut worst: Option<Simulation> = None;
    for names in contexts {
        let mut answer = ask(call.context_entries(&facts, names)).await?;
        let missing = std::mem::take(&mut answer.missing_context);
        answer.missing_context = call.still_missing(&facts, names.or(any_names), &missing);
        if worst.as_ref().is_none_or(|worst| severity(&answer) > severity(worst)) {
            worst = Some(answer);
        }
    }
    let answer = worst.unwrap_or(first);
    let after = (answer.decision, answer.organizations_allow, answer.boundary_allows);
    // If the result changed and no policy named a key, then a service control policy did.
    let of_context = if of_context.is_empty() && before != after && before.1 != after.1 {
        known.iter().map(|known| known.name().to_owned()).collect()
    } else {
        of_context
    };
    Ok((answer, of_context, tags))
}

/// Whether a second simulation would know more that may matter: a key that the first one missed or, if there are service
/// control policies, any key.
fn would_know_more(
    first: &Simulation,
    call: &SimulatedCall<'_>,
    facts: &KeyFacts,
    certain: &KeyFacts,
) -> bool {
    let entries = call.context_entries(facts, None);
    let is_given = |name: &String| entries.iter().any(|entry| entry.key.eq_ignore_ascii_case(name));
    let may_matter_to_organization = match first.organizations_allow {
        Some(true) => !facts.known.is_empty(),
        Some(false) => entries.len() > call.context_entries(certain, None).len(),
        None => false,
    };
    first.missing_context.iter().any(is_given) || may_matter_to_organization
}

/// How bad a result is: a refusal is worst, then an unknown result, then an allow.
fn severity(simulation: &Simulation) -> (u8, bool, u8) {
    let limited = [simulation.organizations_allow, simulation.boundary_allows].contains(&Some(false));
    let decision = match simulation.decision {
        SimulatedDecision::Allowed => 0,
        SimulatedDecision::NotReported => 1,
        SimulatedDecision::ImplicitDeny => 2,
        SimulatedDecision::ExplicitDeny => 3,
    };
    let certainty = match (simulation.missing_context.is_empty(), limited || decision > 1) {
        (true, true) => 2,
        (true, false) if decision == 0 => 0,
        _ => 1,
    };
    (certainty, limited, decision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certain_refusal_is_worse_than_what_is_not_known_and_that_than_an_allow() {
        let simulation = |decision, boundary_allows, missing: &[&str]| Simulation {
            decision,
            policies: Vec::new(),
            organizations_allow: None,
            boundary_allows,
            missing_context: missing.iter().map(|name| (*name).to_owned()).collect(),
        };
        let rising = [
            simulation(SimulatedDecision::Allowed, None, &[]),
            simulation(SimulatedDecision::Allowed, None, &["aws:SourceIp"]),
            simulation(SimulatedDecision::NotReported, None, &[]),
            simulation(SimulatedDecision::ExplicitDeny, None, &["aws:SourceIp"]),
            simulation(SimulatedDecision::ImplicitDeny, None, &[]),
            simulation(SimulatedDecision::ExplicitDeny, None, &[]),
            simulation(SimulatedDecision::Allowed, Some(false), &[]),
        ];
        assert!(rising.is_sorted_by_key(severity), "{rising:?}");
    }
}
