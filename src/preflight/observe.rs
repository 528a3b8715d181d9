//! Observing access: the reads behind the assessment of a key, several at a time under a bound.
//!
//! The number of reads grows with the pages of the lists and with the distinct roles, not with the nodes. What may not
//! be read, or does not answer, is noted as unknown with the reason, and the rest goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use super::READS_AT_A_TIME;
use super::lookups::Lookups;
use super::network::observe_network;
use super::observation::{AccessObservation, Read, Subject};
use super::own_side::with_own_side;
use super::principals::{FoundPrincipal, found_nodes, found_users};
use crate::access::{CallerKind, OwnSide, PrincipalArn};
use crate::intent::Safeguards;
use crate::key::KeyDescription;
use crate::ports::{AwsError, DryRun, Environment, PreflightPorts};

/// How far back the session history is read.
const HISTORY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Reads everything that the access checks use.
pub async fn observe_access<P: PreflightPorts>(
    environment: Environment<'_, P>,
    key: &KeyDescription,
    safeguards: &Safeguards,
) -> AccessObservation {
    let Environment { ports, location, .. } = environment;
    let since = ports.now() - HISTORY;
    // Boxed, like all that follows: each call in flight has a large state.
    let (policy, grants, dry_runs, nodes, users) = tokio::join!(
        Box::pin(read_policy(environment, key, safeguards)),
        Box::pin(ports.grants(&key.arn, safeguards.reader.as_ref())),
        Box::pin(dry_runs(ports, key)),
        async {
            match safeguards.discover_nodes {
                true => Some(Box::pin(found_nodes(ports)).await),
                false => None,
            }
        },
        async {
            match safeguards.discover_users {
                true => Some(Box::pin(found_users(ports, &location.account, since)).await),
                false => None,
            }
        },
    );
    let (found, nodes) = split(nodes);
    let network = match &nodes {
        Some(Read::Known(nodes)) if !nodes.instances.is_empty() => Some(match ports.instances().await {
            Ok(instances) => Read::Known(observe_network(ports, &nodes.instances, instances).await),
            Err(error) => Read::Unknown(error.to_string()),
        }),
        _ => None,
    };
    let mut subjects = named(&safeguards.nodes, CallerKind::Node, "property Nodes");
    add(&mut subjects, found, CallerKind::Node);
    let (found, sessions) = split(users);
    let mut of_users = named(&safeguards.users, CallerKind::User, "property Users");
    add(&mut of_users, found, CallerKind::User);
    subjects.extend(of_users);
    let lookups = Lookups::new(environment, key, safeguards);
    Box::pin(lookups.read_for(&policy, &mut subjects)).await;
    let subjects = stream::iter(subjects)
        .map(|subject| with_own_side(&lookups, subject))
        .buffered(READS_AT_A_TIME)
        .collect()
        .await;
    AccessObservation {
        key: key.clone(),
        account: location.account.clone(),
        context: safeguards.context.clone(),
        attributes: lookups.attributes(),
        policy,
        grants: grants.into(),
        dry_runs,
        subjects,
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
        Box::pin(dry_runs(ports, &key))
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
    Box::pin(lookups.read_for(&observation.policy, &mut observation.subjects)).await;
    let asked: Vec<_> =
        observation.subjects.iter().cloned().enumerate().filter(|(_, subject)| failing(subject)).collect();
    let lookups = &lookups;
    let read_again: Vec<(usize, Subject)> = stream::iter(asked)
        .map(|(at, subject)| async move { (at, with_own_side(lookups, subject).await) })
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
             KeyPolicyReaderRoleArn, or hand the policy in by KeyPolicy"
        ))
    };
    match (read, &safeguards.key_policy) {
        (Ok(policy), _) => Read::Known(policy),
        (Err(_), Some(given)) => Read::Known(given.clone()),
        (Err(why), None) => Read::Unknown(why),
    }
}

async fn dry_runs<P: PreflightPorts>(ports: &P, key: &KeyDescription) -> Vec<(CallerKind, Read<DryRun>)> {
    let run = async |side: CallerKind| (side, Read::from(ports.dry_run(&key.arn, side.call()).await));
    let (user, node) = tokio::join!(run(CallerKind::User), run(CallerKind::Node));
    vec![user, node]
}

fn named(principals: &[PrincipalArn], side: CallerKind, source: &str) -> Vec<Subject> {
    let mut subjects = Vec::new();
    let found = principals
        .iter()
        .map(|principal| FoundPrincipal { principal: principal.clone(), source: source.to_owned() });
    add(&mut subjects, found.collect(), side);
    subjects
}

/// Adds those who are not among the subjects yet.
fn add(subjects: &mut Vec<Subject>, found: Vec<FoundPrincipal>, side: CallerKind) {
    for FoundPrincipal { principal, source } in found {
        if !subjects.iter().any(|subject| subject.principal == principal) {
            subjects.push(Subject {
                principal,
                side,
                source,
                own: OwnSide::Unknown("it was not asked".to_owned()),
                asked_of_context: Vec::new(),
                tags: None,
            });
        }
    }
}

/// The principals found, and the summary that a check looks at.
fn split<T>(
    read: Option<Result<(Vec<FoundPrincipal>, T), AwsError>>,
) -> (Vec<FoundPrincipal>, Option<Read<T>>) {
    match read {
        None => (Vec::new(), None),
        Some(Ok((found, summary))) => (found, Some(Read::Known(summary))),
        Some(Err(error)) => (Vec::new(), Some(Read::Unknown(error.to_string()))),
    }
}
