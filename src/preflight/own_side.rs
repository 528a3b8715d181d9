//! A principal's own side, as IAM's list of the account has it, or as IAM's simulator sees it. The simulator is called with what is certain, and again with the
//! condition keys that its answer lists as missing.

use super::listed_policies::PolicyList;
use super::lookups::{Lookups, RequestedReads};
use super::observation::{Read, Subject};
use crate::access::{
    CHALLENGE, JUST_IN_TIME_TAG, KeyFacts, KnownContext, OwnSide, SimulatedCall, Tags,
    asks_for_encryption_context, encryption_contexts,
};
use crate::ports::{AwsError, ContextEntry, PreflightPorts, SimulatedDecision, Simulation};

/// A subject with what is known of its own side. IAM answers for the function's own account only.
pub(super) async fn with_own_side<P: PreflightPorts>(
    lookups: &Lookups<'_, P>,
    list: &PolicyList,
    subject: Subject,
) -> Subject {
    let account = subject.principal.account();
    if account != lookups.environment.location.account {
        let why = format!("it belongs to account {account}, whose policies cannot be read from here");
        return Subject { own: OwnSide::Unknown(why), ..subject };
    }
    if let Some(subject) = Box::pin(list.own_side(lookups, &subject)).await {
        return subject;
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
/// read. Each encryption context is simulated only if a policy may look at the names in it. Then the worst result
/// counts.
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
    let all_contexts = encryption_contexts(known);
    let before = limits(&first);
    let mut tags = subject.tags.clone();
    let mut asked_for = first.missing_context.clone();
    let mut answer = first;
    loop {
        let needs = Needs::of(&answer, &asked_for, known);
        lookups.read_of_key(needs.reads).await;
        if needs.reads.principal_tags && tags.is_none() {
            tags = Some(lookups.tags_of(&subject.principal, subject.side).await);
        }
        let facts = lookups.facts(&subject.principal, subject.side, tags.as_ref());
        let contexts: Vec<Option<&[&str]>> = if needs.encryption_contexts {
            all_contexts.iter().map(|names| Some(*names)).collect()
        } else if would_know_more(&answer, &asked_for, &call, &facts) {
            vec![None]
        } else {
            Vec::new()
        };
        // The encryption contexts differ in their names only, so any of them serves here.
        let any_names = all_contexts.first().copied();
        let mut listed = Vec::new();
        let mut worst: Option<Simulation> = None;
        for names in contexts {
            let mut found = ask(call.context_entries(&facts, names)).await?;
            let missing = std::mem::take(&mut found.missing_context);
            found.missing_context = call.still_missing(&facts, names.or(any_names), &missing);
            listed.extend(missing);
            if worst.as_ref().is_none_or(|worst| severity(&found) > severity(worst)) {
                worst = Some(found);
            }
        }
        match worst {
            None => answer.missing_context = call.still_missing(&facts, any_names, &asked_for),
            Some(worst) => answer = worst,
        }
        // If a service control policy denies a call, IAM ends the simulation, so the keys that the principal's own
        // policies ask for may be listed only now.
        let is_new = |name: &String| !asked_for.iter().any(|known| known.eq_ignore_ascii_case(name));
        let new: Vec<_> = listed.into_iter().filter(is_new).collect();
        let is_known_better = needs.covers(Needs::of(&answer, &new, known));
        asked_for.extend(new);
        if is_known_better {
            break;
        }
    }
    let mut of_context: Vec<String> =
        asked_for.iter().filter(|name| known.get(name).is_some()).cloned().collect();
    if asks_for_encryption_context(&asked_for) {
        // Context may say which of the encryption contexts come.
        of_context.extend(known.get(CHALLENGE).map(|known| known.name().to_owned()));
    }
    // If the result changed and no policy named a key, then a service control policy did.
    if of_context.is_empty() && before != limits(&answer) && before.1 != answer.organizations_allow {
        of_context = known.iter().map(|known| known.name().to_owned()).collect();
    }
    Ok((answer, of_context, tags))
}

/// The decision, and whether service control policies and the boundary allow the call.
fn limits(simulation: &Simulation) -> (SimulatedDecision, Option<bool>, Option<bool>) {
    (simulation.decision, simulation.organizations_allow, simulation.boundary_allows)
}

/// What another simulation needs so that it knows all that may matter.
#[derive(Clone, Copy, Debug)]
struct Needs {
    reads: RequestedReads,
    /// Whether it needs the names in the encryption context.
    encryption_contexts: bool,
}

impl Needs {
    /// What a simulation needs after this answer, in which policies asked for these condition keys.
    ///
    /// The simulator does not list the condition keys that service control policies use, and AWS does not say whether
    /// it lists those of a boundary. If one of these refuses the call, every key that can be known may matter.
    fn of(answer: &Simulation, asked_for: &[String], known: &KnownContext) -> Self {
        if answer.is_refused_by_organization() || answer.boundary_allows == Some(false) {
            return Self { reads: RequestedReads::everything(), encryption_contexts: true };
        }
        Self {
            reads: RequestedReads::of(asked_for.iter().map(String::as_str), known),
            encryption_contexts: asks_for_encryption_context(asked_for),
        }
    }

    /// Whether a simulation with all this also has what the other needs.
    fn covers(self, other: Self) -> bool {
        self.reads.covers(other.reads) && (self.encryption_contexts || !other.encryption_contexts)
    }
}

/// Whether another simulation would know more that may matter: a key that this one missed or, if there are service
/// control policies, any key that the owner states.
fn would_know_more(
    answer: &Simulation,
    asked_for: &[String],
    call: &SimulatedCall<'_>,
    facts: &KeyFacts,
) -> bool {
    let entries = call.context_entries(facts, None);
    let is_given = |name: &String| entries.iter().any(|entry| entry.key.eq_ignore_ascii_case(name));
    asked_for.iter().any(is_given) || (answer.organizations_allow.is_some() && !facts.known.is_empty())
}

/// How bad a result is: a refusal is worst, then an unknown result, then an allow. A service control policy refuses
/// whatever is missing.
fn severity(simulation: &Simulation) -> (u8, bool, u8) {
    let limited = [simulation.organizations_allow, simulation.boundary_allows].contains(&Some(false));
    let decision = match simulation.decision {
        SimulatedDecision::Allowed => 0,
        SimulatedDecision::NotReported => 1,
        SimulatedDecision::ImplicitDeny => 2,
        SimulatedDecision::ExplicitDeny => 3,
    };
    let is_known = simulation.missing_context.is_empty() || simulation.is_refused_by_organization();
    let certainty = match (is_known, limited || decision > 1) {
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
        let by_organization = |missing| Simulation {
            organizations_allow: Some(false),
            ..simulation(SimulatedDecision::Allowed, None, missing)
        };
        let unknown = simulation(SimulatedDecision::ExplicitDeny, None, &["aws:SourceIp"]);
        for missing in [&[][..], &["aws:SourceIp"]] {
            assert!(severity(&by_organization(missing)) > severity(&unknown), "{missing:?}");
        }
        assert!(rising.is_sorted_by_key(severity), "{rising:?}");
    }
}
