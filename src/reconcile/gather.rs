//! Gather: the reads behind the proof of access, many at a time under a bound.
//!
//! Their number grows with the pages of the lists and with the distinct roles, not with the nodes. What may
//! not be read, or does not answer, is noted as unknown with the reason, and the rest goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;

use super::fleet::{Found, found_nodes, found_users};
use super::ports::{self, AccessPorts, AwsError, ContextEntry, Simulated, Simulation};
use crate::access::{OwnSide, PrincipalArn, Side, encryption_contexts, is_absent};
use crate::intent::Safeguards;
use crate::key::KeyDescription;
use crate::place::Place;
use crate::preflight::{AccessObservation, DryRun, Read, Subject};

/// How many reads of one kind run at a time.
pub(super) const AT_A_TIME: usize = 8;
/// How far back the session history is read.
const HISTORY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Reads everything that the access checks look at.
pub async fn gather<P: AccessPorts>(
    ports: &P,
    home: &Place,
    key: &KeyDescription,
    safeguards: &Safeguards,
) -> AccessObservation {
    let since = ports.now() - HISTORY;
    let (policy, grants, dry_runs, nodes, users) = tokio::join!(
        read_policy(ports, home, key, safeguards),
        ports.grants(&key.arn, safeguards.reader.as_ref()),
        dry_runs(ports, key),
        async {
            match safeguards.discover_nodes {
                true => Some(found_nodes(ports).await),
                false => None,
            }
        },
        async {
            match safeguards.discover_users {
                true => Some(found_users(ports, &home.account, since).await),
                false => None,
            }
        },
    );
    let (found, nodes) = split(nodes);
    let mut subjects = named(&safeguards.nodes, Side::Node, "property Nodes");
    add(&mut subjects, found, Side::Node);
    let (found, sessions) = split(users);
    let mut of_users = named(&safeguards.users, Side::User, "property Users");
    add(&mut of_users, found, Side::User);
    subjects.extend(of_users);
    let subjects = stream::iter(subjects)
        .map(|subject| async move {
            let own = own_side(ports, home, key, &subject).await;
            Subject { own, ..subject }
        })
        .buffered(AT_A_TIME)
        .collect()
        .await;
    AccessObservation {
        key: key.clone(),
        account: home.account.clone(),
        context: Vec::new(),
        policy,
        grants: grants.into(),
        dry_runs,
        subjects,
        nodes,
        sessions,
    }
}

/// Reads anew what may have changed since: the key's side, and the own sides of those who do not pass. What was
/// known stays known where it cannot be read now: a refusal is not forgotten over a call that fails.
pub(super) async fn gather_again<P: AccessPorts>(
    ports: &P,
    home: &Place,
    safeguards: &Safeguards,
    observation: &mut AccessObservation,
    failing: &BTreeSet<(PrincipalArn, Side)>,
) {
    let key = observation.key.clone();
    let (policy, grants, dry_runs) = tokio::join!(
        read_policy(ports, home, &key, safeguards),
        ports.grants(&key.arn, safeguards.reader.as_ref()),
        dry_runs(ports, &key)
    );
    renew(&mut observation.policy, policy);
    renew(&mut observation.grants, grants.into());
    for ((_, old), (_, new)) in observation.dry_runs.iter_mut().zip(dry_runs) {
        renew(old, new);
    }
    let asked: Vec<_> = observation
        .subjects
        .iter()
        .enumerate()
        .filter(|(_, subject)| failing.contains(&(subject.principal.clone(), subject.side)))
        .map(|(at, subject)| (at, subject.clone()))
        .collect();
    let key = &key;
    let own: BTreeMap<usize, OwnSide> = stream::iter(asked)
        .map(|(at, subject)| async move { (at, own_side(ports, home, key, &subject).await) })
        .buffered(AT_A_TIME)
        .collect()
        .await;
    for (at, own) in own {
        if let Some(subject) = observation.subjects.get_mut(at)
            && !matches!(own, OwnSide::Unknown(_))
        {
            subject.own = own;
        }
    }
}

fn renew<T>(old: &mut Read<T>, new: Read<T>) {
    if new.known().is_some() {
        *old = new;
    }
}

/// The key's policy: read, or as handed in where nothing may read it.
async fn read_policy<P: AccessPorts>(
    ports: &P,
    home: &Place,
    key: &KeyDescription,
    safeguards: &Safeguards,
) -> Read<String> {
    let owner = &key.arn.place().account;
    let reader = safeguards.reader.as_ref();
    let read = if *owner == home.account || reader.is_some() {
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

async fn dry_runs<P: AccessPorts>(ports: &P, key: &KeyDescription) -> Vec<(Side, Read<DryRun>)> {
    let run = async |side: Side| {
        let answer = ports.dry_run(&key.arn, side.call()).await.map(|dry_run| match dry_run {
            ports::DryRun::WouldSucceed => DryRun::WouldSucceed,
            ports::DryRun::Denied(answer) => DryRun::Denied(answer.to_string()),
            ports::DryRun::WouldFail(answer) => DryRun::WouldFail(answer.to_string()),
        });
        (side, Read::from(answer))
    };
    let (user, node) = tokio::join!(run(Side::User), run(Side::Node));
    vec![user, node]
}

/// A principal's own side, by IAM's simulator; it answers for the function's own account only.
async fn own_side<P: AccessPorts>(
    ports: &P,
    home: &Place,
    key: &KeyDescription,
    subject: &Subject,
) -> OwnSide {
    let principal = &subject.principal;
    if principal.account() != home.account {
        return OwnSide::Unknown(format!(
            "it belongs to account {}, whose policies cannot be read from here",
            principal.account()
        ));
    }
    match simulated(ports, key, principal, subject.side).await {
        Ok(simulation) => OwnSide::Simulated(simulation),
        Err(error) => OwnSide::Unknown(error.to_string()),
    }
}

/// Simulates a principal's call. Only policies that look at the names in the encryption context are asked about
/// each encryption context; then the worst answer counts.
async fn simulated<P: AccessPorts>(
    ports: &P,
    key: &KeyDescription,
    principal: &PrincipalArn,
    side: Side,
) -> Result<Simulation, AwsError> {
    let ask = async |names: &[&str]| {
        ports.simulate(principal.as_str(), side.call(), &key.arn, &simulated_context(names)).await
    };
    let mut worst = ask(&[]).await?;
    if worst.missing_context.iter().any(|key| key.eq_ignore_ascii_case(CONTEXT_KEYS)) {
        let mut answers = Vec::new();
        for names in encryption_contexts(side) {
            answers.push(ask(names).await?);
        }
        worst = answers.into_iter().max_by_key(severity).unwrap_or(worst);
    }
    // The simulator takes what it is not given for absent, which is right for what is.
    worst.missing_context.retain(|key| !is_absent(side, key));
    Ok(worst)
}

fn severity(simulation: &Simulation) -> (bool, u8) {
    let limited = [simulation.organizations_allow, simulation.boundary_allows].contains(&Some(false));
    let decision = match simulation.decision {
        Simulated::Allowed => 0,
        Simulated::ImplicitDeny => 1,
        Simulated::ExplicitDeny => 2,
    };
    (limited, decision)
}

/// The condition key that lists the names in the encryption context.
const CONTEXT_KEYS: &str = "kms:EncryptionContextKeys";

/// What a simulation is told of a session's call, with these names in its encryption context if any.
fn simulated_context(names: &[&str]) -> Vec<ContextEntry> {
    let entry = |key: &str, values: &[&str], multivalued| ContextEntry {
        key: key.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        multivalued,
    };
    let mut context = vec![
        entry("kms:EncryptionAlgorithm", &["SYMMETRIC_DEFAULT"], false),
        entry("aws:SecureTransport", &["true"], false),
        entry("aws:ViaAWSService", &["false"], false),
    ];
    if !names.is_empty() {
        context.push(entry(CONTEXT_KEYS, names, true));
    }
    context
}

fn named(principals: &[PrincipalArn], side: Side, source: &str) -> Vec<Subject> {
    let mut subjects = Vec::new();
    let found =
        principals.iter().map(|principal| Found { principal: principal.clone(), source: source.to_owned() });
    add(&mut subjects, found.collect(), side);
    subjects
}

/// Adds whoever is not there yet.
fn add(subjects: &mut Vec<Subject>, found: Vec<Found>, side: Side) {
    for Found { principal, source } in found {
        if !subjects.iter().any(|subject| subject.principal == principal) {
            subjects.push(Subject {
                principal,
                side,
                source,
                own: OwnSide::Unknown("it was not asked".to_owned()),
            });
        }
    }
}

/// The principals found, and the summary that a check looks at.
fn split<T>(read: Option<Result<(Vec<Found>, T), AwsError>>) -> (Vec<Found>, Option<Read<T>>) {
    match read {
        None => (Vec::new(), None),
        Some(Ok((found, summary))) => (found, Some(Read::Known(summary))),
        Some(Err(error)) => (Vec::new(), Some(Read::Unknown(error.to_string()))),
    }
}

/// Whether the key or one of its grants is so new that not everybody sees it yet (up to about five minutes,
/// KMS developer guide); twice that is allowed for. A date to come is another clock's, and is new.
pub(super) fn is_fresh(observation: &AccessObservation, now: SystemTime) -> bool {
    const FRESH: Duration = Duration::from_secs(600);
    let is_new =
        |created: SystemTime| now.duration_since(created).is_ok_and(|age| age < FRESH) || created > now;
    let of_grant = |grant: &Value| {
        let created = Duration::try_from_secs_f64(grant.get("CreationDate")?.as_f64()?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(created)
    };
    let grants = observation.grants.known().map(Vec::as_slice).unwrap_or_default();
    observation.key.created.into_iter().chain(grants.iter().filter_map(of_grant)).any(is_new)
}
