//! Whether those who need the key can still use it, on the occasions that ask for it.

use serde_json::Value;

use super::outcome::Remediation;
use crate::change_event::{ChangeDetail, ChangeEvent, ChangeSource, Scope};
use crate::intent::Mode;
use crate::key::{KeyDescription, KeyRef};
use crate::location::Location;
use crate::ports::{AccessPorts, AwsErrorKind};
use crate::preflight::gather;
use crate::preflight::judge_key;
use crate::preflight::read_what_is_asked;
use crate::preflight::{Check, Finding, Read, Remedies, Verdict, assess};
use crate::reconcile::ReconcileError;
use crate::reconcile::Record;

/// How many of those who fail an alert names; the report's findings have more.
const NAMED: usize = 10;

/// Checks the keys in question, where the occasion asks for it: a call on a key, the schedule, somebody's own wish.
/// Whom `told` lets in has been told a moment ago. Nothing is written.
pub(super) async fn check_access<P: AccessPorts>(
    ports: &P,
    location: &Location,
    record: &Record,
    event: &ChangeEvent,
    told: Option<&str>,
    kept: &mut Remediation,
) -> Result<(), ReconcileError> {
    let asked =
        matches!(event.source, ChangeSource::KeyCall | ChangeSource::Schedule | ChangeSource::DirectCall);
    if !asked || record.safeguards.mode == Mode::Off {
        return Ok(());
    }
    let keys = match &event.scope {
        Scope::Key(key) => vec![key.to_string()],
        // The key that stands by is checked like the one in force: it is too late when it has to stand in.
        Scope::Document(_) | Scope::Everything => {
            let in_force = if kept.kms_key_id.is_empty() { &record.wanted } else { &kept.kms_key_id };
            let standby = record.standby().filter(|standby| standby != in_force);
            [in_force.clone()].into_iter().chain(standby.map(str::to_owned)).collect()
        }
    };
    for key in keys {
        if told != Some(&key) {
            check_key(ports, location, record, event, &key, kept).await?;
        }
    }
    Ok(())
}

/// The policy that the notice says was put on its key.
pub(super) fn put(event: &ChangeEvent) -> Option<&String> {
    match &event.detail {
        Some(ChangeDetail::KeyPolicy(policy)) => Some(policy),
        Some(ChangeDetail::DeletionDate(_)) | None => None,
    }
}

async fn check_key<P: AccessPorts>(
    ports: &P,
    location: &Location,
    record: &Record,
    event: &ChangeEvent,
    key: &str,
    kept: &mut Remediation,
) -> Result<(), ReconcileError> {
    let Ok(KeyRef::Arn(arn)) = KeyRef::parse(key) else { return Ok(()) };
    let put = put(event);
    let key = match judge_key(ports, location, &KeyRef::Arn(arn.clone())).await {
        Ok((key, _)) => key,
        // A policy that was put may have locked out this function too. What spec and usage are is fixed at creation,
        // and they were looked at when the key was chosen.
        Err(ReconcileError::Aws(error)) if matches!(error.kind, AwsErrorKind::Denied { .. }) => {
            KeyDescription::assumed(arn)
        }
        Err(error @ ReconcileError::Aws(_)) => return Err(error),
        // That it cannot be used is trouble of its own, and told as such; whom its policy forgets, nothing tells later.
        Err(_) if put.is_some() => KeyDescription::assumed(arn),
        Err(_) => return Ok(()),
    };
    let mut observation = Box::pin(gather(ports, location, &key, &record.safeguards)).await;
    // Judged by the policy that was put: it may be another account's, and not to be read from here.
    if let Some(put) = put {
        if observation.policy.known().is_some_and(|policy| !is_same(policy, put)) {
            kept.notes.push(format!("the policy of key {} is another by now than that of {event}", key.arn));
        }
        observation.policy = Read::Known(put.clone());
        read_what_is_asked(ports, location, &record.safeguards, &mut observation).await;
    }
    let assessment = assess(&observation, &record.safeguards.exempt);
    tell_failing(&key, event, &assessment.findings, assessment.remedies, kept);
    if put.is_some() && matches!(observation.grants, Read::Unknown(_)) {
        tell_doubtful(&key, event, &assessment.findings, kept);
    }
    kept.find(assessment.findings.into_iter().filter(|finding| finding.check != Check::KeyFitness));
    Ok(())
}

/// An alert that names whom a key does not let in, where there is anybody.
pub(super) fn tell_failing(
    key: &KeyDescription,
    event: &ChangeEvent,
    findings: &[Finding],
    remedies: Remedies,
    kept: &mut Remediation,
) {
    let failing: Vec<&Finding> = findings.iter().filter(|finding| is_lost_access(finding)).collect();
    let told = told(key, event, &failing);
    // A key may be judged twice, by the policy that is there and by that of an event.
    if !failing.is_empty() && !kept.alerts.contains(&told) {
        kept.checks_failed += failing.len();
        kept.alerts.push(told);
        kept.remedies = Some(remedies);
    }
}

/// An alert that names those of whom it is not known whether a key lets them in.
pub(super) fn tell_doubtful(
    key: &KeyDescription,
    event: &ChangeEvent,
    findings: &[Finding],
    kept: &mut Remediation,
) {
    let doubtful = findings.iter().filter(|finding| {
        finding.verdict == Verdict::Unknown && !finding.exempt && finding.check == Check::KeyPolicy
    });
    let doubtful: Vec<_> = doubtful.collect();
    let told = format!(
        "key {} after {event}: it is not known whether everybody who needs it can use it: {}",
        key.arn,
        named(&doubtful)
    );
    if !doubtful.is_empty() && !kept.alerts.contains(&told) {
        kept.alerts.push(told);
    }
}

fn is_same(policy: &str, other: &str) -> bool {
    let parsed = |text| serde_json::from_str::<Value>(text).ok();
    parsed(policy) == parsed(other)
}

fn is_lost_access(finding: &Finding) -> bool {
    finding.verdict == Verdict::Fail && !finding.exempt && finding.check != Check::KeyFitness
}

fn told(key: &KeyDescription, event: &ChangeEvent, failing: &[&Finding]) -> String {
    let after = match event.source {
        ChangeSource::KeyCall => format!(" after {event}"),
        _ => String::new(),
    };
    format!("key {}{after}: not everybody who needs it can use it: {}", key.arn, named(failing))
}

/// The first of them, and how many more there are.
fn named(findings: &[&Finding]) -> String {
    let named: Vec<_> = findings.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match findings.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{}{more}", named.join("; "))
}
