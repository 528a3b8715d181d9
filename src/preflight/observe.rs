//! Observing access: the reads behind the assessment of a key, several at a time under a bound.
//!
//! The number of reads grows with the pages of the lists and with the distinct roles, not with the nodes. What may not
//! be read, or does not answer, is noted as unknown with the reason, and the rest goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::oneshot;

use super::READS_AT_A_TIME;
use super::listed_policies::PolicyList;
use super::lookups::{Lookups, RequestedReads};
use super::network::{NetworkObservation, observe_network};
use super::observation::{AccessObservation, AccessQuestion, Need, Read, Subject};
use super::own_side::with_own_side;
use super::principals::{FoundInstances, FoundNodes, FoundPrincipal, found_nodes, found_users};
use crate::access::{CallerKind, OwnSide, PrincipalArn};
use crate::intent::Safeguards;
use crate::key::KeyDescription;
use crate::ports::{DryRun, Environment, PreflightPorts};

/// How far back the session history is read.
const HISTORY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Reads everything that the access checks use.
pub async fn observe_access<P: PreflightPorts>(
    environment: Environment<'_, P>,
    AccessQuestion { key, document, safeguards }: AccessQuestion<'_>,
) -> AccessObservation {
    let Environment { ports, location, .. } = environment;
    let since = ports.now() - HISTORY;
    let lookups = Lookups::new(environment, key, safeguards);
    let (to_network, instances) = oneshot::channel();
    // Boxed, like all that follows: each call in flight has a large state.
    let read_nodes = Box::pin(async {
        match safeguards.discover_nodes {
            true => Some(found_nodes(environment, &safeguards.context, to_network).await),
            false => {
                drop(to_network);
                None
            }
        }
    });
    let read_users = Box::pin(async {
        match safeguards.discover_users {
            true => Some(found_users(environment, document, since).await),
            false => None,
        }
    });
    let read_subjects = async {
        let policy = Box::pin(read_policy(environment, key, safeguards));
        let (policy, nodes, users) = tokio::join!(policy, read_nodes, read_users);
        let (found, nodes) = match nodes {
            Some(Ok(FoundNodes { principals, nodes })) => (principals, Some(Read::Known(nodes))),
            Some(Err(error)) => (Vec::new(), Some(Read::Unknown(error.to_string()))),
            None => (Vec::new(), None),
        };
        let mut subjects = subjects(&safeguards.nodes, "Nodes", found, CallerKind::Node);
        let (found, sessions) = users.map_or((Vec::new(), None), |(found, sessions)| (found, Some(sessions)));
        subjects.extend(self::subjects(&safeguards.users, "Users", found, CallerKind::User));
        // The list has tags, which the key policy may ask for.
        let list = Box::pin(PolicyList::of(&lookups, subjects.iter())).await;
        Box::pin(lookups.read_for(&policy, &mut subjects)).await;
        let subjects = stream::iter(subjects)
            .map(|subject| with_own_side(&lookups, &list, subject))
            .buffered(READS_AT_A_TIME)
            .collect::<Vec<_>>()
            .await;
        (policy, subjects, list.why_unreadable().map(str::to_owned), nodes, sessions)
    };
    let ((policy, subjects, unlisted_policies, nodes, sessions), network, grants, dry_runs) = tokio::join!(
        Box::pin(read_subjects),
        Box::pin(read_network(environment, &lookups, instances)),
        Box::pin(ports.grants(&key.arn, safeguards.reader.as_ref())),
        Box::pin(dry_runs(environment, key)),
    );
    AccessObservation {
        key: key.clone(),
        account: location.account.clone(),
        context: safeguards.context.clone(),
        attributes: lookups.attributes(),
        policy,
        grants: grants.into(),
        dry_runs,
        subjects,
        unlisted_policies,
        nodes,
        network,
        sessions,
    }
}

/// Reads again what may have changed since: the key's side, and the own sides of those who do not pass. What was known
/// stays known if it cannot be read now: a refusal is not forgotten because a call fails.
pub(super) async fn observe_again<P: PreflightPorts>(
    environment: Environment<'_, P>,
    safeguards: &Safeguards,
    observation: &mut AccessObservation,
    failing: &BTreeSet<(PrincipalArn, CallerKind)>,
) {
    let ports = environment.ports;
    let key = observation.key.clone();
    let (policy, grants, dry_runs) = tokio::join!(
        Box::pin(read_policy(environment, &key, safeguards)),
        Box::pin(ports.grants(&key.arn, safeguards.reader.as_ref())),
        Box::pin(dry_runs(environment, &key))
    );
    renew(&mut observation.policy, policy);
    renew(&mut observation.grants, grants.into());
    for ((_, old), (_, new)) in observation.dry_runs.iter_mut().zip(dry_runs) {
        renew(old, new);
    }
    let failing = |subject: &Subject| failing.contains(&(subject.principal.clone(), subject.side));
    let mut tags = BTreeMap::new();
    for (at, subject) in observation.subjects.iter_mut().enumerate() {
        if failing(subject)
            && let Some(before) = subject.tags.take()
        {
            tags.insert(at, before);
        }
    }
    let lookups = Lookups::new(environment, &key, safeguards);
    let list =
        Box::pin(PolicyList::of(&lookups, observation.subjects.iter().filter(|subject| failing(subject))));
    let list = &list.await;
    Box::pin(lookups.read_for(&observation.policy, &mut observation.subjects)).await;
    let asked: Vec<_> =
        observation.subjects.iter().cloned().enumerate().filter(|(_, subject)| failing(subject)).collect();
    let lookups = &lookups;
    let read_again: Vec<(usize, Subject)> = stream::iter(asked)
        .map(|(at, subject)| async move { (at, with_own_side(lookups, list, subject).await) })
        .buffered(READS_AT_A_TIME)
        .collect()
        .await;
    for (at, new) in read_again {
        let Some(subject) = observation.subjects.get_mut(at) else { continue };
        renew_asked(&mut subject.tags, new.tags);
        if !matches!(new.own, OwnSide::Unknown(_)) {
            (subject.own, subject.asked_of_context) = (new.own, new.asked_of_context);
        }
    }
    for (at, before) in tags {
        if let Some(subject) = observation.subjects.get_mut(at)
            && subject.tags.as_ref().and_then(Read::known).is_none()
        {
            subject.tags = Some(before);
        }
    }
    let read = lookups.attributes();
    let attributes = &mut observation.attributes;
    renew_asked(&mut attributes.organization, read.organization);
    renew_asked(&mut attributes.resource_tags, read.resource_tags);
    renew_asked(&mut attributes.aliases, read.aliases);
}

fn renew_asked<T>(old: &mut Option<Read<T>>, new: Option<Read<T>>) {
    match (&mut *old, new) {
        (Some(old), Some(new)) => renew(old, new),
        (None, new) => *old = new,
        (Some(_), None) => {}
    }
}

fn renew<T>(old: &mut Read<T>, new: Read<T>) {
    if new.known().is_some() {
        *old = new;
    }
}

/// The key's policy: as it is read or, if nothing may read it, as the property KeyPolicy gives it.
async fn read_policy<P: PreflightPorts>(
    environment: Environment<'_, P>,
    key: &KeyDescription,
    safeguards: &Safeguards,
) -> Read<String> {
    let Environment { ports, location, .. } = environment;
    let owner = &key.arn.location().account;
    let reader = safeguards.reader.as_ref();
    let read = if *owner == location.account || reader.is_some() {
        ports.key_policy(&key.arn, reader).await.map_err(|error| error.to_string())
    } else {
        Err(format!(
            "the key belongs to account {owner}, and only that account may read its policy; set \
             KeyPolicyReaderRoleArn, or hand the policy in by KeyPolicy (--reader-role or --key-policy on the command \
             line)"
        ))
    };
    match (read, &safeguards.key_policy) {
        (Ok(policy), _) => Read::Known(policy),
        (Err(_), Some(given)) => Read::Known(given.clone()),
        (Err(why), None) => Read::Unknown(why),
    }
}

/// Both calls of a session as dry runs, if they are asked for: they need permissions that nothing else needs.
async fn dry_runs<P: PreflightPorts>(
    environment: Environment<'_, P>,
    key: &KeyDescription,
) -> Vec<(CallerKind, Read<DryRun>)> {
    let Environment { ports, tries_key, .. } = environment;
    if !tries_key {
        return Vec::new();
    }
    let run = async |side: CallerKind| (side, Read::from(ports.dry_run(&key.arn, side.call()).await));
    let (user, node) = tokio::join!(run(CallerKind::User), run(CallerKind::Node));
    vec![user, node]
}

/// Reads the network of the instances, when they are found, and what the policies of its endpoints ask for. `None` if no
/// instance is found among the nodes.
async fn read_network<P: PreflightPorts>(
    environment: Environment<'_, P>,
    lookups: &Lookups<'_, P>,
    instances: oneshot::Receiver<FoundInstances>,
) -> Option<Read<NetworkObservation>> {
    let FoundInstances { managed, all } = instances.await.ok()?;
    let instances = match all {
        Ok(instances) => instances,
        Err(error) => return Some(Read::Unknown(error.to_string())),
    };
    let network = Box::pin(observe_network(environment, &managed, instances)).await;
    // The policies of endpoints ask for attributes too, mostly for the organization.
    let asked = network.condition_keys();
    let asked = RequestedReads::of(asked.iter().map(String::as_str), &lookups.safeguards.context);
    Box::pin(lookups.read_of_key(asked)).await;
    Some(Read::Known(network))
}

/// The principals of both sides, each once a side: those that are named, and those that were found.
fn subjects(
    named: &[PrincipalArn],
    property: &str,
    found: Vec<FoundPrincipal>,
    side: CallerKind,
) -> Vec<Subject> {
    let subject = |principal, source, need| Subject {
        principal,
        side,
        source,
        need,
        own: OwnSide::Unknown("it was not asked".to_owned()),
        asked_of_context: Vec::new(),
        tags: None,
    };
    let mut subjects: Vec<Subject> = Vec::new();
    for principal in named {
        if !subjects.iter().any(|subject| subject.principal == *principal) {
            subjects.push(subject(principal.clone(), format!("property {property}"), Need::Certain));
        }
    }
    for FoundPrincipal { principal, source, need } in found {
        match subjects.iter_mut().find(|subject| subject.principal == principal) {
            Some(named) => named.source = format!("{}; {source}", named.source),
            None => subjects.push(subject(principal, source, need)),
        }
    }
    subjects
}
